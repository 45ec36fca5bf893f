"""Merging in order: rows come off a queue by their mean, and only rows that one end is small enough for may merge.

That rule depends on the order of merging, so the rows are united one by one (`chains.py` is for the rule that does not).

- A row's mean never rises (mean linkage is reducible), so a row waits in the queue under the mean it had when it was last
  looked at. Nothing is re-queued when a row changes; it is moved down when it comes up and turns out to be worth less.
  Of two rows that become one, the better one stays in the queue, so its place in the queue is always an upper bound.
- The queue is a set of buckets by mean; only the bucket being emptied is a heap. Rows below the threshold never enter.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from neurotome.neurons.neighbours import (
    CONTACT,
    ENDS,
    LINK,
    LIVE,
    LOW,
    NO_ROW,
    SUM,
    compare,
    neighbour_maps,
    new_rows,
    pour,
)  # fmt: skip

__all__ = ["merge_small"]

_BUCKETS = 255 * 64 + 1


def merge_small(
    pairs: np.ndarray, affinity_sum: np.ndarray, contact: np.ndarray, sizes: np.ndarray, *, min_size: int, least: int
) -> np.ndarray:
    """Merge the best row that has an end smaller than `min_size`, add up the rows it doubles, repeat.

    Parameters
    ----------
    pairs, affinity_sum, contact
        (r, 2) uint32 ids 1..n, smaller first, each pair once, in the order that settles ties; (r,) int64; (r,) int64 above 0.
    sizes
        (n + 1,) voxels of each id; they add up.
    least
        A row merges while 256 * affinity_sum >= least * contact.

    Returns
    -------
    (m, 2) uint32 merged ids in order of merging; the union goes on under the smaller one, which comes first.
    """
    rows = new_rows(pairs, affinity_sum, contact)
    nodes, pool, end = neighbour_maps(pairs, len(sizes) - 1)
    return _merge_small(rows, nodes, pool, end, least, sizes.astype(np.int64), min_size)


@njit(cache=True)
def _merge_small(rows, nodes, pool, end, least, sizes, min_size):
    n = len(nodes) - 1
    parent = np.arange(n + 1)
    name = np.arange(n + 1)
    head = np.full(_BUCKETS, NO_ROW, np.int64)
    for r in range(len(rows)):
        _file(rows, head, r, least)
    merged = np.empty((max(n, 1), 2), np.uint32)
    moved = np.empty(n + 1, np.int64)
    count = 0
    heap, means, entries = np.empty(1024, np.int64), np.empty(1024, np.float64), np.empty((1024, 4), np.int64)
    for bucket in range(_BUCKETS - 1, -1, -1):
        size = 0
        r = head[bucket]
        while r != NO_ROW:
            following = rows[r, LINK] >> 32
            if rows[r, CONTACT] > 0 and not _falls(rows, head, r, bucket, least):
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
            if rows[r, CONTACT] != entries[top, CONTACT]:  # dead, or worth less than when it was entered
                if rows[r, CONTACT] > 0 and not _falls(rows, head, r, bucket, least):
                    _enter(rows, r, top, means, entries)
                else:
                    size -= 1
                    heap[0] = heap[size]
                _sift(heap, size, 0, means, entries)
                continue
            size -= 1
            heap[0] = heap[size]
            _sift(heap, size, 0, means, entries)
            a, b = _root(parent, rows[r, ENDS] & LOW), _root(parent, rows[r, ENDS] >> 32)
            if min(sizes[a], sizes[b]) >= min_size:
                continue
            merged[count, 0], merged[count, 1] = min(name[a], name[b]), max(name[a], name[b])
            count += 1
            rows[r, CONTACT] = 0
            if nodes[a, LIVE] > nodes[b, LIVE]:
                a, b = b, a
            parent[a] = b
            name[b] = min(name[a], name[b])
            sizes[b] += sizes[a]
            pool, end, _ = pour(a, b, nodes, pool, end, rows, moved)
    return merged[:count]


@njit(cache=True, inline="always")
def _bucket(affinity_sum, contact):
    return (64 * affinity_sum) // contact


@njit(cache=True)
def _file(rows, head, r, least):
    """Put a row into the bucket of its mean, unless it is below the threshold."""
    if 256 * rows[r, SUM] >= least * rows[r, CONTACT]:
        bucket = _bucket(rows[r, SUM], rows[r, CONTACT])
        rows[r, LINK] = (rows[r, LINK] & LOW) | (head[bucket] << 32)
        head[bucket] = r


@njit(cache=True)
def _falls(rows, head, r, bucket, least):
    """True if the row no longer belongs into this bucket; it is then filed where it does."""
    if _bucket(rows[r, SUM], rows[r, CONTACT]) == bucket:
        return 256 * rows[r, SUM] < least * rows[r, CONTACT]
    _file(rows, head, r, least)
    return True


@njit(cache=True)
def _enter(rows, r, slot, means, entries):
    means[slot] = rows[r, SUM] / rows[r, CONTACT]
    entries[slot, SUM] = rows[r, SUM]
    entries[slot, CONTACT] = rows[r, CONTACT]
    entries[slot, 2] = rows[r, LINK] & LOW
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
    order = compare(entries[s, SUM], entries[s, CONTACT], entries[t, SUM], entries[t, CONTACT])
    return entries[s, 2] < entries[t, 2] if order == 0 else order > 0


@njit(cache=True)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
