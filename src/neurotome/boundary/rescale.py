"""To a network's voxel size and back again."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from neurotome.core import Grid, Image, Labels
from neurotome.core.geometry import Nm3

__all__ = ["labels_on_grid", "resampled_grid", "resampled_image"]


def resampled_grid(grid: Grid, voxel_nm: Nm3) -> Grid:
    """A grid of (about) this voxel size that spans the same space; sizes are adjusted so that whole voxels fit exactly.

    >>> resampled_grid(Grid((10, 100, 100), (30, 4, 4)), (30, 6, 6)).shape
    (10, 67, 67)
    """
    shape = tuple(max(1, round(n * a / b)) for n, a, b in zip(grid.shape, grid.voxel_nm, voxel_nm, strict=True))
    size = tuple(n * a / m for n, a, m in zip(grid.shape, grid.voxel_nm, shape, strict=True))
    # Both grids share their outer faces; origins are voxel centres, so they move by half the difference.
    origin = tuple(o + (b - a) / 2 for o, a, b in zip(grid.origin_nm, grid.voxel_nm, size, strict=True))
    return Grid(shape, size, origin)  # type: ignore[arg-type]


def resampled_image(image: Image, voxel_nm: Nm3) -> Image:
    """Grey values at another voxel size by linear interpolation, smoothed first where it gets coarser. Same type."""
    target = resampled_grid(image.grid, voxel_nm)
    factor = [b / a for a, b in zip(image.grid.voxel_nm, target.voxel_nm, strict=True)]
    source = image.read().astype(np.float32)
    smooth = [max(0.0, (f - 1) / 2) for f in factor]
    if any(smooth):
        source = ndimage.gaussian_filter(source, smooth, mode="nearest")
    start = [(f - 1) / 2 for f in factor]
    out = ndimage.affine_transform(source, factor, start, target.shape, order=1, mode="nearest")
    dtype = np.asarray(image.data[:1, :1, :1]).dtype
    values = np.rint(out).astype(dtype) if dtype.kind in "ui" else out.astype(dtype)
    return Image(values, target, image.name)


def labels_on_grid(labels: Labels, grid: Grid) -> Labels:
    """Labels brought to another grid over the same space: each voxel takes the label at its centre."""
    index = []
    for axis in range(3):
        centre = grid.origin_nm[axis] + np.arange(grid.shape[axis]) * grid.voxel_nm[axis]
        position = (centre - labels.grid.origin_nm[axis]) / labels.grid.voxel_nm[axis]
        index.append(np.clip(np.floor(position + 0.5).astype(int), 0, labels.grid.shape[axis] - 1))
    return Labels(labels.read()[np.ix_(*index)], grid, labels.legend, labels.name)
