"""Mean-affinity agglomeration: merge the two segments with the highest mean affinity until none is left above t_min."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numba import njit

from neurotome.core import MergeList, RegionGraph, ValueRangeError
from neurotome.neurons.chains import contract
from neurotome.neurons.region_graph import Rows

__all__ = ["agglomerate", "agglomerate_rows", "cut", "merges_above", "scaled"]


def scaled(threshold: float) -> int:
    """A threshold in [0, 1] as the whole number T of the rule 256 * affinity_sum >= T * contact.

    >>> scaled(0.25)
    16320
    """
    if not 0 <= threshold <= 1:
        raise ValueRangeError(f"Threshold {threshold}", "a number in [0, 1]", "divide by 255 if it is meant in grey values")
    return round(threshold * 255 * 256)


def agglomerate(graph: RegionGraph, *, t_min: float = 0.1) -> MergeList:
    """The merge tree of a region graph under mean linkage, written as the list of merges in order of falling score.

    The row with the largest affinity_sum / contact merges first; ties go to the smaller key, a row's key being its pair of
    ids in the graph. The union lives on under the smaller id; rows of both to a common neighbour add up and keep the smaller
    key. The list ends where no row has 256 * affinity_sum >= T * contact, T = round(t_min * 255 * 256). Means are compared
    exactly: as float64 quotients, and where these are equal by cross-multiplication in 128 bits.

    The score never rises along the list, so merging with any threshold above t_min gives a beginning of it (`cut`).

    Source: mean affinity linkage as in Lee et al. 2017; reducibility as in Bruynooghe 1977.

    >>> graph = RegionGraph(np.array([[1, 2], [1, 3], [2, 3]], np.uint64),
    ...                     np.array([255, 90, 200], np.uint64), np.array([1, 1, 4], np.uint64))
    >>> merges = agglomerate(graph)
    >>> merges.pairs.tolist(), merges.affinity_sum.tolist(), merges.contact.tolist()
    ([[1, 2], [1, 3]], [255, 290], [1, 5])
    """
    names = np.unique(graph.edges)
    pairs = (np.searchsorted(names, graph.edges) + 1).astype(np.uint32)
    return agglomerate_rows((pairs, graph.affinity_sum.astype(np.int64), graph.contact.astype(np.int64)), names, t_min=t_min)


def agglomerate_rows(rows: Rows, names: np.ndarray, *, t_min: float = 0.1) -> MergeList:
    """`agglomerate` for rows of ids 1..n whose names in the list are `names` (n,), rising."""
    pairs, affinity_sum, contact = contract(*rows, least=scaled(t_min))
    return MergeList(names[pairs - 1].astype(np.uint64), affinity_sum.astype(np.uint64), contact.astype(np.uint64), t_min)


def merges_above(merges: MergeList, threshold: float) -> int:
    """How many merges of the list happen at this threshold.

    Raises ValueRangeError if the threshold lies below the t_min at which the list ends.
    """
    least = scaled(threshold)
    if least < scaled(merges.t_min):
        raise ValueRangeError(
            f"Threshold {threshold} is below the t_min {merges.t_min} of the merge list",
            f"a threshold of {merges.t_min} or more",
            f"agglomerate again with t_min={threshold} to extend the list",
        )
    # The list falls, so bisection finds its end; in Python's integers, which cannot overflow.
    return bisect_left(
        range(len(merges.pairs)), True, key=lambda k: 256 * int(merges.affinity_sum[k]) < least * int(merges.contact[k])
    )


def cut(merges: MergeList, threshold: float, ids: np.ndarray) -> np.ndarray:
    """The segment of each fragment at a threshold, by replaying a beginning of the merge list; nothing is recomputed.

    Parameters
    ----------
    merges
        From `agglomerate`.
    threshold
        In [t_min, 1].
    ids
        (n,) fragment ids, rising.

    Returns
    -------
    (n,) the smallest fragment id of each fragment's segment.

    Examples
    --------
    >>> pairs, one = np.array([[3, 5], [1, 3]], np.uint64), np.ones(2, np.uint64)
    >>> merges = MergeList(pairs, np.array([100, 50], np.uint64), one, 0.1)
    >>> cut(merges, 0.3, np.array([1, 3, 5], np.uint64)).tolist()
    [1, 3, 3]
    """
    count = merges_above(merges, threshold)
    parent = np.arange(len(ids))
    _replay(parent, np.searchsorted(ids, merges.pairs[:count]))
    return ids[parent]


@njit(cache=True)
def _replay(parent, pairs):
    for k in range(len(pairs)):
        a, b = pairs[k, 0], pairs[k, 1]
        parent[max(a, b)] = min(a, b)
    for i in range(len(parent)):
        parent[i] = parent[parent[i]]
