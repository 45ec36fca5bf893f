"""Meshes on a grid: the voxels that the surface passes through, and, where it is closed, those whose centres lie inside."""

from __future__ import annotations

import math

import numba
import numpy as np

from neurotome.core import Frame, InputError, Mesh

__all__ = ["filled_mesh_share", "inside_voxels", "mesh_voxels", "open_edges", "surface_voxels"]

SAMPLES = 4
"""Samples along each axis of a voxel, for its share inside a mesh."""


def mesh_voxels(mesh: Mesh, frame: Frame, fill: str) -> np.ndarray:
    """(grid, grid, grid) uint8: surface voxels, and those inside. fill: "surface", "inside" or "auto", inside where it is closed.

    Surface voxels always count, so that branches thinner than a voxel stay. Raises InputError, with the number of open edges,
    for an inside that is asked for and does not exist.
    """
    corners = frame.index(mesh.vertices_nm)
    grid = surface_voxels(corners, mesh.triangles, frame.grid)
    triangles = _closed_triangles(mesh, required=fill == "inside") if fill != "surface" else None
    return grid if triangles is None else grid | inside_voxels(corners, triangles, frame.grid)


def filled_mesh_share(mesh: Mesh, frame: Frame) -> np.ndarray:
    """The share of each voxel inside a closed mesh, by 4 x 4 x 4 samples, float32; surface voxels have at least one sample.

    Raises InputError for a mesh that is not closed.
    """
    triangles = _closed_triangles(mesh, required=True)
    corners = frame.index(mesh.vertices_nm)
    agree, fine = _agree(triangles), np.ascontiguousarray(corners * SAMPLES)
    share = np.empty((frame.grid,) * 3, np.float32)
    # Plane by plane: all samples at once would fill gigabytes.
    for plane in range(frame.grid):
        samples = _inside(fine, triangles, frame.grid * SAMPLES, (plane * SAMPLES, (plane + 1) * SAMPLES), agree)
        share[plane] = samples.reshape(SAMPLES, frame.grid, SAMPLES, frame.grid, SAMPLES).mean((0, 2, 4), dtype=np.float32)
    least = surface_voxels(corners, mesh.triangles, frame.grid) * np.float32(1 / SAMPLES**3)
    return np.asarray(np.maximum(share, least))


def open_edges(triangles: np.ndarray) -> int:
    """How many edges belong to an odd number of triangles: 0 for a surface with an inside. triangles: (m, 3).

    >>> open_edges(np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])), open_edges(np.array([[0, 1, 2], [0, 2, 3]]))
    (0, 4)
    """
    _, counts = np.unique(_edge_keys(triangles)[0], return_counts=True)
    return int((counts % 2).sum())


def inside_voxels(corners: np.ndarray, triangles: np.ndarray, size: int) -> np.ndarray:
    """The voxels whose centres lie inside a closed surface, (size, size, size) uint8.

    From each centre a ray goes along the last axis: inside is where the surface winds around it, so pieces may overlap; where
    the triangles do not agree on what is outside, where the ray meets the surface an odd number of times. A ray through an edge
    or a corner counts for exactly one of the triangles there. corners: (n, 3), in voxels. triangles: (m, 3).
    """
    return np.asarray(_inside(np.ascontiguousarray(corners), triangles, size, (0, size), _agree(triangles)))


def surface_voxels(corners: np.ndarray, triangles: np.ndarray, size: int) -> np.ndarray:
    """The voxels that triangles touch, (size, size, size) uint8: box and triangle have no axis that separates them.

    Source: Akenine-Moller 2001. corners: (n, 3), in voxels. triangles: (m, 3).
    """
    grid = np.zeros((size,) * 3, np.uint8)
    _touch(grid, np.ascontiguousarray(corners), triangles)
    return grid


def _closed_triangles(mesh: Mesh, *, required: bool) -> np.ndarray | None:
    """The triangles of a closed surface, vertices at one place taken as one; None where it is open."""
    if not open_edges(mesh.triangles):
        return mesh.triangles
    _, first, same = np.unique(mesh.vertices_nm, axis=0, return_index=True, return_inverse=True)
    triangles = first[same.ravel()][mesh.triangles]
    if not (count := open_edges(triangles)):
        return np.asarray(triangles)
    if required:
        raise InputError(
            f"Mesh '{mesh.name}' has {count} open edges, so no inside",
            "a closed surface, or its surface only",
            "take mode='hits' with fill='surface' or 'auto', or close the mesh",
        )
    return None


def _agree(triangles: np.ndarray) -> bool:
    """Whether all triangles have the same side outside: each edge is walked as often one way as the other."""
    keys, forward = _edge_keys(triangles)
    _, edge = np.unique(keys, return_inverse=True)
    return not np.bincount(edge, np.where(forward, 1.0, -1.0)).any()


