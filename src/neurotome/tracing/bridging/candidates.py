"""Which gaps are worth a look: from the ends of trees to what of other trees lies before them.

~~~~~~o- - - - - -o~~~~~~   end to end: both look at each other
~~~~~~o- - - - - -+         end to side: the other tree passes by
                  |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from neurotome.core import ROOT, SOMA, Box, Skeleton
from neurotome.tracing.bridging.score import BridgeSettings, Gaps, score
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers.minimal_path import cheapest_path

__all__ = ["Candidate", "candidates", "ends_of"]

NODES_BACK = 5
"""Of how many nodes up to an end its direction is taken."""

UNKNOWN = 0.7
"""Counts as the cosine where a tree of one node has no direction."""

MARGIN = 4
"""Voxels around the two nodes in which the path between them may run."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A way from an end to a node of another tree: the rows of both, the voxels (n, 3) between them, and what is seen (k = 1)."""

    row: int
    other: int
    path: np.ndarray
    gap: Gaps


@dataclass(frozen=True, eq=False)
class _Scene:
    """What every end needs to know of the trees; looks: where ends look; runs: along which line a branch runs, (n, 3), or 0.

    side_nm: of a voxel, the geometric mean of all three.
    """

    trees: Skeleton
    is_end: np.ndarray
    looks: np.ndarray
    runs: np.ndarray
    side_nm: float

    @classmethod
    def of(cls, trees: Skeleton, side_nm: float) -> _Scene:
        ends, directions = ends_of(trees)
        is_end, looks = np.zeros(len(trees), bool), np.zeros((len(trees), 3))
        is_end[ends], looks[ends] = True, directions
        return cls(trees, is_end, looks, _runs(trees), side_nm)

    def gaps(
        self, row: int, others: np.ndarray, leave: np.ndarray, enter: np.ndarray, length_nm: np.ndarray, mean_p: np.ndarray
    ) -> Gaps:
        """From an end to other nodes, over gaps that begin at the points `leave` and end at `enter`, (k, 3) each."""
        points, radii = self.trees.points_nm, self.trees.radii_nm
        here = _unit(enter - points[row]) @ self.looks[row] if self.looks[row].any() else np.full(len(others), UNKNOWN)
        back = -(_unit(points[others] - leave) * self.looks[others]).sum(1)
        opposite = np.where(self.looks[others].any(1), back, UNKNOWN)
        across = np.sqrt(np.maximum(0, 1 - (_unit(enter - leave) * self.runs[others]).sum(1) ** 2))
        there = np.where(self.is_end[others], opposite, across)
        thinner = np.minimum(radii[others], radii[row])
        ratio = thinner / np.maximum(np.maximum(radii[others], radii[row]), 1e-9)
        soma = self.trees.kinds[others] == SOMA
        return Gaps(
            length_nm,
            self.side_nm + thinner,
            here,
            np.where(soma, 1.0, there),
            np.where(soma, 1.0, ratio),
            ~self.is_end[others],
            mean_p,
        )


def candidates(
    trees: Skeleton, bricks: Bricks, threshold: int, settings: BridgeSettings, *, least_score: float = 0.0
) -> list[Candidate]:
    """For every end the most promising node of each other tree near it.

    Those that would not reach `least_score` even if they were as short and bright as they can be are left out. Positions are in
    the frame of the bricks, voxel (0, 0, 0) at 0 nm.
    """
    scene, numbers = _Scene.of(trees, float(np.prod(bricks.voxel_nm)) ** (1 / 3)), trees.trees
    ends = np.flatnonzero(scene.is_end)
    if len(trees.roots) < 2 or not len(ends):
        return []
    near = KDTree(trees.points_nm)
    pairs: dict[tuple[int, int], None] = {}
    for end in ends.tolist():
        others = np.array(
            sorted(near.query_ball_point(trees.points_nm[end], settings.max_gap_nm + trees.radii_nm.max())), np.int64
        )
        others = others[numbers[others] != numbers[end]]
        apart = np.sqrt(((trees.points_nm[others] - trees.points_nm[end]) ** 2).sum(1))
        shortest = np.maximum(0, apart - trees.radii_nm[others] - trees.radii_nm[end])
        there = trees.points_nm[others]
        bounds = score(scene.gaps(end, others, trees.points_nm[[end]], there, shortest, np.ones(len(others))), settings)
        bounds[shortest > settings.max_gap_nm] = -1
        good = np.flatnonzero((bounds > 0) & (bounds >= least_score))
        order = good[np.lexsort((others[good], -bounds[good]))]
        _, first = np.unique(numbers[others[order]], return_index=True)
        for other in others[order[np.sort(first)]].tolist():
            pairs[(min(end, other), max(end, other)) if scene.is_end[other] else (end, other)] = None
    found = (_candidate(scene, bricks, threshold, row, other) for row, other in pairs)
    return [candidate for candidate in found if candidate.gap.length_nm[0] <= settings.max_gap_nm]


