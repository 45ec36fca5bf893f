"""Segments and their neighbours while they merge: the tables that both orders of merging share, and the step they share.

Tables are int64 arrays with one short line per item, because what costs time is the first touch of a line of memory:
rows[r] = (affinity_sum, contact, end | end << 32, key | next row << 32), nodes[i] = (start in pool, room, used, live),
pool[k] = neighbour | row << 32. A row with contact 0 is gone.

Each segment keeps its neighbours in a map: a plain list while there are few, a hash table when there are many. Of two segments
that merge, the one with fewer neighbours is poured into the other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from neurotome.core import ValueRangeError

__all__ = [
    "CONTACT", "ENDS", "LINK", "LIVE", "LOW", "NO_ROW", "PLAIN", "ROOM", "START", "SUM", "USED",
    "compare", "items_of", "neighbour_maps", "new_rows", "pour", "row_before", "rows_left",
]  # fmt: skip

SUM, CONTACT, ENDS, LINK = 0, 1, 2, 3
START, ROOM, USED, LIVE = 0, 1, 2, 3
LOW = 0xFFFFFFFF
NO_ROW = 0x7FFFFFFF
PLAIN = 16  # up to so many neighbours are searched one after the other; above, a hash table pays
_FREE, _GONE = 0, -1


def new_rows(pairs, affinity_sum, contact):
    """The table of rows; a row's key is its place.

    Raises ValueRangeError when there are more rows than a link can number.
    """
    if len(pairs) >= NO_ROW:
        raise ValueRangeError(
            f"{len(pairs)} pairs of neighbours at once",
            f"less than {NO_ROW}",
            "give smaller blocks, so that fewer are merged together",
        )
    rows = np.empty((len(pairs), 4), np.int64)
    _fill_rows(rows, pairs, affinity_sum, contact)
    return rows


@njit(cache=True)
def _fill_rows(rows, pairs, affinity_sum, contact):
    for r in range(len(rows)):
        rows[r, SUM] = affinity_sum[r]
        rows[r, CONTACT] = contact[r]
        rows[r, ENDS] = np.int64(pairs[r, 0]) | (np.int64(pairs[r, 1]) << 32)
        rows[r, LINK] = r | (np.int64(NO_ROW) << 32)


def rows_left(rows, name):
    """The rows that are not gone, in the order of their keys: pairs of name[end], smaller first; sums; contacts; keys."""
    left = rows[rows[:, CONTACT] > 0]
    left = left[np.argsort(left[:, LINK] & LOW)]
    pairs = name[np.stack([left[:, ENDS] & LOW, left[:, ENDS] >> 32], axis=1)]
    pairs.sort(axis=1)
    return pairs, left[:, SUM].copy(), left[:, CONTACT].copy(), (left[:, LINK] & LOW).astype(np.uint32)


@njit(cache=True)
def pour(a, b, nodes, pool, end, rows, moved):
    """Give the neighbours of a to b; rows that become double add up.

    `moved` (room for all neighbours of a) is filled with the rows that b has now and had not before; returns the pool, its end
    and how many these are.
    """
    _take_out(nodes, pool, b, _seek(nodes, pool, b, a))
    start, stop = items_of(nodes, a)
    count = 0
    for k in range(start, stop):
        item = pool[k]
        w = item & LOW
        if item in (_FREE, _GONE) or w == b:
            continue
        r = item >> 32
        there = _seek(nodes, pool, b, w)
        back = _seek(nodes, pool, w, a)
        if there >= 0:
            kept = _add_up(rows, r, pool[there] >> 32)
            _take_out(nodes, pool, w, back)
            if kept != r:
                continue
            pool[there] = item
            pool[_seek(nodes, pool, w, b)] = b | (r << 32)
        else:
            if nodes[w, ROOM] <= PLAIN:
                pool[back] = b | (r << 32)
            else:
                _take_out(nodes, pool, w, back)
                if _is_full(nodes, w):
                    pool, end = _move_to_end(nodes, pool, end, w)
                _put(nodes, pool, w, b, r)
            if _is_full(nodes, b):
                pool, end = _move_to_end(nodes, pool, end, b)
            _put(nodes, pool, b, w, r)
        moved[count] = r
        count += 1
    return pool, end, count


@njit(cache=True, inline="always")
def items_of(nodes, i):
    """The range of the pool that holds the map of node i."""
    start, room = nodes[i, START], nodes[i, ROOM]
    return start, start + (nodes[i, USED] if room <= PLAIN else room)


@njit(cache=True, inline="always")
def row_before(rows, r, s):
    """True if row r has the larger mean, or an equal one and the smaller key."""
    order = compare(rows[r, SUM], rows[r, CONTACT], rows[s, SUM], rows[s, CONTACT])
    return order > 0 or (order == 0 and (rows[r, LINK] & LOW) < (rows[s, LINK] & LOW))


@njit(cache=True, inline="always")
def _add_up(rows, r, s):
    """Make one row of two: the better one lives on with both sums and the smaller key."""
    if row_before(rows, s, r):
        r, s = s, r
    rows[r, SUM] += rows[s, SUM]
    rows[r, CONTACT] += rows[s, CONTACT]
    rows[r, LINK] = (rows[r, LINK] & ~np.int64(LOW)) | min(rows[r, LINK] & LOW, rows[s, LINK] & LOW)
    rows[s, CONTACT] = 0
    return r


@njit(cache=True)
def _hash_room(live):
    room = 4 * PLAIN
    while room < 3 * live:
        room *= 2
    return room


def neighbour_maps(pairs, n):
    """Nodes 0..n, the pool with the map of each, and where the pool ends."""
    nodes = np.zeros((n + 1, 4), np.int64)
    end = _lay_out(nodes, pairs)
    # Large tables are made by NumPy and not in the kernel, because NumPy asks for huge pages: a third of the time.
    pool = np.zeros(2 * end + 1024, np.int64)
    _fill_maps(nodes, pool, pairs)
    return nodes, pool, end


@njit(cache=True)
def _lay_out(nodes, pairs):
    for r in range(len(pairs)):
        nodes[pairs[r, 0], ROOM] += 1
        nodes[pairs[r, 1], ROOM] += 1
    end = 0
    for i in range(len(nodes)):
        if nodes[i, ROOM] > PLAIN:
            nodes[i, ROOM] = _hash_room(nodes[i, ROOM])
        nodes[i, START] = end
        end += nodes[i, ROOM]
    return end


@njit(cache=True)
def _fill_maps(nodes, pool, pairs):
    for r in range(len(pairs)):
        u, v = np.int64(pairs[r, 0]), np.int64(pairs[r, 1])
        _put(nodes, pool, u, v, r)
        _put(nodes, pool, v, u, r)


@njit(cache=True, inline="always")
def _spot(key, room):
    return ((key * 2654435769) >> 7) & (room - 1)


@njit(cache=True, inline="always")
def _seek(nodes, pool, i, key):
    """Where the neighbour `key` of node i stands in the pool, or -1."""
    start, room = nodes[i, START], nodes[i, ROOM]
    if room <= PLAIN:
        for k in range(start, start + nodes[i, USED]):
            if pool[k] & LOW == key:
                return k
        return -1
    at = _spot(key, room)
    while pool[start + at] != _FREE:
        if pool[start + at] & LOW == key:
            return start + at
        at = (at + 1) & (room - 1)
    return -1


@njit(cache=True, inline="always")
def _put(nodes, pool, i, key, r):
    """Add a neighbour that is not there yet; there must be room."""
    start, room = nodes[i, START], nodes[i, ROOM]
    if room <= PLAIN:
        at = nodes[i, USED]
        nodes[i, USED] += 1
    else:
        at = _spot(key, room)
        while pool[start + at] != _FREE and pool[start + at] != _GONE:
            at = (at + 1) & (room - 1)
        if pool[start + at] == _FREE:
            nodes[i, USED] += 1
    pool[start + at] = key | (r << 32)
    nodes[i, LIVE] += 1


@njit(cache=True, inline="always")
def _take_out(nodes, pool, i, k):
    if nodes[i, ROOM] <= PLAIN:
        nodes[i, USED] -= 1
        pool[k] = pool[nodes[i, START] + nodes[i, USED]]
    else:
        pool[k] = _GONE
    nodes[i, LIVE] -= 1


# Asked before `_move_to_end` is called, because a function that returns arrays counts references, which is slow.
@njit(cache=True, inline="always")
def _is_full(nodes, i):
    room, used = nodes[i, ROOM], nodes[i, USED]
    return used >= room if room <= PLAIN else 4 * used >= 3 * room


@njit(cache=True)
def _move_to_end(nodes, pool, end, i):
    """Give node i a larger map at the end of the pool."""
    start, stop = items_of(nodes, i)
    new_room = PLAIN if nodes[i, LIVE] < PLAIN else _hash_room(nodes[i, LIVE] + 1)
    if end + new_room > len(pool):
        longer = np.zeros(2 * len(pool) + new_room, np.int64)
        longer[:end] = pool[:end]
        pool = longer
    nodes[i, START], nodes[i, ROOM], nodes[i, USED], nodes[i, LIVE] = end, new_room, 0, 0
    for k in range(start, stop):
        if pool[k] != _FREE and pool[k] != _GONE:
            _put(nodes, pool, i, pool[k] & LOW, pool[k] >> 32)
    return pool, end + new_room


@njit(cache=True)
def compare(sum_1, contact_1, sum_2, contact_2):
    """The sign of sum_1 / contact_1 - sum_2 / contact_2, exactly."""
    if (sum_1 | sum_2 | contact_1 | contact_2) < (1 << 31):
        left, right = sum_1 * contact_2, sum_2 * contact_1
        return (left > right) - (left < right)
    high_1, low_1 = _product(sum_1, contact_2)
    high_2, low_2 = _product(sum_2, contact_1)
    if high_1 != high_2:
        return (high_1 > high_2) - (high_1 < high_2)
    return (low_1 > low_2) - (low_1 < low_2)


@njit(cache=True)
def _product(a, b):
    """a * b of two numbers below 2^63, as (high, low) with 2^62 > low >= 0: a * b = high * 2^62 + low."""
    mask = np.int64((1 << 31) - 1)
    a1, a0, b1, b0 = a >> 31, a & mask, b >> 31, b & mask
    cross = a1 * b0
    other = a0 * b1
    low = a0 * b0
    middle = (low >> 31) + (cross & mask) + (other & mask)
    high = a1 * b1 + (cross >> 31) + (other >> 31) + (middle >> 31)
    return high, ((middle & mask) << 31) | (low & mask)
