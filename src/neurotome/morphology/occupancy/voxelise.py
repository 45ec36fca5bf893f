"""One shape, one grid."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import lru_cache

import numpy as np

from neurotome.core import Frame, InputError, Mesh, Occupancy, PointCloud, ShapeError, Skeleton
from neurotome.morphology.occupancy.capsules import filled_share, paint_capsules, paint_lines, share_outside
from neurotome.morphology.occupancy.frames import frame_of
from neurotome.morphology.occupancy.labels import label_share, label_voxels
from neurotome.morphology.occupancy.matter import Shape, bounds, capsules_of, drawn_shape
from neurotome.morphology.occupancy.modes import centre_lines, clipped_distance, dilated
from neurotome.morphology.occupancy.points import hit_voxels, legacy_voxels, splat
from neurotome.morphology.occupancy.settings import GridSettings
from neurotome.morphology.occupancy.surfaces import filled_mesh_share, mesh_voxels

__all__ = ["voxelise"]

_log = logging.getLogger("neurotome.morphology")

NOTED = 0.01
"""A larger share outside the grid is worth a warning."""


def voxelise(shape: Shape, settings: GridSettings, frame: Frame | None = None) -> Occupancy:
    """The voxels that a shape takes up, on the grid that the settings ask for, or on a given one.

    mode hits: bool, what counts as occupied is said in `capsules.py`, `points.py`, `surfaces.py` and `labels.py`, then `dilate`
    rounds of dilation; soft: float32, the share of a voxel that is taken up, for clouds a Gaussian about each point; edt:
    float32, the distance to the surface, -3 to 3 voxels; skeleton: bool, centre lines only.

    `frame.clipped_fraction` of the result is the share outside the grid: of cable, of points, of area or of voxels.
    Above 1 % it is logged. Raises InputError where it is above `settings.most_clipped`, UnitError, ShapeError for a frame of
    another size.
    """
    shape = drawn_shape(shape, settings.n_points)
    frame = frame or frame_of(shape, settings)
    if frame.grid != settings.size:
        raise ShapeError(f"A frame of {frame.grid} voxels", f"{settings.size}, as the settings say", "make them agree")
    make = _soft if settings.mode == "soft" else _hits
    data, clipped = make(shape, settings, frame)
    _require_within(shape, settings, frame, clipped)
    if settings.mode != "soft":
        data = dilated(data, settings.dilate).view(np.bool_)
    if settings.mode == "edt":
        data = clipped_distance(data)
    if settings.mode == "skeleton" and not isinstance(shape, Skeleton):
        data = centre_lines(data)
    return Occupancy(data, replace(frame, clipped_fraction=clipped), shape.name)


def _hits(shape: Shape, settings: GridSettings, frame: Frame) -> tuple[np.ndarray, float]:
    """uint8 0 and 1, and the share outside."""
    if isinstance(shape, Skeleton):
        return _skeleton_hits(shape, settings, frame)
    if isinstance(shape, Mesh):
        clipped = _area_outside(shape, frame)
        return mesh_voxels(shape, frame, settings.fill), clipped
    if not isinstance(shape, PointCloud):
        return label_voxels(shape, frame)
    if settings.rule == "legacy":
        # Not by way of the frame: the rule is exact only in its own order of operations.
        turned = shape.points_nm @ np.asarray(frame.rotation).T
        grid, outside = legacy_voxels(turned, frame.voxel_nm, frame.grid)
    else:
        grid, outside = hit_voxels(shape.points_nm, frame)
    return grid, outside / len(shape)


def _soft(shape: Shape, settings: GridSettings, frame: Frame) -> tuple[np.ndarray, float]:
    """float32 from 0 to 1, and the share outside."""
    if isinstance(shape, Skeleton):
        starts, ends, radii, clipped = _capsules_on(shape, settings, frame)
        return filled_share(frame.grid, starts, ends, radii), clipped
    if isinstance(shape, Mesh):
        return filled_mesh_share(shape, frame), _area_outside(shape, frame)
    if isinstance(shape, PointCloud):
        positions = frame.index(shape.points_nm)
        outside = ((positions < 0) | (positions > frame.grid)).any(1)
        return splat(positions, frame.grid), float(outside.mean())
    return label_share(shape, frame)


def _skeleton_hits(skeleton: Skeleton, settings: GridSettings, frame: Frame) -> tuple[np.ndarray, float]:
    starts, ends, radii, clipped = _capsules_on(skeleton, settings, frame)
    grid = np.zeros((frame.grid,) * 3, np.uint8)
    if settings.mode == "skeleton":
        paint_lines(grid, starts, ends)
    else:
        paint_capsules(grid, starts, ends, radii)
    return grid, clipped


def _capsules_on(skeleton: Skeleton, settings: GridSettings, frame: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Starts, ends and radii in voxels, and the share of cable outside."""
    if not skeleton.radii_nm.any():
        if settings.strict_radii:
            raise InputError(
                f"'{skeleton.name}' has no radii",
                "a radius column with numbers above 0",
                "take strict_radii=False for half a voxel",
            )
        _warn_once(f"'{skeleton.name}' has no radii: every neurite is drawn half a voxel in radius")
    capsules = capsules_of(skeleton)
    starts, ends = frame.index(capsules.starts), frame.index(capsules.ends)
    return starts, ends, capsules.radii / frame.voxel_nm, share_outside(starts, ends, frame.grid)


def _area_outside(mesh: Mesh, frame: Frame) -> float:
    """The share of the area in triangles whose middles lie outside."""
    a, b, c = (mesh.vertices_nm[mesh.triangles[:, corner]] for corner in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    outside = (np.abs(frame.unit((a + b + c) / 3)) > 1).any(1)
    return float(area @ outside / area.sum()) if area.any() else float(outside.mean())


def _require_within(shape: Shape, settings: GridSettings, frame: Frame, clipped: float) -> None:
    """Nothing is cut silently. Raises InputError where too much is."""
    if clipped <= min(NOTED, settings.most_clipped):
        return
    lower, upper = bounds(shape, np.asarray(frame.rotation))
    middle = np.asarray(frame.rotation) @ np.asarray(frame.centre_nm)
    needed = float(np.maximum(middle - lower, upper - middle).max())
    what = f"{clipped:.1%} of '{shape.name}' lies outside the grid, which reaches {frame.hi_nm / 1e3:.1f} um from its centre"
    if clipped > settings.most_clipped:
        raise InputError(
            what,
            f"at most {settings.most_clipped:.0%}",
            f"take extent_nm={np.ceil(needed):.0f}, which holds all of it, or scale='per_shape'; or allow it with most_clipped",
        )
    _warn_once(f"{what}; extent_nm={np.ceil(needed):.0f} would hold all of it")


@lru_cache(maxsize=4096)
def _warn_once(message: str) -> None:
    """A training looks at each neuron thousands of times, and would say the same each time."""
    _log.warning(message)
