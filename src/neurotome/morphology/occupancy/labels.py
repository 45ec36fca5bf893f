"""Voxels of one label on a grid of other voxels.

A source voxel is cut into equal parts, at most half as long as a voxel of the new grid, and each part goes where its centre lies:
seen from the new grid, a voxel is the maximum over the source voxels in it, so a thin axon survives; where it is the finer
grid, source voxels stay whole. Soft: the share of the volume; parts are then at most a quarter as long.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from neurotome.core import Frame, ObjectVoxels

__all__ = ["label_share", "label_voxels"]

HIT_PART, SOFT_PART = 0.5, 0.25


def label_voxels(label: ObjectVoxels, frame: Frame) -> tuple[np.ndarray, float]:
    """(grid, grid, grid) uint8, and the share of the label that lies outside."""
    held, outside = _held(label, frame, HIT_PART)
    return (held > 0).astype(np.uint8), outside


def label_share(label: ObjectVoxels, frame: Frame) -> tuple[np.ndarray, float]:
    """The share of each voxel that the label takes up, (grid, grid, grid) float32 0 to 1, and the share of it outside."""
    held, outside = _held(label, frame, SOFT_PART)
    return np.minimum(held, 1).astype(np.float32), outside


def _held(label: ObjectVoxels, frame: Frame, longest: float) -> tuple[np.ndarray, float]:
    # Column i: the side of a source voxel along its own axis i, in voxels of the grid.
    sides = np.asarray(frame.rotation) * np.asarray(label.grid.voxel_nm) / frame.voxel_nm
    parts = np.maximum(np.ceil(np.linalg.norm(sides, axis=0) / longest - 1e-9), 1).astype(np.int64)
    volume = abs(float(np.linalg.det(sides))) / parts.prod()
    held, outside = _sum_parts(frame.grid, frame.index(label.points_nm), sides, parts, volume)
    return held, float(outside / (len(label.voxels) * parts.prod()))


@numba.njit(cache=True, nogil=True)
def _sum_parts(size, centres, sides, parts, volume):
    """(size, size, size) float64, the volume of the parts in each voxel, and how many parts lie outside."""
    held = np.zeros((size, size, size))
    outside = 0
    for n in range(len(centres)):
        for a in range(parts[0]):
            for b in range(parts[1]):
                for c in range(parts[2]):
                    s, t, u = (a + 0.5) / parts[0] - 0.5, (b + 0.5) / parts[1] - 0.5, (c + 0.5) / parts[2] - 0.5
                    i = math.floor(centres[n, 0] + s * sides[0, 0] + t * sides[0, 1] + u * sides[0, 2])
                    j = math.floor(centres[n, 1] + s * sides[1, 0] + t * sides[1, 1] + u * sides[1, 2])
                    k = math.floor(centres[n, 2] + s * sides[2, 0] + t * sides[2, 1] + u * sides[2, 2])
                    if 0 <= i < size and 0 <= j < size and 0 <= k < size:
                        held[i, j, k] += volume
                    else:
                        outside += 1
    return held, outside
