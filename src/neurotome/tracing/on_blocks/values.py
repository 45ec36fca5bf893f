"""What is traced, by its path, so that any process can read any box of it as uint8 in which 255 is the surest neurite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neurotome.core import Block, Box, Grid, Image, Probability, ShapeError, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import load_arrays, open_image, open_probability, save_arrays
from neurotome.io.open import read_source
from neurotome.io.source import numpy_dtype
from neurotome.measure import block_file
from neurotome.tracing.sparse.bricks import SIDE, Bricks, bricks_in

__all__ = ["CountValues", "GatherBricks", "ValuesFile", "brick_aligned"]

KINDS = ("probability", "image")
WIDE_BINS = 1 << 16
LEAST_HIGHEST = 26
"""A map of bytes in which no voxel has a tenth of the largest value is something else: labels, or a mask with other marks."""
TOP_SHARE = 1e-4
"""Of an image of more than 8 bits, the share of voxels that may be brighter than 255."""


@dataclass(frozen=True)
class ValuesFile:
    """A probability map, a mask, or an image traced as it is; and how its values become 0..255.

    value = (stored - offset) * factor, rounded and clipped. kind: "probability" or "image". channel: of a file with several.
    """

    path: str
    kind: str = "probability"
    voxel_nm: Nm3 | None = None
    channel: str | None = None
    offset: float = 0.0
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError("kind of values", self.kind, KINDS)

    def open(self) -> Image:
        """The stored values, lazily. Raises ShapeError for a single section: nothing runs through it."""
        if self.kind == "image" or read_source(self.path).data.ndim == 3:
            volume = open_image(self.path, voxel_nm=self.voxel_nm, channel=self.channel)
        else:
            volume = _channel(open_probability(self.path, voxel_nm=self.voxel_nm), self.channel)
        if volume.grid.shape[0] == 1:
            raise ShapeError(
                f"'{self.path}' is one section of {volume.grid.shape[1]} x {volume.grid.shape[2]} pixels",
                "a stack (z, y, x) of at least two sections",
                "give the whole stack, not its projection",
            )
        return volume

    def grid(self) -> Grid:
        return self.open().grid

    def read(self, box: Box) -> np.ndarray:
        """The values of a box as uint8. Raises ValueRangeError for values that are not finite, or no probabilities."""
        return self.scaled(self.open().read(box), box)

    def scaled(self, stored: np.ndarray, box: Box) -> np.ndarray:
        """Stored values of a box as 0..255."""
        if stored.dtype == np.uint8 and (self.offset, self.factor) == (0.0, 1.0):
            return stored
        wrong = self.first_wrong(stored)
        if len(wrong):
            place = tuple(int(a + b) for a, b in zip(box.start, wrong[0], strict=True))
            raise self.wrong_value(float(stored[tuple(wrong[0])]), place)
        values = (stored.astype(np.float32) - np.float32(self.offset)) * np.float32(self.factor)
        return np.floor(np.clip(values, 0, 255) + np.float32(0.5)).astype(np.uint8)

    def fitted(self, low: float, high: float) -> ValuesFile:
        """The same file, with stored values from `low` to `high` as 0 to 255. Raises ValueRangeError for a constant volume."""
        if not high > low:
            raise ValueRangeError(
                f"'{self.path}' has the value {low:g} everywhere", "neurites brighter than the background", "look at the file"
            )
        return replace(self, offset=float(low), factor=255.0 / float(high - low))

    def first_wrong(self, stored: np.ndarray) -> np.ndarray:
        """(1, 3) the first voxel whose value is not finite, or no probability; (0, 3) where there is none.

        Whole numbers from 0 are judged by their type and largest value, see `CountValues.settled`.
        """
        if stored.dtype.kind in "ub":
            return np.zeros((0, 3), np.int64)
        wrong = ~np.isfinite(stored)
        if self.kind == "probability":
            wrong |= stored < 0
            wrong |= stored > (1 if stored.dtype.kind == "f" else np.inf)
        return np.argwhere(wrong)[:1]

    def wrong_value(self, value: float, place: tuple[int, ...]) -> ValueRangeError:
        where = f"at voxel {place} (z, y, x)"
        if not np.isfinite(value):
            return ValueRangeError(f"'{self.path}' is not finite {where}", "finite values", "replace nan and infinity")
        return ValueRangeError(
            f"'{self.path}' has the value {value:g} {where}",
            "probabilities in [0, 1], or uint8 in which 255 is 1",
            "divide by the largest possible value, or trace it as an image with --raw",
        )


@dataclass(frozen=True)
class CountValues:
    """The work on one block: how often each stored value occurs in its write box, into one file of `folder`; see `settled`.

    Whole numbers of 8 or 16 bits are counted one by one; of other types the least and the largest are kept. So are the first
    voxel (place and value) that is not finite, or no probability: a wrong file is no fault of its blocks.
    """

    source: ValuesFile
    folder: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        stored = self.source.open().read(block.write)
        wrong = self.source.first_wrong(stored)
        counts = np.zeros(0, np.int64)
        if stored.dtype in (np.uint8, np.uint16):
            # Section by section: what is counted is widened to 64 bits first.
            counts = sum(np.bincount(section.reshape(-1), minlength=WIDE_BINS) for section in stored)
        path = block_file(self.folder, block)
        save_arrays(
            path,
            counts=counts,
            range=np.array([stored.min(), stored.max()], np.float64),
            wrong=wrong + block.write.start,
            wrong_values=stored[tuple(wrong.T)].astype(np.float64),
        )
        return [path]

    def settled(self, blocks: Sequence[Block]) -> ValuesFile:
        """The file with its scale, from what all the blocks have found. Raises ValueRangeError."""
        names = ("counts", "range", "wrong", "wrong_values")
        found = [load_arrays(block_file(self.folder, block), *names) for block in blocks]
        for some in found:
            for place, value in zip(some["wrong"].tolist(), some["wrong_values"].tolist(), strict=True):
                raise self.source.wrong_value(value, tuple(place))
        low, high = min(f["range"][0] for f in found), max(f["range"][1] for f in found)
        dtype = numpy_dtype(self.source.open().data)
        if self.source.kind == "probability":
            return _as_probability(self.source, dtype, high)
        if dtype == np.uint16:
            high = _top(np.sum([f["counts"] for f in found], axis=0), high)
        return self.source.fitted(low, high)

    def scaled_counts(self, blocks: Sequence[Block], source: ValuesFile) -> np.ndarray | None:
        """How often each value 0..255 occurs with the scale of `source`, (256,) int64; None where values cannot be counted."""
        dtype = numpy_dtype(source.open().data)
        if dtype not in (np.uint8, np.uint16):
            return None
        counts = np.sum([load_arrays(block_file(self.folder, block), "counts")["counts"] for block in blocks], axis=0)
        stored = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(1, 1, -1)
        scaled = source.scaled(stored, Box((0, 0, 0), stored.shape))[0, 0]
        return np.bincount(scaled, weights=counts[: len(scaled)], minlength=256).astype(np.int64)


@dataclass(frozen=True)
class GatherBricks:
    """The work on one block: the bricks of its write box with a value of at least `floor`, into one file of `folder`."""

    source: ValuesFile
    floor: int
    folder: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        volume = self.source.open()
        values = self.source.scaled(volume.read(block.write), block.write)
        numbers, bricks = bricks_in(values, block.write, volume.grid.shape, self.floor)
        path = block_file(self.folder, block)
        save_arrays(path, numbers=numbers, bricks=bricks)
        return [path]

    def joined(self, blocks: Sequence[Block]) -> Bricks:
        """The bricks of the whole volume, the same for any blocks."""
        grid = self.source.grid()
        files = (load_arrays(block_file(self.folder, block), "numbers", "bricks") for block in blocks)
        return Bricks.joined(grid.shape, grid.voxel_nm, ((f["numbers"], f["bricks"]) for f in files))


def brick_aligned(shape: Int3) -> Int3:
    """A block shape rounded up to whole bricks.

    >>> brick_aligned((10, 64, 100))
    (32, 64, 128)
    """
    z, y, x = (-(-n // SIDE) * SIDE for n in shape)
    return z, y, x


def _as_probability(source: ValuesFile, dtype: np.dtype, high: float) -> ValuesFile:
    """Fractions are probabilities; of whole numbers, 255 stands for 1, and a mask has nothing above 1."""
    if dtype.kind == "f":
        return replace(source, offset=0.0, factor=255.0)
    if dtype.kind == "b" or high <= 1:
        return replace(source, offset=0.0, factor=255.0)
    if dtype != np.uint8 or high < LEAST_HIGHEST:
        raise ValueRangeError(
            f"'{source.path}' has type {dtype} and values up to {high:g}",
            "uint8 in which 255 is probability 1, fractions in [0, 1], or a mask of 0 and 1",
            "bring it to one of these, or trace it as an image with --raw",
        )
    return source


def _top(counts: np.ndarray, high: float) -> float:
    """The value that TOP_SHARE of all voxels exceed; the largest where that is the background."""
    above = np.cumsum(counts[::-1])[::-1]
    found = float(np.flatnonzero(above > TOP_SHARE * above[0])[-1])
    low = float(np.flatnonzero(counts)[0])
    return found if found > low else high


def _channel(volume: Probability, channel: str | None) -> Image:
    """One channel as an image: the one that is asked for, or the only one."""
    if channel is None and len(volume.channels) > 1:
        raise UnknownNameError("channel", "(none given)", volume.channels)
    chosen = volume.index(channel or volume.channels[0])
    return Image(volume.data[chosen], volume.grid, volume.name)
