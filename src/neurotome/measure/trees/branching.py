"""What every node of a tree knows of the tree: how far the root is, which branch point comes before, what hangs below."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.measure.trees.critical import bifurcations, tips

__all__ = ["Branching", "TreeCounts", "branching", "tree_counts"]

SHOLL_UM = 10.0
"""Distance between two spheres of a Sholl profile."""


@dataclass(frozen=True, eq=False)
class Branching:
    """Per row of a tree; "critical" are roots, bifurcations and tips.

    depth: path length from the root. up: the next critical row above, -1 for roots. tips_below: tips in the subtree, the row
    itself included. order: bifurcations above. enter, size: the subtree of a row is what enters in [enter, enter + size).
    """

    depth: np.ndarray
    up: np.ndarray
    tips_below: np.ndarray
    order: np.ndarray
    root: np.ndarray
    enter: np.ndarray
    size: np.ndarray
    critical: np.ndarray

    def above(self, ancestor: int, row: int) -> bool:
        """Whether the first row lies on the way from the second to its root, and is another."""
        return bool(self.enter[ancestor] < self.enter[row] < self.enter[ancestor] + self.size[ancestor])


@dataclass(frozen=True, eq=False)
class TreeCounts:
    """Plain numbers of one tracing; lengths in um. sholl: crossings of spheres 10, 20, ... um around each root, summed."""

    nodes: int
    roots: int
    stems: int
    bifurcations: int
    tips: int
    length_um: float
    longest_path_um: float
    furthest_um: float
    highest_order: int
    sholl: np.ndarray


def branching(points: np.ndarray, parent_rows: np.ndarray) -> Branching:
    """From points (n, 3) and parent rows (n,), parents first."""
    parents = np.ascontiguousarray(parent_rows, np.int64)
    critical = parents < 0
    critical[bifurcations(parents)] = True
    critical[tips(parents)] = True
    steps = np.where(parents >= 0, np.sqrt(((points - points[np.maximum(parents, 0)]) ** 2).sum(1)), 0.0)
    is_tip = np.zeros(len(parents), np.int64)
    is_tip[tips(parents)] = 1
    depth, up, below, order, root, enter, size = _walk(parents, steps, critical, is_tip)
    return Branching(depth, up, below, order, root, enter, size, critical)


def tree_counts(points_um: np.ndarray, parent_rows: np.ndarray, sholl_um: float = SHOLL_UM) -> TreeCounts:
    """Counts, lengths and the Sholl profile of points (n, 3) in um."""
    shape = branching(points_um, parent_rows)
    roots = np.flatnonzero(parent_rows < 0)
    edges = np.flatnonzero(parent_rows >= 0)
    own_root = points_um[shape.root]
    reach = np.sqrt(((points_um - own_root) ** 2).sum(1))
    return TreeCounts(
        nodes=len(parent_rows),
        roots=len(roots),
        stems=int(np.isin(parent_rows[edges], roots).sum()),
        bifurcations=len(bifurcations(parent_rows)),
        tips=len(tips(parent_rows)),
        length_um=float(np.sqrt(((points_um[edges] - points_um[parent_rows[edges]]) ** 2).sum(1)).sum()),
        longest_path_um=float(shape.depth.max(initial=0.0)),
        furthest_um=float(reach.max(initial=0.0)),
        highest_order=int(shape.order.max(initial=0)),
        sholl=_sholl(points_um[parent_rows[edges]] - own_root[edges], points_um[edges] - own_root[edges], sholl_um),
    )


def _sholl(starts: np.ndarray, ends: np.ndarray, step: float) -> np.ndarray:
    """Crossings of the spheres of radius step, 2 step, ... by straight segments, given from the centre.

    Each segment is cut where it is nearest to the centre, so that one which dips into a sphere crosses it twice.
    """
    along = ends - starts
    length2 = (along**2).sum(1)
    foot = np.clip(-(starts * along).sum(1) / np.where(length2 > 0, length2, 1), 0, 1)
    distances = [np.sqrt((p**2).sum(1)) for p in (starts, starts + foot[:, None] * along, ends)]
    shells = [np.floor(d / step).astype(np.int64) for d in distances]
    profile = np.zeros(max((int(s.max(initial=0)) for s in shells), default=0) + 1, np.int64)
    for a, b in ((shells[0], shells[1]), (shells[1], shells[2])):
        np.add.at(profile, np.minimum(a, b), 1)
        np.add.at(profile, np.maximum(a, b), -1)
    return np.cumsum(profile)[:-1]


@numba.njit(cache=True, nogil=True)
def _walk(parents, steps, critical, is_tip):  # type: ignore[no-untyped-def]
    n = len(parents)
    depth = np.zeros(n)
    up = np.full(n, -1, np.int64)
    order = np.zeros(n, np.int64)
    root = np.arange(n)
    children = np.zeros(n, np.int64)
    size = np.ones(n, np.int64)
    below = is_tip.copy()
    for row in range(n - 1, -1, -1):
        if parents[row] >= 0:
            children[parents[row]] += 1
            size[parents[row]] += size[row]
            below[parents[row]] += below[row]
    enter = np.zeros(n, np.int64)
    free = np.zeros(n, np.int64)  # where the next child of a row enters
    start = 0
    for row in range(n):
        parent = parents[row]
        if parent < 0:
            enter[row] = start
            start += size[row]
        else:
            enter[row] = free[parent]
            free[parent] += size[row]
            depth[row] = depth[parent] + steps[row]
            up[row] = parent if critical[parent] else up[parent]
            root[row] = root[parent]
            order[row] = order[parent] + (1 if children[parent] >= 2 else 0)
        free[row] = enter[row] + 1
    return depth, up, below, order, root, enter, size
