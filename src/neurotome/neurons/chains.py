"""Merging in any order that gives the same tree: chains of best neighbours (Bruynooghe 1977), one neighbourhood at a time.

Mean linkage is reducible: the mean to a union never exceeds the better of the two means. So a row that is the best of both its
ends may merge before any other, and the merges sorted by score are those of merging strictly in order. Going from a segment to
its best neighbour, from there to that one's best neighbour, and so on, soon ends at such a row, and everything touched lies close
together in memory; a queue over the whole volume would jump through all of it.

The same holds for a part of a graph, as long as segments that are not all known keep out of it (`settle`): that is how a volume
larger than memory is agglomerated.

A segment with few neighbours finds the best one by looking at them. One with many keeps a heap of its rows. An entry holds what
the row was worth when it was entered; since rows only lose, an entry that is out of date is corrected when it comes up.

Small functions are inlined by Numba, here and in `neighbours.py`: a call that is not counts references to each array it is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from neurotome.neurons.neighbours import (
    CONTACT,
    ENDS,
    LINK,
    LIVE,
    LOW,
    PLAIN,
    ROOM,
    SUM,
    compare,
    items_of,
    neighbour_maps,
    new_rows,
    pour,
    row_before,
    rows_left,
)  # fmt: skip

__all__ = ["Settled", "contract", "settle"]

_NONE = -1
_NO_HEAP = -1
# Heap entries: sum and contact when entered, key | row << 32. heaps[i] = (start, room, size).
_KEY_ROW = 2
_HEAP_START, _HEAP_ROOM, _HEAP_SIZE = 0, 1, 2


def contract(
    pairs: np.ndarray, affinity_sum: np.ndarray, contact: np.ndarray, *, least: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge the best row, add up the rows it doubles, repeat while 256 * affinity_sum >= least * contact.

    Parameters
    ----------
    pairs, affinity_sum, contact
        (r, 2) uint32 ids from 1 up, smaller first, each pair once, sorted; (r,) int64; (r,) int64 above 0.
    least
        The threshold times 255 * 256, rounded.

    Returns
    -------
    (m, 2) uint32 merged ids (smaller first; the union goes on under it), (m,) sums, (m,) contacts: by falling mean, equal means
    by rising key of the row that merged.
    """
    n = int(pairs.max()) if len(pairs) else 0
    rows = new_rows(pairs, affinity_sum, contact)
    nodes, pool, end = neighbour_maps(pairs, n)
    merged = _follow_chains(rows, nodes, pool, end, least, np.zeros(n + 1, np.bool_))
    merged = merged[np.lexsort((merged[:, LINK] & LOW, -merged[:, SUM] / merged[:, CONTACT]))]
    _order_exactly(merged)
    return _replay(merged, n), merged[:, SUM].copy(), merged[:, CONTACT].copy()


@dataclass(frozen=True, eq=False)
class Settled:
    """What is left of a graph when all is merged that can be.

    segment: (n + 1,) uint32, the smallest id of each id's segment. waits: (n + 1,) bool, for smallest ids: not known as a whole,
    or what it would merge with next waits. pairs (smaller first), affinity_sum, contact: the rows that are left, between smallest
    ids; key: (r,) uint32, the place of the smallest of the rows that each was made of, rising.
    """

    segment: np.ndarray
    waits: np.ndarray
    pairs: np.ndarray
    affinity_sum: np.ndarray
    contact: np.ndarray
    key: np.ndarray


def settle(
    pairs: np.ndarray,
    affinity_sum: np.ndarray,
    contact: np.ndarray,
    *,
    waits: np.ndarray,
    least: int,
) -> Settled:
    """Merge all that can be merged while some segments wait.

    Parameters
    ----------
    pairs, affinity_sum, contact
        (r, 2) uint32 ids 1..n, smaller first, each pair once, in the order that settles ties; (r,) int64; (r,) int64 above 0.
    waits
        (n + 1,) bool: ids that keep out of it, because not all of their rows are known yet.
    least
        A row merges while 256 * affinity_sum >= least * contact.

    What merges is what would merge if the whole graph were known.
    """
    rows = new_rows(pairs, affinity_sum, contact)
    nodes, pool, end = neighbour_maps(pairs, len(waits) - 1)
    # The tables hold it all now, and for a large graph memory is short.
    del pairs, affinity_sum, contact
    waits = waits.copy()
    merged = _follow_chains(rows, nodes, pool, end, least, waits)
    segment, waits = _smallest_members(merged, waits)
    return Settled(segment, waits, *rows_left(rows, segment))


