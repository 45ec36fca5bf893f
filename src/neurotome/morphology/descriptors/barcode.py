"""Topological morphology descriptor: one bar per tip, from the fork where its branch leaves a longer one to the tip itself."""

from __future__ import annotations

import numba
import numpy as np

from neurotome.core import Skeleton, UnknownNameError
from neurotome.morphology.descriptors.body import Body, body_of

__all__ = ["DISTANCES", "barcode", "tree_bars"]

DISTANCES = ("path", "radial")
"""Distances from the root of a node's own tree: along the edges, or straight."""


def tree_bars(parent_rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The bars of a forest for values at its nodes.

    A tip sends its own value towards the root. At a fork the largest value that arrives goes on; each other one ends there and
    makes a bar from the fork's value to it. What arrives at a root makes a bar from the root's value. A root without children
    is no tip and has no bar.

    parent_rows: (n,), parents first. values: (n,) float64. Returns (b, 2) float64, value at the fork and at the tip, the
    largest tips first; b is the number of tips. Source: Kanari et al. 2018.

    >>> tree_bars(np.array([-1, 0, 1, 1]), np.array([0.0, 2.0, 5.0, 3.0])).tolist()
    [[0.0, 5.0], [2.0, 3.0]]
    """
    bars = _bars(np.ascontiguousarray(parent_rows, np.int64), np.ascontiguousarray(values, np.float64))
    return np.asarray(bars[np.lexsort((bars[:, 0], -bars[:, 1]))])


def barcode(skeleton: Skeleton | Body, distance: str = "path") -> np.ndarray:
    """(b, 2) float64 in nm, the bars of a neuron by one of `DISTANCES`; trees of a neuron of several put theirs together.

    Only roots, forks and tips matter, not how densely nodes lie between. Raises UnknownNameError for another distance.
    """
    if distance not in DISTANCES:
        raise UnknownNameError("distance of a barcode", distance, DISTANCES)
    body = body_of(skeleton)
    return tree_bars(body.tree.parent_rows, body.branching.depth if distance == "path" else body.reach_nm)


@numba.njit(cache=True, nogil=True)
def _bars(parents: np.ndarray, values: np.ndarray) -> np.ndarray:
    n = len(parents)
    bars = np.empty((n, 2))
    arrived = np.zeros(n, np.bool_)
    largest = np.empty(n)
    found = 0
    for row in range(n - 1, -1, -1):
        parent = parents[row]
        if parent < 0:
            if arrived[row]:
                bars[found, 0], bars[found, 1] = values[row], largest[row]
                found += 1
            continue
        sent = largest[row] if arrived[row] else values[row]
        if not arrived[parent]:
            arrived[parent], largest[parent] = True, sent
            continue
        bars[found, 0], bars[found, 1] = values[parent], min(sent, largest[parent])
        largest[parent] = max(sent, largest[parent])
        found += 1
    return bars[:found]
