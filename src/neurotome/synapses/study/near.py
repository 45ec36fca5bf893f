"""The nearest voxel of something, looked for in a small window of a lazy volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurotome.core import Box, Image, Labels
from neurotome.core.geometry import Int3, Nm3

__all__ = ["ids_at", "nearest_voxel", "window"]

PLANE_VOXELS = 1 << 24
"""What is read at once of a section to look at several of its voxels."""


def window(volume: Image | Labels, centre: Sequence[int], reach: Sequence[int]) -> tuple[Box, np.ndarray]:
    """The box of so many voxels about a voxel along z, y, x, clipped to the volume, and what is in it."""
    z, y, x = (int(c) for c in centre)
    a, b, c = (int(r) for r in reach)
    box = Box((z - a, y - b, x - c), (z + a + 1, y + b + 1, x + c + 1)).clip(volume.grid.shape)
    return box, volume.read(box)


def nearest_voxel(mask: np.ndarray, target: Sequence[float], spacing: Nm3 = (1.0, 1.0, 1.0)) -> tuple[Int3, float] | None:
    """The true voxel with the smallest Euclidean distance to `target`, and that distance; None where no voxel is true.

    mask: (z, y, x) bool. target: an index into it, which may lie outside. spacing: length of a voxel along each axis.
    Of several, the first in z, y, x order.

    >>> nearest_voxel(np.array([[[True, False, False, True]]]), (0, 0, 2), (1.0, 1.0, 10.0))
    ((0, 0, 3), 10.0)
    """
    places = np.argwhere(mask)
    if not len(places):
        return None
    squared = (((places - np.asarray(target, np.float64)) * np.asarray(spacing)) ** 2).sum(1)
    best = int(np.argmin(squared))
    z, y, x = (int(v) for v in places[best])
    return (z, y, x), float(np.sqrt(squared[best]))


def ids_at(labels: Labels, points: np.ndarray) -> np.ndarray:
    """The id at each voxel, 0 for those outside the volume.

    points: (n, 3) whole numbers. A section is read once for all of its points: in a stack of pictures it is decoded as a whole.
    """
    ids = np.zeros(len(points), np.uint64)
    inside = ((points >= 0) & (points < np.asarray(labels.grid.shape))).all(1)
    for z in np.unique(points[inside, 0]):
        rows = np.flatnonzero(inside & (points[:, 0] == z))
        low, high = points[rows, 1:].min(0), points[rows, 1:].max(0) + 1
        parts = [rows] if np.prod(high - low) <= PLANE_VOXELS else np.split(rows, len(rows))
        for part in parts:
            corner, stop = points[part].min(0), points[part].max(0) + 1
            box = Box(tuple(int(v) for v in corner), tuple(int(v) for v in stop))  # type: ignore[arg-type]
            ids[part] = labels.read(box)[tuple((points[part] - corner).T)]
    return ids
