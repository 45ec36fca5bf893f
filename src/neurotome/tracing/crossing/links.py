"""Where branches touch: the nodes on both sides of each contact of two trees, and of each loop that was cut."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurotome.core import Skeleton
from neurotome.core.geometry import Nm3
from neurotome.tracing.crossing.forest import Link

__all__ = ["contact_links", "loop_links"]

_NEAR_CONTACT = 4.0
_NEAR_LOOP = 4.0


def contact_links(trees: Skeleton, contested: pd.DataFrame, voxel_nm: Nm3, reach_nm: float) -> list[Link]:
    """For each contact the nearest node of both its trees; left out are those with none within reach_nm and a few radii.

    contested: the columns tree, other_tree, z, y, x; the number of a link's contact is its row.
    """
    rows_of = [np.flatnonzero(trees.trees == number) for number in range(len(trees.roots))]
    links = []
    for contact, (tree, other, *voxel) in enumerate(contested[["tree", "other_tree", "z", "y", "x"]].to_numpy().tolist()):
        ends = [_nearest(trees, rows_of[n], np.array(voxel) * np.array(voxel_nm), reach_nm) for n in (tree, other)]
        if min(ends) >= 0:
            links.append(Link(ends[0], ends[1], contact))
    return links


def _nearest(trees: Skeleton, rows: np.ndarray, point: np.ndarray, reach_nm: float) -> int:
    """The row of the nearest node, -1 if it is too far."""
    away = np.sqrt(((trees.points_nm[rows] - point) ** 2).sum(1))
    nearest = int(np.argmin(away))
    near = away[nearest] <= reach_nm + _NEAR_CONTACT * trees.radii_nm[rows[nearest]]
    return int(rows[nearest]) if near else -1


def loop_links(trees: Skeleton, divided: np.ndarray) -> list[Link]:
    """The two sides of each loop that was cut in a tree of which `divided`, (k,) bool, is true: nodes with loop_contact, each
    with the nearest other one of its tree, if they are near each other and not joined by an edge.
    """
    rows = np.flatnonzero(np.asarray(trees.features.get("loop_contact", np.zeros(len(trees), bool)), bool) & divided[trees.trees])
    pairs = set()
    for row in rows.tolist():
        away = np.sqrt(((trees.points_nm[rows] - trees.points_nm[row]) ** 2).sum(1))
        joined = (trees.parent_rows[rows] == row) | (rows == trees.parent_rows[row]) | (rows == row)
        away[joined | (trees.trees[rows] != trees.trees[row])] = np.inf
        other = int(rows[np.argmin(away)])
        if away.min() <= _NEAR_LOOP * (trees.radii_nm[row] + trees.radii_nm[other]):
            pairs.add((min(row, other), max(row, other)))
    return [Link(one, other, -1) for one, other in sorted(pairs)]
