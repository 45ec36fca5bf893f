"""From a layer's output to one row of numbers per cube.

avg, max         over space                                                        c numbers
concat_avg_max   the one, then the other                                         2 c
spp              averages in 1, 2 x 2 x 2 and 4 x 4 x 4 bins, channel by channel   73 c
mask_avg         average weighted by how much of the mask lies in each voxel         c
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from neurotome.core import InputError, ShapeError, UnknownNameError

__all__ = ["POOLINGS", "pooled", "pooled_width"]

_BINS = (1, 2, 4)
_TIMES = {"avg": 1, "max": 1, "concat_avg_max": 2, "spp": sum(bins**3 for bins in _BINS), "mask_avg": 1}

POOLINGS = tuple(_TIMES)


def pooled_width(channels: int, pooling: str) -> int:
    """How many numbers a pooling makes of so many channels. Raises UnknownNameError.

    >>> [pooled_width(96, pooling) for pooling in POOLINGS]
    [96, 96, 192, 7008, 96]
    """
    if pooling not in _TIMES:
        raise UnknownNameError("pooling", pooling, POOLINGS)
    return channels * _TIMES[pooling]


def pooled(output: torch.Tensor, pooling: str, mask: torch.Tensor | None = None) -> torch.Tensor:
    """(n, c, z, y, x) -> (n, d) float32.

    spp: bin i of m along an axis of l voxels holds voxels floor(i l / m) up to ceil((i + 1) l / m), so bins overlap where m does
    not divide l; levels one after the other, in each the bins of a channel together (He et al. 2015).
    mask: (n, s, s, s) bool at the size of the cube, for mask_avg alone; an empty one gives NaN.
    Raises UnknownNameError for the pooling, InputError for mask_avg without a mask, ShapeError.
    """
    pooled_width(1, pooling)
    output = output.float()
    if pooling == "avg":
        return output.mean((2, 3, 4))
    if pooling == "max":
        return output.amax((2, 3, 4))
    if pooling == "concat_avg_max":
        return torch.cat((output.mean((2, 3, 4)), output.amax((2, 3, 4))), 1)
    if pooling == "spp":
        return torch.cat([F.adaptive_avg_pool3d(output, bins).flatten(1) for bins in _BINS], 1)
    if mask is None:
        raise InputError("mask_avg without a mask", "the mask of each cube", "give masks, or take avg")
    return _under_mask(output, mask)


def _under_mask(output: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    if mask.ndim != 4 or len(mask) != len(output):
        raise ShapeError(f"Masks of shape {tuple(mask.shape)}", f"({len(output)}, s, s, s)", "give one per cube")
    weights = F.adaptive_avg_pool3d(mask[:, None].float(), output.shape[2:])  # (n, 1, z, y, x), the mask's share of each voxel
    return (output * weights).sum((2, 3, 4)) / weights.sum((2, 3, 4))
