"""Edges without direction -> trees: which end of each edge is the parent."""

from __future__ import annotations

import numba
import numpy as np

from neurotome.core import ROOT

__all__ = ["rooted"]


def rooted(edges: np.ndarray, count: int, roots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trees with their edges turned towards a root: the nodes reached, parents first, and (count,) the parent of each or ROOT.

    edges: (k, 2); one that closes a loop is left out. roots: where to begin; one that another has reached begins nothing.

    >>> order, parents = rooted(np.array([[0, 1], [1, 2], [3, 4]]), 5, np.array([1, 2, 4]))
    >>> order.tolist(), parents.tolist()
    ([1, 0, 2, 4, 3], [1, -1, 1, 4, -1])
    """
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    begins = np.searchsorted(both[:, 0], np.arange(count + 1))
    order, parents = _orient(begins, np.ascontiguousarray(both[:, 1]), roots, ROOT)
    return order, parents


@numba.njit(cache=True, nogil=True)
def _orient(begins: np.ndarray, others: np.ndarray, roots: np.ndarray, none: int) -> tuple[np.ndarray, np.ndarray]:
    """Breadth first from each root."""
    count = len(begins) - 1
    parents = np.full(count, none, np.int64)
    seen = np.zeros(count, np.bool_)
    order = np.empty(count, np.int64)
    done = known = 0
    for root in roots:
        if seen[root]:
            continue
        seen[root], order[known] = True, root
        known += 1
        while done < known:
            here = order[done]
            done += 1
            for k in range(begins[here], begins[here + 1]):
                there = others[k]
                if not seen[there]:
                    seen[there] = True
                    parents[there] = here
                    order[known] = there
                    known += 1
    return order[:known], parents
