"""How good is an embedding or a map: labels of neighbours, silhouettes, kept neighbourhoods, a column that can be read off."""

from __future__ import annotations

from collections.abc import Mapping

import numba
import numpy as np
import pandas as pd

from neurotome.cluster.neighbours import Neighbours
from neurotome.cluster.scores import balanced_accuracy, votes
from neurotome.cluster.values import codes_of, labelled, numbers_of, same_length
from neurotome.core import InputError, ValueRangeError

__all__ = [
    "QUALITY_COLUMNS",
    "distances_within",
    "knn_accuracy",
    "quality_table",
    "readable_share",
    "silhouette",
    "silhouette_of",
    "trustworthiness",
]

QUALITY_COLUMNS = ("space", "measure", "target", "value", "n")


def knn_accuracy(values: np.ndarray, labels: np.ndarray, k: int = 5, *, metric: str = "euclidean") -> float:
    """Balanced accuracy of the vote of the k nearest other rows: leave-one-out, a row never votes for itself.

    Equal votes: the label of the nearer voter wins. k is lowered to n - 1.

    >>> knn_accuracy(np.array([[0.0], [1], [2], [10], [11], [12]]), np.array(list("aaabbb")), k=2)
    1.0
    """
    codes, names = codes_of(labels)
    same_length(len(values), labels=labels)
    if len(values) < 2:
        raise InputError(f"{len(values)} rows", "at least 2, so that a row has a neighbour")
    rows = Neighbours.of(values, metric).of_every_row(min(k, len(values) - 1)).rows
    return balanced_accuracy(codes, votes(codes[rows], len(names)))


def distances_within(values: np.ndarray) -> np.ndarray:
    """Euclidean distances (n, n) between all rows, symmetric, exactly 0 on the diagonal."""
    values = numbers_of(values).astype(np.float64)
    centred = values - values.mean(0)
    squares = (centred**2).sum(1)
    products = centred @ centred.T
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - products - products.T, 0))
    np.fill_diagonal(distances, 0)
    return distances


def silhouette(values: np.ndarray, labels: np.ndarray, *, most_rows: int = 5000, seed: int = 42) -> float:
    """Mean silhouette of values (n, p) for any labels, at most so many rows drawn evenly. Noise (-1) is left out.

    Source: Rousseeuw 1987.
    """
    labels = np.asarray(labels)
    same_length(len(values), labels=labels)
    codes, names = codes_of(labels)
    rows = np.flatnonzero(np.array([name != "-1" for name in names])[codes])
    if len(rows) > most_rows:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:most_rows])
    return silhouette_of(distances_within(numbers_of(values)[rows]), np.unique(codes[rows], return_inverse=True)[1])


def silhouette_of(distances: np.ndarray, labels: np.ndarray) -> float:
    """Mean over rows of (b - a) / max(a, b): a mean distance to the own cluster, b to the nearest other; 0 for a row alone.

    distances (n, n), labels 0 ... k - 1. NaN unless 2 <= k < n.

    >>> points = np.array([0.0, 1, 10, 11])
    >>> round(silhouette_of(np.abs(points[:, None] - points), np.array([0, 0, 1, 1])), 4)
    0.8997
    """
    return float(silhouettes_of(distances, labels).mean())


def silhouettes_of(distances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What `silhouette_of` is the mean of, (n,)."""
    k = int(labels.max()) + 1
    if not 2 <= k < len(labels):
        return np.full(len(labels), np.nan)
    found: np.ndarray = _silhouettes(distances, np.asarray(labels, np.int64), np.bincount(labels, minlength=k))
    return found


@numba.njit(cache=True, nogil=True)
def _silhouettes(distances, labels, sizes):  # type: ignore[no-untyped-def]
    values = np.zeros(len(labels))
    sums = np.empty(len(sizes))
    for i in range(len(labels)):
        own = labels[i]
        if sizes[own] < 2:
            continue
        sums[:] = 0
        for j in range(len(labels)):
            sums[labels[j]] += distances[i, j]
        nearest = np.inf
        for c in range(len(sizes)):
            if c != own and sizes[c] > 0:
                nearest = min(nearest, sums[c] / sizes[c])
        inside = sums[own] / (sizes[own] - 1)
        larger = max(inside, nearest)
        values[i] = (nearest - inside) / larger if larger > 0 else 0.0
    return values


def trustworthiness(values: np.ndarray, coordinates: np.ndarray, k: int = 15) -> float:
    """1 less a penalty for every neighbour on the map that is none in the table, larger the farther it really is. 1 is best.

    Raises ValueRangeError unless k < n / 2. Source: Venna and Kaski 2001.
    """
    n = len(values)
    same_length(n, coordinates=coordinates)
    if not 1 <= k < n / 2:
        raise ValueRangeError(f"k = {k} neighbours of {n} rows", f"1 to {(n - 1) // 2}", "ask for fewer neighbours")
    near = Neighbours.of(coordinates).of_every_row(k).rows
    table = numbers_of(values).astype(np.float64)
    penalty = 0
    for row in range(n):
        away = ((table - table[row]) ** 2).sum(1)
        away[row] = -1
        ranks = np.empty(n, np.int64)
        ranks[np.argsort(away, kind="stable")] = np.arange(n)
        penalty += int(np.maximum(ranks[near[row]] - k, 0).sum())
    return 1 - 2 * penalty / (n * k * (2 * n - 3 * k - 1))


def readable_share(values: np.ndarray, column: np.ndarray, k: int = 10) -> float:
    """R^2 of a continuous column when each row gets the mean of its k nearest other rows: 0 is no better than the mean.

    Rows whose value is missing are left out.
    """
    column = np.asarray(column, np.float64)
    same_length(len(values), column=column)
    known = np.isfinite(column)
    column = column[known]
    if len(column) < 3 or np.ptp(column) == 0:
        raise InputError(f"A column with {len(np.unique(column))} different values in {len(column)} rows", "values that differ")
    rows = Neighbours.of(numbers_of(values)[known]).of_every_row(min(k, len(column) - 1)).rows
    return float(1 - ((column[rows].mean(1) - column) ** 2).sum() / ((column - column.mean()) ** 2).sum())


def quality_table(
    spaces: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray], numbers: Mapping[str, np.ndarray], *, original: str = ""
) -> pd.DataFrame:
    """`QUALITY_COLUMNS` for every space (n, p) and every column of labels and of numbers; a map is also held against `original`.

    Rows without a label are left out of what needs it; a label with one value only is left out.
    """
    rows: list[tuple] = []
    for space, values in spaces.items():
        for target, given in labels.items():
            known = labelled(given)
            names, some = np.asarray(given, object)[known], numbers_of(values)[known]
            if len(set(names)) < 2:
                continue
            rows += [(space, f"knn{k}_balanced_accuracy", target, knn_accuracy(some, names, k), len(some)) for k in (5, 20)]
            rows.append((space, "silhouette", target, silhouette(some, names), len(some)))
        rows += [(space, "r2", target, readable_share(values, given), len(values)) for target, given in numbers.items()]
        if original and space != original and len(values) > 3:
            k = min(15, (len(values) - 1) // 2)
            rows.append((space, "trustworthiness", original, trustworthiness(spaces[original], values, k), len(values)))
    return pd.DataFrame(rows, columns=list(QUALITY_COLUMNS))
