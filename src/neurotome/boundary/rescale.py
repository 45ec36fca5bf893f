"""To a network's voxel size and back again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy import ndimage

from neurotome.core import Block, Box, Grid, Image, Labels
from neurotome.core.geometry import Nm3
from neurotome.io import ome_zarr, open_labels
from neurotome.io.lazy import LazyArray, Ranges
from neurotome.io.source import numpy_dtype

__all__ = ["BringBack", "labels_on_grid", "resampled_grid", "resampled_image", "seen_voxel"]

TRUNCATE = 4.0
"""Smoothing looks this many standard deviations far."""


NEAR_CUBE = 2.0
"""Below this ratio of section thickness to pixel, sections are not physical slices but planes of a block."""


def seen_voxel(own_nm: Nm3, wanted_nm: Nm3) -> Nm3:
    """The voxel size an image is brought to for a network that wants `wanted_nm`: its pixels are resampled, its sections are not.

    A mixture of two sections is no section: it shows both (see docs/em-systems.md for what it costs). Only near cubes are
    resampled along z as well.

    >>> seen_voxel((50, 4, 4), (30, 6, 6)), seen_voxel((8, 8, 8), (10, 10, 10))
    ((50, 6, 6), (10, 10, 10))
    """
    cubes = all(z / min(y, x) < NEAR_CUBE for z, y, x in (own_nm, wanted_nm))
    return wanted_nm if cubes else (own_nm[0], *wanted_nm[1:])


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
    """Grey values at another voxel size by linear interpolation, smoothed first where it gets coarser. Same type.

    Nothing is computed before a box is read, and each box is the same as that part of the whole, to the last bit.
    """
    grid, dtype = resampled_grid(image.grid, voxel_nm), numpy_dtype(image.data)
    reader = partial(_resampled, image, grid)
    return Image(LazyArray.whole(reader, grid.shape, dtype, getattr(image.data, "source", None)), grid, image.name)


def _resampled(image: Image, grid: Grid, ranges: Ranges) -> np.ndarray:
    """The values of a box of the new grid."""
    factor = [b / a for a, b in zip(image.grid.voxel_nm, grid.voxel_nm, strict=True)]
    smooth = [max(0.0, (f - 1) / 2) for f in factor]
    axes = [_Neighbours.of(*r, f, n) for r, f, n in zip(ranges, factor, image.grid.shape, strict=True)]
    # Smoothing reaches that far; where the volume ends, so does the box, and both repeat their last value.
    reach = tuple(int(TRUNCATE * s + 0.5) for s in smooth)
    needed = Box(tuple(int(a.lower[0]) for a in axes), tuple(int(a.upper[-1]) + 1 for a in axes))  # type: ignore[arg-type]
    box = needed.grow(reach).clip(image.grid.shape)  # type: ignore[arg-type]
    values = image.read(box).astype(np.float32)
    if any(smooth):
        values = ndimage.gaussian_filter(values, smooth, mode="nearest", truncate=TRUNCATE)
    for axis, neighbours in enumerate(axes):
        values = neighbours.between(values, axis, box.start[axis])
    dtype = numpy_dtype(image.data)
    return np.rint(values).astype(dtype) if dtype.kind in "ui" else values.astype(dtype)


@dataclass(frozen=True)
class _Neighbours:
    """For each new voxel along an axis the old ones around its centre, and the weight of the upper one."""

    lower: np.ndarray
    upper: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, start: int, stop: int, factor: float, size: int) -> _Neighbours:
        # Both grids share their outer faces; from voxel numbers of the whole volume, so that every box rounds alike.
        position = np.clip(np.arange(start, stop) * factor + (factor - 1) / 2, 0, size - 1)
        lower = np.floor(position).astype(np.int64)
        return cls(lower, np.minimum(lower + 1, size - 1), (position - lower).astype(np.float32))

    def between(self, values: np.ndarray, axis: int, start: int) -> np.ndarray:
        """Linear interpolation of `values`, whose first voxel along the axis is number `start`."""
        low, high = (values.take(i - start, axis) for i in (self.lower, self.upper))
        weight = self.weight.reshape([-1 if a == axis else 1 for a in range(3)])
        return low + (high - low) * weight


def labels_on_grid(labels: Labels, grid: Grid) -> Labels:
    """Labels brought to another grid over the same space: each voxel takes the label at its centre. Read when a box is."""
    return Labels(
        LazyArray.whole(partial(_nearest_labels, labels, grid), grid.shape, numpy_dtype(labels.data)),
        grid,
        labels.legend,
        labels.name,
    )


def _nearest_labels(labels: Labels, grid: Grid, ranges: Ranges) -> np.ndarray:
    """The labels of a box of the new grid."""
    index = []
    for axis, (start, stop) in enumerate(ranges):
        centre = grid.origin_nm[axis] + np.arange(start, stop) * grid.voxel_nm[axis]
        position = (centre - labels.grid.origin_nm[axis]) / labels.grid.voxel_nm[axis]
        index.append(np.clip(np.floor(position + 0.5).astype(int), 0, labels.grid.shape[axis] - 1))
    needed = Box(tuple(int(i[0]) for i in index), tuple(int(i[-1]) + 1 for i in index))  # type: ignore[arg-type]
    return labels.read(needed)[np.ix_(*(i - i[0] for i in index))]


@dataclass(frozen=True)
class BringBack:
    """Labels of the volume `labels` on the grid of the volume `out`, block by block; both are OME-Zarr."""

    labels: Path
    out: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        """The shards of a block."""
        on_grid = labels_on_grid(open_labels(self.labels), ome_zarr.grid_of(self.out))
        ome_zarr.write_box(ome_zarr.reopen(self.out), block.write, on_grid.read(block.write))
        return ome_zarr.shard_files(self.out, block.write)
