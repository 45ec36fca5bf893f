"""The kernel that merges: rows of a region graph in exact order of their mean, united one by one.

Read `agglomerate.py` for what it computes. This file is about doing it fast:

- A row's mean never rises (mean linkage is reducible), so a row waits in the queue under the mean it had when it was last
  looked at. Nothing is re-queued when a row changes; it is moved down when it comes up and turns out to be worth less.
  Of two rows that become one, the better one stays in the queue, so its place in the queue is always an upper bound.
- The queue is a set of buckets by mean; only the bucket being emptied is a heap. Rows below the threshold never enter.
- Each segment keeps its neighbours in a map: a plain list while there are few, a hash table when there are many. The one
  with fewer neighbours is poured into the other.

Tables are int64 arrays with one short line per item, because what costs time is the first touch of a line of memory:
rows[r] = (affinity_sum, contact, end | end << 32, key | next row << 32), nodes[i] = (start in pool, room, used, live),
pool[k] = neighbour | row << 32.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["contract"]

_SUM, _CONTACT, _ENDS, _LINK = 0, 1, 2, 3
_START, _ROOM, _USED, _LIVE = 0, 1, 2, 3
_LOW = 0xFFFFFFFF
_FREE, _GONE = 0, -1
_PLAIN = 16  # up to so many neighbours are searched one after the other; above, a hash table pays
_NO_ROW = 0x7FFFFFFF
_BUCKETS = 255 * 64 + 1


def contract(
    pairs: np.ndarray,
    affinity_sum: np.ndarray,
    contact: np.ndarray,
    *,
    least: int,
    sizes: np.ndarray | None = None,
    min_size: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge the best row, add up the rows it doubles, repeat while 256 * affinity_sum >= least * contact.

    Parameters
    ----------
    pairs, affinity_sum, contact
        (n, 2) uint32 ids from 1 up, sorted, each pair once; (n,) int64; (n,) int64 above 0.
    least
        The threshold times 255 * 256, rounded.
    sizes, min_size
        With both, only rows with an end smaller than min_size merge; sizes[id] adds up.

    Returns
    -------
    (m, 2) uint32 merged ids (smaller first; the union goes on under it), (m,) sums, (m,) contacts, in order of merging.
    """
    n = int(pairs.max()) if len(pairs) else 0
    if sizes is None:
        sizes, min_size = np.zeros(n + 1, np.int64), 1
    rows = np.empty((len(pairs), 4), np.int64)
    _fill_rows(rows, pairs, affinity_sum, contact)
    nodes, pool, end = _neighbour_maps(pairs, n)
    return _contract(rows, nodes, pool, end, least, sizes.astype(np.int64), min_size)


@njit(cache=True)
def _fill_rows(rows, pairs, affinity_sum, contact):
    for r in range(len(rows)):
        rows[r, _SUM] = affinity_sum[r]
        rows[r, _CONTACT] = contact[r]
        rows[r, _ENDS] = np.int64(pairs[r, 0]) | (np.int64(pairs[r, 1]) << 32)
        rows[r, _LINK] = r | (np.int64(_NO_ROW) << 32)


