"""Sizes of differences, and p values corrected for their number."""

from __future__ import annotations

import numpy as np

__all__ = ["benjamini_hochberg", "cohen_d", "hedges_g", "rank_sum_p"]


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjusted p values of the same shape: rejecting those <= q keeps the expected share of false rejections at q. NaN stay NaN.

    Source: Benjamini and Hochberg 1995.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.2])).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.2]
    """
    p = np.asarray(p, np.float64)
    adjusted = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    ranked = np.argsort(p[known], kind="stable")[::-1]
    m = len(ranked)
    falling = p[known][ranked] * m / np.arange(m, 0, -1)
    values = np.empty(m)
    values[ranked] = np.minimum(np.minimum.accumulate(falling), 1)
    adjusted[known] = values
    return adjusted


def cohen_d(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Difference of the means per column in units of sqrt((s1^2 + s2^2) / 2); 0 where both do not vary and are equal.

    >>> float(cohen_d(np.array([[1.0], [2], [3]]), np.array([[3.0], [4], [5]]))[0])
    -2.0
    """
    difference = first.mean(0) - second.mean(0)
    pooled = np.sqrt((first.var(0, ddof=1) + second.var(0, ddof=1)) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / pooled)


def hedges_g(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cohen's d times 1 - 3 / (4 (n1 + n2) - 9), which takes off its bias in small samples. Source: Hedges 1981.

    >>> float(hedges_g(np.array([[1.0], [2], [3]]), np.array([[3.0], [4], [5]]))[0])
    -1.6
    """
    return cohen_d(first, second) * (1 - 3 / (4 * (len(first) + len(second)) - 9))


def rank_sum_p(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Two-sided p (p,) of the rank-sum test per column: are the rows `inside` (n,) larger or smaller than the others?

    Normal approximation with ties and continuity correction. 1 for a column without two values. Source: Mann and Whitney 1947.
    """
    from scipy import stats

    n, n1 = len(values), int(inside.sum())
    n2 = n - n1
    ranks = stats.rankdata(values, axis=0)
    u = ranks[inside].sum(0) - n1 * (n1 + 1) / 2
    ties = np.array([(counts**3 - counts).sum() for counts in (np.unique(c, return_counts=True)[1] for c in values.T)])
    sd = np.sqrt(n1 * n2 / 12 * (n + 1 - ties / (n * (n - 1))))
    away = np.maximum(np.abs(u - n1 * n2 / 2) - 0.5, 0)
    return np.where(sd > 0, 2 * stats.norm.sf(away / np.where(sd > 0, sd, 1)), 1.0).clip(0, 1)
