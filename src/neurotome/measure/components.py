"""6-connected components of equal label, found box by box, so that a crop's disconnected pieces count as objects of their own.

A row of voxels is a list of runs of equal label; runs of neighbouring rows that overlap and agree are united (union-find over
runs, not over voxels, so the work per voxel is one comparison). That gives the pieces of one box. Pieces of neighbouring boxes
that meet in a face and agree are united again. A component is numbered by its smallest voxel, so its number never depends on
where the boxes were cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from neurotome.core.geometry import Int3
from neurotome.measure.contingency import as_ids
from neurotome.measure.planes import Plane

__all__ = ["BoxPieces", "PieceUnion", "equal_label_components"]


def equal_label_components(labels: np.ndarray) -> np.ndarray:
    """Number the 6-connected components of equal label.

    labels: (z, y, x) whole numbers, 0 is background. Returns ids 1..n, uint64, in order of the smallest linear voxel index; 0
    stays 0.
    Raises ValueRangeError for floats and negative ids.

    >>> equal_label_components(np.array([[[4, 4, 0, 4, 7]]])).tolist()
    [[[1, 1, 0, 2, 3]]]
    """
    pieces = BoxPieces.of(as_ids(labels, "labels"))
    return pieces.paint(np.arange(len(pieces) + 1, dtype=np.uint64))


@dataclass(frozen=True, eq=False)
class BoxPieces:
    """The components of one box, 1..n in order of their first voxel; grows with the runs of equal label in the box.

    labels: (n,) uint64, the label that each is a piece of. first: (n, 3) int64, its first voxel in the box (z, y, x).
    """

    labels: np.ndarray
    first: np.ndarray
    _rows: np.ndarray
    _starts: np.ndarray
    _piece: np.ndarray
    _shape: tuple[int, ...]

    @classmethod
    def of(cls, ids: np.ndarray) -> BoxPieces:
        """Find them in ids from `as_ids` (z, y, x)."""
        rows, starts, values = _find_runs(_kernel_width(ids))
        parent = _new_sets(values)
        height, width = ids.shape[1:]
        _unite_box(parent, rows, starts, values, height, width)
        piece, roots = _number(parent)
        row = np.searchsorted(rows, roots, side="right") - 1
        first = np.stack([row // max(1, height), row % max(1, height), starts[roots]], axis=1)
        return cls(values[roots], first, rows, starts, piece, ids.shape)

    def __len__(self) -> int:
        return len(self.labels)

    def first_index(self, corner: Int3, shape: Int3) -> np.ndarray:
        """Linear index (n,) of each first voxel in a volume of `shape` that holds the box at `corner`."""
        z, y, x = (self.first + np.array(corner)).T
        return np.asarray((z * shape[1] + y) * shape[2] + x)

    def paint(self, names: np.ndarray) -> np.ndarray:
        """The box with names[k] in each voxel of piece k, names[0] in the background: (z, y, x), type of `names`."""
        painted = np.empty(self._shape, names.dtype)
        _paint_runs(self._rows, self._starts, names[self._piece], painted)
        return painted


class PieceUnion:
    """Components of a volume from the pieces of its boxes. Piece 0 is the background, the others are counted through all boxes.

    Grows by 24 bytes for each piece of each box, never with the voxels.
    """

    def __init__(self) -> None:
        self._count = 1
        self._parent: np.ndarray = np.zeros(1 << 10, np.int64)
        self._first: np.ndarray = np.zeros(1 << 10, np.int64)
        self._labels: np.ndarray = np.zeros(1 << 10, np.uint64)

    def add(self, first: np.ndarray, labels: np.ndarray) -> int:
        """Take in the n pieces of a box: linear index in the volume of their first voxels, labels. Piece k becomes base + k,
        this is the base."""
        base, self._count = self._count - 1, self._count + len(first)
        if self._count > len(self._parent):
            size = max(self._count, 2 * len(self._parent))
            self._parent, self._first = np.resize(self._parent, size), np.resize(self._first, size)
            self._labels = np.resize(self._labels, size)
        new = slice(base + 1, self._count)
        self._parent[new], self._first[new], self._labels[new] = np.arange(base + 1, self._count), first, labels
        return base

    def unite(self, lower: Plane, upper: Plane) -> None:
        """Two planes of pieces lie against each other: unite those that meet and have the same label."""
        if lower.starts.size:
            _unite_planes(
                self._parent, self._first, self._labels, lower.starts, lower.values, upper.starts, upper.values,
                lower.shape[0] * lower.shape[1],
            )  # fmt: skip

    def representatives(self, pieces: np.ndarray) -> np.ndarray:
        """One piece (uint64) that stands for all that have been united with each of these so far."""
        distinct, inverse = np.unique(pieces.astype(np.int64), return_inverse=True)
        return np.asarray(_representatives(self._parent, distinct)[inverse])

    def close(self) -> tuple[np.ndarray, np.ndarray]:
        """Component (uint64) of each piece, numbered by the smallest voxel; and the label of each component, labels[0] = 0."""
        pieces = np.arange(self._count)
        root = _representatives(self._parent, pieces).astype(np.int64)
        roots = np.flatnonzero(root == pieces)[1:]
        roots = roots[np.argsort(self._first[roots])]
        component = np.zeros(self._count, np.uint64)
        component[roots] = np.arange(1, len(roots) + 1)
        return component[root], np.concatenate([np.zeros(1, np.uint64), self._labels[roots]])


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
def _new_sets(values):  # type: ignore[no-untyped-def]
    parent = np.empty(values.size, np.int64)
    for run in range(values.size):
        parent[run] = run if values[run] != 0 else -1
    return parent


@njit(cache=True)
def _root(parent, run):  # type: ignore[no-untyped-def]
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@njit(cache=True)
def _unite_rows(parent, starts, values, a, end_a, b, end_b, width):  # type: ignore[no-untyped-def]
    """Walk along two rows at once and unite the runs that overlap and have the same label above 0."""
    while a < end_a and b < end_b:
        if values[a] == values[b] and values[a] != 0:
            p, q = _root(parent, a), _root(parent, b)
            parent[max(p, q)] = min(p, q)
        stop_a = starts[a + 1] if a + 1 < end_a else width
        stop_b = starts[b + 1] if b + 1 < end_b else width
        if stop_a <= stop_b:
            a += 1
        if stop_b <= stop_a:
            b += 1


@njit(cache=True)
def _unite_box(parent, rows, starts, values, height, width):  # type: ignore[no-untyped-def]
    for row in range(rows.size - 1):
        b, end_b = rows[row], rows[row + 1]
        if row % height:
            _unite_rows(parent, starts, values, rows[row - 1], b, b, end_b, width)
        if row >= height:
            _unite_rows(parent, starts, values, rows[row - height], rows[row - height + 1], b, end_b, width)


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


@njit(cache=True)
def _unite_planes(parent, first, labels, starts_a, values_a, starts_b, values_b, size):  # type: ignore[no-untyped-def]
    a = b = 0
    while a < starts_a.size and b < starts_b.size:
        p, q = values_a[a], values_b[b]
        if p != 0 and q != 0 and labels[p] == labels[q]:
            p, q = _root(parent, p), _root(parent, q)
            # The root is the piece with the smallest voxel.
            if first[p] <= first[q]:
                parent[q] = p
            else:
                parent[p] = q
        stop_a = starts_a[a + 1] if a + 1 < starts_a.size else size
        stop_b = starts_b[b + 1] if b + 1 < starts_b.size else size
        if stop_a <= stop_b:
            a += 1
        if stop_b <= stop_a:
            b += 1


@njit(cache=True)
def _representatives(parent, pieces):  # type: ignore[no-untyped-def]
    found = np.empty(pieces.size, np.uint64)
    for place in range(pieces.size):
        found[place] = _root(parent, pieces[place])
    return found
