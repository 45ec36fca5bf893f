"""Trees whose edges can be cut and joined, and the links between them: where voxels of two branches touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core import ROOT, Skeleton
from neurotome.tracing.rooting import rearranged, turn

__all__ = ["Forest", "Link"]


@dataclass
class Link:
    """Rows of two nodes whose voxels touch; contact: the row of its contact in the table, -1 for a loop that was cut."""

    one: int
    other: int
    contact: int


class Forest:
    """Several trees, by the rows of a skeleton. Roots stay roots; every other row may get another parent, or be dropped."""

    def __init__(self, trees: Skeleton, probability: np.ndarray) -> None:
        self._trees = trees
        self.points, self.radii, self.probability = trees.points_nm, trees.radii_nm, probability
        self.parents = trees.parent_rows.copy()
        self.kept = np.ones(len(trees), bool)
        self.roots = frozenset(trees.roots.tolist())
        self.around: list[set[int]] = [set() for _ in range(len(trees))]
        for row, parent in enumerate(self.parents.tolist()):
            if parent != ROOT:
                self.around[row].add(parent)
                self.around[parent].add(row)

    def way_up(self, row: int) -> list[int]:
        """The rows from a row to its root, both included."""
        way = [row]
        while (above := int(self.parents[way[-1]])) != ROOT:
            way.append(above)
        return way

    def root_of(self, row: int) -> int:
        return self.way_up(row)[-1]

    def length_up(self, row: int) -> float:
        """How far a row is from its root along the tree, in nm."""
        way = self.points[self.way_up(row)]
        return float(np.sqrt((np.diff(way, axis=0) ** 2).sum(1)).sum())

    def subtree(self, row: int) -> list[int]:
        """A row and all below it."""
        rows = [row]
        for here in rows:
            rows.extend(sorted(self.around[here] - {int(self.parents[here])}))
        return rows

    def length_below(self, row: int) -> float:
        """The length of all edges below a row."""
        rows = np.array(self.subtree(row)[1:], np.int64)
        return float(np.sqrt(((self.points[rows] - self.points[self.parents[rows]]) ** 2).sum(1)).sum())

    def cut(self, row: int) -> None:
        """Take a row off its parent."""
        above = int(self.parents[row])
        self.around[row].discard(above)
        self.around[above].discard(row)
        self.parents[row] = ROOT

    def join(self, above: int, row: int) -> None:
        """Hang what a row belongs to, which was cut off somewhere, under another row."""
        turn(self.parents, row)
        self.parents[row] = above
        self.around[row].add(above)
        self.around[above].add(row)

    def drop_tip(self, row: int) -> int:
        """Take a tip away; gives the row it hung on."""
        above = int(self.parents[row])
        self.cut(row)
        self.kept[row] = False
        return above

    def skeleton(self) -> Skeleton:
        return rearranged(self._trees, self.parents, self.kept)
