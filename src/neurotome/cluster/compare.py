"""Two tables of features of the same rows: do they tell the same story?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from neurotome.cluster.agreement import adjusted_rand, cross_table
from neurotome.cluster.neighbours import Neighbours
from neurotome.cluster.quality import distances_within
from neurotome.cluster.values import numbers_of, same_length
from neurotome.core import InputError

__all__ = [
    "TableComparison",
    "compare_tables",
    "linear_cka",
    "mantel_r",
    "neighbour_overlap",
    "rows_in_both",
    "rv_coefficient",
    "triplet_agreement",
]


@dataclass(frozen=True, eq=False)
class TableComparison:
    """All 1 for the same table. mantel: Pearson r of the distances of all pairs; cka, rv: see there; neighbours: mean share of
    common neighbours; triplets: share of triplets in the same order (0.5 by chance); rand: adjusted Rand index of two clusterings
    of the rows (NaN without). columns: Pearson r per column where both tables have the same ones. pairs: first, second, distance
    in a, in b (each over its mean), the largest differences first.
    """

    mantel: float
    cka: float
    rv: float
    neighbours: float
    triplets: float
    rand: float
    columns: pd.DataFrame = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)


def compare_tables(
    a: np.ndarray,
    b: np.ndarray,
    *,
    k: int = 10,
    clusters: tuple[np.ndarray, np.ndarray] | None = None,
    names: tuple[Sequence[str], Sequence[str]] | None = None,
    worst: int = 20,
    seed: int = 42,
) -> TableComparison:
    """Compares a (n, p) with b (n, q): row i of both is the same thing (see `rows_in_both`). Both scaled as they will be used."""
    a, b = numbers_of(a, "a").astype(np.float64), numbers_of(b, "b").astype(np.float64)
    same_length(len(a), b=b)
    if len(a) < 4:
        raise InputError(f"{len(a)} common rows", "at least 4 to compare two tables")
    distances_a, distances_b = distances_within(a), distances_within(b)
    return TableComparison(
        mantel_r(distances_a, distances_b),
        linear_cka(a, b),
        rv_coefficient(a, b),
        neighbour_overlap(a, b, min(k, len(a) - 1)),
        triplet_agreement(distances_a, distances_b, seed=seed),
        float("nan") if clusters is None else adjusted_rand(cross_table(*clusters)),
        _columns(a, b, names),
        _pairs(distances_a, distances_b, worst),
    )


def rows_in_both(a: Sequence[str], b: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers in a and in b of the names that both have, in the order of the sorted names. Raises InputError where none is.

    >>> [rows.tolist() for rows in rows_in_both(["x", "z", "y"], ["y", "w", "x"])]
    [[0, 2], [2, 0]]
    """
    for side, names in (("first", a), ("second", b)):
        if len(set(names)) < len(names):
            raise InputError(f"The {side} table has a name twice", "one row per name")
    places_a, places_b = ({name: at for at, name in enumerate(names)} for names in (a, b))
    both = sorted(places_a.keys() & places_b.keys())
    if not both:
        raise InputError("The two tables have no name in common", "rows of the same things", "check the names of the rows")
    return np.array([places_a[name] for name in both]), np.array([places_b[name] for name in both])


def mantel_r(distances_a: np.ndarray, distances_b: np.ndarray) -> float:
    """Pearson correlation of two distance matrices (n, n) over their pairs; 0 where one is constant. Source: Mantel 1967."""
    upper = np.triu_indices(len(distances_a), 1)
    return _pearson(distances_a[upper], distances_b[upper])


def linear_cka(a: np.ndarray, b: np.ndarray) -> float:
    """Linear centred kernel alignment: |A^T B|^2 / (|A^T A| |B^T B|) of centred tables. Turning or stretching a table as a whole
    changes nothing. Source: Kornblith et al. 2019.
    """
    a, b = a - a.mean(0), b - b.mean(0)
    # Through whichever is smaller, the columns or the rows.
    if max(a.shape[1], b.shape[1]) > len(a):
        kernel_a, kernel_b = a @ a.T, b @ b.T
        above, below = float((kernel_a * kernel_b).sum()), np.linalg.norm(kernel_a) * np.linalg.norm(kernel_b)
    else:
        above, below = float(((a.T @ b) ** 2).sum()), np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return above / below if below > 0 else 0.0


def rv_coefficient(a: np.ndarray, b: np.ndarray) -> float:
    """Modified RV coefficient: as `linear_cka` without the kernels' diagonals, so independent wide tables get 0, not nearly 1.

    Source: Smilde et al. 2009.
    """
    kernels = []
    for table in (a, b):
        centred = table - table.mean(0)
        kernel = centred @ centred.T
        np.fill_diagonal(kernel, 0)
        kernels.append(kernel)
    below = np.linalg.norm(kernels[0]) * np.linalg.norm(kernels[1])
    return float((kernels[0] * kernels[1]).sum() / below) if below > 0 else 0.0


def neighbour_overlap(a: np.ndarray, b: np.ndarray, k: int = 10) -> float:
    """Mean share of the k nearest rows that are the same in both; k / (n - 1) by chance."""
    near_a, near_b = (Neighbours.of(table).of_every_row(k).rows for table in (a, b))
    return float(np.mean([len(np.intersect1d(x, y)) / k for x, y in zip(near_a, near_b)]))


def triplet_agreement(distances_a: np.ndarray, distances_b: np.ndarray, *, triplets: int = 100_000, seed: int = 42) -> float:
    """The share of random triplets (i, j, k) for which both tables agree whether j or k is nearer to i, or both equal."""
    n = len(distances_a)
    rng = np.random.default_rng(seed)
    i, j, k = rng.integers(n, size=(3, triplets))
    good = (i != j) & (i != k) & (j != k)
    i, j, k = i[good], j[good], k[good]
    orders = [
        np.sign(np.round(d[i, j] - d[i, k], 12)) for d in (distances_a / _scale(distances_a), distances_b / _scale(distances_b))
    ]
    return float((orders[0] == orders[1]).mean())


def _scale(distances: np.ndarray) -> float:
    return float(distances.mean()) or 1.0


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(), y - y.mean()
    below = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / below) if below > 0 else 0.0


def _columns(a: np.ndarray, b: np.ndarray, names: tuple[Sequence[str], Sequence[str]] | None) -> pd.DataFrame:
    first = [str(name) for name in names[0]] if names else []
    second = {str(name): at for at, name in enumerate(names[1])} if names else {}
    rows = [(name, _pearson(a[:, at], b[:, second[name]])) for at, name in enumerate(first) if name in second]
    return pd.DataFrame(rows, columns=["column", "r"])


def _pairs(distances_a: np.ndarray, distances_b: np.ndarray, worst: int) -> pd.DataFrame:
    i, j = np.triu_indices(len(distances_a), 1)
    first, second = distances_a[i, j] / _scale(distances_a), distances_b[i, j] / _scale(distances_b)
    rows = np.argsort(-np.abs(first - second), kind="stable")[:worst]
    return pd.DataFrame({"first": i[rows], "second": j[rows], "in_a": first[rows], "in_b": second[rows]})
