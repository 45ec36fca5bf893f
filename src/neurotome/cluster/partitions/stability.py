"""Would other rows have given the same clusters?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurotome.cluster.agreement import adjusted_rand, cross_table
from neurotome.cluster.values import numbers_of, same_length
from neurotome.core import ValueRangeError

__all__ = ["UNSTABLE", "Clustering", "cluster_jaccard", "subsample_stability"]

Clustering = Callable[[np.ndarray, int], np.ndarray]
"""(values (n, p), seed) -> labels (n,), -1 for noise."""

UNSTABLE = 0.6
"""A cluster whose bootstrap Jaccard is below this should not be trusted (Hennig 2007)."""


def subsample_stability(
    values: np.ndarray, clustering: Clustering, *, pairs: int = 15, share: float = 0.8, seed: int = 42
) -> float:
    """The mean adjusted Rand index between the clusters of two subsamples, on the rows that both hold.

    Of each pair, both subsamples hold this share of the rows, drawn without replacement. Source: Ben-Hur et al. 2002.
    """
    values = numbers_of(values)
    n = len(values)
    size = round(share * n)
    if not n / 2 < size <= n:
        raise ValueRangeError(f"{share:g} of {n} rows", "more than half of them, so that two subsamples overlap")
    rng = np.random.default_rng(seed)
    scores = []
    for pair in range(pairs):
        labels = np.full((2, n), -2, np.int64)
        for side in range(2):
            rows = np.sort(rng.permutation(n)[:size])
            labels[side, rows] = clustering(values[rows], seed + 2 * pair + side)
        both = (labels != -2).all(0)
        scores.append(adjusted_rand(cross_table(labels[0, both], labels[1, both])))
    return float(np.mean(scores))


def cluster_jaccard(
    values: np.ndarray, labels: np.ndarray, clustering: Clustering, *, rounds: int = 50, seed: int = 42
) -> np.ndarray:
    """Per cluster: how well it comes back when the rows are drawn anew with replacement, 0 to 1. Below `UNSTABLE`, beware.

    The mean over rounds of the largest Jaccard index between its drawn rows and any cluster of that round; rounds in which none
    of its rows was drawn do not count. Source: Hennig 2007.
    """
    values = numbers_of(values)
    labels = np.asarray(labels)
    same_length(len(values), labels=labels)
    clusters = int(labels.max()) + 1
    rng = np.random.default_rng(seed)
    total, counted = np.zeros(clusters), np.zeros(clusters)
    for turn in range(rounds):
        drawn = np.sort(rng.integers(len(values), size=len(values)))
        rows, first = np.unique(drawn, return_index=True)
        again = clustering(values[drawn], seed + turn)[first]
        for cluster in range(clusters):
            mine = labels[rows] == cluster
            if mine.any():
                total[cluster] += _best_jaccard(mine, again)
                counted[cluster] += 1
    return np.divide(total, counted, out=np.zeros(clusters), where=counted > 0)


def _best_jaccard(mine: np.ndarray, again: np.ndarray) -> float:
    others = (again == name for name in np.unique(again[again >= 0]))
    return max((float((mine & other).sum() / (mine | other).sum()) for other in others), default=0.0)
