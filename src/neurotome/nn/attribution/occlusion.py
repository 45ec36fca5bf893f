"""Maps without gradients: how the answer changes when a part of the crop is grey."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from neurotome.core import ShapeError
from neurotome.nn.attribution.modes import evaluating
from neurotome.nn.attribution.targets import Target

__all__ = ["block_occlusion", "structure_occlusion"]

Name = TypeVar("Name", bound=Hashable)


def block_occlusion(
    network: nn.Module, crops: torch.Tensor, target: Target, *, side: int = 25, stride: int | None = None, grey: float = 0.6
) -> np.ndarray:
    """By how much the target falls when a cube of `side` voxels around a voxel is grey, mean over the cubes that hold the voxel:
    (n, s, s, s) float32. stride: between cubes, half a side by default.
    """
    if not 1 <= side <= crops.shape[-1]:
        raise ShapeError(f"Cubes of {side} voxels in crops of {crops.shape[-1]}", "cubes that fit", "take smaller ones")
    from captum.attr import Occlusion

    step = stride or max(1, side // 2)
    with evaluating(network), torch.no_grad():
        found = Occlusion(lambda x: target(network(x))).attribute(
            crops, sliding_window_shapes=(1, side, side, side), strides=(1, step, step, step), baselines=grey
        )
    maps: np.ndarray = found.float()[:, 0].numpy()
    return maps


def structure_occlusion(
    network: nn.Module, crops: torch.Tensor, target: Target, structures: Mapping[Name, torch.Tensor], *, grey: float = 0.6
) -> dict[Name, np.ndarray]:
    """By how much the target falls when a structure is grey: name -> (n,) float32, not a number where the crop has none of it.

    structures: name -> (n, s, s, s) bool.
    """
    found = {}
    with evaluating(network), torch.no_grad():
        whole = target(network(crops))
        for name, where in structures.items():
            fall = whole - target(network(crops.masked_fill(where[:, None], grey)))
            there = where.flatten(1).any(1)
            found[name] = torch.where(there, fall, torch.full_like(fall, torch.nan)).float().numpy()
    return found
