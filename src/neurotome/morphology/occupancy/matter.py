"""What of a shape takes up room: its capsules, points, triangles or voxels; where they reach, and how they are spread."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core import SOMA, Mesh, ObjectVoxels, PointCloud, Skeleton
from neurotome.core.geometry import Nm3
from neurotome.morphology.occupancy.points import drawn

__all__ = ["Capsules", "Shape", "bounds", "capsules_of", "drawn_shape", "extent_points", "shape_sha256", "soma_of", "spread_of"]

Shape = Skeleton | PointCloud | Mesh | ObjectVoxels


@dataclass(frozen=True, eq=False)
class Capsules:
    """The room a skeleton takes. starts, ends: (m, 3) nm. radii: (m, 2) nm at both, 0 where unknown.

    A capsule is the union of all balls on the straight line between its ends, the radius changing evenly; a ball has equal ends.
    """

    starts: np.ndarray
    ends: np.ndarray
    radii: np.ndarray


def capsules_of(skeleton: Skeleton) -> Capsules:
    """One capsule per edge, a ball per soma node and per node without edges.

    A neurite begins at its soma with the radius of its first node, as no cone leads there from the soma's surface. Soma nodes
    that nothing hangs on only say how wide the soma is (the three-point somata of archives): they take no room of their own.

    >>> tree = Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 50]], radii_nm=[20, 5], kinds=[1, 3])
    >>> capsules_of(tree).radii.tolist()
    [[5.0, 5.0], [20.0, 20.0]]
    """
    above, radii = skeleton.parent_rows, skeleton.radii_nm
    soma = skeleton.kinds == SOMA
    lone = (above < 0) & (skeleton.children == 0)
    outline = soma & (above >= 0) & (skeleton.children == 0) & ~soma.all()
    edges = np.flatnonzero((above >= 0) & ~outline)
    balls = np.flatnonzero(lone | (soma & ~outline))
    parents = above[edges]
    at_parent = np.where(soma[parents] & ~soma[edges], radii[edges], radii[parents])
    points = skeleton.points_nm
    return Capsules(
        np.concatenate([points[parents], points[balls]]),
        np.concatenate([points[edges], points[balls]]),
        np.column_stack([np.concatenate([at_parent, radii[balls]]), np.concatenate([radii[edges], radii[balls]])]),
    )


def drawn_shape(shape: Shape, n_points: int | None) -> Shape:
    """So many points of a cloud, see `drawn`; other shapes have no points to choose from and stay as they are."""
    return drawn(shape, n_points) if isinstance(shape, PointCloud) else shape


def shape_sha256(shape: Shape) -> str:
    """Of the geometry, wherever it was read from: points, links, radii, kinds."""
    parts = {
        Skeleton: ("points_nm", "parent_rows", "radii_nm", "kinds"),
        PointCloud: ("points_nm",),
        Mesh: ("vertices_nm", "triangles"),
        ObjectVoxels: ("voxels",),
    }[type(shape)]
    digest = hashlib.sha256(repr((type(shape).__name__, soma_of(shape), getattr(shape, "grid", None))).encode())
    for part in parts:
        digest.update(np.ascontiguousarray(getattr(shape, part)).tobytes())
    return digest.hexdigest()


def soma_of(shape: Shape) -> Nm3 | None:
    """The middle of the soma, z, y, x in nm: the mean of a skeleton's soma nodes. None where it is not known."""
    if not isinstance(shape, Skeleton):
        return shape.soma_nm
    nodes = shape.points_nm[shape.kinds == SOMA]
    if not len(nodes):
        return None
    z, y, x = nodes.mean(0).tolist()
    return z, y, x


def extent_points(shape: Shape) -> np.ndarray:
    """(n, 3) nm: nodes, points, vertices or the centres of voxels."""
    return shape.vertices_nm if isinstance(shape, Mesh) else shape.points_nm


def bounds(shape: Shape, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest coordinate, (3,) each in nm, that the turned shape takes up, its thickness included."""
    if isinstance(shape, Skeleton):
        capsules = capsules_of(shape)
        at_starts = _box(capsules.starts, capsules.radii[:, 0], rotation)
        at_ends = _box(capsules.ends, capsules.radii[:, 1], rotation)
        return np.minimum(at_starts[0], at_ends[0]), np.maximum(at_starts[1], at_ends[1])
    half = np.abs(rotation) @ np.asarray(shape.grid.voxel_nm) / 2 if isinstance(shape, ObjectVoxels) else np.zeros(3)
    points = extent_points(shape)
    low, high = _box(points, np.zeros(len(points)), rotation)
    return low - half, high + half


def spread_of(shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shape as weighted lines: starts (m, 3), ends (m, 3), weights (m,), where a point is a line of equal ends.

    A skeleton is its cable, weighted by length (its nodes, where it has none); a mesh the middles of its edges, weighted by area,
    which have the mean and the covariance of the surface; other shapes are their points.
    """
    if isinstance(shape, Skeleton):
        edges = np.flatnonzero(shape.edge_nm > 0)
        if len(edges):
            return shape.points_nm[shape.parent_rows[edges]], shape.points_nm[edges], shape.edge_nm[edges]
    if isinstance(shape, Mesh):
        a, b, c = (shape.vertices_nm[shape.triangles[:, corner]] for corner in range(3))
        area = np.sqrt((np.cross(b - a, c - a) ** 2).sum(1))
        middles = np.concatenate([a + b, b + c, c + a]) / 2
        return middles, middles, np.tile(area if area.any() else np.ones(len(a)), 3)
    points = extent_points(shape)
    return points, points, np.ones(len(points))


@numba.njit(cache=True, nogil=True)
def _box(points: np.ndarray, reach: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest coordinates, (3,) each, of balls about turned points; NumPy is slow at columns of three."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for n in range(len(points)):
        for axis in range(3):
            at = rotation[axis, 0] * points[n, 0] + rotation[axis, 1] * points[n, 1] + rotation[axis, 2] * points[n, 2]
            low[axis] = min(low[axis], at - reach[n])
            high[axis] = max(high[axis], at + reach[n])
    return low, high
