"""From tubes to touching cells: every voxel goes to the neurite whose surface is nearest.

An additively weighted Voronoi diagram of capsules, seen through a smooth warp so that borders are organic. Besides the owner of
a voxel it gives the neighbour across the nearest border, the distance to that border, and how steeply the border is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import ndimage

from neurotome.datasets.phantom.routes import capsule_gap

__all__ = ["FAR_NM", "WARP_STEP_NM", "Partition", "make_warp", "partition", "warped"]

WARP_STEP_NM = 40.0
FAR_NM = 60.0
_CELL_NM = 260.0
_BLOCK = 8
# The warp moves neighbours at most this much further apart.
_STRETCH = 1.5


@dataclass(frozen=True, eq=False)
class Partition:
    """owner, partner: uint16 (z, y, x), partner 0 where no border is near. border_nm: float32, FAR_NM where none is near.

    tilt: float32 in [0, 1], the z part of the border's normal: 0 = cut straight, 1 = seen face on.
    """

    owner: np.ndarray
    partner: np.ndarray
    border_nm: np.ndarray
    tilt: np.ndarray


def make_warp(extent_nm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A smooth displacement field (3, z, y, x) in nm on a grid of WARP_STEP_NM: slow bends and small dents."""
    shape = tuple(int(n) for n in np.ceil(extent_nm / WARP_STEP_NM) + 2)
    field = np.zeros((3, *shape), np.float32)
    for size_nm, height_nm in ((260.0, 40.0), (125.0, 22.0), (65.0, 9.0)):
        for axis in range(3):
            white = rng.standard_normal(shape, np.float32)
            layer = ndimage.gaussian_filter(white, size_nm / WARP_STEP_NM, mode="reflect", truncate=3.0)
            field[axis] += height_nm * layer / max(float(layer.std()), 1e-6)
    return field


@njit(cache=True)
def warped(warp, z, y, x):
    """The tissue position (nm) that is seen at z, y, x (nm): trilinear in the warp field."""
    fz = min(max(z / WARP_STEP_NM, 0.0), warp.shape[1] - 1.0)
    fy = min(max(y / WARP_STEP_NM, 0.0), warp.shape[2] - 1.0)
    fx = min(max(x / WARP_STEP_NM, 0.0), warp.shape[3] - 1.0)
    iz, iy, ix = min(int(fz), warp.shape[1] - 2), min(int(fy), warp.shape[2] - 2), min(int(fx), warp.shape[3] - 2)
    tz, ty, tx = fz - iz, fy - iy, fx - ix
    dz = dy = dx = 0.0
    for a in range(2):
        wz = tz if a else 1.0 - tz
        for b in range(2):
            wy = wz * (ty if b else 1.0 - ty)
            for c in range(2):
                w = wy * (tx if c else 1.0 - tx)
                dz += w * warp[0, iz + a, iy + b, ix + c]
                dy += w * warp[1, iz + a, iy + b, ix + c]
                dx += w * warp[2, iz + a, iy + b, ix + c]
    return z + dz, y + dy, x + dx


def partition(
    capsules: np.ndarray,
    owners: np.ndarray,
    warp: np.ndarray,
    shape: tuple[int, int, int],
    voxel_nm: np.ndarray,
    corner_nm: np.ndarray,
) -> Partition:
    """The cells of the capsules (n, 8), on a grid of `shape` whose voxel 0 lies at `corner_nm` in the tissue."""
    capsules = np.ascontiguousarray(capsules, np.float32)
    near, first = _capsules_by_cell(capsules, warp.shape[1:])
    result = Partition(
        np.zeros(shape, np.uint16), np.zeros(shape, np.uint16), np.full(shape, FAR_NM, np.float32), np.zeros(shape, np.float32)
    )
    cells = tuple(int(np.ceil(n * WARP_STEP_NM / _CELL_NM)) + 1 for n in warp.shape[1:])
    _fill(
        capsules,
        owners.astype(np.uint16),
        near,
        first,
        np.array(cells),
        warp,
        voxel_nm,
        corner_nm,
        result.owner,
        result.partner,
        result.border_nm,
        result.tilt,
    )
    return result


