"""The branches of trees: runs of edges from a root or bifurcation to the next bifurcation or tip, their orders and angles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numba
import numpy as np
import pandas as pd

from neurotome.core import SOMA, Skeleton
from neurotome.measure.trees.branching import branching

__all__ = ["Branches", "bifurcation_angles", "branch_table", "branches", "edge_radii", "strahler_orders", "without_soma_outline"]

NM_PER_UM = 1000.0


@dataclass(frozen=True, eq=False)
class Branches:
    """One entry per branch, in the order of the rows of their ends.

    start, end: rows of its first node (a root or bifurcation) and its last (a bifurcation or tip). first: the first row after
    the start that lies elsewhere; the end, where none does. path: length along the edges. chord: straight from start to end.
    order: bifurcations from the root to its start, that one included. strahler: the order of its end, see `strahler_orders`.
    of_row: (n,) the branch that the edge above each row belongs to, -1 for roots.
    """

    start: np.ndarray
    end: np.ndarray
    first: np.ndarray
    path: np.ndarray
    chord: np.ndarray
    order: np.ndarray
    strahler: np.ndarray
    of_row: np.ndarray

    @property
    def tortuosity(self) -> np.ndarray:
        """Path over chord, 1 or more; NaN for a branch that ends where it starts. (L-Measure's contraction is the inverse.)"""
        return _ratio(self.path, self.chord)


def strahler_orders(parent_rows: np.ndarray) -> np.ndarray:
    """Horton-Strahler order of each node.

    A tip has order 1. Another node has the highest order k of its children, or k + 1 where two or more of them have it. A root
    without children has order 0: it is no tip. parent_rows: (n,), parents first. Returns (n,) int64.
    Source: Horton 1945; Strahler 1957.

    >>> strahler_orders(np.array([-1, 0, 0, 1, 1, 2])).tolist()
    [2, 2, 1, 1, 1, 1]
    """
    return np.asarray(_strahler(np.ascontiguousarray(parent_rows, np.int64)))


def branches(points: np.ndarray, parent_rows: np.ndarray) -> Branches:
    """The branches of points (n, 3) with parent rows (n,), parents first; lengths in the unit of the points."""
    shape = branching(points, parent_rows)
    ends = np.flatnonzero(shape.critical & (parent_rows >= 0))
    starts = shape.up[ends]
    of_row = _branch_of_row(np.ascontiguousarray(parent_rows, np.int64), shape.critical)
    above = np.maximum(parent_rows, 0)
    start_depth = shape.depth[np.maximum(shape.up, 0)]
    leaving = np.flatnonzero((parent_rows >= 0) & (shape.depth > start_depth) & (shape.depth[above] == start_depth))
    first = ends.copy()
    first[of_row[leaving]] = leaving
    return Branches(
        start=starts,
        end=ends,
        first=first,
        path=shape.depth[ends] - shape.depth[starts],
        chord=np.sqrt(((points[ends] - points[starts]) ** 2).sum(1)),
        order=shape.order[ends],
        strahler=strahler_orders(parent_rows)[ends],
        of_row=of_row,
    )


def bifurcation_angles(points: np.ndarray, found: Branches, *, remote: bool) -> tuple[np.ndarray, np.ndarray]:
    """The angle between the daughter branches of each bifurcation, in degrees; the mean over pairs where there are more than two.

    Local: between the directions in which the daughters leave. remote: between the straight lines to their ends.
    Returns the rows of the bifurcations, ascending, and (b,) angles; daughters without length are left out.
    Source: L-Measure's bifurcation amplitudes (Scorcioni et al. 2008).
    """
    arrows = points[found.end if remote else found.first] - points[found.start]
    drawn = np.flatnonzero((arrows != 0).any(1))
    order = drawn[np.argsort(found.start[drawn], kind="stable")]
    rows, first = np.unique(found.start[order], return_index=True)
    sisters = np.split(order, first[1:])
    pairs = [(which, a, b) for which, group in enumerate(sisters) for a, b in combinations(group.tolist(), 2)]
    which, one, other = np.array(pairs, np.int64).reshape(-1, 3).T
    dot = (arrows[one] * arrows[other]).sum(1)
    cross = np.sqrt((np.cross(arrows[one], arrows[other]) ** 2).sum(1))
    angles = np.degrees(np.arctan2(cross, dot))
    count = np.bincount(which, minlength=len(rows))
    forks = np.flatnonzero(count)
    return rows[forks], np.bincount(which, angles, len(rows))[forks] / count[forks]


def branch_table(skeleton: Skeleton) -> pd.DataFrame:
    """One row per branch of a skeleton; nodes that draw the outline of a soma make none (`without_soma_outline`).

    tree: its number. start_id, end_id: nodes. ends: "tip" or "bifurcation". kind: of the end. order, strahler, tortuosity: see
    `Branches`. path_um, chord_um: lengths. mean_radius_um: over the length whose radii are known, NaN where none is.
    """
    skeleton = without_soma_outline(skeleton)
    found = branches(skeleton.points_nm, skeleton.parent_rows)
    known, radii = edge_radii(skeleton)
    lengths = np.where(known, skeleton.edge_nm, 0.0)
    on = found.of_row >= 0
    weight = np.bincount(found.of_row[on], lengths[on], len(found.end))
    weighted = np.bincount(found.of_row[on], (lengths * radii.mean(1))[on], len(found.end))
    return pd.DataFrame(
        {
            "tree": skeleton.trees[found.end],
            "start_id": skeleton.ids[found.start],
            "end_id": skeleton.ids[found.end],
            "ends": np.where(skeleton.children[found.end] > 0, "bifurcation", "tip"),
            "kind": skeleton.kinds[found.end],
            "order": found.order,
            "strahler": found.strahler,
            "path_um": found.path / NM_PER_UM,
            "chord_um": found.chord / NM_PER_UM,
            "tortuosity": found.tortuosity,
            "mean_radius_um": _ratio(weighted, weight) / NM_PER_UM,
        }
    )


def without_soma_outline(skeleton: Skeleton) -> Skeleton:
    """The skeleton without soma nodes that no neurite hangs on, roots excepted: archives draw somata as three points or contours.

    A tree of soma nodes alone stays as it is: its kinds say nothing.

    >>> three_points = Skeleton.of([-1, 0, 0, 0], [[0, 0, 0], [0, 5, 0], [0, -5, 0], [0, 0, 9]], kinds=[1, 1, 1, 3])
    >>> without_soma_outline(three_points).ids.tolist()
    [1, 4]
    """
    carries = _carries(np.ascontiguousarray(skeleton.parent_rows), skeleton.kinds != SOMA)
    neurites = carries[skeleton.roots][skeleton.trees]
    return skeleton.take(carries | ~neurites)


def edge_radii(skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Which edges to their parents have known radii, (n,) bool, and the radii (n, 2) at the parent and at the node, in nm.

    A neurite begins at the surface of its soma with the radius of its first node. Edges within a soma are none of a neurite.
    """
    above = np.maximum(skeleton.parent_rows, 0)
    soma = skeleton.kinds == SOMA
    own = skeleton.radii_nm
    radii = np.column_stack([np.where(soma[above] & ~soma, own, own[above]), own])
    return (skeleton.parent_rows >= 0) & (radii > 0).all(1) & ~(soma & soma[above]), radii


@numba.njit(cache=True, nogil=True)
def _carries(parents: np.ndarray, neurite: np.ndarray) -> np.ndarray:
    """(n,) bool: whether a node or one below it is part of a neurite."""
    carries = neurite.copy()
    for row in range(len(parents) - 1, -1, -1):
        if carries[row] and parents[row] >= 0:
            carries[parents[row]] = True
    return carries


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """NaN where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))


@numba.njit(cache=True, nogil=True)
def _strahler(parents: np.ndarray) -> np.ndarray:
    order = np.zeros(len(parents), np.int64)
    highest = np.zeros(len(parents), np.int64)
    times = np.zeros(len(parents), np.int64)
    for row in range(len(parents) - 1, -1, -1):
        parent = parents[row]
        order[row] = highest[row] + (times[row] >= 2)
        if parent < 0:
            continue
        if times[row] == 0:
            order[row] = 1
        if order[row] > highest[parent]:
            highest[parent], times[parent] = order[row], 1
        elif order[row] == highest[parent]:
            times[parent] += 1
    return order


@numba.njit(cache=True, nogil=True)
def _branch_of_row(parents: np.ndarray, critical: np.ndarray) -> np.ndarray:
    """(n,) the number of the branch of the edge above each row: ends are numbered as their rows are."""
    branch = np.full(len(parents), -1, np.int64)
    ends = 0
    for row in range(len(parents)):
        if critical[row] and parents[row] >= 0:
            branch[row] = ends
            ends += 1
    for row in range(len(parents) - 1, -1, -1):
        parent = parents[row]
        if parent >= 0 and not critical[parent]:
            branch[parent] = branch[row]
    return branch
