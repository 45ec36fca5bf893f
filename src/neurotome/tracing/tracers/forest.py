"""Edges that become trees: which of them to take (`io.oriented` says which end of each is the parent)."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["joining"]


@numba.njit(cache=True, nogil=True)
def joining(edges: np.ndarray, count: int) -> np.ndarray:
    """Which edges, taken in this order, join nodes that were apart (Kruskal 1956): (k,) bool for (k, 2) edges of 0..count-1."""
    above = np.arange(count)
    taken = np.zeros(len(edges), np.bool_)
    for k in range(len(edges)):
        a, b = edges[k, 0], edges[k, 1]
        while above[a] != a:
            above[a] = above[above[a]]
            a = above[a]
        while above[b] != b:
            above[b] = above[above[b]]
            b = above[b]
        if a != b:
            above[max(a, b)] = min(a, b)
            taken[k] = True
    return taken
