"""Grey values of a whole volume as networks want them: one scale for all of it, the same whatever parts it is read in.

`normalize.py` gives each section of an EM stack its own; a light-microscopy stack is one exposure, and fades with depth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from neurotome.core import Box, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Int3

__all__ = ["VOLUME_NORMALIZATIONS", "VolumeScale", "volume_scale"]

VOLUME_NORMALIZATIONS = ("volume_percentile", "fmost")

LOW, HIGH, BRIGHTEST = 0.01, 0.995, 4.0
"""The shares of the voxels below what becomes 0 and 1, and where values are clipped."""

FMOST = (1500.0, 168.5, 500.0)
"""Clipped at, less, divided by: DB-Enhance's constants for 16-bit fMOST stacks."""

CUT_SHARE, MIDDLE = 0.5, 0.5
"""A stack more than half of which is one smallest value was thresholded; what is left of it is scaled by its median.

Little is left but neurite, whose brightest parts outshine the thin ones a hundredfold: an upper percentile would hide these.
"""

READ_AT_ONCE = 2**26


@dataclass(frozen=True)
class VolumeScale:
    """(grey - offset) * factor, clipped to [low, high], float32. thresholded: most of the volume is one smallest value."""

    offset: float
    factor: float
    low: float
    high: float
    thresholded: bool = False

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        scaled = (grey.astype(np.float32) - np.float32(self.offset)) * np.float32(self.factor)
        return np.clip(scaled, np.float32(self.low), np.float32(self.high), out=scaled)


def volume_scale(read: Callable[[Box], np.ndarray], shape: Int3, dtype: np.dtype, method: str) -> VolumeScale:
    """The scale of a volume (z, y, x) that `read` gives in parts.

    volume_percentile: 1st to 99.5th percentile become 0 to 1, clipped to [0, 4]; in a stack that was thresholded (more than half
    of it is its smallest value) that value becomes 0, and the median of the rest 1. Percentiles are exact: grey values of 8 and
    16 bits are counted, others as float32, in a few passes. fmost: clipped to [0, 1500], (grey - 168.5) / 500.

    Raises UnknownNameError for the method, ValueRangeError for a volume that is constant or not finite.

    >>> volume = np.arange(1001, dtype=np.uint16).reshape(1, 1, -1)
    >>> scale = volume_scale(lambda box: volume[box.slices], volume.shape, volume.dtype, "volume_percentile")
    >>> scale.offset, 1 / scale.factor
    (10.0, 985.0)
    """
    if method not in VOLUME_NORMALIZATIONS:
        raise UnknownNameError("normalization", method, VOLUME_NORMALIZATIONS)
    if method == "fmost":
        brightest, offset, per_unit = FMOST
        return VolumeScale(offset, 1 / per_unit, -offset / per_unit, (brightest - offset) / per_unit)
    values = _InOrder(read, shape, dtype)
    darkest, last = values.at(0), values.size - 1
    cut = values.count_of_darkest()
    if cut == values.size:
        raise ValueRangeError(
            f"All {values.size} voxels of the image are {darkest:g}",
            "grey values that differ",
            "check that the right file was given",
        )
    thresholded = cut > CUT_SHARE * values.size
    low = darkest if thresholded else values.between(LOW * last)
    high = values.between(cut + MIDDLE * (last - cut)) if thresholded else values.between(HIGH * last)
    if not high > low:  # nearly all of it is one value, though not its smallest
        high = values.at(last)
        low = low if high > low else darkest
    return VolumeScale(low, 1 / (high - low), 0.0, BRIGHTEST, thresholded)


class _InOrder:
    """The values of a volume by their place in ascending order, found by counting.

    Values of at most 16 bits are counted at once. Others are brought to float32, whose bits, read as a number, have the order of
    the values: the upper half is counted first, the lower half in further passes where it is asked for.
    """

    def __init__(self, read: Callable[[Box], np.ndarray], shape: Int3, dtype: np.dtype) -> None:
        self.read, self.shape, self.size = read, shape, math.prod(shape)
        self.short = dtype.kind in "ui" and dtype.itemsize <= 2
        self.lowest = int(np.iinfo(dtype).min) if self.short else 0
        self.lower: dict[int, np.ndarray] = {}
        counts = np.zeros(2**16, np.int64)
        for keys in self._keys():
            counts += np.bincount(keys if self.short else keys >> 16, minlength=2**16)
        self.upto = np.cumsum(counts)

    def at(self, rank: int) -> float:
        """The value that `rank` others come before."""
        upper = int(np.searchsorted(self.upto, rank, side="right"))
        if self.short:
            return float(upper + self.lowest)
        before = int(self.upto[upper - 1]) if upper else 0
        lower = int(np.searchsorted(np.cumsum(self._lower(upper)), rank - before, side="right"))
        return float(_values_of(np.array([upper << 16 | lower], np.uint32))[0])

    def between(self, rank: float) -> float:
        """As `np.percentile`: between two neighbours in order, linearly."""
        first = min(int(rank), self.size - 1)
        low, high = self.at(first), self.at(min(first + 1, self.size - 1))
        return low + (high - low) * (rank - first)

    def count_of_darkest(self) -> int:
        upper = int(np.searchsorted(self.upto, 0, side="right"))
        if self.short:
            return int(self.upto[upper])
        lower = self._lower(upper)
        return int(lower[np.flatnonzero(lower)[0]])

    def _lower(self, upper: int) -> np.ndarray:
        if upper not in self.lower:
            counts = np.zeros(2**16, np.int64)
            for keys in self._keys():
                counts += np.bincount(keys[keys >> 16 == upper] & 0xFFFF, minlength=2**16)
            self.lower[upper] = counts
        return self.lower[upper]

    def _keys(self) -> Iterator[np.ndarray]:
        """Whole numbers in the order of the values, a piece at a time."""
        z, y, x = self.shape
        rows = max(1, min(y, READ_AT_ONCE // x))
        depth = max(1, min(z, READ_AT_ONCE // (rows * x)))
        for box in Box((0, 0, 0), self.shape).tiles((depth, rows, x)):
            part = self.read(box)
            if self.short:
                yield part.reshape(-1).astype(np.int64) - self.lowest
                continue
            if not np.isfinite(part).all():
                place = tuple(int(i) + a for i, a in zip(np.argwhere(~np.isfinite(part))[0], box.start, strict=True))
                raise ValueRangeError(f"Image is not finite at (z, y, x) = {place}", "finite grey values", "replace nan and inf")
            yield _keys_of(part.reshape(-1).astype(np.float32)).astype(np.int64)


def _keys_of(values: np.ndarray) -> np.ndarray:
    """float32 -> uint32 in the same order: bits of numbers below 0 count backwards. Minus 0 is 0."""
    bits = (values + np.float32(0)).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(2**31))


def _values_of(keys: np.ndarray) -> np.ndarray:
    return np.where(keys >> 31, keys ^ np.uint32(2**31), ~keys).astype(np.uint32).view(np.float32)
