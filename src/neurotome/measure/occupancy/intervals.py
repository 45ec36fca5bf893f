"""How sure a mean over neurons is: bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurotome.core import InputError, ValueRangeError

__all__ = ["bootstrap_interval", "summarised"]

RESAMPLES = 2000


def bootstrap_interval(
    values: np.ndarray, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The interval that holds the mean of a sample drawn again, with replacement, in `level` of the cases (percentile bootstrap).

    values: (n,), one per neuron. Ends are means that occurred, so infinite values give infinite ends instead of none.
    Source: Efron 1979. Raises InputError for no values, ValueRangeError for NaN or a level outside (0, 1).

    >>> bootstrap_interval(np.array([0.5, 0.5, 0.5]))
    (0.5, 0.5)
    """
    values = np.asarray(values, np.float64)
    if not len(values):
        raise InputError("An interval of no values", "at least one neuron", "look at the list of neurons")
    if np.isnan(values).any():
        raise ValueRangeError(
            f"Value {int(np.flatnonzero(np.isnan(values))[0])} is NaN", "numbers", "leave the neuron out, and say so"
        )
    if not 0 < level < 1:
        raise ValueRangeError(f"level={level:g}", "a number between 0 and 1", "level=0.95 is usual")
    drawn = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(values[drawn].mean(1), [(1 - level) / 2, (1 + level) / 2], method="nearest")
    return float(low), float(high)


def summarised(table: pd.DataFrame, *, level: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """One row per column of numbers: mean, median, low and high (of the mean, see `bootstrap_interval`) and n over the rows."""
    rows = {}
    for name, values in table.select_dtypes("number").items():
        low, high = bootstrap_interval(values.to_numpy(), level=level, seed=seed)
        rows[name] = {"mean": values.mean(), "median": values.median(), "low": low, "high": high, "n": len(values)}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "median", "low", "high", "n"])
