"""How far two ways of sorting the same rows agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurotome.cluster.values import codes_of, same_length
from neurotome.core import InputError

__all__ = [
    "AGREEMENTS",
    "LabelAgreement",
    "adjusted_rand",
    "cohen_kappa",
    "cramers_v",
    "cross_table",
    "cross_table_of_codes",
    "label_agreement",
    "mutual_information",
    "purity",
]


def cross_table(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Rows per pair of labels: (labels of first, labels of second) int64, both in sorted order.

    >>> cross_table(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])).tolist()
    [[2, 0, 0], [0, 1, 1]]
    """
    same_length(len(first), second=second)
    (a, names_a), (b, names_b) = codes_of(first), codes_of(second)
    return cross_table_of_codes(a, b, len(names_a), len(names_b))


def cross_table_of_codes(first: np.ndarray, second: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The same for codes 0 ... rows - 1 and 0 ... columns - 1: (rows, columns) int64."""
    return np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns)


def adjusted_rand(table: np.ndarray) -> float:
    """Adjusted Rand index of a cross table: 1 for equal partitions, 0 as by chance. Source: Hubert and Arabie 1985.

    >>> round(adjusted_rand(np.array([[2, 0, 0], [0, 1, 1]])), 6)
    0.571429
    """
    n = int(table.sum())
    both, first, second = (float((counts.astype(np.float64) * (counts - 1)).sum()) for counts in _margins(table))
    expected = first * second / max(n * (n - 1), 1)
    highest = (first + second) / 2
    return 1.0 if highest == expected else (both - expected) / (highest - expected)


def mutual_information(table: np.ndarray) -> float:
    """Normalised mutual information: 2 I / (H(first) + H(second)), 1 where both sides have one label only.

    >>> round(mutual_information(np.array([[2, 0, 0], [0, 1, 1]])), 6)
    0.8
    """
    both, first, second = (_entropy(counts) for counts in _margins(table))
    return 1.0 if first + second == 0 else float(np.clip(2 * (first + second - both) / (first + second), 0, 1))


def cramers_v(table: np.ndarray, *, corrected: bool = True) -> float:
    """Cramer's V, 0 (independent) to 1 (each determines the other); `corrected` takes off what chance adds (Bergsma 2013).

    0 where a side has one label only.

    >>> table = np.array([[8, 2], [3, 7]])
    >>> round(cramers_v(table, corrected=False), 4), round(cramers_v(table), 4)
    (0.5025, 0.4593)
    """
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return 0.0
    n = float(table.sum())
    phi2 = _chi2(table) / n
    if not corrected:
        return float(np.sqrt(phi2 / (min(rows, columns) - 1)))
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    rows_c, columns_c = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    smaller = min(rows_c, columns_c) - 1
    return float(min(1.0, np.sqrt(phi2 / smaller))) if smaller > 0 else 0.0


def purity(table: np.ndarray) -> float:
    """The share of rows that have the commonest second label of their first label. Grows with the number of first labels.

    >>> purity(np.array([[2, 0, 0], [0, 1, 1]]))
    0.75
    """
    return float(table.max(1).sum() / table.sum())


def cohen_kappa(first: np.ndarray, second: np.ndarray) -> float:
    """Cohen's kappa of two annotators with the same set of labels: agreement above chance, 1 for all equal.

    >>> round(cohen_kappa(np.array([1, 1, 0, 0, 1]), np.array([1, 0, 0, 0, 1])), 6)
    0.615385
    """
    same_length(len(first), second=second)
    codes, names = codes_of(np.concatenate([np.asarray(first, object), np.asarray(second, object)]))
    table = cross_table_of_codes(codes[: len(first)], codes[len(first) :], len(names), len(names))
    n = table.sum()
    seen, expected = np.trace(table) / n, float(table.sum(0) @ table.sum(1)) / n**2
    return 1.0 if expected == 1 else float((seen - expected) / (1 - expected))


AGREEMENTS: dict[str, Callable[[np.ndarray], float]] = {
    "adjusted_rand": adjusted_rand,
    "mutual_information": mutual_information,
    "cramers_v": cramers_v,
    "purity": purity,
}


@dataclass(frozen=True)
class LabelAgreement:
    """One measure, and p: the share of shuffles (and the value itself) that reach it, (1 + as large) / (1 + permutations)."""

    measure: str
    value: float
    p: float


def label_agreement(
    first: np.ndarray, second: np.ndarray, *, permutations: int = 999, seed: int = 42
) -> tuple[LabelAgreement, ...]:
    """All of `AGREEMENTS` for two labels per row (n,), each with a permutation p. The order of the rows plays no part."""
    same_length(len(first), second=second)
    if len(first) < 2:
        raise InputError(f"{len(first)} rows", "at least 2 to compare two labellings")
    (a, names_a), (b, names_b) = codes_of(first), codes_of(second)
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    sides = len(names_a), len(names_b)
    seen = {name: measure(cross_table_of_codes(a, b, *sides)) for name, measure in AGREEMENTS.items()}
    reached = dict.fromkeys(AGREEMENTS, 0)
    rng = np.random.default_rng(seed)
    for _ in range(permutations):
        table = cross_table_of_codes(a, rng.permutation(b), *sides)
        for name, measure in AGREEMENTS.items():
            reached[name] += measure(table) >= seen[name] - 1e-12
    return tuple(LabelAgreement(name, seen[name], (1 + reached[name]) / (1 + permutations)) for name in AGREEMENTS)


def _margins(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return table, table.sum(1), table.sum(0)


def _entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def _chi2(table: np.ndarray) -> float:
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())