def _capsules_by_cell(capsules: np.ndarray, warp_shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """For each cell of _CELL_NM the capsules that can be first or close second anywhere in it: a list and its starts."""
    cells = tuple(int(np.ceil(n * WARP_STEP_NM / _CELL_NM)) + 1 for n in warp_shape)
    slack = 2 * _CELL_NM * 0.87 + 2 * FAR_NM
    counts = _count_near(capsules, np.array(cells), slack)
    first = np.concatenate([[0], np.cumsum(counts)])
    return _list_near(capsules, np.array(cells), slack, first), first


@njit(cache=True)
def _count_near(capsules, cells, slack):
    counts = np.zeros(cells[0] * cells[1] * cells[2], np.int64)
    gaps = np.empty(len(capsules), np.float32)
    for k in range(len(counts)):
        best = _gaps_at_cell(capsules, cells, k, gaps)
        for i in range(len(capsules)):
            counts[k] += gaps[i] <= best + slack
    return counts


@njit(cache=True)
def _list_near(capsules, cells, slack, first):
    near = np.empty(first[-1], np.int32)
    gaps = np.empty(len(capsules), np.float32)
    for k in range(len(first) - 1):
        best = _gaps_at_cell(capsules, cells, k, gaps)
        at = first[k]
        for i in range(len(capsules)):
            if gaps[i] <= best + slack:
                near[at] = i
                at += 1
    return near


@njit(cache=True)
def _gaps_at_cell(capsules, cells, k, gaps):
    z, y, x = k // (cells[1] * cells[2]), k // cells[2] % cells[1], k % cells[2]
    best = np.float32(np.inf)
    for i in range(len(capsules)):
        gaps[i] = capsule_gap(capsules[i], (z + 0.5) * _CELL_NM, (y + 0.5) * _CELL_NM, (x + 0.5) * _CELL_NM)
        best = min(best, gaps[i])
    return best


@njit(cache=True)
def _fill(capsules, owners, near, first, cells, warp, voxel, corner, owner, partner, border, tilt):
    nz, ny, nx = owner.shape
    local = np.empty(len(capsules), np.int32)
    half = np.sqrt((voxel[0] / 2) ** 2 + (_BLOCK / 2 * voxel[1]) ** 2 + (_BLOCK / 2 * voxel[2]) ** 2) * _STRETCH
    gaps = np.empty(len(capsules), np.float32)
    for z in range(nz):
        for y0 in range(0, ny, _BLOCK):
            for x0 in range(0, nx, _BLOCK):
                cz, cy, cx = warped(
                    warp,
                    corner[0] + z * voxel[0],
                    corner[1] + (y0 + (_BLOCK - 1) / 2) * voxel[1],
                    corner[2] + (x0 + (_BLOCK - 1) / 2) * voxel[2],
                )
                kz = min(max(int(cz / _CELL_NM), 0), cells[0] - 1)
                ky = min(max(int(cy / _CELL_NM), 0), cells[1] - 1)
                kx = min(max(int(cx / _CELL_NM), 0), cells[2] - 1)
                k = (kz * cells[1] + ky) * cells[2] + kx
                best = np.float32(np.inf)
                for j in range(first[k], first[k + 1]):
                    gaps[j - first[k]] = capsule_gap(capsules[near[j]], cz, cy, cx)
                    best = min(best, gaps[j - first[k]])
                n = 0
                for j in range(first[k], first[k + 1]):
                    if gaps[j - first[k]] <= best + 2 * half + 2 * FAR_NM:
                        local[n] = near[j]
                        n += 1
                for y in range(y0, min(y0 + _BLOCK, ny)):
                    for x in range(x0, min(x0 + _BLOCK, nx)):
                        pz, py, px = warped(warp, corner[0] + z * voxel[0], corner[1] + y * voxel[1], corner[2] + x * voxel[2])
                        _decide(capsules, owners, local, n, pz, py, px, owner, partner, border, tilt, z, y, x)


@njit(cache=True)
def _decide(capsules, owners, local, n, pz, py, px, owner, partner, border, tilt, z, y, x):
    """Nearest and second nearest neurite of one voxel, and the border between them."""
    gap1 = gap2 = np.float32(np.inf)
    i1 = i2 = -1
    for j in range(n):
        i = local[j]
        gap = capsule_gap(capsules[i], pz, py, px)
        if gap < gap1:
            if i1 >= 0 and owners[i1] != owners[i]:
                gap2, i2 = gap1, i1
            gap1, i1 = gap, i
        elif gap < gap2 and owners[i] != owners[i1]:
            gap2, i2 = gap, i
    owner[z, y, x] = owners[i1]
    if i2 < 0 or gap2 - gap1 >= 2 * FAR_NM:
        return
    az, ay, ax = _away(capsules[i1], pz, py, px)
    bz, by, bx = _away(capsules[i2], pz, py, px)
    dz, dy, dx = az - bz, ay - by, ax - bx
    # Where one neurite lies in front of the other the slope vanishes, and with it the meaning of a distance.
    slope = max(np.sqrt(dz * dz + dy * dy + dx * dx), 0.35)
    distance = (gap2 - gap1) / slope
    if distance < FAR_NM:
        partner[z, y, x] = owners[i2]
        border[z, y, x] = distance
        tilt[z, y, x] = min(1.0, abs(dz) / slope)


@njit(cache=True)
def _away(c, z, y, x):
    """Unit vector from the nearest axis point of capsule `c` to the point."""
    az, ay, ax = c[4] - c[0], c[5] - c[1], c[6] - c[2]
    pz, py, px = z - c[0], y - c[1], x - c[2]
    length2 = az * az + ay * ay + ax * ax
    t = 0.0
    if length2 > 0:
        t = min(1.0, max(0.0, (pz * az + py * ay + px * ax) / length2))
    dz, dy, dx = pz - t * az, py - t * ay, px - t * ax
    length = max(np.sqrt(dz * dz + dy * dy + dx * dx), 1e-6)
    return dz / length, dy / length, dx / length
