"""Where two tracings differ: branches that are missing and branches that are too many, longest first, to look at and to draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from neurotome.core import Grid, Skeleton
from neurotome.core.geometry import Nm3
from neurotome.measure.trees.comparison import NM_PER_UM, TreeComparison, Unit
from neurotome.measure.trees.distances import is_near
from neurotome.measure.trees.nearest import Nearest
from neurotome.measure.trees.sampling import Samples, pieces_of

__all__ = ["TREE_ERROR_COLUMNS", "tree_errors"]

TREE_ERROR_COLUMNS = (
    "rank", "kind", "tree", "length_um", "distance_um", "z", "y", "x", "z_nm", "y_nm", "x_nm", "lines_nm",
)  # fmt: skip


def tree_errors(
    comparison: TreeComparison, *, unit: Unit = "um", shortest_um: float = 0.0, origin_nm: Nm3 = (0.0, 0.0, 0.0)
) -> pd.DataFrame:
    """Connected pieces of one tree that are farther than the tolerance of `unit` from the other, by falling length.

    kind: "missing" (of the gold tree) or "extra" (of the test tree). tree: number of the piece's tree in its tracing, from 0.
    distance_um: how far it gets from the other tree. z, y, x (voxel) and z_nm, y_nm, x_nm: the middle of its length.
    lines_nm: list of (n, 3) polylines, z, y, x, together the piece. Pieces shorter than `shortest_um` are left out.
    origin_nm: where voxel 0 of the image lies.
    """
    found = comparison.in_unit(unit)
    sides = (
        _Side("missing", found.gold, found.test, found.gold_samples, found.to_test, found.gold_above),
        _Side("extra", found.test, found.gold, found.test_samples, found.to_gold, found.test_above),
    )
    grid = Grid((1, 1, 1), comparison.voxel_nm, origin_nm)
    rows = [row for side in sides for row in side.rows(found.tau, grid) if row["length_um"] >= shortest_um]
    rows.sort(key=lambda row: -row["length_um"])
    return pd.DataFrame([{"rank": rank, **row} for rank, row in enumerate(rows, 1)], columns=list(TREE_ERROR_COLUMNS))


@dataclass(frozen=True, eq=False)
class _Side:
    """One tree, its samples, and what of the other tree is nearest to them."""

    kind: Literal["missing", "extra"]
    tree: Skeleton
    other: Skeleton
    samples: Samples
    nearest: Nearest
    above: np.ndarray

    def rows(self, tau: float, grid: Grid) -> Iterator[dict[str, Any]]:
        """One per piece, in no particular order."""
        pieces = pieces_of(np.where(is_near(self.nearest.distance, tau), -1, 0), self.above)
        places_nm = _on_edges(self.tree, self.samples.edges, self.samples.along)
        lengths_nm = self.samples.weights_of(self.tree.edge_nm)
        apart_nm = self._apart_nm(places_nm)
        for members in _members(pieces):
            run = np.cumsum(lengths_nm[members])
            middle = members[int(np.searchsorted(run, run[-1] / 2))]
            yield {
                "kind": self.kind,
                "tree": int(self.tree.trees[self.samples.edges[middle]]),
                "length_um": float(run[-1]) / NM_PER_UM,
                "distance_um": float(apart_nm[members].max()) / NM_PER_UM,
                **dict(zip("zyx", (round(v) for v in grid.to_voxel(places_nm[middle])), strict=True)),
                **dict(zip(("z_nm", "y_nm", "x_nm"), map(float, places_nm[middle]), strict=True)),
                "lines_nm": self._lines(places_nm, members),
            }

    def _apart_nm(self, places_nm: np.ndarray) -> np.ndarray:
        edges = np.flatnonzero(self.other.parent_rows >= 0)[self.nearest.segment]
        return np.asarray(np.sqrt(((places_nm - _on_edges(self.other, edges, self.nearest.along)) ** 2).sum(1)))

    def _lines(self, places_nm: np.ndarray, members: np.ndarray) -> list[np.ndarray]:
        """Polylines from where the piece leaves the good part; samples inside straight edges are not needed."""
        lines = []
        for line in np.split(members, np.flatnonzero(self.above[members[1:]] != members[:-1]) + 1):
            edge = self.samples.edges[line]
            turns = np.ones(len(line), bool)
            turns[1:-1] = (edge[1:-1] != edge[:-2]) | (edge[1:-1] != edge[2:])
            before = self.above[line[:1]]
            lines.append(places_nm[np.concatenate([before[before >= 0], line[turns]])])
        return lines


def _members(pieces: np.ndarray) -> list[np.ndarray]:
    """The samples of each piece, ascending."""
    order = np.argsort(pieces, kind="stable")
    order = order[pieces[order] >= 0]
    return np.split(order, np.flatnonzero(np.diff(pieces[order])) + 1) if len(order) else []


def _on_edges(tree: Skeleton, edges: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(n, 3) nm, the places that lie so far along the edges of these rows."""
    starts = tree.points_nm[tree.parent_rows[edges]]
    return np.asarray(starts + along[:, None] * (tree.points_nm[edges] - starts))
