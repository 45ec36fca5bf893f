"""Voxels as addresses in the bricks, and the way to their 26 neighbours.

The address of a voxel is its place in the flat values of the bricks: slot, z, y, x within the brick, five bits each for the last
three. Inside a brick a neighbour is one addition away; over a side of it, `around` knows the slot of the next brick.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core.geometry import Int3
from neurotome.tracing.sparse.bricks import SIDE, Bricks

__all__ = ["BORDER", "PENDING", "STEPS", "VISITED", "Visited", "inside_brick", "neighbour", "place"]

VISITED, PENDING, BORDER = 1, 2, 4
"""Bits of the mask. The first one stays; the others are notes of a running kernel, which wipes them before it ends."""

_AROUND = np.array([(z, y, x) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1) if (z, y, x) != (0, 0, 0)], np.int64)

STEPS = _AROUND @ np.array([SIDE * SIDE, SIDE, 1])
"""(26,) what leads to each neighbour's address inside a brick, in the order of z, y, x."""


@dataclass(frozen=True, eq=False)
class Visited:
    """Which voxels of some bricks belong to a tree already. Trees grown with one mask never take a voxel twice.

    mask: (n, SIDE, SIDE, SIDE) uint8, 1 where visited. around: (n, 27) int32, the slots of the bricks around each brick, -1
    where there is none. corners: (n, 3) int64, the first voxel of each brick.

    >>> volume = np.zeros((8, 8, 8), np.uint8)
    >>> volume[4, 4, 2:6] = 255
    >>> Visited.of(Bricks.of(volume, (1.0, 1.0, 1.0))).count
    0
    """

    mask: np.ndarray
    around: np.ndarray
    corners: np.ndarray

    @classmethod
    def of(cls, bricks: Bricks) -> Visited:
        """Of these bricks, with no voxel visited."""
        places = np.argwhere(bricks.table >= 0)
        padded = np.pad(bricks.table, 1, constant_values=-1)
        near = [padded[tuple((places + 1 + step).T)] for step in np.insert(_AROUND, 13, 0, axis=0)]
        around = np.stack(near, axis=1).astype(np.int32)
        return cls(np.zeros(bricks.values.shape, np.uint8), np.ascontiguousarray(around), places * SIDE)

    @property
    def count(self) -> int:
        """How many voxels are visited."""
        return int(np.count_nonzero(self.mask))

    def address(self, bricks: Bricks, voxel: Int3) -> int:
        """The address of a voxel of the volume, -1 where it lies outside or in no brick."""
        z, y, x = voxel
        if not all(0 <= i < n for i, n in zip(voxel, bricks.shape, strict=True)):
            return -1
        slot = int(bricks.table[z // SIDE, y // SIDE, x // SIDE])
        return -1 if slot < 0 else slot * SIDE**3 + (z % SIDE) * SIDE**2 + (y % SIDE) * SIDE + x % SIDE


@numba.njit(cache=True, nogil=True, inline="always")
def inside_brick(address: int) -> bool:
    """Whether all 26 neighbours of a voxel lie in its own brick."""
    z, y, x = (address >> 10) & 31, (address >> 5) & 31, address & 31
    return 0 < z < 31 and 0 < y < 31 and 0 < x < 31


@numba.njit(cache=True, nogil=True)
def neighbour(address: int, k: int, around: np.ndarray) -> int:
    """The address of the k-th neighbour of a voxel, over the sides of bricks too; -1 where there is no brick."""
    k += 1 if k >= 13 else 0
    z = ((address >> 10) & 31) + k // 9 - 1
    y = ((address >> 5) & 31) + (k // 3) % 3 - 1
    x = (address & 31) + k % 3 - 1
    slot = np.int64(around[address >> 15, ((z >> 5) + 1) * 9 + ((y >> 5) + 1) * 3 + (x >> 5) + 1])
    if slot < 0:
        return np.int64(-1)
    return (slot << 15) | ((z & 31) << 10) | ((y & 31) << 5) | (x & 31)


@numba.njit(cache=True, nogil=True, inline="always")
def place(address: int, corners: np.ndarray) -> tuple[int, int, int]:
    """Where in the volume a voxel is: z, y, x."""
    slot = address >> 15
    z = corners[slot, 0] + ((address >> 10) & 31)
    y = corners[slot, 1] + ((address >> 5) & 31)
    x = corners[slot, 2] + (address & 31)
    return z, y, x
