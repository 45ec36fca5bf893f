"""Reading features out of a trained VGG3D at speed: the same numbers as `layer_outputs`, up to rounding.

Normalisations are folded into the convolutions before them (exact algebra, as nothing is learnt here), channels lie side by side
in memory, modules after the layer that is asked for are left out, and bfloat16 is used where the processor has instructions for
it. Cubes go through one at a time on a CPU: as fast as several together, and a row is independent of its neighbours.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from neurotome.core import ShapeError, UnknownNameError
from neurotome.nn.vgg3d.layers import feature_names, layer_taps
from neurotome.nn.vgg3d.network import VGG3D
from neurotome.nn.vgg3d.poolings import pooled

__all__ = ["PRECISIONS", "FeatureExtractor"]

PRECISIONS = ("auto", "float32", "bfloat16")


class FeatureExtractor:
    """Cubes -> rows of features of one layer, pooled. The network is copied: what becomes of it later does not matter.

    precision: "auto" is bfloat16 where the processor (or GPU) has instructions for it and float32 elsewhere; `precision` tells
    which it became. names: of the columns.
    """

    def __init__(
        self, network: VGG3D, layer: int | str = 20, pooling: str = "avg", *, precision: str = "auto", device: str = "cpu"
    ) -> None:
        if precision not in PRECISIONS:
            raise UnknownNameError("precision", precision, PRECISIONS)
        self.names = feature_names(network.config, layer, pooling)
        self.pooling, self.device = pooling, torch.device(device)
        self.precision = _fastest(self.device) if precision == "auto" else precision
        self._dtype = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
        self._network = network
        self._steps = [
            (
                step.to(self.device, self._dtype, memory_format=torch.channels_last_3d)
                if isinstance(step, nn.Conv3d | nn.BatchNorm3d)
                else step,
                tap,
            )
            for step, tap in _folded(network, layer_taps(network.config, layer))
        ]

    def __call__(self, cubes: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        """(n, s, s, s) float and, for mask_avg, (n, s, s, s) bool -> (n, d) float32. Raises ShapeError, InputError."""
        cubes = np.asarray(cubes, np.float32)
        if cubes.ndim != 4 or (masks is not None and masks.shape != cubes.shape):
            shapes = f"Cubes {cubes.shape}" + ("" if masks is None else f" with masks {masks.shape}")
            raise ShapeError(shapes, "both (n, s, s, s)", "give one mask per cube")
        if not len(cubes):
            return np.empty((0, len(self.names)), np.float32)
        at_once = 1 if self.device.type == "cpu" else len(cubes)
        rows = []
        with torch.inference_mode():
            for start in range(0, len(cubes), at_once):
                some = slice(start, start + at_once)
                mask = None if masks is None else torch.from_numpy(masks[some]).to(self.device)
                rows.append(self._rows(torch.from_numpy(cubes[some, None]), mask).cpu().numpy())
        return np.concatenate(rows)

    def _rows(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        self._network.require_cubes(x, trunk=True)
        x = x.to(self.device, self._dtype, memory_format=torch.channels_last_3d)
        found = []
        for step, tap in self._steps:
            # A ReLU may overwrite its input, unless that is asked for as well.
            x = F.relu(x, inplace=not (found and found[-1] is x)) if isinstance(step, nn.ReLU) else step(x)
            if tap:
                found.append(x)
        return torch.cat([pooled(output, self.pooling, mask) for output in found], 1)


def _fastest(device: torch.device) -> str:
    native = torch.cpu._is_avx512_bf16_supported() if device.type == "cpu" else torch.cuda.is_bf16_supported()
    return "bfloat16" if native else "float32"


def _folded(network: VGG3D, taps: tuple[int, ...]) -> list[tuple[nn.Module, bool]]:
    """The modules up to the last tap, and whether the output of each is asked for; normalisations inside their convolutions."""
    modules = copy.deepcopy(network.features[: taps[-1] + 1]).eval().float().requires_grad_(False)
    steps: list[tuple[nn.Module, bool]] = []
    for at, module in enumerate(modules):
        if isinstance(module, nn.BatchNorm3d) and not steps[-1][1]:
            convolution = steps.pop()[0]
            module = fuse_conv_bn_eval(convolution, module)
        steps.append((module, at in taps))
    return steps
