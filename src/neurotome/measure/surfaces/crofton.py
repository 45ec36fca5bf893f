"""Surface area of a voxel mask from how often lines of 13 directions cross its surface."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np

from neurotome.core.geometry import Nm3
from neurotome.measure.surfaces.checks import require_mask, require_voxel

__all__ = ["crofton_area", "crofton_weights"]

DIRECTIONS = tuple(step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0))
"""The 13 lines through a voxel and its 26 neighbours, one of both ways each."""


def crofton_area(mask: np.ndarray, voxel_nm: Nm3, *, cut_faces: bool = True) -> float:
    """Surface area, in square nanometres, by the Crofton formula.

    Lines of one direction d, one through each voxel, lie |d| / v apart per area (v: volume of a voxel); on average over all
    directions a surface of area S is crossed S / 2 times per unit of that, so S = 2 sum over d of w(d) crossings(d) v / |d|, w(d)
    being the share of the sphere that lies nearest to d (`crofton_weights`). Balls of radius 4 to 30 voxels come out within
    1.2 %, at any ratio of the voxel's sides up to 4; boxes along the axes 9 to 13 % too small, the price of few directions.

    mask: (z, y, x) bool. cut_faces: whether the array's border, where it cuts the mask, is surface.
    Source: Lehmann and Legland 2012 (Insight Journal). Raises ShapeError, UnitError.

    >>> float(round(crofton_area(np.ones((20, 20, 20), bool), (1.0, 1.0, 1.0), cut_faces=False), 6))
    0.0
    """
    mask, voxel_nm = require_mask(mask), require_voxel(voxel_nm)
    padded = np.pad(mask, 1, mode="constant" if cut_faces else "edge")
    # In the padded array every step is one distance in memory; a step beyond the end of a row joins two voxels of the frame.
    flat, strides = padded.ravel(), (padded.shape[1] * padded.shape[2], padded.shape[2], 1)
    counted = np.pad(np.ones(mask.shape, bool), 1, constant_values=cut_faces).ravel()
    area, volume = 0.0, float(np.prod(voxel_nm))
    for step, weight in zip(DIRECTIONS, crofton_weights(voxel_nm)):
        ahead = int(np.dot(step, strides))
        crossings = np.count_nonzero((flat[:-ahead] ^ flat[ahead:]) & counted[:-ahead])
        area += 2 * weight * crossings * volume / float(np.linalg.norm(np.multiply(step, voxel_nm)))
    return area


@lru_cache(maxsize=64)
def crofton_weights(voxel_nm: Nm3) -> tuple[float, ...]:
    """The share of the sphere that is nearest to each of the 13 lines of `DIRECTIONS`, in space; they add up to 1.

    >>> sorted({round(weight, 6) for weight in crofton_weights((8.0, 8.0, 8.0))})
    [0.070391, 0.073961, 0.091556]
    """
    from scipy.spatial import SphericalVoronoi

    lines = np.array(DIRECTIONS) * np.array(require_voxel(voxel_nm))
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    cells = SphericalVoronoi(np.concatenate([lines, -lines])).calculate_areas()
    shares = (cells[: len(lines)] + cells[len(lines) :]) / (4 * np.pi)
    return tuple(shares.tolist())
