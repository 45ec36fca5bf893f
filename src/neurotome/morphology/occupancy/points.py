"""Which voxels hold a point of a cloud."""

from __future__ import annotations

import hashlib
import math

import numba
import numpy as np

from neurotome.core import Frame, PointCloud

__all__ = ["drawn", "hit_voxels", "legacy_voxels", "splat"]

SIGMA = 0.5
"""Standard deviation of the Gaussian of a point, in voxels."""
SPLAT = 1.5
"""The Gaussian ends so far from its point along each axis."""


def hit_voxels(points_nm: np.ndarray, frame: Frame) -> tuple[np.ndarray, int]:
    """The voxels with at least one point, (grid, grid, grid) uint8, and how many points lie outside, as `Frame.voxels` has it.

    >>> grid, outside = hit_voxels(np.array([[-800.0, 0.0, 800.0], [0, 0, 801]]), Frame((0, 0, 0), -800, 800, 8))
    >>> np.argwhere(grid).tolist(), outside
    ([[0, 4, 7]], 1)
    """
    grid = np.zeros((frame.grid,) * 3, np.uint8)
    outside = _hit(grid, points_nm, np.asarray(frame.centre_nm), np.asarray(frame.rotation), frame.lo_nm, frame.hi_nm)
    return grid, int(outside)


def legacy_voxels(points: np.ndarray, voxel: float, size: int) -> tuple[np.ndarray, int]:
    """The rule of VoxelMorph: the lowest corner of the points at the edge of a voxel, their box in the middle of the grid.

    index = floor((p - lowest p) / voxel) per axis; e = highest index + 1; floor((size - e) / 2) empty planes go before, the rest
    behind. Where e is size + 1 there is -1 plane before: the lowest one is cut. points: (n, 3). voxel: its side, in their unit.
    Returns (size, size, size) uint8 and how many points were cut.
    Source: lucas-mohrhagen/VoxelMorph, where voxel = 2 / size for coordinates from -1 to 1.

    >>> grid, cut = legacy_voxels(np.array([[-0.9, -0.5, 0], [-0.4, -0.5, 0.3], [0.4, 0.2, 0.3]]), 2 / 8, 8)
    >>> np.argwhere(grid).tolist(), cut
    ([[1, 2, 3], [3, 2, 4], [6, 4, 4]], 0)
    """
    grid = np.zeros((size,) * 3, np.uint8)
    return grid, int(_legacy(grid, np.ascontiguousarray(points, np.float64), float(voxel)))


def splat(positions: np.ndarray, size: int) -> np.ndarray:
    """Each voxel the highest of the Gaussians of all points, at its centre: exp(-d^2 / (2 sigma^2)), d in voxels.

    The highest, not the sum, so that neither the order of the points nor their density counts. positions: (n, 3) in voxels; those
    outside the grid are left out. Returns (size, size, size) float32, 0 to 1.

    >>> splat(np.array([[0.5, 0.5, 0.5]]), 8)[0, 0, :3].tolist() == [1, np.float32(np.exp(-2)), 0]
    True
    """
    grid = np.zeros((size,) * 3, np.float32)
    _splat(grid, np.ascontiguousarray(positions, np.float64))
    return grid


def drawn(cloud: PointCloud, n_points: int | None) -> PointCloud:
    """So many points of a cloud, none twice, the same ones each time: the random state comes from the neuron's name.

    All of them where there are no more, or None is asked for.
    """
    if n_points is None or n_points >= len(cloud):
        return cloud
    seed = int.from_bytes(hashlib.sha256(cloud.name.encode()).digest()[:8])
    rows = np.sort(np.random.default_rng(seed).choice(len(cloud), n_points, replace=False))
    normals = None if cloud.normals is None else cloud.normals[rows]
    return PointCloud(cloud.points_nm[rows], cloud.soma_nm, normals, cloud.name)


@numba.njit(cache=True, nogil=True)
def _hit(grid, points, centre, rotation, lo, hi):
    size = grid.shape[0]
    outside = 0
    at = np.empty(3, np.int64)
    for n in range(len(points)):
        p0, p1, p2 = points[n, 0] - centre[0], points[n, 1] - centre[1], points[n, 2] - centre[2]
        inside = True
        for axis in range(3):
            turned = p0 * rotation[axis, 0] + p1 * rotation[axis, 1] + p2 * rotation[axis, 2]
            unit = 2.0 * (turned - lo) / (hi - lo) - 1.0
            inside &= abs(unit) <= 1.0
            at[axis] = min(max(math.floor((unit + 1.0) * (size / 2.0)), 0), size - 1)
        if inside:
            grid[at[0], at[1], at[2]] = 1
        else:
            outside += 1
    return outside


@numba.njit(cache=True, nogil=True)
def _legacy(grid, points, voxel):
    size = grid.shape[0]
    low0, low1, low2 = points[0]
    high0, high1, high2 = points[0]
    for n in range(len(points)):
        low0, high0 = min(low0, points[n, 0]), max(high0, points[n, 0])
        low1, high1 = min(low1, points[n, 1]), max(high1, points[n, 1])
        low2, high2 = min(low2, points[n, 2]), max(high2, points[n, 2])
    before0 = (size - int((high0 - low0) / voxel) - 1) // 2
    before1 = (size - int((high1 - low1) / voxel) - 1) // 2
    before2 = (size - int((high2 - low2) / voxel) - 1) // 2
    cut = 0
    for n in range(len(points)):
        # No number here is below 0, so cutting off the decimals is rounding down.
        i = int((points[n, 0] - low0) / voxel) + before0
        j = int((points[n, 1] - low1) / voxel) + before1
        k = int((points[n, 2] - low2) / voxel) + before2
        if 0 <= i < size and 0 <= j < size and 0 <= k < size:
            grid[i, j, k] = 1
        else:
            cut += 1
    return cut


@numba.njit(cache=True, nogil=True)
def _splat(grid, positions):
    size = grid.shape[0]
    weights = np.empty((3, 4))
    first = np.empty(3, np.int64)
    for n in range(len(positions)):
        inside = True
        for axis in range(3):
            p = positions[n, axis]
            inside &= 0 <= p <= size
            first[axis] = math.ceil(p - SPLAT - 0.5)
            for step in range(4):
                d = first[axis] + step + 0.5 - p
                weights[axis, step] = math.exp(-d * d / (2 * SIGMA * SIGMA)) if d <= SPLAT else 0.0
        if not inside:
            continue
        for a in range(max(0, -first[0]), min(4, size - first[0])):
            for b in range(max(0, -first[1]), min(4, size - first[1])):
                for c in range(max(0, -first[2]), min(4, size - first[2])):
                    i, j, k = first[0] + a, first[1] + b, first[2] + c
                    value = np.float32(weights[0, a] * weights[1, b] * weights[2, c])
                    if value > grid[i, j, k]:
                        grid[i, j, k] = value