def ends_of(trees: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """The rows of all ends, nodes with at most one neighbour that are no somata, and where they look, (k, 3) unit vectors.

    An end looks away from the node NODES_BACK - 1 nodes before it, or from where the tree branches before that. A node on its own
    looks nowhere (0).

    >>> line = Skeleton.of(parents=[-1, 0, 1], points_nm=[[0, 0, 0], [0, 0, 30], [0, 0, 60]])
    >>> ends_of(line)[1].tolist()
    [[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]
    """
    above = trees.parent_rows
    degree = trees.children + (above != ROOT)
    ends = np.flatnonzero((degree <= 1) & (trees.kinds != SOMA))
    child = np.full(len(trees), ROOT, np.int64)
    child[above[above != ROOT]] = np.flatnonzero(above != ROOT)
    here = ends.copy()
    onwards = np.where(above[ends] == ROOT, child[ends], above[ends])
    for _ in range(NODES_BACK - 1):
        goes = (onwards != ROOT) & ((here == ends) | (degree[here] == 2))
        here = np.where(goes, onwards, here)
        onwards = np.where(above[ends] == ROOT, child[here], above[here])
    way = trees.points_nm[ends] - trees.points_nm[here]
    return ends, _unit(way)


def _runs(trees: Skeleton) -> np.ndarray:
    """(n, 3) the unit vector along each node's branch, from its parent to a child of it; 0 where there is neither."""
    above = np.where(trees.parent_rows == ROOT, np.arange(len(trees)), trees.parent_rows)
    below = np.arange(len(trees))
    rows = np.flatnonzero(trees.parent_rows != ROOT)[::-1]
    below[above[rows]] = rows
    return _unit(trees.points_nm[below] - trees.points_nm[above])


def _unit(ways: np.ndarray) -> np.ndarray:
    """The directions of vectors (k, 3); 0 for those of no length."""
    return np.asarray(ways / np.maximum(np.sqrt((ways**2).sum(1)), 1e-9)[:, None])


def _candidate(scene: _Scene, bricks: Bricks, threshold: int, row: int, other: int) -> Candidate:
    """The cheapest path between two nodes, and what is seen along it."""
    voxel_nm = np.array(bricks.voxel_nm)
    last = np.array(bricks.shape) - 1
    a, b = (np.clip(np.rint(scene.trees.points_nm[i] / voxel_nm).astype(np.int64), 0, last) for i in (row, other))
    box = Box(tuple(np.minimum(a, b).tolist()), tuple((np.maximum(a, b) + 1).tolist())).grow((MARGIN,) * 3).clip(bricks.shape)
    values = bricks.read(box)
    path, _ = cheapest_path(values, tuple((a - box.start).tolist()), (b - box.start)[None], bricks.voxel_nm)
    along = values[tuple(path.T)]
    empty = along < threshold
    steps = np.sqrt(((np.diff(path, axis=0) * voxel_nm) ** 2).sum(1))
    length = float(steps[empty[1:] | empty[:-1]].sum())
    mean_p = float((along[empty] / threshold).mean()) if empty.any() else 1.0
    leave, enter = scene.trees.points_nm[[row]], scene.trees.points_nm[[other]]
    if empty.any():
        first, final = np.flatnonzero(empty)[[0, -1]]
        crossing = (path[[max(first - 1, 0), min(final + 1, len(path) - 1)]] + np.array(box.start)) * voxel_nm
        leave, enter = crossing[:1], crossing[1:]
    gap = scene.gaps(row, np.array([other]), leave, enter, np.array([length]), np.array([mean_p]))
    return Candidate(row, other, path + np.array(box.start), gap)
