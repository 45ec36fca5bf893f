"""How often each pair (truth label, segment) meets: the one sparse table that all partition metrics come from.

Neighbouring voxels along x mostly hold the same pair, so the kernel walks runs of equal pairs and asks the hash table once per
run. Tables are integers and add up, so a volume may be counted in any blocks, in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit

from neurotome.core import ArrayLike, ShapeError, UnknownNameError, ValueRangeError
from neurotome.measure.boxes import volume_parts
from neurotome.measure.pair_hash import doubled, empty_table, slot_of

__all__ = ["Contingency", "GrowingTable", "PairCounter", "TruthZero", "as_ids", "contingency", "same_width"]

TruthZero = Literal["ignore", "object"]

_FEW_ROWS = 1 << 20
_NO_MASK = np.zeros((0, 0, 0), np.bool_)


@dataclass(frozen=True, eq=False)
class Contingency:
    """Sparse table n_ij of voxels with truth label i and segment j.

    truth, segmentation: (r,) uint64, rows sorted by truth, then segment, each pair once.
    voxels: (r,) int64, all above 0. ignored: voxels of the support that no row counts (masked ones).

    >>> table = contingency(np.array([[[1, 1, 2, 2]]]), np.array([[[5, 5, 5, 0]]]))
    >>> [tuple(map(int, row)) for row in zip(table.truth, table.segmentation, table.voxels, strict=True)]
    [(1, 5, 2), (2, 0, 1), (2, 5, 1)]
    """

    truth: np.ndarray
    segmentation: np.ndarray
    voxels: np.ndarray
    ignored: int = 0

    def __post_init__(self) -> None:
        if not self.truth.shape == self.segmentation.shape == self.voxels.shape == (len(self.voxels),):
            raise ShapeError(
                f"Contingency arrays of shape {self.truth.shape}, {self.segmentation.shape}, {self.voxels.shape}",
                "three arrays of one length",
                "make the table with neurotome.measure.contingency",
            )

    def __len__(self) -> int:
        return len(self.voxels)

    def __add__(self, other: Contingency) -> Contingency:
        return Contingency.merge([self, other])

    @property
    def support(self) -> int:
        """All voxels looked at, the ignored ones included."""
        return int(self.voxels.sum()) + self.ignored

    @classmethod
    def merge(cls, tables: Iterable[Contingency]) -> Contingency:
        """The table of all blocks together; the order does not matter. Tables may come one by one: see `GrowingTable`."""
        whole = GrowingTable()
        for table in tables:
            whole.add(table)
        return whole.table()

    def renamed(self, truth: np.ndarray) -> Contingency:
        """The same counts under other truth ids, one per row; rows that become equal add up."""
        return _summed(truth.astype(np.uint64), self.segmentation, self.voxels, self.ignored)

    def scored(self, truth_zero: TruthZero = "ignore") -> Contingency:
        """The rows that count: without truth 0 ("ignore": its voxels become ignored ones), or all ("object")."""
        if truth_zero not in ("ignore", "object"):
            raise UnknownNameError("treatment of truth label 0", truth_zero, ("ignore", "object"))
        if truth_zero == "object":
            return self
        keep = self.truth > 0
        dropped = int(self.voxels[~keep].sum())
        return Contingency(self.truth[keep], self.segmentation[keep], self.voxels[keep], self.ignored + dropped)


def contingency(truth: ArrayLike, segmentation: ArrayLike) -> Contingency:
    """Count how often each pair of labels meets.

    truth, segmentation: whole numbers up to 64 bit, one shape (z, y, x), or less than three axes; may be lazy, they are read
    box by box. Memory grows with the pairs, not with the voxels.
    Raises ShapeError for different shapes, ValueRangeError for floats and negative ids.
    """
    if tuple(truth.shape) != tuple(segmentation.shape):
        raise ShapeError(
            f"Truth has shape {tuple(truth.shape)}, segmentation has {tuple(segmentation.shape)}",
            "the same shape",
            "crop one of them first",
        )
    counter = PairCounter()
    for part in volume_parts(tuple(truth.shape), truth, segmentation):
        ids = (
            as_ids(np.array(a[part], ndmin=3, copy=None), name) for a, name in ((truth, "truth"), (segmentation, "segmentation"))
        )
        counter.add(*ids)
    return counter.table()


class PairCounter:
    """A contingency table that is still growing: `add` blocks, then take the `table`."""

    def __init__(self) -> None:
        self._pairs = empty_table(1 << 12)
        self._used = 0
        self._ignored = 0

    def add(self, truth: np.ndarray, segmentation: np.ndarray, keep: np.ndarray | None = None) -> None:
        """Count one block (z, y, x) of ids from `as_ids`; voxels where `keep` is False go to `ignored`."""
        t, s = same_width(truth, segmentation)
        mask = _NO_MASK if keep is None else keep
        self._pairs, self._used, ignored = _count_runs(t, s, mask, self._pairs, self._used)
        self._ignored += int(ignored)

    def table(self) -> Contingency:
        taken = self._pairs[self._pairs[:, 2] > 0]
        return _summed(taken[:, 0], taken[:, 1], taken[:, 2].astype(np.int64), self._ignored)


class GrowingTable:
    """The sum of many tables: `add` them one by one. Holds its own rows, and at most as many (or a million) that wait.

    rename: gives the truth ids their present name whenever rows are added up (default: they have one for ever).
    """

    def __init__(self, rename: Callable[[np.ndarray], np.ndarray] | None = None) -> None:
        self._rename = rename
        self._sum = PairCounter().table()
        self._waiting: list[Contingency] = []
        self._rows = 0

    def add(self, table: Contingency) -> None:
        self._waiting.append(table)
        self._rows += len(table)
        if self._rows > max(_FEW_ROWS, len(self._sum)):
            self.table()

    def table(self) -> Contingency:
        """All that was added so far."""
        if self._waiting:
            parts = [self._sum, *self._waiting]
            truth, segmentation, voxels = (
                np.concatenate([getattr(t, name) for t in parts]) for name in ("truth", "segmentation", "voxels")
            )
            truth = truth if self._rename is None else self._rename(truth)
            self._sum = _summed(truth, segmentation, voxels, sum(t.ignored for t in parts))
            self._waiting, self._rows = [], 0
        return self._sum


def as_ids(labels: np.ndarray, name: str) -> np.ndarray:
    """Labels as a contiguous array of unsigned integers, without a copy where possible.

    Raises ValueRangeError for floats and for negative ids, naming the type and the smallest value.
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "uib":
        raise ValueRangeError(f"Labels '{name}' have type {array.dtype}", "whole numbers", "convert the labels to integers")
    if array.dtype.kind == "i" and array.size and int(array.min()) < 0:
        raise ValueRangeError(
            f"Labels '{name}' of type {array.dtype} have smallest id {int(array.min())}",
            "ids of 0 and more",
            "shift the ids, 0 is background",
        )
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return native.view(f"u{native.dtype.itemsize}")