def _edge_keys(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(3 m,) a number per edge, the same for both directions, and whether it runs from the lower to the higher vertex."""
    a, b = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    return np.minimum(a, b) * (int(triangles.max()) + 1) + np.maximum(a, b), a < b


@numba.njit(cache=True, nogil=True)
def _inside(corners, triangles, size, planes, agree):
    """The voxels inside in some planes, first to last, of a grid."""
    first, count = planes[0], planes[1] - planes[0]
    winding = np.zeros((count, size, size + 1), np.int32)
    for m in range(len(triangles)):
        a, b, c = corners[triangles[m, 0]], corners[triangles[m, 1]], corners[triangles[m, 2]]
        low0, high0 = _rows(min(a[0], b[0], c[0]), max(a[0], b[0], c[0]), size)
        low0, high0 = max(low0, first), min(high0, first + count)
        low1, high1 = _rows(min(a[1], b[1], c[1]), max(a[1], b[1], c[1]), size)
        for i in range(low0, high0):
            for j in range(low1, high1):
                turn = _side(a, b, i + 0.5, j + 0.5) + _side(b, c, i + 0.5, j + 0.5) + _side(c, a, i + 0.5, j + 0.5)
                if turn != 0:
                    met = _height(a, b, c, i + 0.5, j + 0.5)
                    winding[i - first, j, min(max(math.ceil(met - 0.5), 0), size)] += turn
    inside = np.zeros((count, size, size), np.uint8)
    for i in range(count):
        for j in range(size):
            turns = 0
            for k in range(size):
                turns += winding[i, j, k]
                inside[i, j, k] = turns != 0 if agree else turns % 2 != 0
    return inside


@numba.njit(cache=True, nogil=True)
def _rows(low, high, size):
    """The range of rows of voxels whose centres lie between two places."""
    return max(0, math.ceil(max(low, 0.0) - 0.5)), min(size, math.floor(min(high, float(size)) - 0.5) + 1)


@numba.njit(cache=True, nogil=True)
def _side(a, b, z, y):
    """How an edge counts for the triangle's turn around (z, y): 1 or -1 where it passes beyond it in y, upwards or down, else 0.

    Both triangles at an edge get the same answer, as the lower end always comes first: so no ray slips through between them.
    """
    if (a[0] > z) == (b[0] > z):
        return 0
    upward = b[0] > a[0]
    low, high = (a, b) if upward else (b, a)
    if low[1] + (z - low[0]) * (high[1] - low[1]) / (high[0] - low[0]) <= y:
        return 0
    return 1 if upward else -1


@numba.njit(cache=True, nogil=True)
def _height(a, b, c, z, y):
    """Where along the last axis a triangle lies over (z, y)."""
    b0, b1, c0, c1 = b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]
    area = b0 * c1 - b1 * c0
    if area == 0.0:
        return (a[2] + b[2] + c[2]) / 3.0
    s = ((z - a[0]) * c1 - (y - a[1]) * c0) / area
    t = (b0 * (y - a[1]) - b1 * (z - a[0])) / area
    return a[2] + s * (b[2] - a[2]) + t * (c[2] - a[2])


@numba.njit(cache=True, nogil=True)
def _touch(grid, corners, triangles):
    size = grid.shape[0]
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for m in range(len(triangles)):
        a, b, c = corners[triangles[m, 0]], corners[triangles[m, 1]], corners[triangles[m, 2]]
        for axis in range(3):
            least, most = min(a[axis], b[axis], c[axis]), max(a[axis], b[axis], c[axis])
            low[axis] = math.floor(max(least, 0.0)) if least < size else (size - 1 if least == size else size)
            high[axis] = math.floor(min(most, size - 0.5)) + 1 if most >= 0 else 0
        whole = high[0] - low[0] == 1 and high[1] - low[1] == 1 and high[2] - low[2] == 1
        for i in range(low[0], high[0]):
            for j in range(low[1], high[1]):
                for k in range(low[2], high[2]):
                    if not grid[i, j, k] and (whole or _meets(a, b, c, i + 0.5, j + 0.5, k + 0.5)):
                        grid[i, j, k] = 1


@numba.njit(cache=True, nogil=True)
def _meets(a, b, c, z, y, x):
    """Whether a triangle, whose bounding box meets a voxel of centre (z, y, x), meets the voxel, too."""
    a0, a1, a2 = a[0] - z, a[1] - y, a[2] - x
    b0, b1, b2 = b[0] - z, b[1] - y, b[2] - x
    c0, c1, c2 = c[0] - z, c[1] - y, c[2] - x
    e0, e1, e2 = b0 - a0, b1 - a1, b2 - a2
    f0, f1, f2 = c0 - b0, c1 - b1, c2 - b2
    n0, n1, n2 = e1 * f2 - e2 * f1, e2 * f0 - e0 * f2, e0 * f1 - e1 * f0
    if abs(n0 * a0 + n1 * a1 + n2 * a2) > 0.5 * (abs(n0) + abs(n1) + abs(n2)):
        return False
    g0, g1, g2 = a0 - c0, a1 - c1, a2 - c2
    return not (
        _apart(e0, e1, e2, a0, a1, a2, b0, b1, b2, c0, c1, c2)
        or _apart(f0, f1, f2, a0, a1, a2, b0, b1, b2, c0, c1, c2)
        or _apart(g0, g1, g2, a0, a1, a2, b0, b1, b2, c0, c1, c2)
    )


@numba.njit(cache=True, nogil=True)
def _apart(e0, e1, e2, a0, a1, a2, b0, b1, b2, c0, c1, c2):
    """Whether the cross product of an edge with one of the three axes separates the triangle from the voxel about 0."""
    p, q, r = a2 * e1 - a1 * e2, b2 * e1 - b1 * e2, c2 * e1 - c1 * e2
    if min(p, q, r) > 0.5 * (abs(e1) + abs(e2)) or max(p, q, r) < -0.5 * (abs(e1) + abs(e2)):
        return True
    p, q, r = a0 * e2 - a2 * e0, b0 * e2 - b2 * e0, c0 * e2 - c2 * e0
    if min(p, q, r) > 0.5 * (abs(e0) + abs(e2)) or max(p, q, r) < -0.5 * (abs(e0) + abs(e2)):
        return True
    p, q, r = a1 * e0 - a0 * e1, b1 * e0 - b0 * e1, c1 * e0 - c0 * e1
    return min(p, q, r) > 0.5 * (abs(e0) + abs(e1)) or max(p, q, r) < -0.5 * (abs(e0) + abs(e1))
