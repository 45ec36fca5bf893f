"""k-means of our own: the choice of k fits it thousands of times, on small tables, and must not depend on threads."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.cluster.values import numbers_of
from neurotome.core import ValueRangeError

__all__ = ["KMeans", "kmeans"]

MOST_STEPS = 300


@dataclass(frozen=True, eq=False)
class KMeans:
    """labels (n,) int64, centres (k, p), inertia: the sum of squared distances to the own centre."""

    labels: np.ndarray
    centres: np.ndarray
    inertia: float


def kmeans(values: np.ndarray, k: int, *, starts: int = 10, seed: int = 42) -> KMeans:
    """The best of so many k-means++ starts, each run until no row changes its cluster. No cluster is empty.

    Raises ValueRangeError unless 1 <= k <= n. Source: Lloyd 1982; Arthur and Vassilvitskii 2007.

    >>> found = kmeans(np.array([[0.0], [1], [10], [11]]), 2)
    >>> found.inertia, sorted(found.centres.ravel().tolist())
    (1.0, [0.5, 10.5])
    """
    values = numbers_of(values).astype(np.float64)
    if not 1 <= k <= len(values):
        raise ValueRangeError(f"k = {k}", f"1 to {len(values)}, the number of rows", "ask for fewer clusters")
    draws = np.random.default_rng((seed, k)).random((starts, k))
    labels, centres, inertia = _best_start(values, draws)
    return KMeans(labels, centres, float(inertia))


@numba.njit(cache=True, nogil=True)
def _best_start(values, draws):  # type: ignore[no-untyped-def]
    labels, centres, lowest = np.zeros(len(values), np.int64), np.zeros((draws.shape[1], values.shape[1])), np.inf
    for start in range(len(draws)):
        new_labels, new_centres, inertia = _from_start(values, draws[start])
        # Equal up to rounding: the first one stays, on every machine.
        if inertia < lowest * (1 - 1e-12):
            labels, centres, lowest = new_labels, new_centres, inertia
    return labels, centres, lowest


@numba.njit(cache=True, nogil=True)
def _from_start(values, draws):  # type: ignore[no-untyped-def]
    centres = _spread_out(values, draws)
    labels, away = np.full(len(values), -1, np.int64), np.empty(len(values))
    for _ in range(MOST_STEPS):
        changed = _assigned(values, centres, labels, away)
        _moved(values, labels, away, centres)
        if not changed:
            break
    _assigned(values, centres, labels, away)
    return labels, centres, away.sum()


# Own loops, not the linear algebra library, whose sums depend on its threads; reassociated to run in vector registers.
@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _towards(values, i, centres, c):  # type: ignore[no-untyped-def]
    """The squared distance of row i to centre c."""
    total = 0.0
    for j in range(values.shape[1]):
        away = values[i, j] - centres[c, j]
        total += away * away
    return total


@numba.njit(cache=True, nogil=True)
def _spread_out(values, draws):  # type: ignore[no-untyped-def]
    """k-means++: each further centre is a row, drawn by its squared distance to the nearest centre so far."""
    n = len(values)
    centres = np.empty((len(draws), values.shape[1]))
    centres[0] = values[min(int(draws[0] * n), n - 1)]
    nearest = np.full(n, np.inf)
    for c in range(1, len(draws)):
        for i in range(n):
            nearest[i] = min(nearest[i], _towards(values, i, centres, c - 1))
        target, row, passed = draws[c] * nearest.sum(), 0, 0.0
        for i in range(n):
            passed += nearest[i]
            if nearest[i] > 0:
                row = i
                if passed > target:
                    break
        centres[c] = values[row]
    return centres


@numba.njit(cache=True, nogil=True)
def _assigned(values, centres, labels, away):  # type: ignore[no-untyped-def]
    """Every row to its nearest centre, the first of equals; whether any changed. `away`: squared distances."""
    changed = False
    for i in range(len(values)):
        best, lowest = 0, np.inf
        for c in range(len(centres)):
            distance = _towards(values, i, centres, c)
            if distance < lowest:
                best, lowest = c, distance
        changed |= labels[i] != best
        labels[i], away[i] = best, lowest
    return changed


@numba.njit(cache=True, nogil=True)
def _moved(values, labels, away, centres):  # type: ignore[no-untyped-def]
    """Centres to the mean of their rows; one without rows takes the row that is farthest from its own centre."""
    counts = np.zeros(len(centres), np.int64)
    centres[:] = 0
    for i in range(len(values)):
        counts[labels[i]] += 1
        for j in range(values.shape[1]):
            centres[labels[i], j] += values[i, j]
    for c in range(len(centres)):
        if counts[c] > 0:
            centres[c] /= counts[c]
    for c in range(len(centres)):
        if counts[c] == 0:
            row = np.argmax(away)
            centres[c], away[row] = values[row], 0.0