@njit(cache=True)
def _contract(rows, nodes, pool, end, least, sizes, min_size):
    n = len(nodes) - 1
    parent = np.arange(n + 1)
    name = np.arange(n + 1)
    head = np.full(_BUCKETS, _NO_ROW, np.int64)
    for r in range(len(rows)):
        _file(rows, head, r, least)
    merged = np.empty((max(n, 1), 2), np.uint32)
    sums, contacts = np.empty(max(n, 1), np.int64), np.empty(max(n, 1), np.int64)
    count = 0
    heap, means, entries = np.empty(1024, np.int64), np.empty(1024, np.float64), np.empty((1024, 4), np.int64)
    for bucket in range(_BUCKETS - 1, -1, -1):
        size = 0
        r = head[bucket]
        while r != _NO_ROW:
            following = rows[r, _LINK] >> 32
            if rows[r, _CONTACT] > 0 and not _falls(rows, head, r, bucket, least):
                if size == len(heap):
                    heap, means, entries = (
                        np.append(heap, heap),
                        np.append(means, means),
                        np.append(entries, entries).reshape(-1, 4),
                    )
                _enter(rows, r, size, means, entries)
                heap[size] = size
                size += 1
            r = following
        for i in range(size // 2 - 1, -1, -1):
            _sift(heap, size, i, means, entries)
        while size > 0:
            top = heap[0]
            r = entries[top, 3]
            if rows[r, _CONTACT] != entries[top, _CONTACT]:  # dead, or worth less than when it was entered
                if rows[r, _CONTACT] > 0 and not _falls(rows, head, r, bucket, least):
                    _enter(rows, r, top, means, entries)
                else:
                    size -= 1
                    heap[0] = heap[size]
                _sift(heap, size, 0, means, entries)
                continue
            size -= 1
            heap[0] = heap[size]
            _sift(heap, size, 0, means, entries)
            a, b = _root(parent, rows[r, _ENDS] & _LOW), _root(parent, rows[r, _ENDS] >> 32)
            if min(sizes[a], sizes[b]) >= min_size:
                continue
            merged[count, 0], merged[count, 1] = min(name[a], name[b]), max(name[a], name[b])
            sums[count], contacts[count] = rows[r, _SUM], rows[r, _CONTACT]
            count += 1
            rows[r, _CONTACT] = 0
            if nodes[a, _LIVE] > nodes[b, _LIVE]:
                a, b = b, a
            parent[a] = b
            name[b] = min(name[a], name[b])
            sizes[b] += sizes[a]
            pool, end = _pour(a, b, nodes, pool, end, rows)
    return merged[:count], sums[:count], contacts[:count]


# --- the queue


@njit(cache=True, inline="always")
def _bucket(affinity_sum, contact):
    return (64 * affinity_sum) // contact


@njit(cache=True)
def _file(rows, head, r, least):
    """Put a row into the bucket of its mean, unless it is below the threshold."""
    if 256 * rows[r, _SUM] >= least * rows[r, _CONTACT]:
        bucket = _bucket(rows[r, _SUM], rows[r, _CONTACT])
        rows[r, _LINK] = (rows[r, _LINK] & _LOW) | (head[bucket] << 32)
        head[bucket] = r


@njit(cache=True)
def _falls(rows, head, r, bucket, least):
    """True if the row no longer belongs into this bucket; it is then filed where it does."""
    if _bucket(rows[r, _SUM], rows[r, _CONTACT]) == bucket:
        return 256 * rows[r, _SUM] < least * rows[r, _CONTACT]
    _file(rows, head, r, least)
    return True


@njit(cache=True)
def _enter(rows, r, slot, means, entries):
    means[slot] = rows[r, _SUM] / rows[r, _CONTACT]
    entries[slot, _SUM] = rows[r, _SUM]
    entries[slot, _CONTACT] = rows[r, _CONTACT]
    entries[slot, 2] = rows[r, _LINK] & _LOW
    entries[slot, 3] = r


@njit(cache=True)
def _sift(heap, size, i, means, entries):
    while True:
        child = 2 * i + 1
        if child >= size:
            return
        if child + 1 < size and _before(heap[child + 1], heap[child], means, entries):
            child += 1
        if not _before(heap[child], heap[i], means, entries):
            return
        heap[i], heap[child] = heap[child], heap[i]
        i = child


@njit(cache=True, inline="always")
def _before(s, t, means, entries):
    if means[s] != means[t]:
        return means[s] > means[t]
    order = _compare(entries[s, _SUM], entries[s, _CONTACT], entries[t, _SUM], entries[t, _CONTACT])
    return entries[s, 2] < entries[t, 2] if order == 0 else order > 0


@njit(cache=True)
def _compare(sum_1, contact_1, sum_2, contact_2):
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


# --- who is beside whom


@njit(cache=True)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def _hash_room(live):
    room = 4 * _PLAIN
    while room < 3 * live:
        room *= 2
    return room


@njit(cache=True)
def _neighbour_maps(pairs, n):
    nodes = np.zeros((n + 1, 4), np.int64)
    for r in range(len(pairs)):
        nodes[pairs[r, 0], _ROOM] += 1
        nodes[pairs[r, 1], _ROOM] += 1
    end = 0
    for i in range(n + 1):
        if nodes[i, _ROOM] > _PLAIN:
            nodes[i, _ROOM] = _hash_room(nodes[i, _ROOM])
        nodes[i, _START] = end
        end += nodes[i, _ROOM]
    pool = np.zeros(2 * end + 1024, np.int64)
    for r in range(len(pairs)):
        u, v = np.int64(pairs[r, 0]), np.int64(pairs[r, 1])
        _put(nodes, pool, u, v, r)
        _put(nodes, pool, v, u, r)
    return nodes, pool, end


@njit(cache=True, inline="always")
def _spot(key, room):
    return ((key * 2654435769) >> 7) & (room - 1)


@njit(cache=True)
def _seek(nodes, pool, i, key):
    """Where the neighbour `key` of node i stands in the pool, or -1."""
    start, room = nodes[i, _START], nodes[i, _ROOM]
    if room <= _PLAIN:
        for k in range(start, start + nodes[i, _USED]):
            if pool[k] & _LOW == key:
                return k
        return -1
    at = _spot(key, room)
    while pool[start + at] != _FREE:
        if pool[start + at] & _LOW == key:
            return start + at
        at = (at + 1) & (room - 1)
    return -1


@njit(cache=True)
def _put(nodes, pool, i, key, r):
    """Add a neighbour that is not there yet; there must be room."""
    start, room = nodes[i, _START], nodes[i, _ROOM]
    if room <= _PLAIN:
        at = nodes[i, _USED]
        nodes[i, _USED] += 1
    else:
        at = _spot(key, room)
        while pool[start + at] != _FREE and pool[start + at] != _GONE:
            at = (at + 1) & (room - 1)
        if pool[start + at] == _FREE:
            nodes[i, _USED] += 1
    pool[start + at] = key | (r << 32)
    nodes[i, _LIVE] += 1


@njit(cache=True)
def _take_out(nodes, pool, i, k):
    if nodes[i, _ROOM] <= _PLAIN:
        nodes[i, _USED] -= 1
        pool[k] = pool[nodes[i, _START] + nodes[i, _USED]]
    else:
        pool[k] = _GONE
    nodes[i, _LIVE] -= 1


@njit(cache=True)
def _make_room(nodes, pool, end, i):
    """See that node i can take one neighbour more; its map may move to the end of the pool."""
    start, room, used = nodes[i, _START], nodes[i, _ROOM], nodes[i, _USED]
    if used < room if room <= _PLAIN else 4 * used < 3 * room:
        return pool, end
    new_room = _PLAIN if nodes[i, _LIVE] < _PLAIN else _hash_room(nodes[i, _LIVE] + 1)
    if end + new_room > len(pool):
        longer = np.zeros(2 * len(pool) + new_room, np.int64)
        longer[:end] = pool[:end]
        pool = longer
    stop = start + (used if room <= _PLAIN else room)
    nodes[i, _START], nodes[i, _ROOM], nodes[i, _USED], nodes[i, _LIVE] = end, new_room, 0, 0
    for k in range(start, stop):
        if pool[k] != _FREE and pool[k] != _GONE:
            _put(nodes, pool, i, pool[k] & _LOW, pool[k] >> 32)
    return pool, end + new_room


@njit(cache=True)
def _pour(a, b, nodes, pool, end, rows):
    """Give the neighbours of a to b; rows that become double add up."""
    _take_out(nodes, pool, b, _seek(nodes, pool, b, a))
    start, room = nodes[a, _START], nodes[a, _ROOM]
    for k in range(start, start + (nodes[a, _USED] if room <= _PLAIN else room)):
        item = pool[k]
        w = item & _LOW
        if item in (_FREE, _GONE) or w == b:
            continue
        r = item >> 32
        there = _seek(nodes, pool, b, w)
        back = _seek(nodes, pool, w, a)
        if there >= 0:
            other = pool[there] >> 32
            kept = _add_up(rows, r, other)
            _take_out(nodes, pool, w, back)
            if kept == r:
                pool[there] = item
                pool[_seek(nodes, pool, w, b)] = b | (r << 32)
            continue
        if nodes[w, _ROOM] <= _PLAIN:
            pool[back] = b | (r << 32)
        else:
            _take_out(nodes, pool, w, back)
            pool, end = _make_room(nodes, pool, end, w)
            _put(nodes, pool, w, b, r)
        pool, end = _make_room(nodes, pool, end, b)
        _put(nodes, pool, b, w, r)
    return pool, end


@njit(cache=True)
def _add_up(rows, r, s):
    """Make one row of two: the better one lives on with both sums and the smaller key."""
    order = _compare(rows[r, _SUM], rows[r, _CONTACT], rows[s, _SUM], rows[s, _CONTACT])
    key_r, key_s = rows[r, _LINK] & _LOW, rows[s, _LINK] & _LOW
    if order < 0 or (order == 0 and key_s < key_r):
        r, s = s, r
    rows[r, _SUM] += rows[s, _SUM]
    rows[r, _CONTACT] += rows[s, _CONTACT]
    rows[r, _LINK] = (rows[r, _LINK] & ~np.int64(_LOW)) | min(key_r, key_s)
    rows[s, _CONTACT] = 0
    return r
