"""Surfaces of all objects in a box at once. A pure array function."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit

from neurotome.core.geometry import Int3

__all__ = ["Surface", "label_surfaces"]


@dataclass(frozen=True, eq=False)
class Surface:
    """The surface of one object: vertices (n, 3) z, y, x, where voxel i has its centre at i; triangles (m, 3) of vertex numbers.

    Seen from outside, in a right-handed space x, y, z, the corners of a triangle run anticlockwise.
    """

    label: int
    vertices: np.ndarray
    triangles: np.ndarray


def label_surfaces(
    ids: np.ndarray, *, corner: Int3 = (0, 0, 0), closed_below: tuple[bool, bool, bool] = (False,) * 3
) -> list[Surface]:
    """The surface of each object (not 0) in a box, by surface nets (Gibson 1998), in order of the ids.

    A surface has two triangles for each face between a voxel of the object and one that is not. Their corners lie in the cubes
    between eight voxel centres: one vertex per cube and object, the mean of the middles of those edges of the cube that cross
    the surface. So a vertex depends on eight voxels only, and pieces from neighbouring boxes fit without gap or overlap.

    ids: (z, y, x) with a rim of one voxel on each side: voxels of the neighbours, or 0 where the volume ends. A box has the
    faces of its voxels towards higher indices; closed_below: along which axes it has those on its lower side, too, because
    the volume begins there. corner: index of the first voxel of the rim, the unit of the vertices.

    >>> one = np.zeros((3, 3, 3), np.uint64)
    >>> one[1, 1, 1] = 7
    >>> [cube] = label_surfaces(one, closed_below=(True, True, True))
    >>> cube.label, cube.vertices.shape, cube.triangles.shape
    (7, (8, 3), (12, 3))
    """
    ids = np.ascontiguousarray(ids)
    first = tuple(0 if closed else 1 for closed in closed_below)
    count = _faces(ids, first, np.empty(0, ids.dtype), np.empty((0, 4), np.int64), False)
    labels, quads = np.empty(count, ids.dtype), np.empty((count, 4), np.int64)
    _faces(ids, first, labels, quads, True)
    order = np.argsort(labels, kind="stable")
    labels, quads = labels[order], quads[order]
    bounds = np.r_[np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]]), count] if count else np.zeros(1, np.int64)
    vertex_of = np.full(ids.size, -1, np.int64)
    surfaces = []
    for start, end in pairwise(bounds.tolist()):
        cells = np.empty(4 * (end - start), np.int64)
        numbers = np.empty((end - start, 4), np.uint32)
        cells = cells[: _number(quads[start:end], vertex_of, cells, numbers)]
        vertices = _vertices(ids, cells, labels[start], np.array(corner, np.int64))
        triangles = np.concatenate([numbers[:, :3], numbers[:, [0, 2, 3]]])
        surfaces.append(Surface(int(labels[start]), vertices, triangles))
        vertex_of[cells] = -1
    return surfaces


@njit(cache=True, nogil=True)
def _faces(ids, first, labels, quads, write):  # type: ignore[no-untyped-def]
    """The number of faces between different voxels, one for each object; or (write) the object and the four cubes of each."""
    nz, ny, nx = ids.shape
    strides = (ny * nx, nx, 1)
    n = 0
    for axis in range(3):
        # Right-handed in x, y, z: y and z around x, z and x around y, x and y around z.
        b, c = strides[(axis + 2) % 3], strides[(axis + 1) % 3]
        for z in range(first[0] if axis == 0 else 1, nz - 1):
            for y in range(first[1] if axis == 1 else 1, ny - 1):
                for x in range(first[2] if axis == 2 else 1, nx - 1):
                    at = z * strides[0] + y * strides[1] + x
                    low = ids[z, y, x]
                    high = ids[z + (axis == 0), y + (axis == 1), x + (axis == 2)]
                    if low == high:
                        continue
                    if low != 0:
                        if write:
                            labels[n] = low
                            quads[n, 0], quads[n, 1], quads[n, 2], quads[n, 3] = at - b - c, at - c, at, at - b
                        n += 1
                    if high != 0:
                        if write:
                            labels[n] = high
                            quads[n, 0], quads[n, 1], quads[n, 2], quads[n, 3] = at - b - c, at - b, at, at - c
                        n += 1
    return n


@njit(cache=True, nogil=True)
def _number(quads, vertex_of, cells, numbers):  # type: ignore[no-untyped-def]
    """Number the cubes in the order in which they are met; `vertex_of` is -1 wherever this object has no number yet."""
    n = 0
    for i in range(quads.shape[0]):
        for j in range(4):
            cell = quads[i, j]
            if vertex_of[cell] < 0:
                vertex_of[cell] = n
                cells[n] = cell
                n += 1
            numbers[i, j] = vertex_of[cell]
    return n


@njit(cache=True, nogil=True)
def _vertices(ids, cells, label, corner):  # type: ignore[no-untyped-def]
    """Mean of the middles of the edges that cross, by whole numbers first: the same in whichever box a cube is met."""
    _, ny, nx = ids.shape
    out = np.empty((cells.size, 3), np.float64)
    for i in range(cells.size):
        z, y, x = cells[i] // (ny * nx), cells[i] // nx % ny, cells[i] % nx
        crossings = 0
        halves = np.zeros(3, np.int64)
        for p in range(2):
            for q in range(2):
                edges = (
                    ((0, p, q), (1, p, q), (1, 2 * p, 2 * q)),
                    ((p, 0, q), (p, 1, q), (2 * p, 1, 2 * q)),
                    ((p, q, 0), (p, q, 1), (2 * p, 2 * q, 1)),
                )
                for a, b, middle in edges:
                    inside = ids[z + a[0], y + a[1], x + a[2]] == label
                    if inside != (ids[z + b[0], y + b[1], x + b[2]] == label):
                        crossings += 1
                        for axis in range(3):
                            halves[axis] += middle[axis]
        out[i, 0] = corner[0] + z + halves[0] / (2 * crossings)
        out[i, 1] = corner[1] + y + halves[1] / (2 * crossings)
        out[i, 2] = corner[2] + x + halves[2] / (2 * crossings)
    return out
