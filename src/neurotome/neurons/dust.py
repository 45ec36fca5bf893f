"""Segments too small to be neurons: each merges with its best neighbour, in the order of their rows, without a queue.

Rows merge in the order of agglomeration, but only those with a small end. Large segments never meet, so they are anchors: what
becomes of a piece of dust is decided among its neighbours, whatever happens elsewhere along an anchor. A row to an anchor is
safe to merge when none of the small neighbours can come first, which might change what the row is worth; a row between two small
ones when it is the best of both. Going from what cannot merge yet to what must come first climbs from row to better row, so it
ends; and the result is that of merging strictly in order.

    d --0.3-- L        d wants L, but e comes first: e --0.5-- L. Then the rows of d and e to L, and of d to e, add up.
     \\        |
      \\-0.2-- e
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from neurotome.neurons.neighbours import (
    CONTACT,
    ENDS,
    LIVE,
    LOW,
    SUM,
    items_of,
    neighbour_maps,
    new_rows,
    pour,
    row_before,
    rows_left,
)  # fmt: skip

__all__ = ["Absorbed", "absorb"]

_NONE = -1


@dataclass(frozen=True, eq=False)
class Absorbed:
    """What becomes of dust.

    owner: (n + 1,) uint32, the id that each id goes by. A large segment keeps its id; small ones that unite go by the smallest.
    smallest: (n + 1,) uint32, for owners: the smallest id in the segment. waits: (n + 1,) bool, for owners that are small: not
    decided yet. sizes: (n + 1,) int64, for owners. pairs, affinity_sum, contact, key: the rows left, as in `chains.Settled`.
    """

    owner: np.ndarray
    smallest: np.ndarray
    waits: np.ndarray
    sizes: np.ndarray
    pairs: np.ndarray
    affinity_sum: np.ndarray
    contact: np.ndarray
    key: np.ndarray


def absorb(
    pairs: np.ndarray,
    affinity_sum: np.ndarray,
    contact: np.ndarray,
    *,
    unknown: np.ndarray,
    sizes: np.ndarray,
    min_size: int,
    least: int,
) -> Absorbed:
    """Merge the best row that has an end smaller than `min_size`, add up the rows it doubles, repeat.

    Parameters
    ----------
    pairs, affinity_sum, contact
        (r, 2) uint32 ids 1..n, smaller first, each pair once, in the order that settles ties; (r,) int64; (r,) int64 above 0.
    unknown
        (n + 1,) bool: small ids of which not all rows are known; they take no part. All rows of the other small ones are there.
    sizes
        (n + 1,) int64 voxels; they add up.
    least
        A row merges while 256 * affinity_sum >= least * contact.
    """
    n = len(sizes) - 1
    rows = new_rows(pairs, affinity_sum, contact)
    nodes, pool, end = neighbour_maps(pairs, n)
    del pairs, affinity_sum, contact
    sizes, waits = sizes.astype(np.int64), unknown & (sizes < min_size)
    owner, smallest = np.arange(n + 1).astype(np.uint32), np.arange(n + 1).astype(np.uint32)
    name = owner.copy()
    _absorb(rows, nodes, pool, end, least, unknown, waits, sizes, min_size, owner, name, smallest)
    return _named(owner, name, smallest, waits, sizes, rows)


def _named(
    owner: np.ndarray, name: np.ndarray, smallest: np.ndarray, waits: np.ndarray, sizes: np.ndarray, rows: np.ndarray
) -> Absorbed:
    """From places in the tables to the ids that segments go by."""
    _to_roots(owner)
    goes_by = name[owner]
    root = np.flatnonzero(owner == np.arange(len(owner)))
    at = name[root]
    firsts, waiting, voxels = smallest.copy(), np.zeros_like(waits), np.zeros_like(sizes)
    firsts[at], waiting[at], voxels[at] = smallest[root], waits[root], sizes[root]
    return Absorbed(goes_by, firsts, waiting, voxels, *rows_left(rows, goes_by))


@njit(cache=True)
def _to_roots(owner):
    for i in range(len(owner)):
        while owner[i] != owner[owner[i]]:
            owner[i] = owner[owner[i]]


@njit(cache=True)
def _absorb(rows, nodes, pool, end, least, unknown, waits, sizes, min_size, owner, name, smallest):
    n = len(nodes) - 1
    stack, moved = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
    for first in range(1, n + 1):
        length = 1
        stack[0] = first
        while length > 0:
            d = stack[length - 1]
            if owner[d] != d or waits[d] or sizes[d] >= min_size:
                length -= 1
                continue
            r = _best(d, rows, nodes, pool)
            if r == _NONE or 256 * rows[r, SUM] < least * rows[r, CONTACT]:
                length -= 1
                continue
            w = _other_end(d, r, rows)
            before = _what_comes_first(d, r, w, rows, nodes, pool, unknown, sizes, min_size)
            if before == d:
                # A neighbour is not known, and it may come first.
                waits[d] = True
            elif before != _NONE and waits[before]:
                waits[d] = True
            elif before != _NONE:
                stack[length] = before
                length += 1
            else:
                pool, end = _merge(d, w, r, rows, nodes, pool, end, moved, sizes, min_size, owner, name, smallest)
                # Asked anew: what w once waited for may have nothing to offer the two.
                waits[d] = waits[w] = False
                stack[length - 1] = owner[d]


@njit(cache=True)
def _what_comes_first(d, r, w, rows, nodes, pool, unknown, sizes, min_size):
    """A small neighbour that merges before row r = (d, w) does; d itself if that cannot be known; _NONE if r is next."""
    if sizes[w] < min_size:
        if unknown[w]:
            return d
        return np.int64(_NONE) if _best(w, rows, nodes, pool) == r else w
    start, stop = items_of(nodes, d)
    for k in range(start, stop):
        if pool[k] <= 0:
            continue
        c = pool[k] & LOW
        if sizes[c] >= min_size:
            continue
        if unknown[c]:
            return d
        if row_before(rows, _best(c, rows, nodes, pool), r):
            return c
    return np.int64(_NONE)


@njit(cache=True)
def _best(i, rows, nodes, pool):
    """The best row of a small node: all of its rows may merge."""
    start, stop = items_of(nodes, i)
    best = np.int64(_NONE)
    for k in range(start, stop):
        if pool[k] > 0 and (best == _NONE or row_before(rows, pool[k] >> 32, best)):
            best = pool[k] >> 32
    return best


@njit(cache=True, inline="always")
def _other_end(i, r, rows):
    low, high = rows[r, ENDS] & LOW, rows[r, ENDS] >> 32
    return high if low == i else low


@njit(cache=True)
def _merge(d, w, r, rows, nodes, pool, end, moved, sizes, min_size, owner, name, smallest):
    """Unite small d with w; the one with more neighbours lives on in the tables."""
    rows[r, CONTACT] = 0
    if sizes[w] < min_size:
        name[d] = name[w] = min(name[d], name[w])
    else:
        name[d] = name[w]
    smallest[d] = smallest[w] = min(smallest[d], smallest[w])
    sizes[d] = sizes[w] = sizes[d] + sizes[w]
    a, b = (d, w) if nodes[d, LIVE] <= nodes[w, LIVE] else (w, d)
    owner[a] = b
    pool, end, new = pour(a, b, nodes, pool, end, rows, moved)
    for k in range(new):
        low, high = rows[moved[k], ENDS] & LOW, rows[moved[k], ENDS] >> 32
        rows[moved[k], ENDS] = b | (high << 32) if low == a else low | (b << 32)
    return pool, end