@njit(cache=True)
def _smallest_members(merged, waits):
    """The smallest id of each segment, and whether the segment waits, noted there (it was noted at the id that lived on)."""
    parent = np.arange(len(waits)).astype(np.uint32)
    for i in range(len(merged)):
        a, b = _root(parent, merged[i, ENDS] & LOW), _root(parent, merged[i, ENDS] >> 32)
        parent[max(a, b)] = min(a, b)
    waiting = np.zeros(len(waits), np.bool_)
    for i in range(len(parent)):
        parent[i] = parent[parent[i]]
        waiting[parent[i]] |= waits[i]
    return parent, waiting


@njit(cache=True)
def _follow_chains(rows, nodes, pool, end, least, waits):
    """The rows that merged, as they were then, in the order of the chains.

    Nodes that wait take no part. A chain that comes to one waits as a whole, because what each of its nodes wants most cannot
    be had yet; rows only lose, so it will want nothing else.
    """
    n = len(nodes) - 1
    alive = np.ones(n + 1, np.bool_)
    heaps = np.full((n + 1, 3), _NO_HEAP, np.int64)
    entries, entries_end = np.empty((1024, 3), np.int64), 0
    merged, count = np.empty((max(n, 1), 4), np.int64), 0
    chain, moved = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
    for first in range(1, n + 1):
        length = 1 if alive[first] and not waits[first] else 0
        chain[0] = first
        while length > 0:
            a = chain[length - 1]
            if nodes[a, ROOM] > PLAIN:
                if heaps[a, _HEAP_SIZE] == _NO_HEAP:
                    entries, entries_end = _build_heap(a, rows, nodes, pool, least, heaps, entries, entries_end)
                r = _heap_best(a, rows, least, heaps, entries)
            else:
                r = _plain_best(a, rows, nodes, pool, least)
            if r == _NONE:
                break
            b = _other_end(a, r, rows)
            if waits[b]:
                for k in range(length):
                    waits[chain[k]] = True
                break
            if length == 1 or chain[length - 2] != b:
                chain[length] = b
                length += 1
                continue
            for column in range(4):
                merged[count, column] = rows[r, column]
            count += 1
            rows[r, CONTACT] = 0
            if nodes[a, LIVE] > nodes[b, LIVE]:
                a, b = b, a
            alive[a] = False
            pool, end, new = pour(a, b, nodes, pool, end, rows, moved)
            for k in range(new):
                _rename_end(moved[k], a, b, rows)
            if heaps[b, _HEAP_SIZE] != _NO_HEAP:
                entries, entries_end = _enter(b, moved, new, rows, least, heaps, entries, entries_end)
            length -= 2
            if length == 0:
                chain[0] = b
                length = 1
    return merged[:count]


@njit(cache=True, inline="always")
def _plain_best(i, rows, nodes, pool, least):
    """The best row of a node with a short list, if it is at least the threshold."""
    start, stop = items_of(nodes, i)
    if start == stop:
        return _NONE
    best = pool[start] >> 32
    for k in range(start + 1, stop):
        if row_before(rows, pool[k] >> 32, best):
            best = pool[k] >> 32
    return best if 256 * rows[best, SUM] >= least * rows[best, CONTACT] else _NONE


@njit(cache=True, inline="always")
def _other_end(i, r, rows):
    low, high = rows[r, ENDS] & LOW, rows[r, ENDS] >> 32
    return high if low == i else low


@njit(cache=True, inline="always")
def _rename_end(r, old, new, rows):
    low, high = rows[r, ENDS] & LOW, rows[r, ENDS] >> 32
    rows[r, ENDS] = new | (high << 32) if low == old else low | (new << 32)


# --- heaps


@njit(cache=True)
def _build_heap(i, rows, nodes, pool, least, heaps, entries, end):
    start, stop = items_of(nodes, i)
    found, count = np.empty(stop - start, np.int64), 0
    for k in range(start, stop):
        if pool[k] > 0:
            found[count] = pool[k] >> 32
            count += 1
    heaps[i, _HEAP_START], heaps[i, _HEAP_ROOM], heaps[i, _HEAP_SIZE] = end, 0, 0
    return _enter(i, found, count, rows, least, heaps, entries, end)


