"""Trees with some rows changed, added or taken away; everything else, and the order of the rows, stays as it was.

Features come in two sorts. What is said of an edge (EDGE_FEATURES) stands at the lower node of the edge and goes when the edge
goes; everything else is said of the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from neurotome.core import ROOT, Skeleton
from neurotome.tracing.rooting import EDGE_FEATURES, rearranged

__all__ = ["below", "feature", "protected", "with_parent", "with_rows", "with_values", "without"]

NODE_FEATURES: Mapping[str, Any] = {"locked": False, "drawn": False, "unremovable": False, "probability": np.nan}
COLUMNS = ("points_nm", "radii_nm", "kinds")


def feature(tree: Skeleton, name: str) -> np.ndarray:
    """The values of a feature; where the tree has no such column, of an ordinary node."""
    if name in tree.features:
        return np.asarray(tree.features[name])
    return np.full(len(tree), _ordinary(name, np.dtype(float)))


def protected(tree: Skeleton) -> np.ndarray:
    """Which nodes no automatic step may touch: locked ones, hand-drawn ones, and both ends of a bridge that was accepted.

    An accepted bridge is a jump of confidence 1; one that a computer proposes is never that sure.
    """
    kept = feature(tree, "locked") | feature(tree, "drawn")
    accepted = feature(tree, "jump") & (feature(tree, "confidence") >= 1) & (tree.parent_rows >= 0)
    kept = kept | accepted
    kept[tree.parent_rows[accepted]] = True
    return np.asarray(kept)


def below(tree: Skeleton, row: int) -> np.ndarray:
    """(n,) bool: the node of this row and all its descendants."""
    inside = [False] * len(tree)
    inside[row] = True
    above = tree.parent_rows.tolist()
    for k in range(row + 1, len(tree)):
        if above[k] >= 0 and inside[above[k]]:
            inside[k] = True
    return np.array(inside, bool)


def with_values(tree: Skeleton, rows: Any, **values: Any) -> Skeleton:
    """The tree with other values in these rows, of a column (points_nm, radii_nm, kinds) or of a feature, new ones included."""
    columns: dict[str, Any] = {}
    features = dict(tree.features)
    for name, value in values.items():
        changed = (getattr(tree, name) if name in COLUMNS else feature(tree, name)).copy()
        changed[rows] = value
        (columns if name in COLUMNS else features)[name] = changed
    return replace(tree, features=features, **columns)


def with_rows(
    tree: Skeleton,
    at: int,
    *,
    ids: Any,
    parents: Any,
    points_nm: Any,
    radii_nm: Any,
    kinds: Any,
    features: Mapping[str, Any],
) -> Skeleton:
    """The tree with new rows before row `at`; features that are not given are those of an ordinary node.

    parents are ids and must stand above. A value that is one number holds for all the new rows.
    """
    places = np.full(len(ids), at)
    new = {"ids": ids, "parents": parents, "radii_nm": radii_nm, "kinds": kinds}
    columns = {name: np.insert(getattr(tree, name), places, value) for name, value in new.items()}
    points = np.insert(tree.points_nm, places, np.reshape(points_nm, (-1, 3)), axis=0)
    grown = {}
    for name in dict.fromkeys([*tree.features, *features]):
        column = feature(tree, name)
        value = features.get(name, _ordinary(name, column.dtype))
        grown[name] = np.insert(column, places, value, axis=0)
    return Skeleton(points_nm=points, features=grown, name=tree.name, **columns)


def with_parent(tree: Skeleton, rows: Any, parent: int, **edge: Any) -> Skeleton:
    """The tree with these rows as children of row `parent` (or ROOT), rows put in order where that is needed.

    edge: what is said of their new edges, where they are no ordinary ones. Raises InputError for a cycle.
    """
    parents = tree.parent_rows.copy()
    parents[rows] = parent
    moved = tree.ids[rows]
    linked = rearranged(tree, parents)
    return with_values(linked, linked.rows_of(moved), **edge) if edge else linked


def without(tree: Skeleton, doomed: np.ndarray) -> Skeleton:
    """The tree without these rows (mask); what hung on them becomes a tree of its own."""
    above = tree.parent_rows
    return rearranged(tree, np.where((above >= 0) & doomed[above], ROOT, above), ~doomed)


def _ordinary(name: str, dtype: np.dtype) -> Any:
    return {**EDGE_FEATURES, **NODE_FEATURES}.get(name, np.zeros((), dtype)[()])
