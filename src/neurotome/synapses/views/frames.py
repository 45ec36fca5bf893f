"""Which sections of a crop are shown where not all can be."""

from __future__ import annotations

from neurotome.core import ValueRangeError

__all__ = ["centre_frames", "spread_frames"]


def spread_frames(size: int, count: int) -> list[int]:
    """`count` sections spread evenly from the first of `size` to the last; with fewer sections the last is repeated.

    >>> spread_frames(80, 16)
    [0, 5, 10, 15, 21, 26, 31, 36, 42, 47, 52, 57, 63, 68, 73, 79]
    >>> spread_frames(3, 5)
    [0, 1, 2, 2, 2]
    """
    _require(size, count)
    if count >= size:
        return [*range(size), *[size - 1] * (count - size)]
    return [i * (size - 1) // max(1, count - 1) for i in range(count)]


def centre_frames(size: int, count: int) -> list[int]:
    """`count` sections in a row about the centre of a crop, which is section size / 2; all of them if there are not so many.

    >>> centre_frames(80, 4), centre_frames(80, 1)
    ([38, 39, 40, 41], [40])
    """
    _require(size, count)
    count = min(count, size)
    first = min(size // 2 - count // 2, size - count)
    return list(range(first, first + count))


def _require(size: int, count: int) -> None:
    if size < 1 or count < 1:
        raise ValueRangeError(f"{count} sections of {size}", "1 or more of each", "change the number of sections")
