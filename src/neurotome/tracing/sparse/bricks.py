"""A volume that is mostly background: only the bricks with something in them are in memory.

+---+---+---+---+     The volume is cut into bricks of SIDE voxels a side, on one lattice that begins at voxel 0. A brick is kept
|   | 0 | 1 |   |     when one of its values reaches the floor, and then it is kept whole. `table` says where: the number of a
+---+---+---+---+     brick's slot, or -1. Whatever blocks the volume was read in, the bricks are the same, and what is computed
|   |   | 2 | 3 |     from them is too. Outside of them, and outside the volume, every value reads as 0.
+---+---+---+---+
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core import Box, ShapeError, ValueRangeError
from neurotome.core.geometry import Int3, Nm3

__all__ = ["SIDE", "BrickPart", "Bricks", "bricks_in", "value_at"]

SIDE = 32

BrickPart = tuple[np.ndarray, np.ndarray]
"""Some bricks: their numbers on the lattice, (n,) int64, and their values, (n, SIDE, SIDE, SIDE) uint8."""


@dataclass(frozen=True, eq=False)
class Bricks:
    """A sparse uint8 volume (z, y, x); 255 stands for probability 1.

    shape, voxel_nm: of the volume. table: (bz, by, bx) int32, slots by place on the lattice. values: (n, SIDE, SIDE, SIDE) uint8,
    in the order of the lattice.

    >>> volume = np.zeros((40, 40, 40), np.uint8)
    >>> volume[35, 2, 3] = 200
    >>> bricks = Bricks.of(volume, (100.0, 100.0, 100.0))
    >>> len(bricks.values), int(bricks.read(Box((35, 2, 3), (36, 3, 4)))[0, 0, 0])
    (1, 200)
    """

    shape: Int3
    voxel_nm: Nm3
    table: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, volume: np.ndarray, voxel_nm: Nm3, *, floor: int = 1) -> Bricks:
        """From a volume in memory. Raises ShapeError unless it is (z, y, x), ValueRangeError unless uint8."""
        if volume.ndim != 3:
            raise ShapeError(f"Volume of shape {volume.shape}", "(z, y, x)", "a section is a stack of one")
        if volume.dtype != np.uint8:
            raise ValueRangeError(f"Volume of type {volume.dtype}", "uint8, 255 = 1", "scale it first")
        shape: Int3 = volume.shape  # type: ignore[assignment]
        return cls.joined(shape, voxel_nm, [bricks_in(volume, Box((0, 0, 0), shape), shape, floor)])

    @classmethod
    def gathered(
        cls,
        read: Callable[[Box], np.ndarray],
        shape: Int3,
        voxel_nm: Nm3,
        *,
        floor: int = 1,
        at_once: Int3 = (4 * SIDE, 16 * SIDE, 16 * SIDE),
    ) -> Bricks:
        """From a volume that is read in parts; `read` gives uint8."""
        boxes = Box((0, 0, 0), shape).tiles(at_once)
        return cls.joined(shape, voxel_nm, (bricks_in(read(box), box, shape, floor) for box in boxes))

    @classmethod
    def joined(cls, shape: Int3, voxel_nm: Nm3, parts: Iterable[BrickPart]) -> Bricks:
        """From the bricks of parts of the volume, in any order, each brick once."""
        found = list(parts)
        numbers = np.concatenate([n for n, _ in found]) if found else np.zeros(0, np.int64)
        lattice = tuple(-(-n // SIDE) for n in shape)
        order = np.argsort(numbers, kind="stable")
        values = np.empty((len(numbers), SIDE, SIDE, SIDE), np.uint8)
        place = np.empty(len(numbers), np.int64)
        place[order] = np.arange(len(numbers))
        begin = 0
        # Taken out as they are copied: there is never a second copy of all of them.
        found.reverse()
        while found:
            some, bricks = found.pop()
            values[place[begin : begin + len(some)]] = bricks
            begin += len(some)
        table = np.full(lattice, -1, np.int32)
        table.reshape(-1)[numbers] = place
        return cls(shape, voxel_nm, table, values)

    def read(self, box: Box) -> np.ndarray:
        """The values of a box, uint8 (z, y, x); the box may reach out of the volume."""
        out = np.zeros(box.shape, np.uint8)
        _copy_out(self.table, self.values, np.array(box.start), out)
        return out

    def voxels(self, threshold: int = 1) -> np.ndarray:
        """Where the value is at least `threshold`: (n, 3) int64 z, y, x, brick by brick in the order of the lattice."""
        slots, *inside = np.nonzero(self.values >= threshold)
        corners = np.argwhere(self.table >= 0) * SIDE
        return corners[slots] + np.stack(inside, axis=1)

    def count(self, threshold: int = 1) -> int:
        """How many voxels are at least `threshold`."""
        return int(np.count_nonzero(self.values >= threshold))


def bricks_in(volume: np.ndarray, box: Box, shape: Int3, floor: int) -> BrickPart:
    """The bricks of `volume`, the uint8 values of a box whose corner lies on the lattice, with a value of at least `floor`.

    Raises ShapeError for a box that cuts a brick.
    """
    for start, stop, size in zip(box.start, box.stop, shape, strict=True):
        if start % SIDE or (stop % SIDE and stop != size):
            raise ShapeError(f"Box from {box.start} to {box.stop}", f"multiples of {SIDE} voxels", "round it up")
    first = tuple(a // SIDE for a in box.start)
    count = tuple(-(-n // SIDE) for n in box.shape)
    kept = np.zeros(count, np.bool_)
    _mark(np.ascontiguousarray(volume), max(1, floor), kept)
    places = np.argwhere(kept)
    bricks = np.zeros((len(places), SIDE, SIDE, SIDE), np.uint8)
    for brick, place in zip(bricks, places, strict=True):
        part = volume[tuple(slice(p * SIDE, (p + 1) * SIDE) for p in place)]
        brick[tuple(slice(0, n) for n in part.shape)] = part
    lattice = tuple(-(-n // SIDE) for n in shape)
    numbers = np.ravel_multi_index(tuple((places + first).T), lattice) if len(places) else np.zeros(0, np.int64)
    return np.asarray(numbers, np.int64), bricks


@numba.njit(cache=True, nogil=True, inline="always")
def value_at(table: np.ndarray, values: np.ndarray, z: int, y: int, x: int) -> int:
    """The value of a voxel, 0 outside. For use in kernels."""
    if z < 0 or y < 0 or x < 0:
        return 0
    bz, by, bx = z >> 5, y >> 5, x >> 5
    if bz >= table.shape[0] or by >= table.shape[1] or bx >= table.shape[2]:
        return 0
    slot = table[bz, by, bx]
    if slot < 0:
        return 0
    return values[slot, z & 31, y & 31, x & 31]


@numba.njit(cache=True, nogil=True)
def _mark(volume: np.ndarray, floor: int, kept: np.ndarray) -> None:
    for z in range(volume.shape[0]):
        for y in range(volume.shape[1]):
            for x in range(volume.shape[2]):
                if volume[z, y, x] >= floor:
                    kept[z >> 5, y >> 5, x >> 5] = True


@numba.njit(cache=True, nogil=True)
def _copy_out(table: np.ndarray, values: np.ndarray, start: np.ndarray, out: np.ndarray) -> None:
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                out[z, y, x] = value_at(table, values, start[0] + z, start[1] + y, start[2] + x)
