"""A hash table from pairs of ids to numbers, for Numba kernels: one array (slots, 3) of uint64, open addressing.

Columns: first id, second id, and a number above 0 where the slot is taken. They lie side by side, so that a look-up in a large
table costs one cache miss and not three. Slots are a power of two. Ids may be anything up to 2^64 - 1.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["doubled", "empty_table", "find", "lookup_table", "slot_of"]

_MIX_FIRST = np.uint64(0x9E3779B97F4A7C15)
_MIX_SECOND = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_BOTH = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(32)
_ONE = np.uint64(1)


def empty_table(slots: int) -> np.ndarray:
    """A table with no pair in it; `slots` is a power of two."""
    return np.zeros((slots, 3), np.uint64)


def lookup_table(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A table in which `find` gives the row number of each pair (a[row], b[row]), all pairs different.

    >>> table = lookup_table(np.array([3, 4]), np.array([9, 9]))
    >>> int(find(table, np.uint64(4), np.uint64(9))), int(find(table, np.uint64(4), np.uint64(8)))
    (1, -1)
    """
    table = empty_table(1 << max(4, int(2 * len(a)).bit_length()))
    _fill(table, a.astype(np.uint64), b.astype(np.uint64))
    return table


@njit(cache=True)
def slot_of(table, a, b):  # type: ignore[no-untyped-def]
    """The slot that holds the pair (a, b), or the empty slot where it belongs."""
    last = np.uint64(len(table) - 1)
    mixed = (a * _MIX_FIRST) ^ ((b * _MIX_SECOND) >> _ONE)
    mixed = (mixed ^ (mixed >> _HALF)) * _MIX_BOTH
    slot = (mixed ^ (mixed >> _HALF)) & last
    while table[slot, 2] != 0 and (table[slot, 0] != a or table[slot, 1] != b):
        slot = (slot + _ONE) & last
    return slot


@njit(cache=True)
def find(table, a, b):  # type: ignore[no-untyped-def]
    """The row number of the pair (a, b) in a look-up table; -1 where it is not in it."""
    return np.int64(table[slot_of(table, a, b), 2]) - 1


@njit(cache=True)
def doubled(table):  # type: ignore[no-untyped-def]
    """The same pairs in twice as many slots."""
    larger = np.zeros((2 * len(table), 3), np.uint64)
    for old in range(len(table)):
        if table[old, 2] != 0:
            larger[slot_of(larger, table[old, 0], table[old, 1])] = table[old]
    return larger


@njit(cache=True)
def _fill(table, a, b):  # type: ignore[no-untyped-def]
    for row in range(a.size):
        slot = slot_of(table, a[row], b[row])
        table[slot, 0], table[slot, 1], table[slot, 2] = a[row], b[row], row + 1
