"""A binary heap of numbered items whose keys may still fall: the queue of every front that marches in this folder.

`heap` (n,) int32 holds the waiting items, smallest first; `place` (n,) int32 says where in it an item is, or -1; `key` (n,) holds
the keys. Of equal keys the smaller number comes first, so that no result depends on the order in which items were put in.
For use in kernels.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["lift", "take_first"]


@numba.njit(cache=True, nogil=True)
def lift(heap: np.ndarray, place: np.ndarray, key: np.ndarray, size: int, item: int) -> int:
    """Put an item in, or move it up after its key fell. Returns the new size of the heap."""
    at = place[item]
    if at < 0:
        at = size
        size += 1
    mine = key[item]
    while at > 0:
        up = (at - 1) >> 1
        other = heap[up]
        if key[other] < mine or (key[other] == mine and other < item):
            break
        heap[at] = other
        place[other] = at
        at = up
    heap[at] = item
    place[item] = at
    return size


@numba.njit(cache=True, nogil=True)
def take_first(heap: np.ndarray, place: np.ndarray, key: np.ndarray, size: int) -> int:
    """Remove and return the first item of a heap of this size (at least 1); its place becomes -1."""
    first = heap[0]
    place[first] = -1
    size -= 1
    if size == 0:
        return first
    item = heap[size]
    mine = key[item]
    at = 0
    while True:
        down = 2 * at + 1
        if down >= size:
            break
        other = heap[down]
        if down + 1 < size:
            right = heap[down + 1]
            if key[right] < key[other] or (key[right] == key[other] and right < other):
                down += 1
                other = right
        if mine < key[other] or (mine == key[other] and item < other):
            break
        heap[at] = other
        place[other] = at
        at = down
    heap[at] = item
    place[item] = at
    return first
