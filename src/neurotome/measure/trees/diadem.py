"""How much of the gold branching is there, branch points and tips weighted by what hangs on them: a score like DIADEM's.

After Gillette et al. 2011; the rules below are ours where that text leaves room, so the numbers are not the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.measure.trees.branching import Branching, branching

__all__ = ["WEIGHTS", "Diadem", "DiademSettings", "diadem"]

_Weight = Callable[[Branching], np.ndarray]

WEIGHTS: dict[str, _Weight] = {
    "tips": lambda tree: tree.tips_below.astype(np.float64),
    "root_of_tips": lambda tree: np.sqrt(tree.tips_below),
    "uniform": lambda tree: np.ones(len(tree.depth)),
    "path": lambda tree: np.where(tree.up >= 0, tree.depth - tree.depth[tree.up], 0.0),
}
"""What a node counts: tips below it, their square root, one, or the length of the branch that ends in it."""


@dataclass(frozen=True)
class DiademSettings:
    """xy, z: half size of the upright cylinder in which a node is looked for. path: how much path lengths may differ (share)."""

    xy: float = 2.0
    z: float = 1.0
    path: float = 0.05
    weight: str = "tips"

    def __post_init__(self) -> None:
        if min(self.xy, self.z, self.path) <= 0:
            raise ValueRangeError(f"DIADEM tolerances xy={self.xy}, z={self.z}, path={self.path}", "numbers above 0")
        if self.weight not in WEIGHTS:
            raise UnknownNameError("DIADEM weight", self.weight, WEIGHTS)


@dataclass(frozen=True, eq=False)
class Diadem:
    """score: 0..1. match: per gold row the test row it was matched with, -1 for none. continued: gold rows hit by continuation.

    excess: rows of test bifurcations and tips that match nothing.
    """

    score: float
    match: np.ndarray
    continued: np.ndarray
    excess: np.ndarray


def diadem(
    test: tuple[np.ndarray, np.ndarray], gold: tuple[np.ndarray, np.ndarray], settings: DiademSettings | None = None
) -> Diadem:
    """Sum of the weights of the gold nodes hit / (sum of all gold weights + weights of excess test nodes).

    test, gold: points (n, 3), z, y, x, and parent rows (n,). Gold nodes are bifurcations and tips; from the tips upwards each
    takes the free test bifurcation or tip in its cylinder that agrees (see `_Matching.agrees`): the one under which most of its
    children were found, else the nearest. Roots must correspond, as all paths are measured towards them.
    """
    work = _Matching(test, gold, settings or DiademSettings())
    weights = {name: WEIGHTS[work.settings.weight](tree) for name, tree in (("gold", work.gold), ("test", work.test))}
    for row in _branch_and_end(work.gold)[::-1]:
        work.take_best(int(row))
    work.match_roots()
    wanted = _branch_and_end(work.gold)
    missed = wanted[work.match[wanted] < 0]
    continued = np.array([row for row in missed if work.continues(int(row))], np.int64)
    hit = np.setdiff1d(wanted, np.setdiff1d(missed, continued))
    excess = np.setdiff1d(_branch_and_end(work.test), work.match)
    total = weights["gold"][wanted].sum() + weights["test"][excess].sum()
    return Diadem(float(weights["gold"][hit].sum() / total) if total > 0 else 1.0, work.match, continued, excess)


@dataclass(eq=False)
class _Matching:
    """The pairs found so far, by row."""

    test_tree: tuple[np.ndarray, np.ndarray]
    gold_tree: tuple[np.ndarray, np.ndarray]
    settings: DiademSettings
    test: Branching = field(init=False)
    gold: Branching = field(init=False)
    match: np.ndarray = field(init=False)
    near: dict[int, list[int]] = field(init=False)
    below: dict[int, list[int]] = field(init=False)
    free: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.test, self.gold = branching(*self.test_tree), branching(*self.gold_tree)
        self.match = np.full(len(self.gold.depth), -1, np.int64)
        self.free = np.zeros(len(self.test.depth), bool)
        self.free[_branch_and_end(self.test)] = True
        self.near = self._near()
        self.below = {int(row): [] for row in np.flatnonzero(self.gold.critical)}
        for row in np.flatnonzero(self.gold.critical & (self.gold.up >= 0)).tolist():
            self.below[int(self.gold.up[row])].append(row)

    def _near(self) -> dict[int, list[int]]:
        """Per critical gold row, the critical test rows in its cylinder, nearest first."""
        mine, theirs = (np.flatnonzero(tree.critical) for tree in (self.gold, self.test))
        reach = float(np.hypot(self.settings.xy, self.settings.z)) + 1e-7
        lists = cKDTree(self.test_tree[0][theirs]).query_ball_point(self.gold_tree[0][mine], reach)
        return {int(row): self._in_cylinder(int(row), theirs[np.array(found, np.int64)]) for row, found in zip(mine, lists)}

    def _in_cylinder(self, gold_row: int, rows: np.ndarray) -> list[int]:
        offset = np.abs(self.test_tree[0][rows] - self.gold_tree[0][gold_row])
        inside = (offset[:, 0] <= self.settings.z + 1e-7) & (np.hypot(offset[:, 1], offset[:, 2]) <= self.settings.xy + 1e-7)
        order = np.lexsort((rows[inside], (offset[inside] ** 2).sum(1)))
        return [int(row) for row in rows[inside][order]]

    def apart(self, gold_row: int, test_row: int) -> float:
        return float(np.sqrt(((self.gold_tree[0][gold_row] - self.test_tree[0][test_row]) ** 2).sum()))

    def take_best(self, row: int) -> None:
        """Match a gold row with the best free test row that agrees, if there is one."""
        found = [t for t in self.near[row] if self.free[t] and self.agrees(row, t)]
        if not found:
            return
        children = [int(self.match[child]) for child in self.below[row] if self.match[child] >= 0]
        best = min(found, key=lambda t: (-sum(self.test.above(t, c) for c in children), self.apart(row, t), -t))
        self.match[row], self.free[best] = best, False

    def agrees(self, row: int, t: int) -> bool:
        """Climbing from both, the first gold ancestor near which the test row has one too lies equally far along both trees.

        Path lengths may differ by a share of the gold path, or by what the two ends are apart. A root has no path.
        """
        ancestor = int(self.gold.up[row])
        if ancestor < 0:
            return True
        while ancestor >= 0:
            there = next((a for a in self.near[ancestor] if self.test.above(a, t)), None)
            if there is not None:
                slack = self.apart(row, t) + self.apart(ancestor, there) + 1e-7
                return self._difference(row, ancestor, t, there) <= max(slack, self._allowed(row, ancestor))
            ancestor = int(self.gold.up[ancestor])
        return False

    def match_roots(self) -> None:
        """A root that is no branch point counts nothing, but paths lead to it."""
        for row in np.flatnonzero((self.gold.up < 0) & (self.match < 0)).tolist():
            root = next((t for t in self.near[row] if self.test.up[t] < 0), None)
            self.match[row] = -1 if root is None else root

    def continues(self, row: int) -> bool:
        """Whether a missed bifurcation lies on a test path between a matched ancestor and a matched descendant."""
        ancestor = int(self.gold.up[row])
        while ancestor >= 0 and self.match[ancestor] < 0:
            ancestor = int(self.gold.up[ancestor])
        todo = list(self.below[row])
        while ancestor >= 0 and todo:
            child = todo.pop()
            if self.match[child] < 0:
                todo += self.below[child]
            elif self._joined(child, ancestor):
                return True
        return False

    def _joined(self, row: int, ancestor: int) -> bool:
        t, there = int(self.match[row]), int(self.match[ancestor])
        return self.test.above(there, t) and self._difference(row, ancestor, t, there) <= self._allowed(row, ancestor)

    def _difference(self, row: int, ancestor: int, t: int, there: int) -> float:
        path = self.gold.depth[row] - self.gold.depth[ancestor]
        return abs(float(self.test.depth[t] - self.test.depth[there] - path))

    def _allowed(self, row: int, ancestor: int) -> float:
        return self.settings.path * float(self.gold.depth[row] - self.gold.depth[ancestor])


def _branch_and_end(tree: Branching) -> np.ndarray:
    """Rows of bifurcations and tips: critical rows but the roots that do not branch."""
    rows = np.flatnonzero(tree.critical)
    stems = np.bincount(tree.up[rows][tree.up[rows] >= 0], minlength=len(tree.up))
    return rows[(tree.up[rows] >= 0) | (stems[rows] >= 2)]
