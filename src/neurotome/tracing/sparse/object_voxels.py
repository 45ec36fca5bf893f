"""The object voxels of a sparse volume, numbered, so that a value per voxel is an array as long as the object is large.

A row of a brick is 32 voxels, so which of them belong to the object is one uint32. `first` says how many object voxels come
before the row; the rest of a voxel's number is a count of bits. Numbers rise along x, y, z inside a brick and brick by brick in
the order of the lattice, whatever blocks the volume was read in. Memory: a quarter of a byte per voxel of the kept bricks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np

from neurotome.core.geometry import Box, Int3, Nm3
from neurotome.tracing.sparse.bricks import SIDE, Bricks

__all__ = ["NEIGHBOURS", "ObjectVoxels", "number_at"]

NEIGHBOURS = np.array([(z, y, x) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1) if (z, y, x) != (0, 0, 0)], np.int64)
"""(26, 3) the steps to the neighbours of a voxel, in the order of the volume; the first 13 lead back."""


@dataclass(frozen=True, eq=False)
class ObjectVoxels:
    """Which voxels belong to the object, and their numbers 0..n-1.

    table: slots by place on the lattice, as in the bricks. bits: (slots, SIDE, SIDE) uint32, bit x of a row is set where the
    voxel is in the object. first: (slots, SIDE, SIDE) int64, the number of the first object voxel of each row.

    >>> volume = np.zeros((1, 2, 40), np.uint8)
    >>> volume[0, 1, 30:34] = 200
    >>> voxels = ObjectVoxels.of(Bricks.of(volume, (1.0, 1.0, 1.0)), 128)
    >>> len(voxels), voxels.at((0, 1, 33)), voxels.at((0, 0, 33)), voxels.positions[3].tolist()
    (4, 3, -1, [0, 1, 33])
    """

    shape: Int3
    voxel_nm: Nm3
    table: np.ndarray
    bits: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, bricks: Bricks, threshold: int, allowed: np.ndarray | None = None) -> ObjectVoxels:
        """The voxels of at least `threshold`; where `allowed`, (slots, SIDE, SIDE, SIDE) uint8, is given, only those not 0."""
        bits = np.zeros((len(bricks.values), SIDE, SIDE), np.uint32)
        everywhere = np.ones((1, 1, 1, 1), np.uint8)
        _set_bits(bricks.values, threshold, everywhere if allowed is None else allowed, allowed is not None, bits)
        return cls._numbered(bricks.shape, bricks.voxel_nm, bricks.table, bits)

    @classmethod
    def _numbered(cls, shape: Int3, voxel_nm: Nm3, table: np.ndarray, bits: np.ndarray) -> ObjectVoxels:
        counts = np.bitwise_count(bits).reshape(-1)
        ends = np.cumsum(counts, dtype=np.int64)
        return cls(shape, voxel_nm, table, bits, (ends - counts).reshape(bits.shape))

    def __len__(self) -> int:
        return int(self.first.flat[-1] + np.bitwise_count(self.bits.flat[-1])) if self.bits.size else 0

    def at(self, voxel: Int3) -> int:
        """The number of an object voxel; -1 for any other."""
        return int(number_at(self.table, self.bits, self.first, *(int(i) for i in voxel)))

    @cached_property
    def positions(self) -> np.ndarray:
        """(n, 3) int32, z, y, x of each object voxel."""
        out = np.empty((len(self), 3), np.int32)
        _list_positions(self.bits, np.argwhere(self.table >= 0).astype(np.int32) * SIDE, out)
        return out

    @cached_property
    def places(self) -> np.ndarray:
        """(n,) int64, the linear index of each voxel in the volume; for ties, which no brick should decide."""
        z, y, x = self.positions.T.astype(np.int64)
        return np.asarray((z * self.shape[1] + y) * self.shape[2] + x)

    def firsts(self, group: np.ndarray, count: int, rank: np.ndarray | None = None) -> np.ndarray:
        """(count,) the voxel of each group 0..count-1 with the largest `rank`, (n,); of several, the first in the volume.

        group: (n,) integers. Every group has a voxel.
        """
        best = np.full(count, -1, np.int64)
        _find_firsts(group, np.zeros(len(self), np.float32) if rank is None else rank, self.places, best)
        return best

    def inside(self, box: Box) -> np.ndarray:
        """The numbers of the object voxels in a box, in the order of the volume."""
        out = np.empty(box.size, np.int64)
        return out[: _list_inside(self.table, self.bits, self.first, np.array(box.start), np.array(box.stop), out)]

    def chosen(self, which: np.ndarray) -> ObjectVoxels:
        """The object that consists of the voxels where `which`, (n,) bool, is true; they are numbered anew."""
        bits = self.bits.copy()
        _drop_bits(bits, self.first, np.ascontiguousarray(which, np.bool_))
        return self._numbered(self.shape, self.voxel_nm, self.table, bits)

    def paint(self, mask: np.ndarray, which: np.ndarray, value: int) -> None:
        """Write `value` into a mask of the bricks, (slots, SIDE, SIDE, SIDE) uint8, where `which` (n,) is true."""
        _paint(self.bits, self.first, np.ascontiguousarray(which, np.bool_), value, mask)


@numba.njit(cache=True, nogil=True, inline="always")
def _count_bits(row: int) -> int:
    """Set bits of a uint32, by adding neighbours: pairs, nibbles, bytes."""
    row = row - ((row >> 1) & 0x55555555)
    row = (row & 0x33333333) + ((row >> 2) & 0x33333333)
    row = (row + (row >> 4)) & 0x0F0F0F0F
    return ((row * 0x01010101) & 0xFFFFFFFF) >> 24


@numba.njit(cache=True, nogil=True)
def number_at(table: np.ndarray, bits: np.ndarray, first: np.ndarray, z: int, y: int, x: int) -> int:
    """The number of an object voxel, -1 for background and outside. For use in kernels."""
    if z < 0 or y < 0 or x < 0:
        return -1
    bz, by, bx = z >> 5, y >> 5, x >> 5
    if bz >= table.shape[0] or by >= table.shape[1] or bx >= table.shape[2]:
        return -1
    slot = table[bz, by, bx]
    if slot < 0:
        return -1
    row = np.int64(bits[slot, z & 31, y & 31])
    if not (row >> (x & 31)) & 1:
        return -1
    return first[slot, z & 31, y & 31] + _count_bits(row & ((np.int64(1) << (x & 31)) - 1))


@numba.njit(cache=True, nogil=True)
def _set_bits(values, threshold, allowed, is_limited, bits):
    for slot in range(values.shape[0]):
        for z in range(SIDE):
            for y in range(SIDE):
                row = np.int64(0)
                for x in range(SIDE):
                    if values[slot, z, y, x] >= threshold and (not is_limited or allowed[slot, z, y, x]):
                        row |= np.int64(1) << x
                bits[slot, z, y] = row


@numba.njit(cache=True, nogil=True)
def _drop_bits(bits, first, which):
    for slot in range(bits.shape[0]):
        for z in range(SIDE):
            for y in range(SIDE):
                row, kept, number = np.int64(bits[slot, z, y]), np.int64(0), first[slot, z, y]
                for x in range(SIDE):
                    if (row >> x) & 1:
                        if which[number]:
                            kept |= np.int64(1) << x
                        number += 1
                bits[slot, z, y] = kept


@numba.njit(cache=True, nogil=True)
def _paint(bits, first, which, value, mask):
    for slot in range(bits.shape[0]):
        for z in range(SIDE):
            for y in range(SIDE):
                row, number = np.int64(bits[slot, z, y]), first[slot, z, y]
                for x in range(SIDE):
                    if (row >> x) & 1:
                        if which[number]:
                            mask[slot, z, y, x] = value
                        number += 1


@numba.njit(cache=True, nogil=True)
def _list_positions(bits, corners, out):
    number = 0
    for slot in range(bits.shape[0]):
        for z in range(SIDE):
            for y in range(SIDE):
                row = np.int64(bits[slot, z, y])
                for x in range(SIDE):
                    if (row >> x) & 1:
                        out[number, 0] = corners[slot, 0] + z
                        out[number, 1] = corners[slot, 1] + y
                        out[number, 2] = corners[slot, 2] + x
                        number += 1


@numba.njit(cache=True, nogil=True)
def _find_firsts(group, rank, places, best):
    for voxel in range(group.size):
        other = best[group[voxel]]
        if other < 0 or rank[voxel] > rank[other] or (rank[voxel] == rank[other] and places[voxel] < places[other]):
            best[group[voxel]] = voxel


@numba.njit(cache=True, nogil=True)
def _list_inside(table, bits, first, start, stop, out):
    count = 0
    for z in range(start[0], stop[0]):
        for y in range(start[1], stop[1]):
            for x in range(start[2], stop[2]):
                number = number_at(table, bits, first, z, y, x)
                if number >= 0:
                    out[count] = number
                    count += 1
    return count
