"""Do groups differ in a number, where the rows come in batches that differ too?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from neurotome.cluster.values import codes_of, same_length
from neurotome.core import InputError

__all__ = ["TERM_COLUMNS", "MixedModel", "mixed_model"]

TERM_COLUMNS = ("term", "estimate", "low", "high", "p")
LARGEST_RATIO = 1e4
"""Of the variance between batches to that within: beyond it, the batches explain all."""


@dataclass(frozen=True, eq=False)
class MixedModel:
    """terms: `TERM_COLUMNS`, the mean of the first label, then by how much each other label exceeds it.

    batch_sd, residual_sd: between batches and within, by restricted maximum likelihood. p: do the labels differ at all
    (likelihood ratio, chi-squared with labels - 1 degrees of freedom).
    """

    terms: pd.DataFrame = field(repr=False)
    batch_sd: float
    residual_sd: float
    p: float


def mixed_model(values: np.ndarray, labels: np.ndarray, batches: np.ndarray) -> MixedModel:
    """values (n,) ~ label (a category) + a random shift per batch; rows whose value is missing are left out.

    With V = s^2 (1 + r Z Z^T), everything but the ratio r has a closed form, so r is sought alone, and r = 0 is a legal answer.
    Raises InputError for fewer than two labels or batches, or no more rows than labels. Source: Laird and Ware 1982.
    """
    values = np.asarray(values, np.float64)
    same_length(len(values), labels=labels, batches=batches)
    known = np.isfinite(values)
    y = values[known]
    codes, names = codes_of(np.asarray(labels, object)[known])
    batch, batch_names = codes_of(np.asarray(batches, object)[known], "batches")
    if min(len(names), len(batch_names)) < 2 or len(y) <= len(names) + 1:
        raise InputError(
            f"{len(y)} rows of {len(names)} labels in {len(batch_names)} batches", "two labels and two batches, and more rows"
        )
    spread = float(y.std()) or 1.0
    design = np.column_stack([np.ones(len(y)), *(codes == at for at in range(1, len(names)))]).astype(np.float64)
    full = _Sums.of((y - y.mean()) / spread, design, batch)
    ratio = _best(lambda r: -_likelihood(full, r, restricted=True))
    slopes, inverse, variance = _solved(full, ratio, restricted=True)
    terms = _terms(names, slopes, np.sqrt(np.diag(inverse) * variance), spread, float(y.mean()))
    p = _ratio_p(full, _Sums.of((y - y.mean()) / spread, design[:, :1], batch))
    sd = float(np.sqrt(variance)) * spread
    return MixedModel(terms, sd * float(np.sqrt(ratio)), sd, p)


@dataclass(frozen=True, eq=False)
class _Sums:
    """All that the likelihood needs of the rows: products over all of them, and sums per batch. c columns, b batches."""

    n: int
    xx: np.ndarray
    xy: np.ndarray
    yy: float
    sizes: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, design: np.ndarray, batch: np.ndarray) -> _Sums:
        member = (batch[:, None] == np.arange(batch.max() + 1)).astype(np.float64)
        return cls(len(y), design.T @ design, design.T @ y, float(y @ y), member.sum(0), member.T @ design, member.T @ y)


def _solved(sums: _Sums, ratio: float, *, restricted: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Slopes (c,), the inverse of X^T V^-1 X in units of s^2 (c, c), and s^2."""
    weight = ratio / (1 + ratio * sums.sizes)
    xx = sums.xx - (sums.x * weight[:, None]).T @ sums.x
    xy = sums.xy - sums.x.T @ (weight * sums.y)
    yy = sums.yy - float(weight @ sums.y**2)
    inverse = np.linalg.inv(xx)
    slopes = inverse @ xy
    free = sums.n - len(slopes) if restricted else sums.n
    return slopes, inverse, max(yy - float(slopes @ xy), 1e-300) / free


def _likelihood(sums: _Sums, ratio: float, *, restricted: bool) -> float:
    """The log-likelihood at the best slopes and s^2, less what does not depend on them."""
    _, inverse, variance = _solved(sums, ratio, restricted=restricted)
    free = sums.n - (len(inverse) if restricted else 0)
    value = -free / 2 * np.log(variance) - np.log1p(ratio * sums.sizes).sum() / 2
    return float(value + (np.linalg.slogdet(inverse)[1] / 2 if restricted else 0))


def _best(cost: Callable[[float], float]) -> float:
    from scipy import optimize

    # A coarse look first: the curve may be flat, or have its lowest point at no variance between batches at all.
    grid = np.concatenate([[0.0], np.geomspace(1e-6, LARGEST_RATIO, 61)])
    at = int(np.argmin([cost(ratio) for ratio in grid]))
    if at == 0:
        return 0.0
    low, high = grid[at - 1], grid[min(at + 1, len(grid) - 1)]
    found = float(optimize.minimize_scalar(cost, bounds=(low, high), method="bounded", options={"xatol": 1e-9 * high}).x)
    return found if cost(found) <= cost(grid[at]) else float(grid[at])


def _ratio_p(full: _Sums, without: _Sums) -> float:
    from scipy import stats

    best = [
        _likelihood(sums, _best(lambda r, s=sums: -_likelihood(s, r, restricted=False)), restricted=False)
        for sums in (full, without)
    ]
    return float(stats.chi2.sf(max(2 * (best[0] - best[1]), 0.0), full.xx.shape[0] - 1))


def _terms(names: list[str], slopes: np.ndarray, errors: np.ndarray, spread: float, mean: float) -> pd.DataFrame:
    from scipy import stats

    estimate = slopes * spread
    p = 2 * stats.norm.sf(np.abs(slopes / errors))
    estimate[0] += mean
    p[0] = np.nan  # That a mean is not 0 says nothing here.
    half = stats.norm.ppf(0.975) * errors * spread
    return pd.DataFrame(dict(zip(TERM_COLUMNS, (names, estimate, estimate - half, estimate + half, p), strict=True)))
