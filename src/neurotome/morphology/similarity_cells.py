"""A grid over points that knows, for each of its cells, which can be nearest to a place there: exact, without a tree."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["nearest_cells"]

CELLS = 1 << 14
"""About as many cells has the grid that is laid over a neuron: more fit worse into a processor's cache."""
COARSE = 4


def nearest_cells(points: np.ndarray, reach: float) -> tuple[np.ndarray, float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A grid over the points and what is within reach, with the points that can be nearest to a place in each of its cells.

    Returns its corner, the side of a cell, its size in cells, the first and last + 1 entry of each cell in the list, that
    list of the points' numbers, and the points in its order.
    """
    low, high = points.min(0) - reach, points.max(0) + reach
    side = float(np.prod(high - low) / CELLS) ** (1 / 3)
    coarse = np.ceil((high - low) / (side * COARSE)).astype(np.int64)
    size = coarse * COARSE
    spans, listed = _candidates(points, low, side, coarse, size, reach)
    return low, side, size, spans, listed, points[listed]


@numba.njit(cache=True, nogil=True)
def _near(points, among, count, centre, half, reach, kept):  # type: ignore[no-untyped-def]
    """How many of the points `among` can be nearest to a place in a cell, and within reach of it; they go to `kept`, in order.

    None whose least distance to the cell is above the least of all points' greatest distances to it.
    """
    limit = reach * reach
    for i in range(count):
        p = among[i]
        z, y, x = abs(points[p, 0] - centre[0]), abs(points[p, 1] - centre[1]), abs(points[p, 2] - centre[2])
        limit = min(limit, (z + half) ** 2 + (y + half) ** 2 + (x + half) ** 2)
    limit *= 1 + 1e-9
    found = 0
    for i in range(count):
        p = among[i]
        z, y, x = abs(points[p, 0] - centre[0]), abs(points[p, 1] - centre[1]), abs(points[p, 2] - centre[2])
        if max(z - half, 0.0) ** 2 + max(y - half, 0.0) ** 2 + max(x - half, 0.0) ** 2 <= limit:
            kept[found] = p
            found += 1
    return found


@numba.njit(cache=True, nogil=True)
def _candidates(points, low, side, coarse, size, reach):  # type: ignore[no-untyped-def]
    """Cells are gone through in blocks, whose points are found first. A little is added to each, for the rounding of places."""
    n = len(points)
    every, some, few = np.arange(n), np.empty(n, np.int64), np.empty(n, np.int64)
    spans = np.zeros((size[0] * size[1] * size[2], 2), np.int32)
    listed = np.empty(8 * n, np.int32)
    used = 0
    centre, corner, wider = np.empty(3), np.empty(3, np.int64), side * (1 + 1e-9)
    for block in range(coarse[0] * coarse[1] * coarse[2]):
        corner[0], corner[1], corner[2] = block // (coarse[1] * coarse[2]), block // coarse[2] % coarse[1], block % coarse[2]
        for axis in range(3):
            corner[axis] *= COARSE
            centre[axis] = low[axis] + (corner[axis] + COARSE / 2) * side
        count = _near(points, every, n, centre, wider * COARSE / 2, reach, some)
        for inside in range(COARSE**3 if count else 0):
            z, y, x = corner[0] + inside // COARSE**2, corner[1] + inside // COARSE % COARSE, corner[2] + inside % COARSE
            centre[0], centre[1], centre[2] = low[0] + (z + 0.5) * side, low[1] + (y + 0.5) * side, low[2] + (x + 0.5) * side
            found = _near(points, some, count, centre, wider / 2, reach, few)
            if used + found > len(listed):
                longer = np.empty(2 * len(listed) + found, np.int32)
                for i in range(used):
                    longer[i] = listed[i]
                listed = longer
            cell = (z * size[1] + y) * size[2] + x
            spans[cell, 0], spans[cell, 1] = used, used + found
            for i in range(found):
                listed[used + i] = few[i]
            used += found
    return spans, listed[:used]
