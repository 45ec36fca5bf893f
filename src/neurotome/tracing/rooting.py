"""Which node of a tree is its root: the same nodes and edges, seen from elsewhere."""

from __future__ import annotations

import numba
import numpy as np

from neurotome.core import ROOT, InputError, Skeleton, parents_first

__all__ = ["EDGE_FEATURES", "rearranged", "rerooted", "turn"]

EDGE_FEATURES = {"jump": False, "confidence": 1.0, "gap_nm": 0.0}
"""Features of a node that belong to the edge to its parent, and what they are where there is no such edge."""


def rerooted(tree: Skeleton, row: int) -> Skeleton:
    """The same trees, the one that holds the node of this row with that node as its root. Nodes keep their ids.

    Features of edges (EDGE_FEATURES) stay with their edge. Raises InputError for a row that does not exist.

    >>> line = Skeleton.of(parents=[-1, 0, 1], points_nm=[[0, 0, 0], [0, 0, 30], [0, 40, 30]])
    >>> turned = rerooted(line, 2)
    >>> turned.ids.tolist(), turned.parents.tolist(), turned.length_nm
    ([3, 2, 1], [-1, 3, 2], 70.0)
    """
    if not 0 <= row < len(tree):
        raise InputError(f"Row {row} of '{tree.name}', which has {len(tree)} nodes", "the row of a node, 0 and up")
    parents = tree.parent_rows.copy()
    turn(parents, row)
    return rearranged(tree, parents)


def rearranged(tree: Skeleton, parent_rows: np.ndarray, kept: np.ndarray | None = None) -> Skeleton:
    """The nodes of a skeleton with other parents, given as rows (n,) of it or ROOT; parents first, with their ids.

    kept: (n,) bool, which of the nodes remain; a remaining one's parent must remain. Features of edges follow their edge, in
    whichever direction it now runs; an edge that was none before has the values of EDGE_FEATURES.
    """
    parent_rows = np.asarray(parent_rows, np.int64)
    order = parents_first(parent_rows)
    order = order if kept is None else order[kept[order]]
    above = parent_rows[order]
    parents = np.where(above == ROOT, ROOT, tree.ids[above])
    features = {key: np.asarray(values)[order] for key, values in tree.features.items()}
    for key in EDGE_FEATURES.keys() & features.keys():
        features[key] = _of_edges(tree, order, above, np.asarray(tree.features[key]), EDGE_FEATURES[key])
    return Skeleton(tree.ids[order], parents, tree.points_nm[order], tree.radii_nm[order], tree.kinds[order], features, tree.name)


def _of_edges(tree: Skeleton, rows: np.ndarray, above: np.ndarray, values: np.ndarray, none: float) -> np.ndarray:
    """The values of the edges from `rows` to their new parents."""
    old = tree.parent_rows
    same = (above != ROOT) & (old[rows] == above)
    flipped = (above != ROOT) & (old[above] == rows)
    return np.where(same, values[rows], np.where(flipped, values[above], np.asarray(none, values.dtype)))


@numba.njit(cache=True, nogil=True)
def turn(parents: np.ndarray, row: int) -> None:
    """Reverse the edges from a row up to its root."""
    child, here = ROOT, row
    while here != ROOT:
        above = parents[here]
        parents[here] = child
        child, here = here, above
