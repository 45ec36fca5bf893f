"""Maps from gradients: Grad-CAM of any module (Selvaraju et al. 2017) and integrated gradients (Sundararajan et al. 2017)."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from neurotome.core import ShapeError
from neurotome.nn.attribution.modes import evaluating
from neurotome.nn.attribution.targets import Target

__all__ = ["grad_cam", "integrated_gradients"]


def grad_cam(
    network: nn.Module, module: nn.Module, crops: torch.Tensor, target: Target, *, side: int | None = None
) -> np.ndarray:
    """ReLU of the sum over channels of activation times mean gradient, brought to a grid of `side` voxels trilinearly.

    Gives (n, side, side, side) float32, not normalised; side: that of the crops if left out. module: one of the network's, with
    answers (n, c, ...). crops: (n, 1, s, s, s). The network answers in evaluation mode. Raises ShapeError.
    """
    _require_crops(crops)
    from captum.attr import LayerAttribution, LayerGradCam

    with evaluating(network):
        found = LayerGradCam(lambda x: target(network(x)), module).attribute(crops, relu_attributions=True)
        if found.ndim != 5:
            raise ShapeError(
                f"A layer with answers of shape {tuple(found.shape)}", "one with a map per channel", "choose another layer"
            )
        shown = LayerAttribution.interpolate(found.detach().float(), (side or crops.shape[-1],) * 3, "trilinear")
    maps: np.ndarray = shown[:, 0].numpy()
    return maps


def integrated_gradients(
    network: nn.Module, crops: torch.Tensor, target: Target, *, grey: float = 0.6, steps: int = 16
) -> np.ndarray:
    """Difference to plain grey times the mean gradient on the way from it: (n, s, s, s) float32, signed.

    Sums to the difference of the target between crop and grey, but for the error of `steps`.
    """
    _require_crops(crops)
    from captum.attr import IntegratedGradients

    with evaluating(network):
        found = IntegratedGradients(lambda x: target(network(x))).attribute(crops, torch.full_like(crops, grey), n_steps=steps)
    maps: np.ndarray = found.detach().float()[:, 0].numpy()
    return maps


def _require_crops(crops: torch.Tensor) -> None:
    if crops.ndim != 5 or crops.shape[1] != 1:
        raise ShapeError(f"Crops of shape {tuple(crops.shape)}", "(n, 1, s, s, s)")
