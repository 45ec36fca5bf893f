"""Grey values as networks want them; the name is stored in the model card and applied identically at prediction."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from neurotome.core import InputError, UnknownNameError

__all__ = [
    "NORMALIZATIONS",
    "OF_THE_TYPE",
    "GreyTally",
    "counted",
    "grey_counts",
    "grey_tally",
    "normalize",
    "scale_of_counts",
    "section_scale",
]

OF_THE_TYPE = {"unit": (0.0, 1.0), "signed_unit": (-1.0, 1.0)}
"""Methods that look at no grey value: 0 and the largest value of the type become these."""

NORMALIZATIONS = ("section_zscore", *OF_THE_TYPE, "percentile")
PERCENTILES = (1, 99)
COUNTED_AT_ONCE = 2**20


def section_scale(section: np.ndarray, method: str) -> tuple[float, float]:
    """Offset and factor such that (section - offset) * factor is normalised.

    section_zscore: mean 0, standard deviation 1. percentile: 1st..99th to 0..1. unit: value / largest value of the type.
    signed_unit: value / half the largest value - 1, in [-1, 1] as networks that end in tanh have it.

    >>> section_scale(np.array([[0, 2]], dtype=np.uint8), "section_zscore")
    (1.0, 1.0)
    >>> section_scale(np.array([[0, 2]], dtype=np.uint8), "signed_unit") == (127.5, 1 / 127.5)
    True
    """
    tally = grey_tally(section.dtype, method)
    tally.add(section)
    return tally.scale()


class GreyTally(Protocol):
    """`section_scale` of a section that comes in parts, in any order."""

    def add(self, part: np.ndarray) -> None:
        """Take in some more of the section."""

    def scale(self) -> tuple[float, float]:
        """Offset and factor of all that was added."""


def grey_tally(dtype: np.dtype, method: str) -> GreyTally:
    """An empty tally. Raises UnknownNameError for the method.

    Grey values of 8 and 16 bits are counted: with whole numbers, any cut into parts gives the same scale to the last bit.
    Other types are summed in float64, where the cut shows in the last bits; their percentiles keep the whole section.
    """
    if method not in NORMALIZATIONS:
        raise UnknownNameError("normalization", method, NORMALIZATIONS)
    if method in OF_THE_TYPE:
        return _OfTheType(dtype, method)
    if counted(dtype):
        return _Counts(dtype, method)
    return _Moments() if method == "section_zscore" else _WholeSection()


def counted(dtype: np.dtype) -> bool:
    """Whether a table of all values of this type is small."""
    return dtype.kind in "ui" and dtype.itemsize <= 2


def grey_counts(part: np.ndarray) -> np.ndarray:
    """How often each value of a `counted` type occurs, int64, the lowest first: counts of parts add up to those of the whole."""
    tally = _Counts(part.dtype, "section_zscore")
    tally.add(part)
    return tally.counts


def scale_of_counts(counts: np.ndarray, dtype: np.dtype, method: str) -> tuple[float, float]:
    """`section_scale` of a section of a `counted` type, to the last bit, from its `grey_counts`."""
    if method in OF_THE_TYPE:
        return grey_tally(dtype, method).scale()
    tally = _Counts(dtype, method)
    tally.counts += counts
    return tally.scale()


class _OfTheType:
    def __init__(self, dtype: np.dtype, method: str) -> None:
        self.largest = float(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0
        self.low, self.high = OF_THE_TYPE[method]

    def add(self, part: np.ndarray) -> None:
        pass

    def scale(self) -> tuple[float, float]:
        per_grey_value = (self.high - self.low) / self.largest
        return 0.0 - self.low / per_grey_value, per_grey_value


class _Counts:
    """How often each grey value occurs."""

    def __init__(self, dtype: np.dtype, method: str) -> None:
        self.method, self.lowest = method, int(np.iinfo(dtype).min)
        self.counts = np.zeros(2 ** (8 * dtype.itemsize), np.int64)

    def add(self, part: np.ndarray) -> None:
        values = part.reshape(-1)
        # `bincount` works on 64-bit copies: a piece at a time keeps them small.
        for start in range(0, values.size, COUNTED_AT_ONCE):
            piece = values[start : start + COUNTED_AT_ONCE]
            self.counts += np.bincount(piece.astype(np.int64) - self.lowest, minlength=len(self.counts))

    def scale(self) -> tuple[float, float]:
        if self.method == "section_zscore":
            return _zscore(*self._moments())
        upto = np.cumsum(self.counts)
        low, high = (self._percentile(upto, p) for p in PERCENTILES)
        return _from_range(low, high)

    def _moments(self) -> tuple[float, float]:
        """Mean and standard deviation, each rounded once."""
        used = [(int(v) + self.lowest, int(self.counts[v])) for v in np.flatnonzero(self.counts)]
        size, total, squares = (sum(n * v**power for v, n in used) for power in (0, 1, 2))
        return total / size, math.sqrt((size * squares - total**2) / size**2)

    def _percentile(self, upto: np.ndarray, percent: float) -> float:
        """As `np.percentile`: between two neighbours in order, linearly. upto: how many values there are up to each."""
        last = int(upto[-1]) - 1
        position = percent / 100 * last
        rank = int(position)
        first, second = (int(np.searchsorted(upto, r, side="right")) + self.lowest for r in (rank, min(rank + 1, last)))
        return first + (second - first) * (position - rank)


class _Moments:
    """Mean and sum of squared differences from it, parts joined as by Chan et al. 1979."""

    def __init__(self) -> None:
        self.size, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, part: np.ndarray) -> None:
        # Values that are not finite make the scale not finite, which its user reports.
        with np.errstate(invalid="ignore"):
            mean, variance = float(part.mean(dtype=np.float64)), float(part.var(dtype=np.float64))
        whole, step = self.size + part.size, mean - self.mean
        self.squares += variance * part.size + step**2 * self.size * part.size / whole
        self.mean += step * part.size / whole
        self.size = whole

    def scale(self) -> tuple[float, float]:
        return _zscore(self.mean, math.sqrt(self.squares / self.size))


class _WholeSection:
    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []

    def add(self, part: np.ndarray) -> None:
        self.parts.append(part.reshape(-1))

    def scale(self) -> tuple[float, float]:
        low, high = np.percentile(np.concatenate(self.parts), PERCENTILES)
        return _from_range(float(low), float(high))


def _zscore(mean: float, spread: float) -> tuple[float, float]:
    return mean, 1.0 / spread if spread > 0 else 0.0


def _from_range(low: float, high: float) -> tuple[float, float]:
    return low, 1.0 / (high - low) if high > low else 0.0


def normalize(sections: np.ndarray, method: str) -> np.ndarray:
    """Normalise each section of (z, y, x) by itself: brightness jumps between sections disappear. Returns float32."""
    out = np.empty(sections.shape, np.float32)
    for z, section in enumerate(sections):
        offset, factor = section_scale(section, method)
        if not np.isfinite(offset):
            bad = tuple(int(i) for i in np.argwhere(~np.isfinite(section))[0])
            raise InputError(f"Section {z} is not finite at (y, x) = {bad}", "finite grey values", "replace nan and inf")
        out[z] = (section - np.float32(offset)) * np.float32(factor)
    return out
