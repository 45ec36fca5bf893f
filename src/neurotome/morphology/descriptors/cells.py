"""Which cells of a grid straight pieces run through, and how much of each lies in them."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["cells_crossed"]


def cells_crossed(starts: np.ndarray, ends: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every straight piece, cut where it passes from one cell of a grid into the next; parts outside the grid are left out.

    starts, ends: (n, 3) positions on the grid; cell i reaches from i to i + 1, 0 <= i < size. Returns, for each part, its cell
    (m, 3) int64, its share of the piece (m,) float64, and the number of the piece (m,) int64. A point is a piece of one part.

    >>> cells, shares, _ = cells_crossed(np.array([[0.5, 0.5, 0.5]]), np.array([[0.5, 0.5, 2.5]]), 3)
    >>> cells[:, 2].tolist(), shares.tolist()
    ([0, 1, 2], [0.25, 0.5, 0.25])

    Source: the walk of Amanatides & Woo 1987.
    """
    starts, ends = np.ascontiguousarray(starts, np.float64), np.ascontiguousarray(ends, np.float64)
    room = int(np.abs(np.floor(ends) - np.floor(starts)).sum() + 4 * len(starts))
    cells, shares, pieces = np.empty((room, 3), np.int64), np.empty(room), np.empty(room, np.int64)
    found = _walk(starts, ends, size, cells, shares, pieces)
    return cells[:found], shares[:found], pieces[:found]


@numba.njit(cache=True, nogil=True)
def _walk(starts, ends, size, cells, shares, pieces):  # type: ignore[no-untyped-def]
    found = 0
    cell, sign = np.zeros(3, np.int64), np.zeros(3, np.int64)
    upcoming, stride = np.zeros(3), np.zeros(3)
    for piece in range(len(starts)):
        for axis in range(3):
            at, step = starts[piece, axis], ends[piece, axis] - starts[piece, axis]
            sign[axis] = 1 if step > 0 else -1 if step < 0 else 0
            cell[axis] = int(np.ceil(at)) - 1 if step < 0 else int(np.floor(at))
            stride[axis] = 1.0 / abs(step) if step != 0 else np.inf
            border = cell[axis] + (1 if step > 0 else 0)
            upcoming[axis] = abs(border - at) * stride[axis] if step != 0 else np.inf
        done = 0.0
        while done < 1.0:
            axis = 0
            if upcoming[1] < upcoming[axis]:
                axis = 1
            if upcoming[2] < upcoming[axis]:
                axis = 2
            until = min(upcoming[axis], 1.0)
            inside = 0 <= cell[0] < size and 0 <= cell[1] < size and 0 <= cell[2] < size
            if until > done and inside:
                cells[found] = cell
                shares[found] = until - done
                pieces[found] = piece
                found += 1
            done = max(until, done)
            if upcoming[axis] < 1.0:
                cell[axis] += sign[axis]
                upcoming[axis] += stride[axis]
            else:
                done = 1.0
    return found
