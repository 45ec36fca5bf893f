"""The surface on which a field of numbers is zero, as small flat faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numba
import numpy as np

from neurotome.core.geometry import Nm3
from neurotome.measure.surfaces.checks import require_voxel

__all__ = ["Faces", "zero_level"]

TETRAHEDRA = np.array([(0, a, a + b, 7) for a, b, _ in permutations((4, 2, 1))], np.int64)
"""Six tetrahedra that fill a cell of 2 x 2 x 2 voxel centres, by corner; bit 4, 2, 1 of a corner: far in z, y, x."""
_ROOM = 1 << 17
"""Triangles that are written before they are counted; a plane across a crop of 80 has a tenth of it."""
_TIE = 1e-6
"""Centroids half way between two voxels go to the upper one, whatever rounding says."""


@dataclass(frozen=True, eq=False)
class Faces:
    """Triangles of a surface. centroids_vox: (n, 3) float64. areas_nm2: (n, 3), the normal towards positive values, as long as
    the face is large."""

    centroids_vox: np.ndarray
    areas_nm2: np.ndarray

    def __len__(self) -> int:
        return len(self.centroids_vox)

    @cached_property
    def voxels(self) -> np.ndarray:
        """(n, 3) int64: the voxel in which each face's centroid lies."""
        return np.floor(self.centroids_vox + (0.5 + _TIE)).astype(np.int64)

    @property
    def area_nm2(self) -> float:
        return float(np.linalg.norm(self.areas_nm2, axis=1).sum())

    @property
    def normal(self) -> np.ndarray:
        """(3,) the mean normal, of length 1: the faces' projection is largest along it. NaN where they cancel out."""
        total = self.areas_nm2.sum(axis=0)
        length = np.linalg.norm(total)
        return np.asarray(total / length if length > 0 else np.full(3, np.nan))

    @property
    def projected_nm2(self) -> float:
        """Their area as seen along the mean normal; what is folded counts as often as it is met."""
        return float(np.abs(self.areas_nm2 @ self.normal).sum())

    def within(self, mask: np.ndarray) -> Faces:
        """The faces whose centroid lies in a voxel of the mask (z, y, x); none beyond its array does."""
        voxels = self.voxels
        inside: np.ndarray = np.all((voxels >= 0) & (voxels < mask.shape), axis=1)
        inside[inside] = mask[tuple(voxels[inside].T)]
        return Faces(self.centroids_vox[inside], self.areas_nm2[inside])


def zero_level(field: np.ndarray, voxel_nm: Nm3, *, beyond: bool = False) -> Faces:
    """Faces where a field, linear between voxel centres, passes from below 0 to 0 or more.

    Each cell between eight voxel centres is cut into six tetrahedra (Kuhn 1960), in each of which the field is linear and its
    zero a triangle or two; so there are no ambiguous cases and no gaps. field: (z, y, x) finite floats. beyond: let the field go
    on unchanged for a voxel beyond the array, so that faces end at the voxels' borders and not at their centres.

    >>> faces = zero_level(np.broadcast_to(np.arange(4.0) - 1.5, (5, 5, 4)), (8.0, 8.0, 8.0))
    >>> float(faces.area_nm2), faces.normal.tolist()
    (1024.0, [0.0, 0.0, 1.0])
    """
    field = np.pad(field, 1, mode="edge") if beyond else field
    field, voxel = np.ascontiguousarray(field, dtype=np.float64), np.array(require_voxel(voxel_nm))
    room = _ROOM
    found, areas, count = _cut_cells(field, voxel, TETRAHEDRA, room)
    if count > room:
        found, areas, count = _cut_cells(field, voxel, TETRAHEDRA, count)
    return Faces(found[:count] - 1 if beyond else found[:count], areas[:count])


