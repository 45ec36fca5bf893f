"""What is made of occupied voxels: thicker ones, distances, centre lines."""

from __future__ import annotations

import numpy as np

__all__ = ["centre_lines", "clipped_distance", "dilated"]

FARTHEST = 3.0
"""Distances are cut at so many voxels."""


def dilated(occupied: np.ndarray, rounds: int) -> np.ndarray:
    """Every voxel with an occupied one among its 26 neighbours is occupied, too, so many times over. (z, y, x) bool or 0/1.

    >>> dilated(np.eye(1, 5, 0, dtype=np.uint8)[None], 2).tolist()
    [[[1, 1, 1, 0, 0]]]
    """
    grown = occupied.copy()
    for _ in range(rounds):
        for axis in range(3):
            before = np.moveaxis(grown, axis, 0).copy()
            after = np.moveaxis(grown, axis, 0)
            after[1:] |= before[:-1]
            after[:-1] |= before[1:]
    return grown


def clipped_distance(occupied: np.ndarray) -> np.ndarray:
    """The distance of each voxel's centre to the surface, in voxels, above 0 inside and below 0 outside, at most 3 either way.

    The surface lies half a voxel beyond the centre of an occupied voxel that has an empty neighbour. (z, y, x) -> float32.

    >>> clipped_distance(np.array([[[1, 1, 0, 0, 0, 0]]], bool)).tolist()
    [[[1.5, 0.5, -0.5, -1.5, -2.5, -3.0]]]
    """
    from edt import edt

    inside = np.ascontiguousarray(occupied, np.uint8)
    to_empty, to_occupied = edt(inside, parallel=1), edt(1 - inside, parallel=1)
    signed = np.where(inside, to_empty - 0.5, 0.5 - to_occupied)
    return np.clip(signed, -FARTHEST, FARTHEST).astype(np.float32)


def centre_lines(occupied: np.ndarray) -> np.ndarray:
    """Occupied voxels thinned to lines that keep their connections (Lee et al. 1994), bool. A skeleton has its own line."""
    from skimage.morphology import skeletonize

    return np.asarray(skeletonize(np.asarray(occupied, bool)), bool)
