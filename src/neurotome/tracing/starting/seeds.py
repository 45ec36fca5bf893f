"""Where the user says that a neuron begins, and the voxel in the middle of its neurite that this means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core import Box, InputError, ShapeError
from neurotome.core.geometry import Int3
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS, ObjectVoxels

__all__ = ["FARTHEST", "Seed", "click", "snap_seeds"]

FARTHEST = 10
"""How far from the object a start point may lie, in voxels."""

_AXES = "zyx"


@dataclass(frozen=True)
class Seed:
    """A start point: as given, and the number and place of the object voxel it stands for."""

    given: Int3
    number: int
    voxel: Int3


def snap_seeds(voxels: ObjectVoxels, depth: np.ndarray, points: np.ndarray) -> tuple[tuple[Seed, ...], tuple[str, ...]]:
    """The object voxels that start points stand for, and a note for every point that was not on the object.

    A point goes to the nearest object voxel (in voxels; of several the first in the volume) and from there uphill to a local
    maximum of the depth, as long as where it came from lies in the ball that fits around where it is.

    points: (k, 3) integers, z, y, x. depth: (n,) from `distance_to_background`.
    Raises InputError for a point outside of the volume or more than FARTHEST voxels from every object voxel.
    """
    points = np.atleast_2d(np.asarray(points))
    if points.ndim != 2 or points.shape[1] != 3:
        raise ShapeError(f"Start points of shape {points.shape}", "(k, 3), voxels z, y, x")
    if points.dtype.kind not in "iu":
        raise InputError(f"Start points of type {points.dtype}", "whole voxels z, y, x", "divide nm by the voxel size and round")
    seeds, notes = [], []
    for point in points.astype(np.int64):
        given = _as_voxel(point)
        nearest, distance = _nearest(voxels, given)
        if distance > 0:
            there = _as_voxel(voxels.positions[nearest])
            notes.append(f"Start point {given} lies in the background; moved {distance:.1f} voxels, to {there}")
        number = _uphill(voxels, depth, nearest)
        seeds.append(Seed(given, number, _as_voxel(voxels.positions[number])))
    return tuple(seeds), tuple(notes)


def click(bricks: Bricks, axis: int, at: tuple[int, int], threshold: int) -> Int3:
    """The voxel that a click in the projection along `axis` (0 z, 1 y, 2 x) means.

    Along the line of sight it is the middle of the longest run of voxels of at least `threshold`, as in NeuronStudio; of equal
    runs the first, of two middle voxels the lower one. at: the other two indices, in the order z, y, x.

    Raises InputError for a click outside of the picture or where nothing is bright enough.
    """
    start, stop = list(at), [i + 1 for i in at]
    start.insert(axis, 0)
    stop.insert(axis, bricks.shape[axis])
    if any(not 0 <= a < n for a, n in zip(start, bricks.shape, strict=True)):
        raise InputError(
            f"Click at {tuple(at)} along {_AXES[axis]}", f"a place in a volume of {bricks.shape}", "click in the picture"
        )
    bright = bricks.read(Box(tuple(start), tuple(stop))).reshape(-1) >= threshold  # type: ignore[arg-type]
    if not bright.any():
        raise InputError(
            f"No voxel of {threshold} or more behind the click at {tuple(at)} along {_AXES[axis]}",
            "a click on a neurite",
            "click on one, or lower the threshold",
        )
    edges = np.flatnonzero(np.diff(np.concatenate(([False], bright, [False]))))
    longest = int(np.argmax(edges[1::2] - edges[::2]))
    start[axis] = (int(edges[2 * longest]) + int(edges[2 * longest + 1]) - 1) // 2
    return _as_voxel(np.array(start))


def _nearest(voxels: ObjectVoxels, given: Int3) -> tuple[int, float]:
    """Number of the object voxel nearest to a point, and how many voxels away it is."""
    if any(not 0 <= i < n for i, n in zip(given, voxels.shape, strict=True)):
        raise InputError(
            f"Start point {given} lies outside of the volume", f"z, y, x below {voxels.shape}", "check the axis order"
        )
    here = voxels.at(given)
    if here >= 0:
        return here, 0.0
    squares = ((voxels.positions.astype(np.int64) - np.array(given)) ** 2).sum(1)
    ties = np.flatnonzero(squares == squares.min())
    nearest = int(ties[np.argmin(voxels.places[ties])])
    distance = float(np.sqrt(squares[nearest]))
    if distance > FARTHEST:
        there = _as_voxel(voxels.positions[nearest])
        raise InputError(
            f"Start point {given} lies in the background, {distance:.1f} voxels from the nearest object voxel {there}",
            f"at most {FARTHEST} voxels",
            "click on the neurite, or lower the threshold",
        )
    return nearest, distance


def _uphill(voxels: ObjectVoxels, depth: np.ndarray, number: int) -> int:
    """Always to the deepest neighbour, of several to the one nearest to the beginning, while that lies within the depth."""
    sides = np.array(voxels.voxel_nm)
    began, here = voxels.positions[number], number
    while True:
        around = np.array([voxels.at(_as_voxel(voxels.positions[here] + step)) for step in NEIGHBOURS])
        around = around[around >= 0]
        if not len(around) or depth[around].max() <= depth[here]:
            return here
        away = np.sqrt((((voxels.positions[around] - began) * sides) ** 2).sum(1))
        best = np.lexsort((away, -depth[around]))[0]
        if away[best] > depth[around[best]]:
            return here
        here = int(around[best])


def _as_voxel(position: np.ndarray) -> Int3:
    z, y, x = (int(i) for i in position)
    return z, y, x
