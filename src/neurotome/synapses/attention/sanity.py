"""Do maps depend on what a network has learnt, and do they say what happens when a place is hidden?"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats

from neurotome.nn.attribution import Target, block_occlusion

__all__ = ["map_agreement", "occluded_blocks"]


def map_agreement(first: np.ndarray, second: np.ndarray, blocks: int) -> float:
    """Spearman's rank correlation of the block means of two maps (s, s, s) or (blocks, blocks, blocks); not a number where one
    of them is even.

    >>> rising = np.arange(64.0).reshape(4, 4, 4)
    >>> round(map_agreement(rising, -rising, 4), 6), round(map_agreement(rising, rising**3, 2), 6)
    (-1.0, 1.0)
    """
    a, b = (_block_means(values, blocks).ravel() for values in (first, second))
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(stats.spearmanr(a, b).statistic)


def occluded_blocks(network: torch.nn.Module, cube: torch.Tensor, target: Target, blocks: int, grey: float) -> np.ndarray:
    """By how much the target falls when one of blocks^3 parts of a cube (1, 1, s, s, s) is grey: (blocks, blocks, blocks)."""
    side = -(-cube.shape[-1] // blocks)
    return _block_means(block_occlusion(network, cube, target, side=side, stride=side, grey=grey)[0], blocks)


def _block_means(values: np.ndarray, blocks: int) -> np.ndarray:
    small: np.ndarray = F.adaptive_avg_pool3d(torch.from_numpy(np.ascontiguousarray(values, np.float64))[None, None], blocks)[
        0, 0
    ].numpy()
    return small
