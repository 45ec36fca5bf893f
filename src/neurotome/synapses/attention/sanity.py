"""Do maps depend on what a network has learnt, and do they say what happens when a place is hidden?"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats

from neurotome.nn.attribution import Target, structure_occlusion

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
    edges = np.linspace(0, cube.shape[-1], blocks + 1).round().astype(int)
    parts = {}
    for at in np.ndindex(blocks, blocks, blocks):
        part = tuple(slice(edges[k], edges[k + 1]) for k in at)
        # What is grey already answers 0 without being asked.
        if not torch.allclose(cube[0, 0][part], torch.tensor(grey), rtol=0, atol=1e-6):
            parts[at] = torch.zeros(cube.shape[1:], dtype=torch.bool)
            parts[at][0][part] = True
    falls = np.zeros((blocks,) * 3, np.float32)
    for at, fall in structure_occlusion(network, cube, target, parts, grey=grey).items():
        falls[at] = fall[0]
    return falls


def _block_means(values: np.ndarray, blocks: int) -> np.ndarray:
    small: np.ndarray = F.adaptive_avg_pool3d(torch.from_numpy(np.ascontiguousarray(values, np.float64))[None, None], blocks)[
        0, 0
    ].numpy()
    return small