@njit(cache=True)
def _enter(i, added, count, rows, least, heaps, entries, end):
    """Enter the first `count` of `added` rows into the heap of node i."""
    start, room, size = heaps[i, _HEAP_START], heaps[i, _HEAP_ROOM], heaps[i, _HEAP_SIZE]
    if size + count > room:
        room = 2 * (size + count)
        if end + room > len(entries):
            longer = np.empty((2 * len(entries) + room, 3), np.int64)
            longer[:end] = entries[:end]
            entries = longer
        for k in range(size):
            _copy_entry(entries, start + k, end + k)
        start, end = end, end + room
    many = count > size // 4
    for k in range(count):
        r = added[k]
        if 256 * rows[r, SUM] >= least * rows[r, CONTACT]:
            _write_entry(entries, start + size, r, rows)
            if not many:
                _rise(entries, start, size)
            size += 1
    if many:
        for k in range(size // 2 - 1, -1, -1):
            _sink(entries, start, size, k)
    heaps[i, _HEAP_START], heaps[i, _HEAP_ROOM], heaps[i, _HEAP_SIZE] = start, room, size
    return entries, end


@njit(cache=True, inline="always")
def _heap_best(i, rows, least, heaps, entries):
    """The best row of a node with a heap, or _NONE; entries that are out of date are put right on the way."""
    top, size = heaps[i, _HEAP_START], heaps[i, _HEAP_SIZE]
    while size > 0:
        r = entries[top, _KEY_ROW] & LOW
        if rows[r, CONTACT] == entries[top, CONTACT]:
            break
        if rows[r, CONTACT] > 0 and 256 * rows[r, SUM] >= least * rows[r, CONTACT]:
            _write_entry(entries, top, r, rows)
        else:
            size -= 1
            _copy_entry(entries, top + size, top)
        _sink(entries, top, size, 0)
    heaps[i, _HEAP_SIZE] = size
    return entries[top, _KEY_ROW] & LOW if size > 0 else _NONE


@njit(cache=True, inline="always")
def _write_entry(entries, k, r, rows):
    entries[k, SUM] = rows[r, SUM]
    entries[k, CONTACT] = rows[r, CONTACT]
    entries[k, _KEY_ROW] = ((rows[r, LINK] & LOW) << 32) | r


@njit(cache=True, inline="always")
def _copy_entry(entries, source, target):
    for column in range(3):
        entries[target, column] = entries[source, column]


@njit(cache=True, inline="always")
def _before(sum_1, contact_1, key_row_1, sum_2, contact_2, key_row_2):
    order = compare(sum_1, contact_1, sum_2, contact_2)
    # Key and row in one number: keys differ, so comparing it compares them.
    return order > 0 or (order == 0 and key_row_1 < key_row_2)


@njit(cache=True, inline="always")
def _entry_before(entries, i, j):
    return _before(
        entries[i, SUM], entries[i, CONTACT], entries[i, _KEY_ROW], entries[j, SUM], entries[j, CONTACT], entries[j, _KEY_ROW]
    )


@njit(cache=True, inline="always")
def _sink(entries, start, size, k):
    """Move entry k of a heap down to where it belongs."""
    if k >= size:
        return
    s, c, key_row = entries[start + k, SUM], entries[start + k, CONTACT], entries[start + k, _KEY_ROW]
    while 2 * k + 1 < size:
        i = start + 2 * k + 1
        if 2 * k + 2 < size and _entry_before(entries, i + 1, i):
            i += 1
        if not _before(entries[i, SUM], entries[i, CONTACT], entries[i, _KEY_ROW], s, c, key_row):
            break
        _copy_entry(entries, i, start + k)
        k = i - start
    entries[start + k, SUM], entries[start + k, CONTACT], entries[start + k, _KEY_ROW] = s, c, key_row


@njit(cache=True, inline="always")
def _rise(entries, start, k):
    """Move entry k of a heap up to where it belongs."""
    s, c, key_row = entries[start + k, SUM], entries[start + k, CONTACT], entries[start + k, _KEY_ROW]
    while k > 0:
        i = start + (k - 1) // 2
        if not _before(s, c, key_row, entries[i, SUM], entries[i, CONTACT], entries[i, _KEY_ROW]):
            break
        _copy_entry(entries, i, start + k)
        k = i - start
    entries[start + k, SUM], entries[start + k, CONTACT], entries[start + k, _KEY_ROW] = s, c, key_row


# --- the list in order


@njit(cache=True)
def _order_exactly(merged):
    """Put right the few places where means that differ are equal as float64 (insertion sort of a list that is almost sorted)."""
    row = np.empty(4, np.int64)
    for i in range(1, len(merged)):
        k = i
        row[:] = merged[i]
        while k > 0 and row[SUM] / row[CONTACT] == merged[k - 1, SUM] / merged[k - 1, CONTACT]:
            order = compare(row[SUM], row[CONTACT], merged[k - 1, SUM], merged[k - 1, CONTACT])
            if order < 0 or (order == 0 and (row[LINK] & LOW) > (merged[k - 1, LINK] & LOW)):
                break
            merged[k] = merged[k - 1]
            k -= 1
        merged[k] = row


@njit(cache=True)
def _replay(merged, n):
    """Unite in order; the names of the two segments at each merge. A segment is named by its smallest member."""
    parent = np.arange(n + 1)
    pairs = np.empty((len(merged), 2), np.uint32)
    for i in range(len(merged)):
        a, b = _root(parent, merged[i, ENDS] & LOW), _root(parent, merged[i, ENDS] >> 32)
        pairs[i, 0], pairs[i, 1] = min(a, b), max(a, b)
        parent[max(a, b)] = min(a, b)
    return pairs


@njit(cache=True)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
