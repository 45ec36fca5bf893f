"""Do two trees branch and end in the same places?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

__all__ = ["Matched", "bifurcations", "match_points", "tips"]


@dataclass(frozen=True, eq=False)
class Matched:
    """Points of a test and a gold tree in pairs.

    pairs: (k, 2), numbers of test and gold points. distance: (k,). of_test, of_gold: how many points there were.
    """

    pairs: np.ndarray
    distance: np.ndarray
    of_test: int
    of_gold: int

    @property
    def precision(self) -> float:
        return _part(len(self.pairs), self.of_test, self.of_gold)

    @property
    def recall(self) -> float:
        return _part(len(self.pairs), self.of_gold, self.of_test)

    @property
    def f1(self) -> float:
        return 2 * len(self.pairs) / (self.of_test + self.of_gold) if self.of_test + self.of_gold else 1.0

    @property
    def mean_distance(self) -> float:
        """NaN where nothing is matched."""
        return float(self.distance.mean()) if len(self.distance) else math.nan


def bifurcations(parent_rows: np.ndarray) -> np.ndarray:
    """Rows of the nodes with two or more children; a root may be one."""
    return np.flatnonzero(_children(parent_rows) >= 2)


def tips(parent_rows: np.ndarray) -> np.ndarray:
    """Rows of the nodes without children that are no roots.

    >>> tips(np.array([-1, 0, 1, 1, -1])).tolist()
    [2, 3]
    """
    return np.flatnonzero((_children(parent_rows) == 0) & (parent_rows >= 0))


def match_points(test: np.ndarray, gold: np.ndarray, tau: float) -> Matched:
    """As many pairs as possible of points (n, 3) within tau, each point in one pair; among those the least total distance.

    Solved group by group of points that can be matched at all.

    >>> far = match_points(np.array([[0, 0, 0], [0, 0, 1.0]]), np.array([[0, 0, 1.0], [0, 0, 2.5]]), 1.5)
    >>> far.pairs.tolist(), far.distance.tolist()
    ([[0, 0], [1, 1]], [1.0, 1.5])
    """
    near = _candidates(test, gold, tau)
    pairs = [_assigned(group) for group in _groups(near, len(test), len(gold))]
    chosen = np.concatenate([np.zeros((0, 3)), *pairs])
    chosen = chosen[np.argsort(chosen[:, 1], kind="stable")]
    return Matched(chosen[:, :2].astype(np.int64), chosen[:, 2], len(test), len(gold))


def _candidates(test: np.ndarray, gold: np.ndarray, tau: float) -> np.ndarray:
    """(c, 3): test point, gold point, distance."""
    if not (len(test) and len(gold)):
        return np.zeros((0, 3))
    lists = cKDTree(gold).query_ball_point(test, tau + 1e-7, return_sorted=True)
    a = np.repeat(np.arange(len(test)), [len(near) for near in lists])
    b = np.concatenate([np.array(near, np.int64) for near in lists])
    return np.column_stack([a, b, np.sqrt(((test[a] - gold[b]) ** 2).sum(1))])


def _groups(near: np.ndarray, tests: int, golds: int) -> list[np.ndarray]:
    """The candidates cut into groups that share no point."""
    if not len(near):
        return []
    a, b = near[:, 0].astype(np.int64), near[:, 1].astype(np.int64)
    graph = coo_array((np.ones(len(a)), (a, tests + b)), shape=(tests + golds, tests + golds))
    group = connected_components(graph, directed=False)[1][a]
    order = np.argsort(group, kind="stable")
    return np.split(near[order], np.flatnonzero(np.diff(group[order])) + 1)


def _assigned(near: np.ndarray) -> np.ndarray:
    """The chosen rows of one group; a pair out of reach costs more than all those within it together."""
    if len(near) == 1:
        return near
    a, rows = np.unique(near[:, 0], return_inverse=True)
    b, columns = np.unique(near[:, 1], return_inverse=True)
    out_of_reach = (min(len(a), len(b)) + 1) * (near[:, 2].max() + 1)
    cost = np.full((len(a), len(b)), out_of_reach)
    cost[rows, columns] = near[:, 2]
    chosen = np.column_stack(linear_sum_assignment(cost))
    chosen = chosen[cost[chosen[:, 0], chosen[:, 1]] < out_of_reach]
    return np.column_stack([a[chosen[:, 0]], b[chosen[:, 1]], cost[chosen[:, 0], chosen[:, 1]]])


def _part(matched: int, of: int, others: int) -> float:
    """Both sets empty: all is well. One empty: nothing is."""
    if of == 0:
        return 1.0 if others == 0 else 0.0
    return matched / of


def _children(parent_rows: np.ndarray) -> np.ndarray:
    return np.bincount(parent_rows[parent_rows >= 0], minlength=len(parent_rows))
