"""How large a neuron is, whichever way it lies: extents along its own axes, convex hull, and how its cable fills space."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from neurotome.morphology.descriptors.body import Body
from neurotome.morphology.descriptors.cells import cells_crossed

__all__ = ["axis_extents", "box_dimension", "hull_volume"]

FLAT = 1e-9
"""Points whose spread along one axis is less than this share of that along another have a hull without volume."""
SIZES = (4, 8, 16, 32, 64)
FINEST = SIZES[-1]


def axis_extents(body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Extents and standard deviations along the principal axes of the cable, (3,) each in nm, most variance first."""
    starts, ends, _ = body.turned(body.mean_nm, body.rotation)
    squares = (starts**2 + starts * ends + ends**2) / 3
    return np.maximum(starts.max(0), ends.max(0)) - np.minimum(starts.min(0), ends.min(0)), np.sqrt(body.lines[2] @ squares)


def hull_volume(points: np.ndarray) -> float:
    """Volume of the convex hull of points (n, 3), in their unit cubed; 0 for points in a plane, on a line or fewer than four.

    >>> hull_volume(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 6.0]]))
    1.0
    """
    offsets = points - points.mean(0)
    spread = np.linalg.svd(offsets, compute_uv=False) if len(points) > 3 else np.zeros(3)
    if not spread[-1] > FLAT * spread[0]:
        return 0.0
    try:
        return round(float(ConvexHull(points).volume), 12) if len(points) > 3 else 0.0
    except QhullError:
        return 0.0


def box_dimension(body: Body) -> float:
    """Box-counting dimension: minus the slope of ln(boxes that the pieces touch) against ln(side), 0 for a shape without extent.

    Boxes of 1/4 to 1/64 of the shape's extent, halved from size to size, upright along its principal axes, so that turning the
    shape changes nothing; the slope is that of least squares. A straight line has 1; a tree between 1 and 3.
    """
    starts, ends, half = body.turned(body.mean_nm, body.rotation)
    if not half > 0:
        return 0.0
    scale = FINEST / 2 / (half * (1 + 1e-6))
    cells, _, _ = cells_crossed(starts * scale + FINEST / 2, ends * scale + FINEST / 2, FINEST)
    boxes = [_distinct(cells // (FINEST // size), size) for size in SIZES]
    return float(np.polyfit(np.log(SIZES), np.log(boxes), 1)[0])


def _distinct(cells: np.ndarray, size: int) -> int:
    occupied = np.zeros(size**3, bool)
    occupied[(cells[:, 0] * size + cells[:, 1]) * size + cells[:, 2]] = True
    return int(np.count_nonzero(occupied))
