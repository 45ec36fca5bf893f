"""6-connected components of equal label, found slab by slab, so that a crop's disconnected pieces count as objects of their own.

A row of voxels is a list of runs of equal label; runs of neighbouring rows that overlap and agree are united (union-find over
runs, not over voxels, so the work per voxel is one comparison). Runs are numbered in the order of their first voxel and a set
is named by its smallest run: a component's place in the numbering therefore never depends on where the slabs were cut.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from neurotome.measure.contingency import as_ids, slab_bounds

__all__ = ["SlabComponents", "equal_label_components"]


def equal_label_components(labels: np.ndarray) -> np.ndarray:
    """Number the 6-connected components of equal label.

    labels: (z, y, x) whole numbers, 0 is background. Returns ids 1..n, uint64, in order of the smallest linear voxel index; 0
    stays 0.
    Raises ValueRangeError for floats and negative ids.

    >>> equal_label_components(np.array([[[4, 4, 0, 4, 7]]])).tolist()
    [[[1, 1, 0, 2, 3]]]
    """
    components = SlabComponents()
    ids = as_ids(labels, "labels")
    bounds = slab_bounds(ids.shape)
    for start, stop in bounds:
        components.add(ids[start:stop])
    components.close()
    numbered = np.empty(ids.shape, np.uint64)
    for index, (start, stop) in enumerate(bounds):
        numbered[start:stop] = components.paint(ids[start:stop], index)
    return numbered


class SlabComponents:
    """Components of a volume that passes by slab by slab, twice: `add` every slab in order, `close`, then `paint` them again.

    labels: after `close`, (n + 1,) uint64, the label that component k is a piece of; labels[0] = 0.
    """

    def __init__(self) -> None:
        self._parent = np.zeros(0, np.int64)
        self._bases: list[int] = []
        self._values: list[np.ndarray] = []
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self._component = np.zeros(0, np.uint64)
        self.labels = np.zeros(1, np.uint64)

    def add(self, slab: np.ndarray) -> None:
        """Take in the next slab of ids (z, y, x)."""
        self._take(slab)

    def add_provisional(self, slab: np.ndarray) -> np.ndarray:
        """Take in the next slab and number its voxels for the time being: feed these ids to `final` once all slabs are in."""
        rows, starts = self._take(slab)
        return self._painted(rows, starts, _roots(self._parent, self._bases[-1], len(starts)), slab.shape)

    def _take(self, slab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, starts, values = _find_runs(_kernel_width(slab))
        base = len(self._parent)
        self._parent = np.concatenate([self._parent, _new_sets(values, base)])
        height, width = slab.shape[1:]
        _unite_slab(self._parent, base, rows, starts, values, height, width)
        if self._last is not None:
            _unite_sections(self._parent, *self._last, base, rows, starts, values, height, width)
        first_row = (slab.shape[0] - 1) * height
        begin = rows[first_row]
        self._last = (np.append(rows[first_row:] - begin, base + begin), starts[begin:], values[begin:])
        self._bases.append(base)
        self._values.append(values)
        return rows, starts

    def close(self) -> None:
        """Number the components; no slab can be added afterwards."""
        self._component, roots = _number(self._parent)
        values = np.concatenate([*self._values, np.zeros(1, np.uint64)])
        self.labels = np.concatenate([np.zeros(1, np.uint64), values[roots]])
        self._values, self._last = [], None

    def final(self, provisional: np.ndarray) -> np.ndarray:
        """Component ids of provisional ids."""
        return np.concatenate([np.zeros(1, np.uint64), self._component])[provisional.astype(np.int64)]

    def paint(self, slab: np.ndarray, index: int) -> np.ndarray:
        """Component ids of slab number `index`, which must be the one that was added as such: (z, y, x)."""
        rows, starts, values = _find_runs(_kernel_width(slab))
        base = self._bases[index]
        return self._painted(rows, starts, self._component[base : base + len(values)], slab.shape)

    def _painted(self, rows: np.ndarray, starts: np.ndarray, ids: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        # There are fewer components than runs, and half the width is half the time.
        dtype = np.uint32 if len(self._parent) < 2**32 - 1 else np.uint64
        painted = np.empty(shape, dtype)
        _paint_runs(rows, starts, ids.astype(dtype), painted)
        return painted


def _kernel_width(ids: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(ids, dtype=np.uint64 if ids.dtype.itemsize > 4 else np.uint32)


@njit(cache=True, nogil=True)
def _find_runs(labels):  # type: ignore[no-untyped-def]
    """Runs of equal label: where each row begins in the list, where each run starts in its row, its label."""
    depth, height, width = labels.shape
    rows = np.zeros(depth * height + 1, np.int64)
    for z in range(depth):
        for y in range(height):
            row = labels[z, y]
            count = 1
            for x in range(1, width):
                count += row[x] != row[x - 1]
            rows[z * height + y + 1] = rows[z * height + y] + count
    starts = np.empty(rows[-1], np.int64)
    values = np.empty(rows[-1], np.uint64)
    run = 0
    for z in range(depth):
        for y in range(height):
            row = labels[z, y]
            for x in range(width):
                if x == 0 or row[x] != row[x - 1]:
                    starts[run], values[run] = x, row[x]
                    run += 1
    return rows, starts, values


@njit(cache=True)
def _new_sets(values, base):  # type: ignore[no-untyped-def]
    parent = np.empty(values.size, np.int64)
    for run in range(values.size):
        parent[run] = base + run if values[run] != 0 else -1
    return parent


@njit(cache=True)
def _root(parent, run):  # type: ignore[no-untyped-def]
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@njit(cache=True)
def _unite_rows(parent, base_a, starts_a, values_a, a, end_a, base_b, starts_b, values_b, b, end_b, width):  # type: ignore[no-untyped-def]
    """Walk along two rows at once and unite the runs that overlap and have the same label above 0."""
    while a < end_a and b < end_b:
        if values_a[a] == values_b[b] and values_a[a] != 0:
            p, q = _root(parent, base_a + a), _root(parent, base_b + b)
            parent[max(p, q)] = min(p, q)
        stop_a = starts_a[a + 1] if a + 1 < end_a else width
        stop_b = starts_b[b + 1] if b + 1 < end_b else width
        if stop_a <= stop_b:
            a += 1
        if stop_b <= stop_a:
            b += 1


@njit(cache=True)
def _unite_slab(parent, base, rows, starts, values, height, width):  # type: ignore[no-untyped-def]
    for row in range(rows.size - 1):
        b, end_b = rows[row], rows[row + 1]
        if row % height:
            _unite_rows(parent, base, starts, values, rows[row - 1], b, base, starts, values, b, end_b, width)
        if row >= height:
            a, end_a = rows[row - height], rows[row - height + 1]
            _unite_rows(parent, base, starts, values, a, end_a, base, starts, values, b, end_b, width)


@njit(cache=True)
def _unite_sections(parent, last_rows, last_starts, last_values, base, rows, starts, values, height, width):  # type: ignore[no-untyped-def]
    """Unite the last section of the slab before (its base is the last entry of `last_rows`) with the first of this one."""
    last_base = last_rows[-1]
    for y in range(height):
        a, end_a = last_rows[y], last_rows[y + 1]
        _unite_rows(parent, last_base, last_starts, last_values, a, end_a, base, starts, values, rows[y], rows[y + 1], width)


@njit(cache=True)
def _roots(parent, base, count):  # type: ignore[no-untyped-def]
    """1 + root of each run, 0 for background."""
    roots = np.zeros(count, np.uint64)
    for run in range(count):
        if parent[base + run] >= 0:
            roots[run] = _root(parent, base + run) + 1
    return roots


@njit(cache=True)
def _number(parent):  # type: ignore[no-untyped-def]
    """Component of each run, numbered in order of the smallest run, and the smallest run of each component."""
    component = np.zeros(parent.size, np.uint64)
    roots = np.empty(parent.size, np.int64)
    count = 0
    for run in range(parent.size):
        if parent[run] == run:
            roots[count] = run
            count += 1
            component[run] = count
        elif parent[run] >= 0:
            # A set is named by its smallest run, so the parent comes first and has its number already.
            component[run] = component[parent[run]]
    return component, roots[:count].copy()


@njit(cache=True, nogil=True)
def _paint_runs(rows, starts, ids, painted):  # type: ignore[no-untyped-def]
    depth, height, width = painted.shape
    for row in range(depth * height):
        line = painted[row // height, row % height]
        for run in range(rows[row], rows[row + 1]):
            stop = starts[run + 1] if run + 1 < rows[row + 1] else width
            line[starts[run] : stop] = ids[run]
