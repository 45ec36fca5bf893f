"""Short side branches are most often spines of the mask: take them all away at once, but nothing that a person has confirmed."""

from __future__ import annotations

import heapq
import math

import numpy as np

from neurotome.core import SOMA, Skeleton, ValueRangeError
from neurotome.tracing.edit.bench import Bench
from neurotome.tracing.edit.rows import feature, protected, without

__all__ = ["prune_below", "short_branches"]


def prune_below(bench: Bench, *, length_nm: float) -> Skeleton:
    """The tree without its side branches shorter than this; see `short_branches`."""
    if length_nm <= 0:
        raise ValueRangeError(f"Branches below {length_nm:g} nm", "a length above 0", "give length_nm, 3000 are 3 um")
    return without(bench.tree, short_branches(bench.tree, length_nm))


def short_branches(tree: Skeleton, length_nm: float) -> np.ndarray:
    """(n,) bool: the nodes of side branches shorter than `length_nm`.

    A side branch is the way from a tip up to the first node with another child, that node not counted, its edge counted; one that
    reaches farther than all else that goes on from there is no side branch. The shortest goes first (among equals, that of the
    smaller node id); where it leaves one child, the two pieces that meet there are one branch from then on. So the longest way
    down from a root always stays. Branches with a locked, hand-drawn, unremovable or soma node, or an accepted bridge, stay.

    >>> fork = Skeleton.of([-1, 0, 1, 1], [[0, 0, 0], [0, 0, 10], [0, 0, 20], [0, 3, 10]])
    >>> short_branches(fork, 5.0).tolist()
    [False, False, False, True]
    """
    above, edges, ids = tree.parent_rows.tolist(), tree.edge_nm.tolist(), tree.ids.tolist()
    kept = (protected(tree) | feature(tree, "unremovable") | (tree.kinds == SOMA)).tolist()
    children, reach = _children_and_reach(above, edges)
    doomed = np.zeros(len(tree), bool)

    def branch(tip: int) -> tuple[float, list[int]]:
        """Length and rows, from the tip up; no rows where it may not go."""
        rows, row, length = [], tip, 0.0
        while above[row] >= 0 and not kept[row]:
            rows.append(row)
            length += edges[row]
            if len(children[above[row]]) > 1:
                farthest = max(reach[other] for other in children[above[row]] if other != row)
                return length, rows if farthest >= reach[row] else []
            row = above[row]
        return math.inf, []

    waiting = [(branch(tip)[0], ids[tip], tip) for tip in range(len(tree)) if not children[tip]]
    heapq.heapify(waiting)
    while waiting and waiting[0][0] < length_nm:
        length, _, tip = heapq.heappop(waiting)
        now, rows = branch(tip)
        if now > length:  # it has grown by the piece above a fork that is none any more
            heapq.heappush(waiting, (now, ids[tip], tip))
        elif rows:
            doomed[rows] = True
            children[above[rows[-1]]].remove(rows[-1])
    return doomed


def _children_and_reach(above: list[int], edges: list[float]) -> tuple[list[list[int]], list[float]]:
    """The children of each row, and the longest way from its parent over it down to a tip."""
    children: list[list[int]] = [[] for _ in above]
    reach = [0.0] * len(above)
    for row in range(len(above) - 1, -1, -1):
        reach[row] = edges[row] + max((reach[child] for child in children[row]), default=0.0)
        if above[row] >= 0:
            children[above[row]].append(row)
    return children, reach
