"""Operations on single nodes. What a hand has placed is marked `drawn`, so that no automatic step takes it away again."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neurotome.core import ROOT, Skeleton, ValueRangeError
from neurotome.core.geometry import Nm3
from neurotome.tracing.edit.bench import Bench, require_unlocked
from neurotome.tracing.edit.rows import below, feature, with_parent, with_rows, with_values, without
from neurotome.tracing.rooting import EDGE_FEATURES

__all__ = [
    "add_node",
    "delete_node",
    "insert_on_edge",
    "lock",
    "move_node",
    "require_free_edge",
    "set_radius",
    "set_type",
    "unlock",
]


def add_node(
    bench: Bench, *, point_nm: Nm3, parent: int | None = None, radius_nm: float | None = None, kind: int | None = None
) -> Skeleton:
    """A new node at a point, under a parent or as the root of a new tree.

    Radius and kind are those of the parent where they are not given, else 0. The parent may be locked: it does not change.
    """
    tree = bench.tree
    row = None if parent is None else bench.row(parent)
    if radius_nm is None:
        radius_nm = 0.0 if row is None else float(tree.radii_nm[row])
    if kind is None:
        kind = 0 if row is None else int(tree.kinds[row])
    return with_rows(
        tree,
        len(tree),
        ids=[bench.next_id],
        parents=ROOT if parent is None else parent,
        points_nm=point_nm,
        radii_nm=radius_nm,
        kinds=_kind(kind),
        features={"drawn": True},
    )


def insert_on_edge(bench: Bench, *, node: int, point_nm: Nm3 | None = None) -> Skeleton:
    """A new node between a node and its parent, in the middle unless a point is given; both halves are what the edge was."""
    tree = bench.tree
    row = bench.edge(node)
    require_free_edge(tree, row, "insert a node on its edge")
    above = int(tree.parent_rows[row])
    ends = [row, above]
    edge = {name: tree.features[name][row] for name in EDGE_FEATURES if name in tree.features}
    grown = with_rows(
        tree,
        row,
        ids=[bench.next_id],
        parents=tree.parents[row],
        points_nm=tree.points_nm[ends].mean(0) if point_nm is None else point_nm,
        radii_nm=tree.radii_nm[ends].mean(),
        kinds=tree.kinds[row],
        features={"drawn": True, **edge},
    )
    return with_parent(grown, row + 1, row, **edge)


def move_node(bench: Bench, *, node: int, point_nm: Nm3) -> Skeleton:
    """The node at another point."""
    row = bench.row(node)
    require_unlocked(bench.tree, row, "move it")
    return with_values(bench.tree, row, points_nm=point_nm, drawn=True)


def delete_node(bench: Bench, *, node: int, children: Literal["reattach", "drop"] = "reattach") -> Skeleton:
    """The tree without a node. Its children hang on its parent then (under a root: become roots), or go with all below them."""
    tree = bench.tree
    row = bench.row(node)
    if children == "drop":
        doomed = below(tree, row)
        require_unlocked(tree, doomed, f"delete all from node {node} down")
        return without(tree, doomed)
    require_unlocked(tree, row, "delete it")
    orphans, above = tree.parent_rows == row, int(tree.parent_rows[row])
    moved = with_parent(tree, orphans, above, **({} if above == ROOT else _longer_edges(tree, orphans, row)))
    return moved.take(moved.ids != node)


def set_type(bench: Bench, *, node: int, kind: int, subtree: bool = False) -> Skeleton:
    """Another SWC type for a node, or for all from it down."""
    rows = _chosen(bench, node, subtree=subtree)
    require_unlocked(bench.tree, rows, "set the type")
    return with_values(bench.tree, rows, kinds=_kind(kind))


def set_radius(bench: Bench, *, node: int, radius_nm: float) -> Skeleton:
    """Another radius for a node."""
    row = bench.row(node)
    require_unlocked(bench.tree, row, "set its radius")
    return with_values(bench.tree, row, radii_nm=radius_nm, drawn=True)


def lock(bench: Bench, *, node: int, subtree: bool = False) -> Skeleton:
    """The node, or all from it down, is right: nothing may change it, nor an edge between two locked nodes, until unlocked."""
    return with_values(bench.tree, _chosen(bench, node, subtree=subtree), locked=True)


def unlock(bench: Bench, *, node: int, subtree: bool = False) -> Skeleton:
    """The node, or all from it down, may be changed again."""
    return with_values(bench.tree, _chosen(bench, node, subtree=subtree), locked=False)


def require_free_edge(tree: Skeleton, row: int, purpose: str) -> None:
    """Raise InputError if both ends of the edge above this row are locked: then it is locked too."""
    ends = [row, int(tree.parent_rows[row])]
    if feature(tree, "locked")[ends].all():
        require_unlocked(tree, ends, purpose)


def _longer_edges(tree: Skeleton, orphans: np.ndarray, row: int) -> dict[str, np.ndarray]:
    """What is said of edges that reach over the edge above `row` too: a jump if one of both was, as sure as the less sure."""
    said = {}
    for name, of_both in (("jump", np.logical_or), ("confidence", np.minimum), ("gap_nm", np.maximum)):
        if name in tree.features:
            values = np.asarray(tree.features[name])
            said[name] = of_both(values[orphans], values[row])
    return said


def _chosen(bench: Bench, node: int, *, subtree: bool) -> np.ndarray:
    row = bench.row(node)
    return below(bench.tree, row) if subtree else np.arange(len(bench.tree)) == row


def _kind(kind: int) -> int:
    if kind < 0:
        raise ValueRangeError(
            f"Type {kind}", "0 or more: 0 undefined, 1 soma, 2 axon, 3 dendrite, 4 apical dendrite", "give one of these"
        )
    return kind
