"""Features without what other columns explain of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.cluster.values import numbers_of, same_length
from neurotome.core import ShapeError

__all__ = ["Residuals", "residualised"]


@dataclass(frozen=True, eq=False)
class Residuals:
    """A linear fit of every feature by the confounders, learned from some rows, to be taken off any.

    fill, centre, spread (c,) of the confounders; slopes (c, p).
    """

    fill: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    slopes: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray, confounders: np.ndarray) -> Residuals:
        """Least squares of values (n, p) on confounders (n, c) with an intercept; a missing confounder counts as its median."""
        values, confounders = numbers_of(values).astype(np.float64), numbers_of(confounders, "confounders", missing=True)
        same_length(len(values), confounders=confounders)
        missing = np.isnan(confounders)
        known = np.where(missing.all(0), 0, confounders)
        fill = np.nanmedian(known, axis=0)
        table = np.where(missing, fill, confounders)
        centre, spread = table.mean(0), table.std(0)
        spread = np.where(spread > 0, spread, 1)
        slopes = np.linalg.lstsq((table - centre) / spread, values - values.mean(0), rcond=1e-8)[0]
        return cls(fill, centre, spread, slopes)

    def apply(self, values: np.ndarray, confounders: np.ndarray) -> np.ndarray:
        """values (n, p) less what the confounders (n, c) explain; the mean stays."""
        values, confounders = numbers_of(values).astype(np.float64), numbers_of(confounders, "confounders", missing=True)
        if confounders.shape[1] != len(self.fill):
            raise ShapeError(f"{confounders.shape[1]} confounders", f"{len(self.fill)}, as were fitted")
        table = np.where(np.isnan(confounders), self.fill, confounders)
        return values - ((table - self.centre) / self.spread) @ self.slopes


def residualised(values: np.ndarray, confounders: np.ndarray) -> np.ndarray:
    """values (n, p) less their least-squares fit by confounders (n, c), over all rows: for maps. A probe does it in each fold.

    >>> residualised(np.array([[1.0], [3], [5]]), np.array([[0.0], [1], [2]])).round(6).ravel().tolist()
    [3.0, 3.0, 3.0]
    """
    return Residuals.fit(values, confounders).apply(values, confounders)
