"""How thick a neurite is at its nodes: rays from the node to the wall, both ways (Rayburst, after Rodriguez et al. 2006)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from neurotome.core import ShapeError, UnknownNameError, ValueRangeError
from neurotome.tracing.sparse.bricks import SIDE, Bricks, value_at

__all__ = ["KERNELS", "interpolated", "rayburst", "wall"]

KERNELS = ("3d", "2d")

_STEP = 0.5
_RANK = 4
_ESCAPED = 0.75

_CHUNK = 512
"""Points for one thread at a time: 10 ms of work, so that starting it costs nothing and all threads end together."""

# From a voxel to the others of its cell, in the flat values of a brick.
_X, _Y, _Z = np.uint64(1), np.uint64(SIDE), np.uint64(SIDE * SIDE)
_YX, _ZX, _ZY, _ZYX = _Y + _X, _Z + _X, _Z + _Y, _Z + _Y + _X


def rayburst(
    bricks: Bricks,
    points_nm: np.ndarray,
    threshold: int | np.ndarray,
    *,
    kernel: str = "3d",
    directions: int = 64,
    cluster_size_nm: np.ndarray | None = None,
) -> np.ndarray:
    """Half of a low diameter through each point; a diameter is the way to the walls forward and backward along one line.

    A wall is where the value, interpolated between the voxels, falls below the threshold. The kernel "3d" takes the lines of a
    half sphere and the diameter with a quarter of all below it, "2d" the lines in the plane of y and x and the smallest one.
    The radius is at least half of the smallest voxel side. On an ideal cylinder "3d" reads 3 % high. As many threads work as
    Numba may use.

    Parameters
    ----------
    points_nm
        (n, 3) z, y, x; voxel (0, 0, 0) has its centre at 0.
    threshold
        1..255, one for all or one per point.
    cluster_size_nm
        (n,) size of the cluster of voxels at each point. A radius above three quarters of it means that the rays escaped along
        the neurite, and becomes half of it.

    Returns
    -------
    (n,) radii in nm.

    >>> volume = np.zeros((9, 9, 30), np.uint8)
    >>> volume[2:7, 2:7] = 255
    >>> rayburst(Bricks.of(volume, (10.0, 10.0, 10.0)), np.array([[40.0, 40.0, 150.0]]), 128, kernel="2d").round(1).tolist()
    [25.0]
    """
    points = np.asarray(points_nm, np.float64).reshape(-1, 3)
    if kernel not in KERNELS:
        raise UnknownNameError("Rayburst kernel", kernel, KERNELS)
    if directions < 4:
        raise ValueRangeError(f"{directions} directions", "4 or more", "64 is usual")
    if cluster_size_nm is not None and len(cluster_size_nm) != len(points):
        raise ShapeError(f"{len(points)} points and {len(cluster_size_nm)} cluster sizes", "one size per point")
    sizes = np.full(len(points), np.inf) if cluster_size_nm is None else np.asarray(cluster_size_nm, np.float64)
    thresholds = np.broadcast_to(np.asarray(threshold, np.int64), len(points))
    lines, rank = (half_sphere(directions), -(-directions // _RANK)) if kernel == "3d" else (half_circle(directions), 1)
    voxel = np.array(bricks.voxel_nm)
    radii = np.empty(len(points))

    def measure(begin: int, end: int) -> None:
        here = slice(begin, end)
        _rayburst(bricks.table, bricks.values, voxel, points[here], thresholds[here], sizes[here], lines, rank, radii[here])

    if len(points) <= _CHUNK:
        measure(0, len(points))
        return radii
    ends = [*range(0, len(points), _CHUNK), len(points)]
    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        list(threads.map(measure, ends[:-1], ends[1:]))
    return radii


def half_sphere(count: int) -> np.ndarray:
    """Lines spread evenly over all directions, by the golden angle: (count, 3) z, y, x of length 1, z above 0."""
    i = np.arange(count)
    z = (i + 0.5) / count
    turn = 4 * np.pi * i / (1 + np.sqrt(5.0))
    flat = np.sqrt(1 - z**2)
    return np.stack((z, flat * np.sin(turn), flat * np.cos(turn)), axis=1)


def half_circle(count: int) -> np.ndarray:
    """Lines spread evenly in the plane of y and x, the first along x: (count, 3) z, y, x of length 1."""
    turn = np.pi * np.arange(count) / count
    return np.stack((np.zeros(count), np.sin(turn), np.cos(turn)), axis=1)


@numba.njit(cache=True, nogil=True)
def _rayburst(table, values, voxel_nm, points, thresholds, sizes, lines, rank, radii):
    flat = values.reshape(-1)
    unit = _STEP * voxel_nm.min()
    steps = lines * unit / voxel_nm
    smallest = np.empty(rank)
    for i in range(len(points)):
        z, y, x = points[i, 0] / voxel_nm[0], points[i, 1] / voxel_nm[1], points[i, 2] / voxel_nm[2]
        here = interpolated(table, values, flat, z, y, x)
        # The smallest diameters so far, ascending: a ray need not go farther than the last of them. Nor farther than tells that
        # it escaped.
        smallest[:] = 2 * _ESCAPED * sizes[i] / unit + 1
        for k in range(len(lines)):
            dz, dy, dx = steps[k, 0], steps[k, 1], steps[k, 2]
            diameter = wall(table, values, flat, z, y, x, here, dz, dy, dx, thresholds[i], smallest[-1])
            if diameter < smallest[-1]:
                diameter += wall(table, values, flat, z, y, x, here, -dz, -dy, -dx, thresholds[i], smallest[-1] - diameter)
            _insert(smallest, diameter)
        radius = smallest[-1] * unit / 2
        if radius > _ESCAPED * sizes[i]:
            radius = sizes[i] / 2
        radii[i] = max(radius, voxel_nm.min() / 2)


@numba.njit(cache=True, nogil=True)
def _insert(ascending, value):
    """Put a value into its place of an ascending array; the last one drops out."""
    if value >= ascending[-1]:
        return
    k = len(ascending) - 1
    while k > 0 and ascending[k - 1] > value:
        ascending[k] = ascending[k - 1]
        k -= 1
    ascending[k] = value


@numba.njit(cache=True, nogil=True)
def wall(table, values, flat, z, y, x, before, dz, dy, dx, threshold, reach):
    """After how many steps of (dz, dy, dx) voxels from (z, y, x) the value falls below the threshold, with fractions.

    before: the value at (z, y, x). Gives `reach`, or a little more, where it does not fall within so many steps.
    """
    if before < threshold:
        return 0.0
    i = 0
    while i < reach:
        i += 1
        now = interpolated(table, values, flat, z + i * dz, y + i * dy, x + i * dx)
        if now < threshold:
            return i - 1 + (before - threshold) / (before - now)
        before = now
    return float(i)


@numba.njit(cache=True, nogil=True, forceinline=True)
def interpolated(table, values, flat, z, y, x):
    """The value at a point given in voxels, linear between the eight voxels around it."""
    z0, y0, x0 = int(np.floor(z)), int(np.floor(y)), int(np.floor(x))
    fz, fy, fx = z - z0, y - y0, x - x0
    lz, ly, lx = z0 & 31, y0 & 31, x0 & 31
    if lz < 31 and ly < 31 and lx < 31:
        bz, by, bx = z0 >> 5, y0 >> 5, x0 >> 5
        if bz < 0 or by < 0 or bx < 0 or bz >= table.shape[0] or by >= table.shape[1] or bx >= table.shape[2]:
            return 0.0
        slot = np.int64(table[bz, by, bx])
        if slot < 0:
            return 0.0
        here = np.uint64((slot << 15) | (lz << 10) | (ly << 5) | lx)
        a = _between(flat[here], flat[here + _X], fx)
        b = _between(flat[here + _Y], flat[here + _YX], fx)
        c = _between(flat[here + _Z], flat[here + _ZX], fx)
        d = _between(flat[here + _ZY], flat[here + _ZYX], fx)
    else:
        a = _between(value_at(table, values, z0, y0, x0), value_at(table, values, z0, y0, x0 + 1), fx)
        b = _between(value_at(table, values, z0, y0 + 1, x0), value_at(table, values, z0, y0 + 1, x0 + 1), fx)
        c = _between(value_at(table, values, z0 + 1, y0, x0), value_at(table, values, z0 + 1, y0, x0 + 1), fx)
        d = _between(value_at(table, values, z0 + 1, y0 + 1, x0), value_at(table, values, z0 + 1, y0 + 1, x0 + 1), fx)
    low, high = a + fy * (b - a), c + fy * (d - c)
    return low + fz * (high - low)


@numba.njit(cache=True, nogil=True, inline="always")
def _between(low, high, share):
    return float(low) + share * (float(high) - float(low))
