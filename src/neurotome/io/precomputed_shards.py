"""Neuroglancer precomputed for large volumes: several scales, in shards, written block by block by any number of processes.

A shard is a run of chunks in compressed Morton order: bits of x, y and z take turns, and an axis leaves when its chunks are
numbered. Chunks that share all but the lowest bits of that order are a box, so a block can be exactly one shard.

    order of chunks     0 1 4 5     shards of four chunks: | A A B B |    one block writes A, another B:
    (x right, y down)   2 3 6 7                            | A A B B |    they never touch one file
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts

from neurotome.core import Block, Box, Grid, MissingFileError
from neurotome.core.geometry import Int3, Nm3
from neurotome.io.atomic import disk_full_named
from neurotome.io.open import open_volume
from neurotome.io.precomputed import (
    add_to_info,
    best_encoding,
    file_dtype,
    info_of,
    open_scale,
    read,
    scale_place,
    scale_spec,
    voxel_offset,
)
from neurotome.io.pyramid import coarse_box, factor_between, int3
from neurotome.io.pyramid_grids import pyramid_factors, pyramid_grids
from neurotome.io.source import Kind, Volume, channels_of, kind_of
from neurotome.io.store import open_store, shape_of

__all__ = ["PrecomputedScale", "VolumeSource", "compressed_morton", "create_scales", "scale_grid", "shard_file"]

_log = logging.getLogger(__name__)

SHARD_VOXELS = 2**24
"""Voxels of a shard at most: what one worker holds in memory."""


@dataclass(frozen=True)
class VolumeSource:
    """Where a volume is read from, and how: what `open_volume` needs, in every process anew."""

    path: str
    kind: Kind | None = None
    voxel_nm: Nm3 | None = None
    channel: str | None = None

    def open(self) -> Volume:
        """The volume, unread."""
        return open_volume(self.path, kind=self.kind, voxel_nm=self.voxel_nm, channel=self.channel)


@dataclass(frozen=True)
class PrecomputedScale:
    """Fills blocks of one scale made by `create_scales`: the finest from the source, others from the scale before.

    Labels become the most frequent id, everything else the mean, as in `PyramidLevel`.
    """

    path: Path
    scale: int
    source: VolumeSource

    def blocks(self) -> list[Block]:
        """One block per shard, on the grid of the scale."""
        shape = int3(shape_of(open_scale(self.path, self.scale).chunk_layout.write_chunk)[:3])
        return [Block(box, box) for box in scale_grid(self.path, self.scale).box.tiles(shape)]

    def __call__(self, block: Block) -> Sequence[Path]:
        """Write one block. Returns the shard file, or nothing where all values are 0, which is stored as no file."""
        array = open_scale(self.path, self.scale)
        values = self._from_source(block.write) if self.scale == 0 else self._from_finer(block.write)
        with disk_full_named(self.path), ts.Transaction() as once:  # or the shard would be rewritten for each chunk
            array.with_transaction(once)[block.write.slices] = np.moveaxis(values, 0, -1).astype(array.dtype.numpy_dtype)
        file = shard_file(self.path, self.scale, block.write)
        return [file] if file.is_file() else []

    def _from_source(self, box: Box) -> np.ndarray:
        volume = self.source.open()
        if channels_of(volume):
            return np.asarray(volume.data[(slice(None), *box.slices)])
        return np.asarray(volume.data[box.slices])[None]

    def _from_finer(self, box: Box) -> np.ndarray:
        finer, kind = open_scale(self.path, self.scale - 1), read(self.path).kind or "image"
        factor = factor_between(scale_grid(self.path, self.scale - 1), scale_grid(self.path, self.scale))
        return np.stack([coarse_box(self.path, finer[..., c], box, factor, kind) for c in range(finer.shape[3])])


def create_scales(path: Path, volume: Volume) -> int:
    """Write the info of a sharded volume with all its scales, of which no voxel is written yet. Returns their number.

    The format counts each scale's first voxel from the origin in whole voxels: where an origin is no multiple of a coarser
    voxel, that scale and the ones after it are left out. Existing scales are kept.

    Raises UnitError when the origin is no whole number of voxels, ValueRangeError for a type that the format does not have.
    """
    encoding = best_encoding(volume)
    dtype, kind, channels = file_dtype(volume, encoding), kind_of(volume), len(channels_of(volume))
    places = _places(volume.grid, voxel_offset(volume.grid, path), path)
    for place in places:
        place["sharding"] = _sharding(place["size"][::-1], place["chunk_size"][::-1], encoding)
        open_store({**scale_spec(path, kind, channels, dtype, encoding, place), "open": True})
    if "neurotome" not in info_of(path):
        add_to_info(path, volume)
    return len(places)


def scale_grid(path: Path, scale: int) -> Grid:
    """Shape and voxel size of a scale, and its first corner (not the centre of its first voxel: the format counts corners)."""
    placed = info_of(path)["scales"][scale]
    z, y, x = (float(v) for v in placed["resolution"][::-1])
    corner = [o * v for o, v in zip(placed.get("voxel_offset", (0, 0, 0))[::-1], (z, y, x), strict=True)]
    return Grid(int3(placed["size"][::-1]), (z, y, x), (corner[0], corner[1], corner[2]))


def shard_file(path: Path, scale: int, box: Box) -> Path:
    """The file of the shard that holds the first voxel of a box. Raises MissingFileError for a scale that is not sharded."""
    placed = info_of(path)["scales"][scale]
    if "sharding" not in placed:
        raise MissingFileError(f"'{path}' has no shards", "a volume made by `neurotome export`", "export it")
    sharding, chunk = placed["sharding"], placed["chunk_sizes"][0][::-1]
    chunks = [-(-n // c) for n, c in zip(placed["size"][::-1], chunk, strict=True)]
    code = compressed_morton([a // c for a, c in zip(box.start, chunk, strict=True)], chunks)
    number = code >> (sharding["preshift_bits"] + sharding["minishard_bits"])
    digits = -(-sharding["shard_bits"] // 4)
    return path / str(placed["key"]) / f"{number:0{digits}x}.shard"


def compressed_morton(index: Sequence[int], chunks: Sequence[int]) -> int:
    """The number of a chunk: the bits of x, y, z in turn, lowest first, each axis only as long as it has bits.

    https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/volume.md

    >>> [[compressed_morton((0, y, x), (1, 2, 4)) for x in range(4)] for y in range(2)]
    [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    seen = [0, 0, 0]
    code = 0
    for position, axis in enumerate(_morton_axes(chunks)):
        code |= ((index[axis] >> seen[axis]) & 1) << position
        seen[axis] += 1
    return code


def _morton_axes(chunks: Sequence[int]) -> list[int]:
    """The axis (0 is z) that each bit of the code belongs to, lowest bit first."""
    bits = [(n - 1).bit_length() for n in chunks]
    return [axis for bit in range(max(bits)) for axis in (2, 1, 0) if bit < bits[axis]]


def _places(grid: Grid, offset: Int3, path: Path) -> list[dict[str, Any]]:
    places = [scale_place(grid, offset)]
    factors, grids = pyramid_factors(grid), pyramid_grids(grid)
    for factor, coarse in zip(factors, grids[1:], strict=True):
        if any(o % f for o, f in zip(offset, factor, strict=True)):
            _log.warning("'%s' gets %d of %d scales: its origin is no multiple of coarser voxels", path, len(places), len(grids))
            break
        offset = int3([o // f for o, f in zip(offset, factor, strict=True)])
        places.append(scale_place(coarse, offset))
    return places


def _sharding(size: Sequence[int], chunk: Sequence[int], encoding: str) -> dict[str, Any]:
    """Shards of as many chunks as SHARD_VOXELS allows, each with one index."""
    bits = len(_morton_axes([-(-n // c) for n, c in zip(size, chunk, strict=True)]))
    inside = min(bits, max(0, (SHARD_VOXELS // (chunk[0] * chunk[1] * chunk[2])).bit_length() - 1))
    return {
        "@type": "neuroglancer_uint64_sharded_v1",
        "preshift_bits": inside,
        "hash": "identity",
        "minishard_bits": 0,
        "shard_bits": bits - inside,
        "minishard_index_encoding": "gzip",
        # Grey values hardly shrink, and compressing them is what would take the time.
        "data_encoding": "gzip" if encoding == "compressed_segmentation" else "raw",
    }
