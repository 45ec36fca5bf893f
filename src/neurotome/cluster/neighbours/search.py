"""The k nearest rows of a table to a query, exactly, among a million.

Every row is kept a second time in eight bits per number, a quarter of the memory that a query must read. How far such a copy may
be from its row is known, so the scan gives a lower and an upper bound of every distance. Only rows whose lower bound is below the
k-th smallest upper bound can be among the k nearest: a few dozen, whose distances are then computed in double precision. The
answer is that of a full search; the copies only decide how long it takes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from neurotome.cluster.neighbours.scan import column_sums, eight_bit_copies, exact_distances, scan
from neurotome.cluster.values import numbers_of
from neurotome.core import ShapeError, UnknownNameError, ValueRangeError

__all__ = ["METRICS", "Found", "Neighbours"]

METRICS = ("euclidean", "cosine")

BOUNDS_AT_ONCE = 2**24
"""Lower bounds (float32) that one batch of queries may hold: 64 MB."""


@dataclass(frozen=True, eq=False)
class Found:
    """Per query its nearest rows, nearest first, equals by row: rows (q, k) int64, distances (q, k) float64."""

    rows: np.ndarray
    distances: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """A table that can be searched. Make one with `Neighbours.of`.

    vectors (n, d) as given, also memory-mapped: only rows that may be among the answers are read. The other arrays are the
    eight-bit copies, see `scan.eight_bit_copies`.
    """

    vectors: np.ndarray
    metric: str
    centre: np.ndarray
    spread: np.ndarray
    codes: np.ndarray
    steps: np.ndarray
    errors: np.ndarray
    halves: np.ndarray
    reach: float

    @classmethod
    def of(cls, vectors: np.ndarray, metric: str = "euclidean", *, threads: int | None = None) -> Neighbours:
        """Prepares (n, d) numbers, float32 or float64, for searching.

        Raises ValueRangeError for numbers that are not finite and, with "cosine", for a row of zeros, which has no direction.

        >>> table = Neighbours.of(np.array([[0.0, 0], [3, 4], [6, 8]]))
        >>> found = table.nearest(np.array([3.0, 4.5]), k=2)
        >>> found.rows.tolist(), found.distances.tolist()
        ([[1, 2]], [[0.5, 4.6097722286464435]])
        """
        if metric not in METRICS:
            raise UnknownNameError("metric", metric, METRICS)
        vectors = numbers_of(vectors, "vectors")
        norms = _norms(vectors) if metric == "cosine" else np.ones(len(vectors))
        centre, spread = _centre_and_spread(vectors, norms)
        n, width = vectors.shape
        codes, steps, errors = np.empty((n, width), np.int8), np.empty(n, np.float32), np.empty(n, np.float32)
        halves = np.empty(n)
        work = functools.partial(eight_bit_copies, vectors, norms, centre, spread, codes, steps, errors, halves)
        reach = max(_in_threads(work, n, threads))
        # With unit vectors |x - y|^2 / 2 = 1 - x . y: the length of x - centre says nothing about the order.
        halves = np.zeros(n) if metric == "cosine" else halves
        return cls(vectors, metric, centre, spread, codes, steps, errors, halves, reach)

    def __len__(self) -> int:
        return len(self.vectors)

    def nearest(self, queries: np.ndarray, k: int = 10, *, skip: np.ndarray | None = None, threads: int | None = None) -> Found:
        """The k nearest rows of each query, (d,) or (q, d). skip: per query a row that does not count, -1 for none.

        Raises ShapeError for another width and ValueRangeError where fewer than k rows can be found.
        """
        queries = numbers_of(np.atleast_2d(queries), "queries")
        if queries.shape[1] != self.vectors.shape[1]:
            raise ShapeError(f"Queries have {queries.shape[1]} numbers", f"{self.vectors.shape[1]}, as the table has")
        skip = np.full(len(queries), -1) if skip is None else np.asarray(skip, np.int64)
        most = len(self) - int((skip >= 0).any())
        if not 1 <= k <= most:
            raise ValueRangeError(f"k = {k}", f"1 to {most}: the table has {len(self)} rows", "ask for fewer neighbours")
        rows, distances = np.empty((len(queries), k), np.int64), np.empty((len(queries), k))
        for part in _batches(len(queries), max(1, BOUNDS_AT_ONCE // len(self))):
            candidates = self._candidates(queries[part], k, skip[part], threads)
            for q, which in zip(range(part.start, part.stop), candidates):
                rows[q], distances[q] = self._ranked(queries[q], which, k)
        return Found(rows, distances)

    def of_every_row(self, k: int = 10, *, threads: int | None = None) -> Found:
        """The k nearest other rows of every row. The distance from i to j is that from j to i, to the last bit."""
        found = [
            self.nearest(self.vectors[part], k, skip=np.arange(part.start, part.stop), threads=threads)
            for part in _batches(len(self), 1024)
        ]
        return Found(np.concatenate([f.rows for f in found]), np.concatenate([f.distances for f in found]))

    def _candidates(self, queries: np.ndarray, k: int, skip: np.ndarray, threads: int | None) -> Iterator[np.ndarray]:
        whole = self._whole_numbers(queries)
        lowest = np.empty((len(queries), len(self)), np.float32)

        def work(start: int, stop: int) -> np.ndarray:
            heaps = np.full((len(queries), k), np.inf)
            scan((self.codes, self.steps, self.errors, self.halves), whole, skip, lowest, heaps, start, stop)
            return heaps

        heaps = np.concatenate(_in_threads(work, len(self), threads), axis=1)
        limits = np.partition(heaps, k - 1, axis=1)[:, k - 1]
        for q in range(len(queries)):
            yield np.flatnonzero(lowest[q] <= limits[q])

    def _whole_numbers(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The queries as int16 numbers times a step, small enough that no sum of products leaves int32; see `scan`."""
        towards = queries.astype(np.float64)
        if self.metric == "cosine":
            towards = towards / _norms(towards)[:, None]
        else:
            towards = towards - self.centre
        towards = towards * self.spread
        largest = min(32767, (2**31 - 1) // (127 * queries.shape[1]))
        steps = np.maximum(np.abs(towards).max(1), 1e-300) / largest
        numbers = np.rint(towards / steps[:, None])
        lost = np.linalg.norm(towards - numbers * steps[:, None], axis=1)
        lengths = np.linalg.norm(towards, axis=1)
        slack = lost * self.reach * (1 + 1e-6) + 1e-12 * lengths * self.reach
        return numbers.astype(np.int16), steps, lengths * (1 + 1e-6), slack

    def _ranked(self, query: np.ndarray, candidates: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        distances = np.empty(len(candidates))
        exact_distances(self.vectors, candidates, query.astype(np.float64), self.metric == "cosine", distances)
        best = np.lexsort((candidates, distances))[:k]
        return candidates[best], distances[best]


def _norms(vectors: np.ndarray) -> np.ndarray:
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    if not (norms > 0).all():
        raise ValueRangeError(
            f"Row {int(np.argmin(norms))} is all zeros", "a direction, for cosine distances", "leave it out, or take 'euclidean'"
        )
    return norms


def _centre_and_spread(vectors: np.ndarray, norms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of every column, in rows of length 1 where norms are given."""
    n, width = vectors.shape
    sums, squares = np.zeros(width), np.zeros(width)
    # The first row stands in for the mean: what is added up stays small where all rows are far from 0.
    first = vectors[0].astype(np.float64) / norms[0]
    column_sums(vectors, norms, first, sums, squares, 0, n)
    variance = np.maximum(squares / n - (sums / n) ** 2, 0)
    # A column that hardly varies must not blow up its rounding errors.
    spread = np.maximum(np.sqrt(variance), 1e-6 * np.sqrt(variance.max()))
    return first + sums / n, np.where(spread > 0, spread, 1.0)


def _batches(n: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _in_threads(work: Callable, n: int, threads: int | None) -> list:
    """work(start, stop) over parts of n rows; the kernels let go of the interpreter, so threads are enough."""
    threads = threads or numba.get_num_threads()
    parts = list(_batches(n, max(4096, -(-n // (8 * threads)))))
    if threads == 1 or len(parts) == 1:
        return [work(part.start, part.stop) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda part: work(part.start, part.stop), parts))
