"""Columns of different units made comparable before distances are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurotome.cluster.values import codes_of, numbers_of, same_length
from neurotome.core import InputError, UnknownNameError, ValueRangeError

__all__ = ["CORRECTIONS", "SCALINGS", "Scaler", "ScalingSettings", "corrected", "scaled"]

SCALINGS = ("standard", "robust", "none")
CORRECTIONS = ("none", "z_per_batch", "robust_per_batch")


ROUNDING = 1e-9
"""Of the size of a column's values: what computing them in another order may change."""


@dataclass(frozen=True)
class ScalingSettings:
    """how: "standard" (mean and standard deviation), "robust" (median and 1.4826 times the median absolute deviation) or "none".

    clip: scaled values end at plus and minus this; None leaves them. most_missing: columns with more NaN are dropped.
    """

    how: str = "standard"
    clip: float | None = 5.0
    most_missing: float = 0.2

    def __post_init__(self) -> None:
        if self.how not in SCALINGS:
            raise UnknownNameError("scaling", self.how, SCALINGS)
        if self.clip is not None and not self.clip > 0:
            raise ValueRangeError(f"clip = {self.clip}", "more than 0, or None")
        if not 0 <= self.most_missing < 1:
            raise ValueRangeError(f"most_missing = {self.most_missing}", "a share from 0 to below 1")


@dataclass(frozen=True, eq=False)
class Scaler:
    """What was learned from some rows, to be applied to any: nothing of the rows that it is applied to enters it.

    kept (p,) bool; logged (p,) bool; the others per kept column: fill (median, for missing values), centre, spread, weight.
    missing: values that were filled in where it was fitted.
    """

    settings: ScalingSettings
    kept: np.ndarray
    logged: np.ndarray
    fill: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    weight: np.ndarray
    missing: int

    @classmethod
    def fit(
        cls,
        values: np.ndarray,
        settings: ScalingSettings | None = None,
        *,
        logged: np.ndarray | None = None,
        families: Sequence[str] | None = None,
    ) -> Scaler:
        """Learns from values (n, p); NaN are missing.

        logged (p,): columns taken as log(1 + x), for values >= 0 with a long tail. families (p,): columns of one name count
        together as much as one column, each is divided by the square root of their number. Dropped: columns without two values.
        """
        settings = settings or ScalingSettings()
        values = numbers_of(values, missing=True)
        width = values.shape[1]
        logged = np.zeros(width, bool) if logged is None else np.asarray(logged, bool)
        _same_width(width, logged=logged, families=families)
        table = _with_logs(values, logged)
        kept = np.isnan(table).mean(0) <= settings.most_missing
        kept[kept] = _differ(table[:, kept])
        if not kept.any():
            raise InputError("No column has two different values", "something to compare rows by", "give other features")
        table = table[:, kept]
        fill = np.nanmedian(table, axis=0)
        missing = np.isnan(table)
        table = np.where(missing, fill, table)
        centre, spread = _centre_and_spread(table, settings.how)
        return cls(settings, kept, logged, fill, centre, spread, _weights(families, kept), int(missing.sum()))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """(n, kept columns) float64, in the scale of the rows that it was fitted to."""
        values = numbers_of(values, missing=True)
        _same_width(len(self.kept), values=values[0])
        table = _with_logs(values, self.logged)[:, self.kept]
        table = np.where(np.isnan(table), self.fill, table)
        table = (table - self.centre) / self.spread
        if self.settings.clip is not None and self.settings.how != "none":
            table = np.clip(table, -self.settings.clip, self.settings.clip)
        return table * self.weight


def scaled(values: np.ndarray, settings: ScalingSettings | None = None) -> np.ndarray:
    """Every column of values (n, p) scaled by all of its rows: for maps and clusters. Predictions fit a `Scaler` in each fold.

    >>> scaled(np.array([[1.0, 5], [2, 5], [3, 5]])).round(3).tolist()
    [[-1.225], [0.0], [1.225]]
    """
    return Scaler.fit(values, settings).apply(values)


def corrected(values: np.ndarray, batches: np.ndarray, how: str = "none") -> np.ndarray:
    """values (n, p) with every batch (acquisition volume, animal) moved and stretched to the same centre and spread per column.

    "z_per_batch" takes mean and standard deviation, "robust_per_batch" median and median absolute deviation, "none" nothing.
    Never a matter of course: where the batches truly differ, say hold other types in other shares, it erases that difference.
    Show the result beside the uncorrected one. A column that does not vary within a batch becomes 0 there.

    >>> corrected(np.array([[0.0], [2], [10], [14]]), np.array(["a", "a", "b", "b"]), "z_per_batch").ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    if how not in CORRECTIONS:
        raise UnknownNameError("correction", how, CORRECTIONS)
    values = numbers_of(values).astype(np.float64)
    same_length(len(values), batches=batches)
    if how == "none":
        return values
    codes, names = codes_of(batches, "batches")
    result = np.empty_like(values)
    for batch in range(len(names)):
        rows = codes == batch
        centre, spread = _centre_and_spread(values[rows], "standard" if how == "z_per_batch" else "robust")
        result[rows] = (values[rows] - centre) / spread
    return result


def _differ(table: np.ndarray) -> np.ndarray:
    """(p,) whether a column has two values that differ by more than rounding, which scaling would blow up to a feature."""
    low, high = np.nanmin(table, 0), np.nanmax(table, 0)
    return high - low > ROUNDING * np.maximum(np.abs(low), np.abs(high))


def _centre_and_spread(table: np.ndarray, how: str) -> tuple[np.ndarray, np.ndarray]:
    if how == "none":
        return np.zeros(table.shape[1]), np.ones(table.shape[1])
    deviation = table.std(axis=0, dtype=np.float64)
    if how == "standard":
        centre, spread = table.mean(axis=0, dtype=np.float64), deviation
    else:
        centre = np.median(table, axis=0).astype(np.float64)
        spread = 1.4826 * np.median(np.abs(table - centre), axis=0)
        # More than half of the rows are equal: the median deviation is 0, yet the others do differ.
        spread = np.where(spread > 0, spread, deviation)
    return centre, np.where(spread > 0, spread, 1.0)


def _with_logs(values: np.ndarray, logged: np.ndarray) -> np.ndarray:
    table = values.astype(np.float64)
    if logged.any():
        below = np.nanmin(np.where(logged, table, 0), axis=0) < 0
        if below.any():
            raise ValueRangeError(
                f"Column {int(np.argmax(below))} has values below 0",
                "0 or more, to take its logarithm",
                "do not mark it as logged",
            )
        table[:, logged] = np.log1p(table[:, logged])
    return table


def _weights(families: Sequence[str] | None, kept: np.ndarray) -> np.ndarray:
    if families is None:
        return np.ones(int(kept.sum()))
    names = np.asarray(families, dtype=object)[kept]
    sizes = {name: int((names == name).sum()) for name in set(names)}
    return np.array([sizes[name] ** -0.5 for name in names])


def _same_width(width: int, **columns: Sequence | np.ndarray | None) -> None:
    for name, given in columns.items():
        if given is not None and len(given) != width:
            raise InputError(f"{name} has {len(given)} entries", f"{width}, one per column")
