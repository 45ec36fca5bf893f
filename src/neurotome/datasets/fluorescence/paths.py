"""Skeletons as paths: a node every so often, the branches, how far along one a node is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core import ROOT, Skeleton

__all__ = ["Branches", "branches", "dense", "inside", "joined"]


def dense(tree: Skeleton, step_nm: float) -> Skeleton:
    """The same lines with nodes at most `step_nm` apart; radii are interpolated, a new node has the kind of the edge's far end.

    A neurite that starts at a soma keeps its own radius up to the centre: a cone as wide as the soma would hide its first part.

    >>> dense(Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 30]], [5, 8]), 10).radii_nm.tolist()
    [5.0, 6.0, 7.0, 8.0]
    """
    above = tree.parent_rows
    pieces = np.where(above >= 0, np.maximum(1, np.ceil(tree.edge_nm / step_nm - 1e-9)), 1).astype(np.int64)
    last = np.cumsum(pieces) - 1
    row = np.repeat(np.arange(len(tree)), pieces)
    nth = np.arange(len(row)) - np.repeat(last - pieces + 1, pieces) + 1
    share = nth / pieces[row]
    start = np.where(above >= 0, above, np.arange(len(tree)))[row]
    points = tree.points_nm[start] + share[:, None] * (tree.points_nm[row] - tree.points_nm[start])
    from_radius = np.where((tree.kinds[start] == 1) & (tree.kinds[row] != 1), tree.radii_nm[row], tree.radii_nm[start])
    radii = from_radius + share * (tree.radii_nm[row] - from_radius)
    parents = np.where(nth > 1, np.arange(len(row)) - 1, np.where(above[row] >= 0, last[above[row]], ROOT))
    return Skeleton(
        np.arange(1, len(row) + 1), np.where(parents >= 0, parents + 1, ROOT), points, radii, tree.kinds[row], name=tree.name
    )


def inside(tree: Skeleton, low_nm: np.ndarray, high_nm: np.ndarray, *, fewest: int = 1) -> Skeleton:
    """The nodes in a box (both ends belong to it), numbered anew, without trees of fewer than `fewest` nodes."""
    within = (tree.points_nm >= low_nm) & (tree.points_nm <= high_nm)
    kept = tree.take(np.asarray(within.all(1)))
    if len(kept):
        kept = kept.take(np.bincount(kept.trees)[kept.trees] >= fewest)
    parents = np.where(kept.parent_rows >= 0, kept.parent_rows + 1, ROOT)
    ids = np.arange(1, len(kept) + 1)
    return Skeleton(ids, parents, kept.points_nm, kept.radii_nm, kept.kinds, dict(kept.features), kept.name)


def joined(trees: Sequence[Skeleton], name: str) -> Skeleton:
    """All nodes of several skeletons in one, numbered anew; features that one of them lacks are left out."""
    first = np.cumsum([0, *(len(t) for t in trees)])
    parents = [np.where(t.parent_rows >= 0, t.parent_rows + n + 1, ROOT) for t, n in zip(trees, first, strict=False)]
    shared = set.intersection(*(set(t.features) for t in trees))
    return Skeleton(
        np.arange(1, first[-1] + 1),
        np.concatenate(parents),
        np.concatenate([t.points_nm for t in trees]),
        np.concatenate([t.radii_nm for t in trees]),
        np.concatenate([t.kinds for t in trees]),
        {key: np.concatenate([t.features[key] for t in trees]) for key in sorted(shared)},
        name,
    )


@dataclass(frozen=True, eq=False)
class Branches:
    """The unbranched stretches of a skeleton.

    number: (n,) the branch of each node, or of the edge to its parent; roots begin one. along_nm: (n,) from the branch's start.
    length_nm: (b,) of each branch. is_end: (b,) whether it ends in a tip.
    """

    number: np.ndarray
    along_nm: np.ndarray
    length_nm: np.ndarray
    is_end: np.ndarray


def branches(tree: Skeleton) -> Branches:
    """A branch begins at a root or behind a node with several children and ends at the next such node or at a tip."""
    number, along = _walk(tree.parent_rows, tree.children, tree.edge_nm)
    count = int(number.max()) + 1 if len(tree) else 0
    length, is_end = np.zeros(count), np.zeros(count, np.bool_)
    np.maximum.at(length, number, along)
    is_end[number[tree.children == 0]] = True
    return Branches(number, along, length, is_end)


@numba.njit(cache=True, nogil=True)
def _walk(above: np.ndarray, children: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    number, along = np.empty(len(above), np.int64), np.zeros(len(above))
    count = 0
    for row in range(len(above)):
        parent = above[row]
        if parent >= 0 and children[parent] == 1:
            number[row], along[row] = number[parent], along[parent] + edge[row]
        else:
            number[row], along[row] = count, edge[row]
            count += 1
    return number, along
