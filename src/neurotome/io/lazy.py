"""An array that stays in its file until someone asks for a box of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LazyArray", "Ranges", "stack_axis"]

Ranges = tuple[tuple[int, int], ...]
"""One half-open range per axis, inside the array."""

Reader = Callable[[Ranges], np.ndarray]


@dataclass(frozen=True, eq=False)
class LazyArray:
    """A window on a stored array. Slicing gives a smaller window, `np.asarray` reads it.

    reader: gives the values of a box of the stored array. ranges: the box this window shows.
    dropped: axes that were indexed with a whole number. source: the file, so that nobody overwrites what is still being read.

    >>> square = LazyArray.whole(lambda r: np.add.outer(range(*r[0]), range(*r[1])), (3, 4), np.dtype(int))
    >>> square[1:, 2].shape, np.asarray(square[1:, 2]).tolist()
    ((2,), [3, 4])
    """

    reader: Reader
    dtype: np.dtype[Any]
    ranges: Ranges
    dropped: tuple[int, ...] = ()
    source: Path | None = None

    @classmethod
    def whole(cls, reader: Reader, shape: tuple[int, ...], dtype: Any, source: Path | None = None) -> LazyArray:
        return cls(reader, np.dtype(dtype), tuple((0, int(n)) for n in shape), (), source)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(b - a for axis, (a, b) in enumerate(self.ranges) if axis not in self.dropped)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """A window for whole numbers and plain slices, as in NumPy; any other index reads first."""
        keys = _full_key(key, self.ndim)
        if keys is None or any(not isinstance(k, (int, np.integer)) and not _plain(k) for k in keys):
            return np.asarray(self)[key]
        ranges, dropped = list(self.ranges), list(self.dropped)
        for axis, k in zip([a for a in range(len(ranges)) if a not in self.dropped], keys, strict=True):
            first, last = ranges[axis]
            if isinstance(k, slice):
                start, stop, _ = k.indices(last - first)
                ranges[axis] = (first + start, first + max(start, stop))
            else:
                ranges[axis] = (first + _index(int(k), last - first, axis),) * 2
                ranges[axis] = (ranges[axis][0], ranges[axis][0] + 1)
                dropped.append(axis)
        return replace(self, ranges=tuple(ranges), dropped=tuple(dropped))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: FBT001 (NumPy protocol)
        if self.size == 0:
            return np.empty(self.shape, dtype or self.dtype)
        values = np.asarray(self.reader(self.ranges)).reshape(self.shape)
        return values.astype(dtype or self.dtype, copy=False)

    def map(self, function: Callable[[np.ndarray], np.ndarray], dtype: Any = None) -> LazyArray:
        """The same window with `function` applied to whatever is read (it must keep the shape)."""
        return replace(self, reader=partial(_apply, function, self.reader), dtype=np.dtype(dtype or self.dtype))


def stack_axis(array: LazyArray) -> LazyArray:
    """The whole stored array with a new first axis of length 1: a section becomes a stack of one.

    >>> stack_axis(LazyArray.whole(lambda r: np.zeros((2, 3)), (2, 3), float)).shape
    (1, 2, 3)
    """
    return LazyArray.whole(partial(_without_first, array), (1, *array.shape), array.dtype, array.source)


def _without_first(array: LazyArray, ranges: Ranges) -> np.ndarray:
    return np.asarray(array[tuple(slice(a, b) for a, b in ranges[1:])])[None]


def _apply(function: Callable[[np.ndarray], np.ndarray], reader: Reader, ranges: Ranges) -> np.ndarray:
    return function(reader(ranges))


def _full_key(key: Any, ndim: int) -> tuple[Any, ...] | None:
    """One index per axis, `...` spelled out; None where the key is not made of such indices."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(isinstance(k, (bool, np.bool_)) or not (isinstance(k, (int, np.integer, slice)) or k is Ellipsis) for k in keys):
        return None
    if Ellipsis in keys:
        at = keys.index(Ellipsis)
        keys[at : at + 1] = [slice(None)] * (ndim - len(keys) + 1)
    if len(keys) > ndim:
        raise IndexError(f"{len(keys)} indices for an array of {ndim} axes")
    return (*keys, *[slice(None)] * (ndim - len(keys)))


def _plain(key: Any) -> bool:
    return isinstance(key, slice) and key.step in (None, 1)


def _index(index: int, length: int, axis: int) -> int:
    if not -length <= index < length:
        raise IndexError(f"index {index} is outside axis {axis} of length {length}")
    return index % length
