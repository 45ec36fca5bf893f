"""Edges that become trees: which of them to take, and which end of each is the parent."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["joining", "rooted"]


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


def rooted(edges: np.ndarray, count: int, roots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trees with their edges turned towards a root: the nodes reached, parents first, and (count,) the parent of each or -1.

    edges: (k, 2), without cycles. roots: where to begin; one that another has reached begins nothing.

    >>> order, parents = rooted(np.array([[0, 1], [1, 2], [3, 4]]), 5, np.array([1, 2, 4]))
    >>> order.tolist(), parents.tolist()
    ([1, 0, 2, 4, 3], [1, -1, 1, 4, -1])
    """
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    begins = np.searchsorted(both[:, 0], np.arange(count + 1))
    return _orient(begins, np.ascontiguousarray(both[:, 1]), roots)


@numba.njit(cache=True, nogil=True)
def _orient(begins, others, roots):
    """Breadth first from each root."""
    count = len(begins) - 1
    parents = np.full(count, -1, np.int32)
    seen = np.zeros(count, np.bool_)
    order = np.empty(count, np.int32)
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
