"""A skeleton for every object of a label volume, block by block.

labels --LabelBricks--> per block: which voxels of which brick are which object --SkeletonBlock--> one SWC file per object

An object is traced by the block that its centre lies in, from what all blocks it touches have found of it: no object is cut, and
its skeleton does not depend on the blocks.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fastremap
import numpy as np
import pandas as pd

from neurotome.core import Block, Box, Grid, Skeleton
from neurotome.core.geometry import Int3
from neurotome.io import load_arrays, open_labels, save_arrays, write_swc
from neurotome.measure import block_file
from neurotome.tracing.sparse.bricks import SIDE, Bricks
from neurotome.tracing.trace import TraceSettings, trace

__all__ = ["LabelBricks", "SkeletonBlock", "labels_level"]

INSIDE = 255


def labels_level(grids: Sequence[Grid]) -> int:
    """Which level of a pyramid to trace: the coarsest whose pixels are at most as long as half a section is thick.

    EM sections are thick: with finer pixels an object has many more voxels and no other middle line.

    >>> labels_level([Grid((8, 64, 64), (30, 6, 6)), Grid((8, 32, 32), (30, 12, 12)), Grid((8, 16, 16), (30, 24, 24))])
    1
    """
    fit = [level for level, grid in enumerate(grids) if max(grid.voxel_nm[1:]) <= grid.voxel_nm[0] / 2]
    return max(fit, default=0)


@dataclass(frozen=True)
class LabelBricks:
    """The work on one block: the voxels of each object in each brick of its write box, packed, into one file of `folder`."""

    labels: Path
    folder: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        volume = open_labels(self.labels)
        lattice = _lattice(volume.grid.shape)
        ids, numbers, packed = [], [], []
        values = volume.read(block.write)
        for part in block.write.tiles((SIDE, SIDE, SIDE)):
            inside = values[part.inside(block.write).slices]
            number = np.ravel_multi_index(tuple(a // SIDE for a in part.start), lattice)
            for label in fastremap.unique(inside):
                if label:
                    ids.append(label)
                    numbers.append(number)
                    packed.append(zlib.compress(np.packbits(inside == label).tobytes(), 1))
        path = block_file(self.folder, block)
        save_arrays(
            path,
            ids=np.array(ids, np.uint64),
            numbers=np.array(numbers, np.int64),
            sizes=np.array([len(p) for p in packed], np.int64),
            bits=np.frombuffer(b"".join(packed), np.uint8),
        )
        return [path]


@dataclass(frozen=True)
class SkeletonBlock:
    """The work on one block: the skeletons of the objects whose centre lies in its write box, as `folder`/ID.swc.

    table: neurons.csv of the labels at full size; factor: voxels of that table per voxel of `labels`, z, y, x. found, blocks:
    what `LabelBricks` wrote, and for which blocks.
    """

    labels: Path
    table: Path
    factor: Int3
    found: Path
    blocks: tuple[Block, ...]
    folder: Path
    settings: TraceSettings

    def __call__(self, block: Block) -> Sequence[Path]:
        rows = self._rows(block)
        grid = open_labels(self.labels).grid
        parts = self._parts(rows)
        written = []
        for label in rows["id"].tolist():
            if label not in parts:
                continue
            path = self.folder / f"{label}.swc"
            write_swc(
                path, self._skeleton(label, parts.pop(label), grid), header=[f"neuron {label} of {self.labels.parent.name}"]
            )
            written.append(path)
        return written

    def _rows(self, block: Block) -> pd.DataFrame:
        table = pd.read_csv(self.table, dtype={"id": np.uint64})
        inside = np.ones(len(table), bool)
        for axis, name in enumerate("zyx"):
            place = np.floor(table[name].to_numpy() / self.factor[axis])
            inside &= (place >= block.write.start[axis]) & (place < block.write.stop[axis])
        return table[inside]

    def _parts(self, rows: pd.DataFrame) -> dict[int, list[tuple[int, bytes]]]:
        """Per object its bricks: number and packed voxels."""
        parts: dict[int, list[tuple[int, bytes]]] = {}
        if rows.empty:
            return parts
        corners = [[math.floor(rows[f"{name}0"].min() / f), math.ceil(rows[f"{name}1"].max() / f)] for name, f in self._axes()]
        around = Box(tuple(a for a, _ in corners), tuple(b for _, b in corners))  # type: ignore[arg-type]
        wanted = set(rows["id"].tolist())
        for block in self.blocks:
            if block.write.intersect(around).size:
                for label, number, packed in _stored(block_file(self.found, block)):
                    if label in wanted:
                        parts.setdefault(label, []).append((number, packed))
        return parts

    def _axes(self) -> Iterator[tuple[str, int]]:
        return zip("zyx", self.factor, strict=True)

    def _skeleton(self, label: int, parts: list[tuple[int, bytes]], grid: Grid) -> Skeleton:
        """Traced in a volume that is as large as the object, so that the memory is too."""
        lattice = _lattice(grid.shape)
        places = np.stack(np.unravel_index([number for number, _ in parts], lattice), axis=1)
        # A brick more on each side: a face of this small volume is not a face of the whole.
        first = np.maximum(places.min(0) - 1, 0)
        stop = np.minimum((places.max(0) + 2) * SIDE, grid.shape)
        shape: Int3 = tuple(int(n) for n in stop - first * SIDE)  # type: ignore[assignment]
        numbers = np.ravel_multi_index(tuple((places - first).T), _lattice(shape))
        bricks = np.stack([_unpacked(packed, place, grid.shape) for place, (_, packed) in zip(places, parts, strict=True)])
        traced = trace(Bricks.joined(shape, grid.voxel_nm, [(numbers, bricks)]), self.settings).skeleton
        corner = np.array(grid.origin_nm) + first * SIDE * np.array(grid.voxel_nm)
        return replace(traced, points_nm=traced.points_nm + corner, name=str(label))


def _lattice(shape: Int3) -> Int3:
    z, y, x = (-(-n // SIDE) for n in shape)
    return z, y, x


def _stored(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Object, brick, packed voxels."""
    arrays = load_arrays(path, "ids", "numbers", "sizes", "bits")
    bits, begin = arrays["bits"].tobytes(), 0
    for label, number, size in zip(arrays["ids"].tolist(), arrays["numbers"].tolist(), arrays["sizes"].tolist(), strict=True):
        yield label, number, bits[begin : begin + size]
        begin += size


def _unpacked(packed: bytes, place: np.ndarray, shape: Int3) -> np.ndarray:
    """A whole brick of 0 and INSIDE; at the end of the volume a brick is smaller than the others."""
    part = tuple(int(min(SIDE, n - p * SIDE)) for p, n in zip(place, shape, strict=True))
    bits = np.unpackbits(np.frombuffer(zlib.decompress(packed), np.uint8), count=math.prod(part))
    brick = np.zeros((SIDE, SIDE, SIDE), np.uint8)
    brick[tuple(slice(0, n) for n in part)] = bits.reshape(part) * INSIDE
    return brick
