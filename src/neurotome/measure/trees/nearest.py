"""The nearest segment of a tree, exactly: a hierarchy of boxes over the segments, ordered along a space-filling curve."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

__all__ = ["Nearest", "nearest_segment", "nearest_segments"]

LEAF = 4
"""Segments in a leaf of the hierarchy."""

AHEAD = 4.0
"""A descent looks so many steps ahead."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """Per point: its distance, the segment that is so near (the lower number of equals), and where on it: 0 start, 1 end."""

    distance: np.ndarray
    segment: np.ndarray
    along: np.ndarray


def nearest_segments(queries: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Nearest:
    """The smallest distance of each query point (q, 3) to the segments between `starts` and `ends` (n, 3), n > 0.

    A segment without length is a point. Exact, in about log(n) steps per query; queries that follow each other along a line are
    quick, because each starts with the answer of the one before (see `_search`).

    >>> found = nearest_segments(np.array([[0, 3.0, 4]]), np.zeros((1, 3)), np.array([[0, 0, 8.0]]))
    >>> found.distance.tolist(), found.along.tolist()
    ([3.0], [0.5])
    """
    starts, ends = (np.ascontiguousarray(corner, np.float64) for corner in (starts, ends))
    order = np.argsort(_curve((starts + ends) / 2), kind="stable")
    boxes = _boxes(starts[order], ends[order])
    return Nearest(*_search(np.ascontiguousarray(queries, np.float64), starts[order], ends[order], order, boxes))


def nearest_segment(point: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> float:
    """The distance of one point (3,), by definition and without a hierarchy."""
    steps = ends - starts
    length2 = (steps**2).sum(1)
    along = np.clip(((point - starts) * steps).sum(1) / np.where(length2 > 0, length2, 1), 0, 1)
    return float(np.sqrt(((starts + along[:, None] * steps - point) ** 2).sum(1).min()))


def _curve(points: np.ndarray) -> np.ndarray:
    """(n,) uint64, the places along a Morton curve through the bounding cube."""
    low = points.min(0)
    side = max(float((points - low).max()), 1e-300)
    cells = np.minimum((points - low) / side * 2**21, 2**21 - 1).astype(np.uint64)
    return np.asarray(_interleaved(cells))


@numba.njit(cache=True, nogil=True)
def _interleaved(cells):  # type: ignore[no-untyped-def]
    codes = np.zeros(len(cells), np.uint64)
    one = np.uint64(1)
    for i in range(len(cells)):
        code = np.uint64(0)
        for bit in range(20, -1, -1):
            for axis in range(3):
                code = (code << one) | ((cells[i, axis] >> np.uint64(bit)) & one)
        codes[i] = code
    return codes


@numba.njit(cache=True, nogil=True)
def _boxes(starts, ends):  # type: ignore[no-untyped-def]
    """Boxes (2 * leaves, 6) as a heap: 1 holds everything, the children of i are 2i and 2i + 1; empty ones are inside out."""
    n = len(starts)
    leaves = 1
    while leaves * LEAF < n:
        leaves *= 2
    boxes = np.empty((2 * leaves, 6))
    boxes[:, :3] = np.inf
    boxes[:, 3:] = -np.inf
    for i in range(n):
        box = boxes[leaves + i // LEAF]
        for axis in range(3):
            box[axis] = min(box[axis], starts[i, axis], ends[i, axis])
            box[3 + axis] = max(box[3 + axis], starts[i, axis], ends[i, axis])
    for i in range(leaves - 1, 0, -1):
        for axis in range(3):
            boxes[i, axis] = min(boxes[2 * i, axis], boxes[2 * i + 1, axis])
            boxes[i, 3 + axis] = max(boxes[2 * i, 3 + axis], boxes[2 * i + 1, 3 + axis])
    return boxes


@numba.njit(cache=True, nogil=True)
def _to_box(boxes, i, z, y, x):  # type: ignore[no-untyped-def]
    """The squared distance of a point to a box; infinite for an empty one."""
    dz = max(boxes[i, 0] - z, 0.0, z - boxes[i, 3])
    dy = max(boxes[i, 1] - y, 0.0, y - boxes[i, 4])
    dx = max(boxes[i, 2] - x, 0.0, x - boxes[i, 5])
    return dz * dz + dy * dy + dx * dx


@numba.njit(cache=True, nogil=True)
def _to_segment(starts, ends, i, z, y, x):  # type: ignore[no-untyped-def]
    """The squared distance of a point to a segment, and where on it."""
    sz, sy, sx = ends[i, 0] - starts[i, 0], ends[i, 1] - starts[i, 1], ends[i, 2] - starts[i, 2]
    pz, py, px = z - starts[i, 0], y - starts[i, 1], x - starts[i, 2]
    length2 = sz * sz + sy * sy + sx * sx
    along = 0.0
    if length2 > 0:
        along = min(max((pz * sz + py * sy + px * sx) / length2, 0.0), 1.0)
    dz, dy, dx = pz - along * sz, py - along * sy, px - along * sx
    return dz * dz + dy * dy + dx * dx, along


@numba.njit(cache=True, nogil=True)
def _look_in_leaf(leaf, point, starts, ends, numbers, best):  # type: ignore[no-untyped-def]
    """The best of (squared distance, segment, where on it) and what this leaf holds."""
    best_d, segment, best_at = best
    for i in range(leaf * LEAF, min((leaf + 1) * LEAF, len(starts))):
        d, along = _to_segment(starts, ends, i, point[0], point[1], point[2])
        if d < best_d or (d == best_d and numbers[i] < numbers[segment]):
            best_d, segment, best_at = d, i, along
    return best_d, segment, best_at


@numba.njit(cache=True, nogil=True)
def _descend(point, starts, ends, numbers, boxes, stack, stack_d, best):  # type: ignore[no-untyped-def]
    """The nearest segment from the top of the hierarchy, nearer boxes first, those beyond the best one left out."""
    leaves = len(boxes) // 2
    stack[0], stack_d[0], top = 1, 0.0, 1
    while top > 0:
        top -= 1
        node = stack[top]
        if stack_d[top] > best[0]:
            continue
        if node >= leaves:
            best = _look_in_leaf(node - leaves, point, starts, ends, numbers, best)
            continue
        left = _to_box(boxes, 2 * node, point[0], point[1], point[2])
        right = _to_box(boxes, 2 * node + 1, point[0], point[1], point[2])
        near, far = (2 * node, 2 * node + 1) if left <= right else (2 * node + 1, 2 * node)
        if max(left, right) <= best[0]:
            stack[top], stack_d[top] = far, max(left, right)
            top += 1
        if min(left, right) <= best[0]:
            stack[top], stack_d[top] = near, min(left, right)
            top += 1
    return best


@numba.njit(cache=True, nogil=True)
def _leaves_within(point, radius2, boxes, stack, found):  # type: ignore[no-untyped-def]
    """How many leaves reach into this ball, listed in `found`; -1 when they are more than it can take."""
    leaves = len(boxes) // 2
    stack[0], top, count = 1, 1, 0
    while top > 0:
        top -= 1
        node = stack[top]
        if _to_box(boxes, node, point[0], point[1], point[2]) > radius2:
            continue
        if node < leaves:
            stack[top], stack[top + 1] = 2 * node, 2 * node + 1
            top += 2
        elif count == len(found):
            return -1
        else:
            found[count] = node - leaves
            count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _step(queries, q):  # type: ignore[no-untyped-def]
    """How far apart the queries lie here; the smaller of two steps, so that a jump to another branch does not count."""
    shortest = np.inf
    for i in range(q, min(q + 2, len(queries) - 1)):
        step = np.sqrt(((queries[i + 1] - queries[i]) ** 2).sum())
        shortest = min(shortest, step)
    return shortest if shortest < np.inf else 0.0


@numba.njit(cache=True, nogil=True)
def _search(queries, starts, ends, numbers, boxes):  # type: ignore[no-untyped-def]
    """Descend for one query in a few; those within `reach` of it need only the leaves near it.

    A query within r of one with distance d has its nearest segment within d + r of itself, so within d + 2 r of the other.
    """
    distance, segment, at = np.empty(len(queries)), np.empty(len(queries), np.int64), np.empty(len(queries))
    stack, stack_d = np.empty(80, np.int64), np.empty(80)
    listed, count, reach = np.empty(64, np.int64), -1, 0.0
    anchor = queries[:1].copy().reshape(-1)
    leaves = len(boxes) // 2
    guess = 0
    for q in range(len(queries)):
        point = queries[q]
        away = (point[0] - anchor[0]) ** 2 + (point[1] - anchor[1]) ** 2 + (point[2] - anchor[2]) ** 2
        d, along = _to_segment(starts, ends, guess, point[0], point[1], point[2])
        best = (d, guess, along)
        if count >= 0 and away <= reach * reach:
            for k in range(count):
                if _to_box(boxes, leaves + listed[k], point[0], point[1], point[2]) <= best[0]:
                    best = _look_in_leaf(listed[k], point, starts, ends, numbers, best)
        else:
            best = _descend(point, starts, ends, numbers, boxes, stack, stack_d, best)
            anchor[:] = point
            reach = AHEAD * _step(queries, q)
            count = _leaves_within(point, (np.sqrt(best[0]) + 2 * reach) ** 2 * (1 + 1e-9), boxes, stack, listed)
        guess = best[1]
        distance[q], segment[q], at[q] = np.sqrt(best[0]), numbers[guess], best[2]
    return distance, segment, at
