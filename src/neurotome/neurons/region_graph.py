"""Who touches whom: integer sums of affinities and counts of contacts for every pair of touching fragments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from neurotome.core import Box, RegionGraph
from neurotome.core.geometry import Int3
from neurotome.neurons.fragments import Edges

__all__ = ["Rows", "add_graphs", "count_rows", "named_graph", "pairs_at", "region_graph"]

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def region_graph(
    fragments: np.ndarray,
    edges: Edges,
    *,
    long_range: Sequence[tuple[Int3, np.ndarray]] = (),
    names: np.ndarray | None = None,
    own: Box | None = None,
) -> RegionGraph:
    """Per pair of touching fragments: the sum of affinities between them and the number of voxel edges that carry it.

    A pair has a row when an edge to a nearest neighbour joins the two, whatever its value. Long-range edges between the two
    add their value and count to that row; they make no row of their own, because two fragments that do not touch must not
    merge past what lies between them.

    Parameters
    ----------
    fragments
        (z, y, x) uint32 ids 1..n, 0 is background.
    edges, long_range
        uint8 arrays at the lower voxel, as in `VoxelGraph`.
    names
        (n,) the names of fragments 1..n in the graph, rising (default: the ids themselves).
    own
        Count only edges whose lower voxel lies in this box (default: all). A block that is read with one voxel more above, and
        owns the rest, counts its edges and no other's.

    Returns
    -------
    Rows sorted by pair. All numbers are integers: graphs of blocks that own disjoint edges add up exactly (`add_graphs`).

    Examples
    --------
    >>> ids = np.array([[[1, 1, 2, 2, 3]]], np.uint32)
    >>> q = np.array([[[200, 50, 220, 100, 0]]], np.uint8)
    >>> graph = region_graph(ids, (0 * q, 0 * q, q))
    >>> graph.edges.tolist(), graph.affinity_sum.tolist(), graph.contact.tolist()
    ([[1, 2], [2, 3]], [50, 100], [1, 1])
    """
    return named_graph(count_rows(fragments, edges, long_range=long_range, own=own), names)


def named_graph(rows: Rows, names: np.ndarray | None = None) -> RegionGraph:
    """Compact rows as a RegionGraph, in which fragment i is called names[i - 1] (default: i)."""
    pairs, affinity_sum, contact = rows
    wide = pairs.astype(np.uint64) if names is None else names[pairs - 1].astype(np.uint64)
    return RegionGraph(wide, affinity_sum.astype(np.uint64), contact.astype(np.uint64))


def add_graphs(graphs: Sequence[RegionGraph]) -> RegionGraph:
    """One graph out of those of several blocks: rows of the same pair add up.

    >>> a = RegionGraph(np.array([[1, 2]], np.uint64), np.array([50], np.uint64), np.array([1], np.uint64))
    >>> both = add_graphs([a, a])
    >>> both.edges.tolist(), both.affinity_sum.tolist(), both.contact.tolist()
    ([[1, 2]], [100], [2])
    """
    edges = np.concatenate([g.edges for g in graphs])
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    edges = edges[order]
    starts = np.flatnonzero(np.concatenate([[True], (edges[1:] != edges[:-1]).any(axis=1)])[: len(edges)])
    sums = [np.concatenate([getattr(g, name) for g in graphs])[order] for name in ("affinity_sum", "contact")]
    affinity_sum, contact = (np.add.reduceat(s, starts) if len(s) else s for s in sums)
    return RegionGraph(edges[starts], affinity_sum, contact)


def count_rows(
    fragments: np.ndarray, edges: Edges, *, long_range: Sequence[tuple[Int3, np.ndarray]] = (), own: Box | None = None
) -> Rows:
    """The rows as compact arrays: pairs (n, 2) uint32, affinity_sum (n,) int64, contact (n,) int64, sorted by pair."""
    box = own or Box((0, 0, 0), fragments.shape)  # type: ignore[arg-type]
    start, stop = np.array(box.start), np.array(box.stop)
    head, rows, count = _count_nearest(fragments, int(fragments.max()) if fragments.size else 0, *edges, start, stop, _TILE)
    for offset, values in long_range:
        _count_long_range(fragments, values, np.array(offset), head, rows, start, stop, _TILE)
    return _sorted_rows(head, rows, count)


def pairs_at(fragments: np.ndarray, values: np.ndarray, offset: Int3, own: Box) -> Rows:
    """Affinities between voxels `offset` apart, per pair of fragments, whether these touch or not; rows in order of the pair.

    Takes what `region_graph` takes; `own` is the box of the lower voxels. The smaller id need not come first.
    """
    lower = tuple(slice(a, max(a, min(b, n - o))) for a, b, n, o in zip(own.start, own.stop, fragments.shape, offset))
    upper = tuple(slice(s.start + o, s.stop + o) for s, o in zip(lower, offset))
    u, v, q = fragments[lower], fragments[upper], values[lower]
    apart = (u != v) & (u > 0) & (v > 0)
    code, place = np.unique(u[apart].astype(np.uint64) << np.uint64(32) | v[apart].astype(np.uint64), return_inverse=True)
    pairs = np.stack([code >> np.uint64(32), code & np.uint64(0xFFFFFFFF)], axis=1).astype(np.uint32)
    sums = np.bincount(place, weights=q[apart], minlength=len(code)).astype(np.int64)
    return pairs, sums, np.bincount(place, minlength=len(code)).astype(np.int64)


# Voxels are visited tile by tile so that the rows of the fragments in sight stay in the processor's cache.
_TILE = np.array([8, 32, 1024])


@njit(cache=True)
def _count_nearest(ids, n, ez, ey, ex, start, stop, tile):
    """Rows as one linked list per larger id: head[v] -> row of rows (smaller id, next row, sum, count).

    Under the larger id, because big fragments start early: their many small neighbours then each keep a short list.
    """
    depth, height, width = ids.shape
    head = np.full(n + 1, -1, np.int64)
    rows = np.empty((max(1024, 6 * n), 4), np.int64)
    marks = _new_marks(tile[2])
    count = 0
    for z0 in range(start[0], stop[0], tile[0]):
        for y0 in range(start[1], stop[1], tile[1]):
            for x0 in range(start[2], stop[2], tile[2]):
                x1 = min(x0 + tile[2], stop[2])
                x2 = min(x1, width - 1)
                for z in range(z0, min(z0 + tile[0], stop[0])):
                    for y in range(y0, min(y0 + tile[1], stop[1])):
                        if count + 3 * tile[2] > len(rows):
                            rows = _longer(rows)
                        here = ids[z, y, x0:x1]
                        if z + 1 < depth:
                            count = _count_line(here, ids[z + 1, y, x0:x1], ez[z, y, x0:x1], head, rows, count, marks)
                        if y + 1 < height:
                            count = _count_line(here, ids[z, y + 1, x0:x1], ey[z, y, x0:x1], head, rows, count, marks)
                        right = ids[z, y, x0 + 1 : x2 + 1]
                        count = _count_line(ids[z, y, x0:x2], right, ex[z, y, x0:x2], head, rows, count, marks)
    return head, rows, count


@njit(cache=True)
def _new_marks(length):
    """One byte per pair of a line, and the same bytes eight at a time."""
    marks = np.zeros((length + 7) // 8 * 8, np.uint8)
    return marks, marks.view(np.uint64)


@njit(cache=True)
def _count_line(lower, upper, values, head, rows, count, marks):
    contacts, eight = marks
    _find_contacts(lower, upper, contacts)
    last_u, last_v, row = np.int64(0), np.int64(0), np.int64(0)
    for group in range((lower.size + 7) // 8):
        if eight[group] == 0:
            continue
        for x in range(8 * group, min(8 * group + 8, lower.size)):
            if contacts[x]:
                a, b = np.int64(lower[x]), np.int64(upper[x])
                u, v = min(a, b), max(a, b)
                if u != last_u or v != last_v:
                    row = _row_of(u, v, head, rows)
                    if row < 0:
                        row = count
                        count += 1
                        rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3] = u, head[v], 0, 0
                        head[v] = row
                    last_u, last_v = u, v
                rows[row, 2] += values[x]
                rows[row, 3] += 1
    return count


@njit(cache=True)
def _find_contacts(lower, upper, contacts):
    """Mark the pairs that differ and are both no background, so that the rest can be passed over eight at a time."""
    zero = lower.dtype.type(0)
    for x in range(lower.size):
        contacts[x] = (lower[x] != upper[x]) & (lower[x] != zero) & (upper[x] != zero)


@njit(cache=True, inline="always")
def _row_of(u, v, head, rows):
    """The row of a pair, or -1; it moves to the front of its list, because it will soon be asked for again."""
    before, row = np.int64(-1), head[v]
    while row >= 0 and rows[row, 0] != u:
        before, row = row, rows[row, 1]
    if before >= 0 and row >= 0:
        rows[before, 1] = rows[row, 1]
        rows[row, 1] = head[v]
        head[v] = row
    return row


@njit(cache=True)
def _longer(rows):
    longer = np.empty((2 * len(rows), rows.shape[1]), rows.dtype)
    longer[: len(rows)] = rows
    return longer


@njit(cache=True)
def _count_long_range(ids, values, offset, head, rows, start, stop, tile):
    """Add long-range edges to the rows that exist."""
    marks = _new_marks(tile[2])
    dz, dy, dx = offset
    depth, height, width = min(ids.shape[0] - dz, stop[0]), min(ids.shape[1] - dy, stop[1]), min(ids.shape[2] - dx, stop[2])
    for z0 in range(start[0], depth, tile[0]):
        for y0 in range(start[1], height, tile[1]):
            for x0 in range(start[2], width, tile[2]):
                for z in range(z0, min(z0 + tile[0], depth)):
                    for y in range(y0, min(y0 + tile[1], height)):
                        x1 = min(x0 + tile[2], width)
                        upper = ids[z + dz, y + dy, x0 + dx : x1 + dx]
                        _add_line(ids[z, y, x0:x1], upper, values[z, y, x0:x1], head, rows, marks)


@njit(cache=True)
def _add_line(lower, upper, values, head, rows, marks):
    contacts, eight = marks
    _find_contacts(lower, upper, contacts)
    last_u, last_v, row = np.int64(0), np.int64(0), np.int64(-1)
    for group in range((lower.size + 7) // 8):
        if eight[group] == 0:
            continue
        for x in range(8 * group, min(8 * group + 8, lower.size)):
            if contacts[x]:
                a, b = np.int64(lower[x]), np.int64(upper[x])
                u, v = min(a, b), max(a, b)
                if u != last_u or v != last_v:
                    row = _row_of(u, v, head, rows)
                    last_u, last_v = u, v
                if row >= 0:
                    rows[row, 2] += values[x]
                    rows[row, 3] += 1


@njit(cache=True)
def _sorted_rows(head, rows, count):
    """Deal the rows out by smaller id, in order of their larger id: sorted by pair without comparing."""
    place = np.zeros(len(head) + 1, np.int64)
    for row in range(count):
        place[rows[row, 0] + 1] += 1
    for u in range(1, len(place)):
        place[u] += place[u - 1]
    pairs = np.empty((count, 2), np.uint32)
    affinity_sum = np.empty(count, np.int64)
    contact = np.empty(count, np.int64)
    for v in range(1, len(head)):
        row = head[v]
        while row >= 0:
            u = rows[row, 0]
            i = place[u]
            place[u] += 1
            pairs[i, 0] = u
            pairs[i, 1] = v
            affinity_sum[i] = rows[row, 2]
            contact[i] = rows[row, 3]
            row = rows[row, 1]
    return pairs, affinity_sum, contact
