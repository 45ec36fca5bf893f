"""Boxes of a volume that stays in its files, each piece of which is unpacked once for all the sites around it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import Box, Structures, SynapseVolume
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import LazyArray
from neurotome.io.ome_zarr import is_zarr
from neurotome.io.open import read_source

__all__ = ["CACHE_BYTES", "WindowReader", "stored_blocks"]

CACHE_BYTES = 512 * 2**20
"""What a reader keeps unpacked, of all that it reads."""
_WHAT = ("image", "neurons", "organelles", "instances")
_TIFF = (".tif", ".tiff", ".btf", ".tf8")
_UNPACKED_WHOLE = (".nrrd", ".v3draw", ".v3dpbd")


class WindowReader:
    """Reads boxes of one volume. Visit sites in z order: then each section of a stack of pictures is decoded once.

    What cannot be kept within cache_bytes is read again; what the present window needs is kept first.
    """

    def __init__(self, volume: SynapseVolume, cache_bytes: int = CACHE_BYTES) -> None:
        self.volume = volume
        given = {what: getattr(volume, what) for what in _WHAT}
        arrays = {what: found.data for what, found in given.items() if found is not None}
        # Shares by size of a voxel, so that all of them reach equally far.
        per_voxel = {what: _itemsize(data) for what, data in arrays.items()}
        self._arrays: dict[str, _Blocks | Any] = {}
        for what, data in arrays.items():
            block = stored_blocks(data)
            share = cache_bytes * per_voxel[what] // sum(per_voxel.values())
            self._arrays[what] = data if block is None else _Blocks(data, block, share)

    @property
    def name(self) -> str:
        return self.volume.name

    @property
    def structures(self) -> Structures:
        return self.volume.structures

    @property
    def shape(self) -> Int3:
        return self.volume.image.grid.shape

    @property
    def voxel_nm(self) -> Nm3:
        return self.volume.image.grid.voxel_nm

    @property
    def has_instances(self) -> bool:
        return self.volume.instances is not None

    def position(self, voxel: Int3) -> Nm3:
        """Where a voxel of the volume lies on the grid that `read` reads: on itself."""
        z, y, x = (float(v) for v in voxel)
        return z, y, x

    def read(self, what: str, box: Box) -> np.ndarray:
        """A box of "image", "neurons", "organelles" or "instances", (z, y, x), as stored; it must lie inside the volume."""
        return np.asarray(self._arrays[what][box.slices])

    def neuron_at(self, voxel: Int3) -> int:
        """The neuron at a voxel of the volume."""
        z, y, x = voxel
        return int(self.read("neurons", Box(voxel, (z + 1, y + 1, x + 1)))[0, 0, 0])


def stored_blocks(data: Any) -> Int3 | None:
    """How many voxels (z, y, x) must be unpacked at least to have one; None for an array in memory or of unknown storage."""
    if not isinstance(data, LazyArray) or data.source is None:
        return None
    path, shape = data.source, data.shape
    if _is_stack_of_pictures(path):
        return 1, shape[1], shape[2]
    if path.suffix.lower() in _UNPACKED_WHOLE:
        return shape[0], shape[1], shape[2]
    chunk, axes = _chunk_of(path)
    if chunk is None:
        return None
    along = dict(zip(axes.upper(), chunk, strict=True))
    z, y, x = (int(along.get(axis, 1)) for axis in "ZYX")
    return z, y, x


def _is_stack_of_pictures(path: Path) -> bool:
    """Told by the names alone: reading the header of every picture again would take longer than the sites do."""
    return path.suffix.lower() in _TIFF or (path.is_dir() and not is_zarr(path) and not (path / "info").is_file())


def _chunk_of(path: Path) -> tuple[tuple[int, ...] | None, str]:
    if not path.is_dir() and path.suffix.lower() != ".npy":
        # Which data set of an HDF5 file it is, the file does not say; its library keeps chunks itself.
        return None, ""
    source = read_source(path)
    return source.chunk, source.axes


class _Blocks:
    """An array read in the blocks it is stored in, the last of which are kept."""

    def __init__(self, data: LazyArray, block: Int3, most_bytes: int) -> None:
        self.data, self.block, self.most_bytes = data, block, most_bytes
        # A window on a stored array: its blocks begin where those of the whole array do.
        self.offset = tuple(a for a, _ in data.ranges[-3:])
        self.kept: OrderedDict[Int3, np.ndarray] = OrderedDict()
        self.bytes = 0

    def __getitem__(self, key: tuple[slice, slice, slice]) -> np.ndarray:
        box = Box(tuple(k.start for k in key), tuple(k.stop for k in key))  # type: ignore[arg-type]
        found = np.empty(box.shape, self.data.dtype)
        needed = list(self._indices(box))
        wanted = set(needed)
        for index in needed:
            whole = self._extent(index)
            values = self._block(index, whole, wanted)
            part = whole.intersect(box)
            found[part.inside(box).slices] = values[part.inside(whole).slices]
        return found

    def _indices(self, box: Box) -> Iterator[Int3]:
        ends = zip(box.start, box.stop, self.offset, self.block, strict=True)
        return product(*(range((a + o) // b, -(-(e + o) // b)) for a, e, o, b in ends))  # type: ignore[return-value]

    def _extent(self, index: Int3) -> Box:
        corner = [i * b - o for i, b, o in zip(index, self.block, self.offset, strict=True)]
        stop = [c + b for c, b in zip(corner, self.block, strict=True)]
        return Box(tuple(corner), tuple(stop)).clip(self.data.shape[-3:])  # type: ignore[arg-type]

    def _block(self, index: Int3, whole: Box, wanted: set[Int3]) -> np.ndarray:
        if index in self.kept:
            self.kept.move_to_end(index)
            return self.kept[index]
        values = np.asarray(self.data[whole.slices])
        self._drop_others(values.nbytes, wanted)
        # A window larger than the cache keeps its first blocks; dropping these for the last ones would keep nothing of use.
        if self.bytes + values.nbytes <= self.most_bytes:
            self.kept[index] = values
            self.bytes += values.nbytes
        return values

    def _drop_others(self, coming: int, wanted: set[Int3]) -> None:
        """Forget the longest unused blocks that the present window does not need, until there is room."""
        for index in list(self.kept):
            if self.bytes + coming <= self.most_bytes:
                return
            if index not in wanted:
                self.bytes -= self.kept.pop(index).nbytes


def _itemsize(data: Any) -> int:
    return int(np.dtype(getattr(data.dtype, "numpy_dtype", data.dtype)).itemsize)
