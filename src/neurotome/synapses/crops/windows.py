"""Boxes of a volume that stays in its files, each piece of which is unpacked once for all the sites around it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
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
_USUAL_BLOCK = (8, 256, 256)
"""Where the storage does not say, or is several files: the chunks that neurotome itself writes."""
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
    """How many voxels (z, y, x) are unpacked together; None for an array in memory or mapped from its file."""
    if not isinstance(data, LazyArray):
        return None
    path, shape = data.source, data.shape
    if path is None:
        return _USUAL_BLOCK
    if path.suffix.lower() == ".npy":
        return None
    if path.suffix.lower() in _UNPACKED_WHOLE:
        return shape[0], shape[1], shape[2]
    if not _is_zarr_like(path):
        # Told by the names alone: reading the header of every picture again would take longer than the sites do.
        return (1, shape[1], shape[2]) if path.is_dir() or path.suffix.lower() in _TIFF else _USUAL_BLOCK
    source = read_source(path)
    along = dict(zip(source.axes.upper(), source.chunk or (), strict=bool(source.chunk)))
    z, y, x = (int(along.get(axis, 1)) for axis in "ZYX")
    return (z, y, x) if along else _USUAL_BLOCK


def _is_zarr_like(path: Path) -> bool:
    return path.is_dir() and (is_zarr(path) or (path / "info").is_file())


@dataclass(frozen=True)
class _Piece:
    """One block along one axis: its number, where it is stored, which part of it is asked for, and where that goes."""

    number: int
    stored: slice
    of: slice
    to: slice


class _Blocks:
    """An array read in the blocks it is stored in, the last of which are kept."""

    def __init__(self, data: LazyArray, block: Int3, most_bytes: int) -> None:
        self.data, self.block, self.most_bytes = data, block, most_bytes
        # A window on a stored array: its blocks begin where those of the whole array do.
        self.offset = tuple(a for a, _ in data.ranges[-3:])
        self.kept: OrderedDict[Int3, np.ndarray] = OrderedDict()
        self.bytes = 0

    def __getitem__(self, key: tuple[slice, slice, slice]) -> np.ndarray:
        found = np.empty([k.stop - k.start for k in key], self.data.dtype)
        axes = [self._along(axis, k.start, k.stop) for axis, k in enumerate(key)]
        wanted: set[Int3] = set(product(*([piece.number for piece in pieces] for pieces in axes)))  # type: ignore[arg-type]
        for z, y, x in product(*axes):
            values = self._block((z.number, y.number, x.number), (z.stored, y.stored, x.stored), wanted)
            found[z.to, y.to, x.to] = values[z.of, y.of, x.of]
        return found

    def _along(self, axis: int, start: int, stop: int) -> list[_Piece]:
        """The blocks that a range meets along one axis. Plain numbers: a window may meet hundreds of blocks."""
        side, offset, end = self.block[axis], self.offset[axis], self.data.shape[axis - 3]
        pieces = []
        for index in range((start + offset) // side, -(-(stop + offset) // side)):
            low, high = max(0, index * side - offset), min(end, (index + 1) * side - offset)
            first, last = max(low, start), min(high, stop)
            pieces.append(_Piece(index, slice(low, high), slice(first - low, last - low), slice(first - start, last - start)))
        return pieces

    def _block(self, index: Int3, stored: tuple[slice, slice, slice], wanted: set[Int3]) -> np.ndarray:
        if index in self.kept:
            self.kept.move_to_end(index)
            return self.kept[index]
        values = np.asarray(self.data[stored])
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
