"""The coarser levels of an OME-Zarr image, each made from the one before: in this process, or block by block in many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorstore as ts

from neurotome.core import Block, Box, Grid, Progress, silent
from neurotome.core.geometry import Int3
from neurotome.io import ome_zarr
from neurotome.io.pyramid_downsample import downsample
from neurotome.io.source import Kind
from neurotome.io.store import read_box

__all__ = ["PyramidLevel", "build_pyramid", "coarse_box", "factor_between", "int3"]

TILE: Int3 = (32, 256, 512)
"""Coarse voxels made at once: bounds the memory for the finer ones, which are read in whole chunks."""


@dataclass(frozen=True)
class PyramidLevel:
    """Fills blocks of one level of a volume made by `ome_zarr.create(levels=...)` from the level below it, which is complete.

    Labels become the most frequent id, everything else the mean. Blocks lie on the grid of this level and are whole shards
    (see `blocks`); however a level is cut into blocks, the result is the same.
    """

    path: Path
    level: int

    def blocks(self) -> list[Block]:
        """One block per shard, on the grid of the level."""
        array = ome_zarr.reopen(self.path, self.level)
        return [Block(box, box) for box in ome_zarr.grid_of(self.path, self.level).box.tiles(ome_zarr.shard_shape(array))]

    def __call__(self, block: Block) -> Sequence[Path]:
        """Fill one block. Returns the shard files."""
        fine, coarse = (ome_zarr.reopen(self.path, level) for level in (self.level - 1, self.level))
        factor = factor_between(*(ome_zarr.grid_of(self.path, level) for level in (self.level - 1, self.level)))
        kind = ome_zarr.read(self.path).kind or "image"
        for channel in range(coarse.shape[0]) if coarse.ndim == 4 else [None]:
            lead = () if channel is None else (channel,)
            ome_zarr.write_box(coarse[lead], block.write, coarse_box(self.path, fine[lead], block.write, factor, kind))
        return ome_zarr.shard_files(self.path, block.write, self.level)


def build_pyramid(path: Path, progress: Progress = silent) -> None:
    """Fill all coarser levels of a volume, one shard at a time."""
    works = [PyramidLevel(path, level) for level in range(1, ome_zarr.read(path).levels)]
    jobs = [(work, block) for work in works for block in work.blocks()]
    for done, (work, block) in enumerate(jobs):
        work(block)
        progress("write pyramid", done + 1, len(jobs))


def coarse_box(path: Path, fine: ts.TensorStore, box: Box, factor: Int3, kind: Kind) -> np.ndarray:
    """The voxels of a box of the coarser level, from an array (z, y, x) of the finer one.

    Raises FormatError, with the path, where a chunk of it is damaged.
    """
    out = np.empty(box.shape, fine.dtype.numpy_dtype)
    for tile in box.tiles(TILE):
        above = Box(_times(tile.start, factor), _times(tile.stop, factor)).clip(int3(fine.shape))
        values = read_box(path, fine, tuple(zip(above.start, above.stop, strict=True)))
        out[tile.inside(box).slices] = downsample(values, factor, kind)
    return out


def factor_between(fine: Grid, coarse: Grid) -> Int3:
    """How many voxels of one level make one of the next."""
    return int3([round(c / f) for f, c in zip(fine.voxel_nm, coarse.voxel_nm, strict=True)])


def _times(index: Int3, factor: Int3) -> Int3:
    return int3([i * f for i, f in zip(index, factor, strict=True)])


def int3(values: Sequence[int]) -> Int3:
    """Three numbers, one per axis."""
    z, y, x = (int(v) for v in values)
    return z, y, x
