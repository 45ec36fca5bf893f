"""Shapes of neurons that are not trees: clouds of points, meshes, the voxels of one label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core.errors import InputError, ShapeError, ValueRangeError
from neurotome.core.geometry import Grid, Nm3

__all__ = ["Mesh", "ObjectVoxels", "PointCloud"]


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points on or in a neuron. points_nm: (n, 3) float64, z, y, x; n at least 1. normals: (n, 3) or None. soma_nm: or None.

    Raises InputError for an empty cloud, ShapeError, and ValueRangeError that names the first point that is not finite.
    """

    points_nm: np.ndarray
    soma_nm: Nm3 | None = None
    normals: np.ndarray | None = None
    name: str = "neuron"

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_nm", _points(self.points_nm, f"'{self.name}'"))
        if not len(self.points_nm):
            raise InputError(f"Point cloud '{self.name}' is empty", "at least one point", "look at the file")
        if self.normals is not None:
            object.__setattr__(self, "normals", np.ascontiguousarray(self.normals, np.float64))
            if self.normals.shape != self.points_nm.shape:
                raise ShapeError(
                    f"'{self.name}' has {len(self.points_nm)} points and normals of shape {self.normals.shape}", "as many"
                )
        if self.soma_nm is not None and not np.isfinite(self.soma_nm).all():
            raise ValueRangeError(f"The soma of '{self.name}' is at {self.soma_nm}", "finite coordinates", "leave it out")

    def __len__(self) -> int:
        return len(self.points_nm)


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface of triangles. vertices_nm: (n, 3) float64, z, y, x. triangles: (m, 3) int64, vertex numbers. soma_nm: or None.

    Seen from outside, in a right-handed space x, y, z, the corners of a triangle run anticlockwise.
    Raises InputError for a mesh without triangles or with vertex numbers that do not exist, ValueRangeError for vertices that
    are not finite.
    """

    vertices_nm: np.ndarray
    triangles: np.ndarray
    soma_nm: Nm3 | None = None
    name: str = "neuron"

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices_nm", _points(self.vertices_nm, f"'{self.name}'"))
        triangles = np.ascontiguousarray(self.triangles, np.int64)
        object.__setattr__(self, "triangles", triangles)
        if triangles.ndim != 2 or triangles.shape[1] != 3:
            raise ShapeError(f"Triangles of '{self.name}' have shape {triangles.shape}", "(m, 3), vertex numbers")
        if not len(triangles):
            raise InputError(f"Mesh '{self.name}' has no triangles", "at least one", "give it as a point cloud")
        if triangles.min() < 0 or triangles.max() >= len(self.vertices_nm):
            raise InputError(
                f"Mesh '{self.name}' has a triangle with vertex {int(triangles.max())}",
                f"numbers from 0 to {len(self.vertices_nm) - 1}",
            )


@dataclass(frozen=True, eq=False)
class ObjectVoxels:
    """The voxels of one label. voxels: (n, 3) int64, z, y, x, indices on `grid`; n at least 1. soma_nm: or None."""

    voxels: np.ndarray
    grid: Grid
    soma_nm: Nm3 | None = None
    name: str = "neuron"

    def __post_init__(self) -> None:
        voxels = np.ascontiguousarray(self.voxels, np.int64)
        object.__setattr__(self, "voxels", voxels)
        if voxels.ndim != 2 or voxels.shape[1] != 3:
            raise ShapeError(f"Voxels of '{self.name}' have shape {voxels.shape}", "(n, 3), z, y, x")
        if not len(voxels):
            raise InputError(
                f"Object '{self.name}' has no voxels", "an id that occurs in the volume", "look at the table of neurons"
            )

    @property
    def points_nm(self) -> np.ndarray:
        """(n, 3) float64, the centres of the voxels."""
        return np.asarray(self.voxels * np.asarray(self.grid.voxel_nm) + np.asarray(self.grid.origin_nm))


def _points(values: np.ndarray, whose: str) -> np.ndarray:
    points = np.ascontiguousarray(values, np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ShapeError(f"Points of {whose} have shape {points.shape}", "(n, 3), z, y, x in nm")
    if not np.isfinite(points).all():
        row = int(np.flatnonzero(~np.isfinite(points).all(1))[0])
        raise ValueRangeError(f"Point {row} of {whose} is {tuple(points[row].tolist())}", "finite coordinates", "mend or drop it")
    return points
