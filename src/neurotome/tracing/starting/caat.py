"""The rules of CAAT (Huang et al. 2021), for comparison with what it traces: its threshold and its jumps over gaps.

Data are 0..255, as in CAAT. Its growth is not repeated here: `scooping` grows the trees, these rules join them.
"""

from __future__ import annotations

import math

import numpy as np

from neurotome.core.geometry import Int3

__all__ = ["BOX_MARGIN", "LEAST_SCORE", "caat_levels", "jump_score", "line_between"]

BOX_MARGIN = 8
"""How far around a cluster that cannot grow CAAT looks for another component, in voxels."""

LEAST_SCORE = 0.5
"""A jump of at least this score is made."""

_LARGEST_COUNTED = 127


def caat_levels(counts: np.ndarray) -> tuple[int, int]:
    """CAAT's threshold T and its level for dim gaps, T_low.

    counts: (256,) how often each value occurs. Over the values 1..127: T = 3 (i + 1), i the first value at which the cumulative
    share reaches 0.70, and T_low the first at which it reaches 0.50. T is above 255 when i >= 85: then no voxel is left. Both
    are 256 where no value of 1..127 occurs.

    >>> counts = np.zeros(256, np.int64)
    >>> counts[[10, 20, 30]] = 50, 25, 25
    >>> caat_levels(counts)
    (63, 10)
    """
    counted = np.asarray(counts, np.int64)[1 : _LARGEST_COUNTED + 1]
    total = int(counted.sum())
    if total == 0:
        return 256, 256
    share = np.cumsum(counted) / total
    first, low = int(np.argmax(share >= 0.70)) + 1, int(np.argmax(share >= 0.50)) + 1
    return 3 * (first + 1), low


def jump_score(distance: int, line: np.ndarray, *, other_component: bool, t_low: int = 1) -> float:
    """How much CAAT likes to jump: DC * RC * DPC, in 0..1.

    distance: d, the Chebyshev distance from the cluster's first voxel to the nearest unvisited one. line: the d + 1 values on
    the line between them, both ends included. RC is 1 if that voxel belongs to another component, else 0; DC is 1 up to d = 5,
    then exp(-(d - 5) / 3); DPC = exp(-(n - S) / n), S the sum over the line of 1 where the value is at least min(0.1, T_low),
    else the value.

    >>> round(jump_score(3, np.array([255, 0, 0, 255]), other_component=True), 3)
    0.607
    """
    if not other_component:
        return 0.0
    values = np.asarray(line, np.float64)
    full = np.where(values >= min(0.1, t_low), 1.0, values)
    near = 1.0 if distance <= 5 else math.exp(-(distance - 5) / 3)
    return near * math.exp(-(len(values) - float(full.sum())) / len(values))


def line_between(start: Int3, stop: Int3) -> np.ndarray:
    """The d + 1 voxels on the line between two voxels, d their Chebyshev distance; halves are rounded to even.

    >>> line_between((0, 0, 0), (0, 1, 3)).tolist()
    [[0, 0, 0], [0, 0, 1], [0, 1, 2], [0, 1, 3]]
    """
    steps = int(np.abs(np.subtract(stop, start)).max())
    return np.rint(np.linspace(start, stop, steps + 1)).astype(np.int64)
