"""The loops of the neighbour search: eight-bit copies with a known error, a scan over them, exact distances of what is left."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["column_sums", "eight_bit_copies", "exact_distances", "scan"]

TILE = 64
"""Rows that are compared with every query of a batch while they lie in the fastest cache."""


@numba.njit(cache=True, nogil=True)
def column_sums(vectors, norms, centre, sums, squares, start, stop):  # type: ignore[no-untyped-def]
    """Adds rows start:stop, each divided by its norm and less the centre, to `sums`, and their squares to `squares`."""
    for i in range(start, stop):
        for j in range(vectors.shape[1]):
            value = np.float64(vectors[i, j]) / norms[i] - centre[j]
            sums[j] += value
            squares[j] += value * value


@numba.njit(cache=True, nogil=True)
def eight_bit_copies(vectors, norms, centre, spread, codes, steps, errors, halves, start, stop):  # type: ignore[no-untyped-def]
    """w = (x / norm - centre) / spread as codes * step, per row; errors >= |w - codes * step|; halves = half of
    |x / norm - centre|^2.

    Gives the largest |codes * step| of these rows.
    """
    reach = 0.0
    width = vectors.shape[1]
    scaled = np.empty(width)
    for i in range(start, stop):
        largest, square = 0.0, 0.0
        for j in range(width):
            away = np.float64(vectors[i, j]) / norms[i] - centre[j]
            square += away * away
            scaled[j] = away / spread[j]
            largest = max(largest, abs(scaled[j]))
        step = np.float32(largest / 127.0)
        error, length = 0.0, 0.0
        for j in range(width):
            code = np.rint(scaled[j] / step) if step > 0 else 0.0
            code = min(max(code, -127.0), 127.0)
            codes[i, j] = np.int8(code)
            error += (scaled[j] - code * step) ** 2
            length += (code * step) ** 2
        steps[i] = step
        # Rounding to float32 and the sum itself must not make the bound too small.
        errors[i] = np.float32(np.sqrt(error) * (1 + 1e-6) + 1e-30)
        halves[i] = square / 2
        reach = max(reach, np.sqrt(length))
    return reach


@numba.njit(cache=True, nogil=True)
def _dots(codes, query, out):  # type: ignore[no-untyped-def]
    """int8 times int16 in int32: compilers turn the inner loop into the processor's multiply-add of pairs."""
    for i in range(len(codes)):
        row = codes[i]
        total = np.int32(0)
        for j in range(len(row)):
            total += np.int32(row[j]) * np.int32(query[j])
        out[i] = total


@numba.njit(cache=True, nogil=True)
def _keep_smallest(heap, value):  # type: ignore[no-untyped-def]
    """Puts a value into a heap of the k smallest (largest of them first) in place of its largest."""
    k, at = len(heap), 0
    while True:
        child = 2 * at + 1
        if child >= k:
            break
        if child + 1 < k and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value


@numba.njit(cache=True, nogil=True)
def scan(copies, queries, skip, lowest, heaps, start, stop):  # type: ignore[no-untyped-def]
    """Lower bounds of every (query, row) for rows start:stop, and per query the k smallest upper bounds.

    What is bounded is half the squared distance less a constant of the query: halves - w . g. `copies` = (codes, steps, errors,
    halves), `queries` = (whole numbers (q, d) int16, their steps, lengths of g, slack): |w . g - step * codes . numbers * step_g|
    <= errors * |g| + slack. A row that is the query itself (`skip`) is left out.
    """
    codes, steps, errors, halves = copies
    numbers, query_steps, lengths, slack = queries
    dots = np.empty(TILE, np.int32)
    for first in range(start, stop, TILE):
        last = min(first + TILE, stop)
        for q in range(len(numbers)):
            _dots(codes[first:last], numbers[q], dots)
            limit = heaps[q, 0]
            for i in range(first, last):
                about = halves[i] - np.float64(steps[i]) * query_steps[q] * dots[i - first]
                wrong = np.float64(errors[i]) * lengths[q] + slack[q] + 1e-12 * (halves[i] + abs(about))
                low = about - wrong
                lowest[q, i] = np.float32(low - abs(low) * 1.2e-7)
                if about + wrong < limit and i != skip[q]:
                    _keep_smallest(heaps[q], about + wrong)
                    limit = heaps[q, 0]
            if first <= skip[q] < last:
                lowest[q, skip[q]] = np.inf


# Reassociation lets the sum run in vector registers; on one machine it still gives the same bytes in every run.
@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def exact_distances(vectors, rows, query, cosine, out):  # type: ignore[no-untyped-def]
    """Euclidean or cosine (1 - cos) distances of the query (float64) to these rows, in double precision."""
    own = 0.0
    for j in range(len(query)):
        own += query[j] * query[j]
    for at in range(len(rows)):
        row = vectors[rows[at]]
        if cosine:
            product, square = 0.0, 0.0
            for j in range(len(query)):
                value = np.float64(row[j])
                product += value * query[j]
                square += value * value
            out[at] = min(max(1.0 - product / np.sqrt(square * own), 0.0), 2.0)
        else:
            total = 0.0
            for j in range(len(query)):
                away = np.float64(row[j]) - query[j]
                total += away * away
            out[at] = np.sqrt(total)
