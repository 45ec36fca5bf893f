"""Where a mask lies, which way, and how long it is along each of its axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core import InputError
from neurotome.core.geometry import Nm3
from neurotome.measure.surfaces.checks import require_mask, require_voxel

__all__ = ["Axes", "bounding_slices", "covariance_axes"]


@dataclass(frozen=True, eq=False)
class Axes:
    """Centre (3,) and spread (3,) in nm, the spread largest first; directions (3, 3), one of length 1 per row. z, y, x."""

    centre_nm: np.ndarray
    spread_nm: np.ndarray
    directions: np.ndarray

    @property
    def elongation(self) -> float:
        """Longest over middle axis; NaN where it has one axis only."""
        return float(self.spread_nm[0] / self.spread_nm[1]) if self.spread_nm[1] > 0 else float("nan")

    @property
    def flatness(self) -> float:
        """Shortest over middle axis: 0 for a sheet one voxel thick; NaN where it has one axis only."""
        return float(self.spread_nm[2] / self.spread_nm[1]) if self.spread_nm[1] > 0 else float("nan")


def bounding_slices(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """The smallest box that holds all of a mask (z, y, x); an empty box for an empty one.

    >>> bounding_slices(np.array([[[False, True, False, True]]]))
    (slice(0, 1, None), slice(0, 1, None), slice(1, 4, None))
    """
    mask, spans = require_mask(mask), []
    for others in ((1, 2), (0, 2), (0, 1)):
        found = np.flatnonzero(mask.any(axis=others))
        spans.append(slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0))
    return spans[0], spans[1], spans[2]


def covariance_axes(mask: np.ndarray, voxel_nm: Nm3) -> Axes:
    """Mean and principal axes of the positions of a mask's voxels; the spread is their standard deviation along each axis.

    mask: (z, y, x) bool. Raises InputError for an empty one.

    >>> axes = covariance_axes(np.ones((1, 2, 6), bool), (8.0, 8.0, 8.0))
    >>> axes.centre_nm.tolist(), axes.spread_nm.round(3).tolist()
    ([0.0, 4.0, 20.0], [13.663, 4.0, 0.0])
    """
    positions = np.argwhere(require_mask(mask)) * np.array(require_voxel(voxel_nm))
    if not len(positions):
        raise InputError("An empty mask", "at least one voxel", "ask whether there is any first")
    centre = positions.mean(axis=0)
    covariance = (positions - centre).T @ (positions - centre) / len(positions)
    values, vectors = np.linalg.eigh(covariance)
    return Axes(centre, np.sqrt(np.maximum(values[::-1], 0.0)), vectors.T[::-1])
