"""Where the levels of a pyramid lie: which axes are halved, and what that does to voxel size and origin."""

from __future__ import annotations

import math
from collections.abc import Sequence

from neurotome.core import Grid
from neurotome.core.geometry import Int3

__all__ = ["LONGEST", "coarser", "pyramid_factors", "pyramid_grids", "surface_level"]

LONGEST = 512
"""Voxels along the longest axis of the coarsest level: about what a screen shows at once."""

SURFACE_VOXEL_NM = 40.0
"""A thin axon is two of these wide: coarser voxels cut it, finer ones make more triangles than a screen has pixels."""


def pyramid_factors(grid: Grid) -> list[Int3]:
    """How each coarser level is made from the one before: 1 or 2 along z, y, x.

    An axis is halved unless its voxels are clearly longer than the shortest (by a factor of sqrt 2 or more), so that they become
    as cubic as they can. Ends when the longest axis has at most LONGEST voxels; empty for a volume that is small already.

    >>> pyramid_factors(Grid((200, 2048, 2048), (30, 6, 6)))
    [(1, 2, 2), (1, 2, 2)]
    >>> pyramid_factors(Grid((2000, 2048, 1), (30, 6, 6)))
    [(1, 2, 1), (1, 2, 1), (2, 2, 1), (2, 2, 1)]
    """
    factors = []
    while max(grid.shape) > LONGEST:
        # An axis of one voxel cannot be halved, however short that voxel is.
        shortest = min(v for v, n in zip(grid.voxel_nm, grid.shape, strict=True) if n > 1)
        z, y, x = (2 if n > 1 and v < shortest * math.sqrt(2) else 1 for v, n in zip(grid.voxel_nm, grid.shape, strict=True))
        factors.append((z, y, x))
        grid = coarser(grid, (z, y, x))
    return factors


def coarser(grid: Grid, factor: Int3) -> Grid:
    """The grid of groups of voxels; the centre of the first group is the new origin, half a group less half a voxel further on.

    >>> coarser(Grid((5, 5, 5), (30, 6, 6)), (1, 2, 2))
    Grid(shape=(5, 3, 3), voxel_nm=(30.0, 12.0, 12.0), origin_nm=(0.0, 3.0, 3.0))
    """
    z, y, x = factor
    shape = -(-grid.shape[0] // z), -(-grid.shape[1] // y), -(-grid.shape[2] // x)
    voxel_nm = grid.voxel_nm[0] * z, grid.voxel_nm[1] * y, grid.voxel_nm[2] * x
    return Grid(shape, voxel_nm, grid.to_nm(((z - 1) / 2, (y - 1) / 2, (x - 1) / 2)))


def pyramid_grids(grid: Grid) -> list[Grid]:
    """The grids of all levels, the finest first."""
    grids = [grid]
    for factor in pyramid_factors(grid):
        grids.append(coarser(grids[-1], factor))
    return grids


def surface_level(grids: Sequence[Grid]) -> int:
    """The level to make surfaces of: the coarsest whose voxels are at most 40 nm along every axis, or else the finest.

    >>> surface_level(pyramid_grids(Grid((200, 2048, 4096), (30, 6, 6))))
    2
    """
    return max((level for level, grid in enumerate(grids) if max(grid.voxel_nm) <= SURFACE_VOXEL_NM), default=0)
