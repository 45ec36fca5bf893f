"""The passes over the rows of a tree that its variants need. Parents come before their children."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["drop_subtrees", "drop_tips", "resample"]


@numba.njit(cache=True, nogil=True)
def drop_tips(parents: np.ndarray, children: np.ndarray, held: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """(n,) bool, what stays when the branches above these tips go, up to the next bifurcation, held node or root.

    Branches are those of the whole tree: a bifurcation that lost one of its two branches ends the other one still.
    """
    keep = np.ones(len(parents), np.bool_)
    for tip in tips:
        row = tip
        while parents[row] >= 0 and not held[row] and children[row] < 2:
            keep[row] = False
            row = parents[row]
    return keep


@numba.njit(cache=True, nogil=True)
def drop_subtrees(parents: np.ndarray, lengths: np.ndarray, starts: np.ndarray, budget: float) -> np.ndarray:
    """(n,) bool, what stays when the subtrees at these rows go, in this order, with the edges above them, within the budget."""
    n = len(parents)
    below = lengths.copy()
    size = np.ones(n, np.int64)
    for row in range(n - 1, -1, -1):
        if parents[row] >= 0:
            below[parents[row]] += below[row]
            size[parents[row]] += size[row]
    enter = _depth_first(parents, size)
    gone = np.zeros(n, np.bool_)
    for start in starts:
        lost = below[start]
        if lost > budget or gone[enter[start]]:
            continue
        budget -= lost
        gone[enter[start] : enter[start] + size[start]] = True
        row = parents[start]
        while row >= 0:
            below[row] -= lost
            row = parents[row]
    return ~gone[enter]


@numba.njit(cache=True, nogil=True)
def _depth_first(parents: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(n,) the place of each row in a walk that finishes a subtree of `size` rows before it goes on: a subtree is a range."""
    enter = np.empty(len(parents), np.int64)
    free = np.empty(len(parents), np.int64)
    after = 0
    for row in range(len(parents)):
        if parents[row] < 0:
            enter[row] = after
            after += size[row]
        else:
            enter[row] = free[parents[row]]
            free[parents[row]] += size[row]
        free[row] = enter[row] + 1
    return enter


@numba.njit(cache=True, nogil=True)
def resample(
    parents: np.ndarray, fixed: np.ndarray, lengths: np.ndarray, values: np.ndarray, kinds: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parents, values (m, v) and kinds of a tree drawn with nodes at most `step` apart; fixed rows stay, others are replaced.

    A branch from a fixed row up to the next one of length l gets ceil(l / step) equal parts.
    """
    n = len(parents)
    run = np.zeros(n)
    up = np.full(n, -1, np.int64)
    for row in range(n):
        parent = parents[row]
        if parent >= 0:
            up[row] = parent if fixed[parent] else up[parent]
            run[row] = lengths[row] + (0.0 if fixed[parent] else run[parent])
    count = 0
    for row in range(n):
        if fixed[row]:
            count += max(1, int(np.ceil(run[row] / step - 1e-9))) if parents[row] >= 0 else 1
    above = np.full(count, -1, np.int64)
    found = np.empty((count, values.shape[1]))
    kind = np.empty(count, np.int64)
    place = np.full(n, -1, np.int64)
    last = 0
    for row in range(n):
        if not fixed[row]:
            continue
        parts = max(1, int(np.ceil(run[row] / step - 1e-9))) if parents[row] >= 0 else 1
        # From the lower end up: part 0 is the row itself, and `at` the row below the place that is looked for.
        at = row
        for part in range(parts):
            to = last + parts - 1 - part
            left = run[row] * (parts - part) / parts
            while part > 0 and not fixed[parents[at]] and run[parents[at]] >= left:
                at = parents[at]
            share = 0.0
            if part > 0 and lengths[at] > 0:
                share = min(max((run[at] - left) / lengths[at], 0.0), 1.0)
            for value in range(values.shape[1]):
                found[to, value] = values[at, value] * (1 - share) + (values[parents[at], value] * share if share > 0 else 0.0)
            kind[to] = kinds[at]
            above[to] = to - 1 if part < parts - 1 else (place[up[row]] if parents[row] >= 0 else -1)
        last += parts
        place[row] = last - 1
    return above, found, kind
