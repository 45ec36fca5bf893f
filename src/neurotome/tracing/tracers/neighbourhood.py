"""The 26 neighbours of an object voxel: their numbers, and how far away they are."""

from __future__ import annotations

import numba
import numpy as np

from neurotome.core.geometry import Nm3
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS, number_at

__all__ = ["near", "step_lengths"]


def step_lengths(voxel_nm: Nm3) -> np.ndarray:
    """The lengths of the steps to the 26 neighbours, (26,) float64, in nm.

    >>> sorted(set(step_lengths((3.0, 4.0, 4.0)).round(2).tolist()))
    [3.0, 4.0, 5.0, 5.66, 6.4]
    """
    return np.asarray(np.sqrt(((NEIGHBOURS * np.asarray(voxel_nm, np.float64)) ** 2).sum(1)))


@numba.njit(cache=True, nogil=True)
def near(table: np.ndarray, bits: np.ndarray, first: np.ndarray, position: np.ndarray, numbers: np.ndarray) -> None:
    """Write the numbers of the neighbours of a voxel, in the order of NEIGHBOURS, -1 for background. For use in kernels.

    Inside a brick the three neighbours of a row follow each other, so bits are counted once per row.
    """
    z, y, x = np.int64(position[0]), np.int64(position[1]), np.int64(position[2])
    lz, ly, lx = z & 31, y & 31, x & 31
    inside = 0 < lz < 31 and 0 < ly < 31 and 0 < lx < 31
    slot = table[z >> 5, y >> 5, x >> 5]
    k = 0
    for dz in range(-1, 2):
        for dy in range(-1, 2):
            row, number = np.int64(0), np.int64(0)
            if inside:
                row = np.int64(bits[slot, lz + dz, ly + dy]) >> (lx - 1)
                if row & 7:
                    number = number_at(table, bits, first, z + dz, y + dy, x - 1 + _lowest(row))
            for dx in range(-1, 2):
                here = np.int64(-1)
                if not inside:
                    here = number_at(table, bits, first, z + dz, y + dy, x + dx)
                elif (row >> (dx + 1)) & 1:
                    here = number
                    number += 1
                if dz != 0 or dy != 0 or dx != 0:
                    numbers[k] = here
                    k += 1


@numba.njit(cache=True, nogil=True, inline="always")
def _lowest(row: int) -> int:
    """The place of the lowest of the first three bits."""
    if row & 1:
        return 0
    return 1 if row & 2 else 2