@numba.njit(cache=True, nogil=True)
def _cut_cells(field, voxel, tetrahedra, room):  # type: ignore[no-untyped-def]
    """Centroids in voxels and area vectors of the triangles of all cells, and their number; beyond the room none is written."""
    depth, height, width = field.shape
    centroids, areas = np.empty((room, 3)), np.empty((room, 3))
    polygon = np.empty((4, 3))
    n = 0
    for z in range(depth - 1):
        for y in range(height - 1):
            for x in range(width - 1):
                below = 0
                for k in range(8):
                    below += field[z + (k >> 2), y + (k >> 1 & 1), x + (k & 1)] < 0
                if below == 0 or below == 8:
                    continue
                for t in range(len(tetrahedra)):
                    sides = _cut_tetrahedron(field, (z, y, x), tetrahedra[t], polygon)
                    for side in range(2, sides):
                        if n < room:
                            _add_triangle(polygon, side, voxel, centroids[n], areas[n])
                            _turn_upwards(field, (z, y, x), tetrahedra[t], voxel, areas[n])
                        n += 1
    return centroids, areas, n


@numba.njit(cache=True, nogil=True)
def _value(field, cell, corner):  # type: ignore[no-untyped-def]
    return field[cell[0] + (corner >> 2), cell[1] + (corner >> 1 & 1), cell[2] + (corner & 1)]


@numba.njit(cache=True, nogil=True)
def _cut_tetrahedron(field, cell, tetrahedron, polygon):  # type: ignore[no-untyped-def]
    """The zero of the linear field in a tetrahedron: writes its 0, 3 or 4 corners in order, gives their number."""
    ends = np.empty(4, np.int64)
    below, above = 0, 0
    for i in range(4):
        # Corners below 0 from the front, the others from the back.
        if _value(field, cell, tetrahedron[i]) < 0:
            ends[below] = tetrahedron[i]
            below += 1
        else:
            above += 1
            ends[4 - above] = tetrahedron[i]
    sides = below * above
    for side in range(sides):
        # For two and two the walk is 00, 01, 11, 10: neighbours share an end, so the four lie in order.
        i, j = (side // 2, (side + 1) // 2 % 2) if sides == 4 else (side % below, side % above)
        a, b = ends[i], ends[3 - j]
        low, high = _value(field, cell, a), _value(field, cell, b)
        share = low / (low - high)
        for axis in range(3):
            start, end = a >> (2 - axis) & 1, b >> (2 - axis) & 1
            polygon[side, axis] = cell[axis] + start + share * (end - start)
    return sides


@numba.njit(cache=True, nogil=True)
def _add_triangle(polygon, side, voxel, centroid, area):  # type: ignore[no-untyped-def]
    """The triangle of a polygon's first corner and the two that end at `side`."""
    for axis in range(3):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        u_i, v_i = (polygon[side - 1, i] - polygon[0, i]) * voxel[i], (polygon[side, i] - polygon[0, i]) * voxel[i]
        u_j, v_j = (polygon[side - 1, j] - polygon[0, j]) * voxel[j], (polygon[side, j] - polygon[0, j]) * voxel[j]
        area[axis] = (u_i * v_j - u_j * v_i) / 2
        centroid[axis] = (polygon[0, axis] + polygon[side - 1, axis] + polygon[side, axis]) / 3


@numba.njit(cache=True, nogil=True)
def _turn_upwards(field, cell, tetrahedron, voxel, area):  # type: ignore[no-untyped-def]
    """Turn a normal so that the field grows along it; the way from the lowest to the highest corner tells, as it is linear."""
    low, high = tetrahedron[0], tetrahedron[0]
    for i in range(4):
        value = _value(field, cell, tetrahedron[i])
        low = tetrahedron[i] if value < _value(field, cell, low) else low
        high = tetrahedron[i] if value > _value(field, cell, high) else high
    along = 0.0
    for axis in range(3):
        along += ((high >> (2 - axis) & 1) - (low >> (2 - axis) & 1)) * voxel[axis] * area[axis]
    if along < 0:
        for axis in range(3):
            area[axis] = -area[axis]