def same_width(truth: np.ndarray, segmentation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as uint32 where that holds both, else as uint64: two compiled kernels instead of sixteen."""
    wide = max(truth.dtype.itemsize, segmentation.dtype.itemsize) > 4
    dtype = np.uint64 if wide else np.uint32
    return truth.astype(dtype, copy=False), segmentation.astype(dtype, copy=False)


def _summed(truth: np.ndarray, segmentation: np.ndarray, voxels: np.ndarray, ignored: int) -> Contingency:
    """Rows in order, equal pairs added up."""
    order = np.lexsort((segmentation, truth))
    t, s, n = truth[order], segmentation[order], voxels[order]
    if len(n) == 0:
        return Contingency(t, s, n, ignored)
    new = np.ones(len(t), bool)
    new[1:] = (t[1:] != t[:-1]) | (s[1:] != s[:-1])
    first = np.flatnonzero(new)
    return Contingency(t[first], s[first], np.add.reduceat(n, first), ignored)


@njit(cache=True, nogil=True)
def _count_runs(truth, segmentation, keep, pairs, used):  # type: ignore[no-untyped-def]
    ignored = 0
    masked = keep.size > 0
    depth, height, width = truth.shape
    for z in range(depth):
        for y in range(height):
            t_row, s_row = truth[z, y], segmentation[z, y]
            x = 0
            while x < width:
                start, t, s = x, t_row[x], s_row[x]
                x += 1
                if masked:
                    kept = keep[z, y, start]
                    while x < width and t_row[x] == t and s_row[x] == s and keep[z, y, x] == kept:
                        x += 1
                    if not kept:
                        ignored += x - start
                        continue
                else:
                    while x < width and t_row[x] == t and s_row[x] == s:
                        x += 1
                a, b = np.uint64(t), np.uint64(s)
                slot = slot_of(pairs, a, b)
                if pairs[slot, 2] == 0:
                    pairs[slot, 0], pairs[slot, 1] = a, b
                    used += 1
                pairs[slot, 2] += np.uint64(x - start)
                if 2 * used > len(pairs):
                    pairs = doubled(pairs)
    return pairs, used, ignored
