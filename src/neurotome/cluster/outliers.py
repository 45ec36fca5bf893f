"""Rows that lie where hardly any others do."""

from __future__ import annotations

import numpy as np

from neurotome.cluster.neighbours import Neighbours
from neurotome.cluster.values import numbers_of
from neurotome.core import ValueRangeError

__all__ = ["outlier_scores"]


def outlier_scores(values: np.ndarray, k: int = 10, *, local: bool = False, metric: str = "euclidean") -> np.ndarray:
    """(n,) the mean distance to the k nearest other rows over its median: 1 is usual. k is lowered to n - 1.

    local: over that of its own neighbours instead, which finds a row beside a dense cluster that is no lonelier than the rows of
    a loose one. Raises ValueRangeError for fewer than 3 rows. Source: Ramaswamy et al. 2000; local: after Breunig et al. 2000.

    >>> outlier_scores(np.array([[0.0], [1], [2], [3], [30]]), k=2).round(2).tolist()
    [1.0, 0.67, 0.67, 1.0, 18.33]
    """
    values = numbers_of(values)
    if len(values) < 3:
        raise ValueRangeError(f"{len(values)} rows", "at least 3 to say which lies apart")
    found = Neighbours.of(values, metric).of_every_row(min(k, len(values) - 1))
    away = found.distances.mean(1)
    usual = away[found.rows].mean(1) if local else np.full(len(away), np.median(away))
    # Many equal rows: distance 0 is usual there, and any distance above it is beyond measure.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(away == 0, np.where(usual == 0, 1.0, 0.0), away / usual)
