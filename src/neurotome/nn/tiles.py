"""Apply a network to any box of a volume; the answer does not depend on how the volume was cut, to the last bit.

+--------------------------------+
| reflected border (PAD pixels)  |     The volume is thought of as extended by a border of PAD reflected pixels. A tile reads its
|  +-----+--------------+-----+  |     box grown by the network's halo, clipped at that extended volume, and keeps the box only:
|  |     | halo         |     |  |     each voxel comes from exactly one tile and sees exactly what it would see if the whole
|  +-----|--+-----+-----|-----+  |     section were predicted at once.
|  |     |  | tile|     |     |  |     Tiles lie on one lattice of the whole volume, whichever box is asked for: arithmetic rounds
|  +-----|--+-----+-----|-----+  |     differently in arrays of another shape, so a tile that a box only touches is computed
|  |     +--------------+     |  |     whole. Boxes that are multiples of the tile waste nothing. Tiles are multiples of the
|  +-----+--+-----+-----+-----+  |     network's stride, so that its pooling cells are the same ones everywhere.
+--------------------------------+
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn

from neurotome.core import Box, InputError, ModelCard, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.nn.augment import dihedral
from neurotome.nn.models import build, probabilities
from neurotome.nn.normalize import OF_THE_TYPE, counted, grey_tally
from neurotome.nn.reflected import reflected_places

__all__ = ["AVERAGING", "SCALED_AT_ONCE", "TILE", "Predictor", "checked_scales", "section_scales", "slab_scales", "tile_bytes"]

AVERAGING = {1: (0,), 2: (0, 3), 4: (0, 1, 2, 3), 8: tuple(range(8))}
PAD = 32
TILE = 1024
"""Side of a tile: the side of a shard of the result, so that a block of shards is made of whole tiles."""

SECTIONS, DEPTH = 4, 16
"""Sections of a tile: for a network that sees to each by itself, as many as are read at once; else those it answers at once."""

ACTIVATIONS = 8
"""Arrays of the width and size of a network's first level that are in memory at a time."""

SCALED_AT_ONCE, CHUNK_DEPTH = 2**27, 16
"""Voxels that are read at once for the grey scale, and how many sections a chunk of a file is likely to span."""

Offsets = Sequence[tuple[int, int, int] | None]
Reader = Callable[[Box], np.ndarray]


def section_scales(read: Reader, shape: Int3, dtype: np.dtype, method: str) -> np.ndarray:
    """Offset and factor of every section, (z, 2) float32: taken from whole sections, so tiles cannot differ.

    Raises ValueRangeError naming the first section that is not finite, or where all are constant.
    """
    return checked_scales(slab_scales(read, Box((0, 0, 0), shape), dtype, method), read, shape)


def slab_scales(read: Reader, slab: Box, dtype: np.dtype, method: str) -> np.ndarray:
    """Offset and factor of the sections of a slab, which are whole: (z, 2) float64, not checked.

    At most about SCALED_AT_ONCE voxels are read at a time (see `grey_tally` for the types that need a whole section), and none
    for the method that needs none.
    """
    if method in OF_THE_TYPE:
        return np.tile(grey_tally(dtype, method).scale(), (slab.shape[0], 1))
    scales = []
    depth, rows = _readable(slab.shape) if counted(dtype) else (1, _readable(slab.shape)[1])
    for few in slab.tiles((depth, *slab.shape[1:])):
        tallies = [grey_tally(dtype, method) for _ in range(few.shape[0])]
        for part in few.tiles((depth, rows, slab.shape[2])):
            for tally, section in zip(tallies, read(part), strict=True):
                tally.add(section)
        scales += [tally.scale() for tally in tallies]
    return np.array(scales, np.float64)


def checked_scales(scales: np.ndarray, read: Reader, shape: Int3) -> np.ndarray:
    """The scales of all sections as a network uses them, (z, 2) float32.

    Raises ValueRangeError naming the first section that is not finite (which is read once more), or where all are constant.
    """
    with np.errstate(over="ignore"):
        rounded = scales.astype(np.float32)
    finite = np.isfinite(rounded).all(axis=1)
    if not finite.all():
        z = int(np.argmin(finite))
        raise _not_finite(read, Box((z, 0, 0), (z + 1, *shape[1:])).tiles((1, _readable(shape)[1], shape[2])))
    if not rounded[:, 1].any():
        raise ValueRangeError(
            "Every section of the image is constant", "grey values that differ", "check that the right file was given"
        )
    return rounded


def _readable(shape: Int3) -> tuple[int, int]:
    """How many sections, and rows of them, to read at once: files in chunks span several sections, others hold each by itself.

    >>> _readable((100, 1024, 1024)), _readable((100, 10_000, 10_000)), _readable((100, 100_000, 100_000))
    ((16, 1024), (1, 10000), (16, 83))
    """
    size = shape[1] * shape[2]
    if size <= SCALED_AT_ONCE:
        return max(1, min(CHUNK_DEPTH, SCALED_AT_ONCE // size)), shape[1]
    return CHUNK_DEPTH, max(1, SCALED_AT_ONCE // (CHUNK_DEPTH * shape[2]))


def _not_finite(read: Reader, parts: Iterable[Box]) -> ValueRangeError:
    """The error that names the first value of a section that is not finite."""
    for part in parts:
        bad = np.argwhere(~np.isfinite(read(part)))
        if len(bad):
            z, y, x = (int(i) + start for i, start in zip(bad[0], part.start, strict=True))
            return ValueRangeError(f"Section {z} is not finite at (y, x) = {y, x}", "finite grey values", "replace nan and inf")
    return ValueRangeError("A section has values too large for float32", "grey values below 1e38", "divide them by a constant")


class Predictor:
    """A network ready to answer for boxes of one volume.

    read: box -> grey values (z, y, x). scales: see `section_scales`. offsets: for each output channel, the voxel offset its
    answer speaks of, or None: averaging needs it, since a mirrored pair of voxels is stored at its other end.
    averaging: 1, 2, 4 or 8 symmetries. bf16: half the memory and, where the processor can, twice the speed; in float32 the last
    bits also depend on the number of threads. tile: side of a tile, TILE where nothing is said; depth: sections of a tile of a
    network that answers several at once.

    A network whose answer depends on whole sections has one tile for each, without a border, and refuses smaller ones.
    """

    def __init__(
        self,
        network: nn.Module,
        card: ModelCard,
        read: Reader,
        shape: Int3,
        scales: np.ndarray,
        *,
        offsets: Offsets,
        averaging: int = 1,
        device: str = "cpu",
        bf16: bool = True,
        keep: Sequence[int] | None = None,
        tile: int | None = None,
        depth: int = DEPTH,
    ) -> None:
        if averaging not in AVERAGING:
            raise InputError(f"Averaging over {averaging} variants", f"one of {', '.join(map(str, AVERAGING))}")
        self.tile = _tile_of(network, shape, tile)
        self.network = network.to(device).eval()
        if network.ndim == 2:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.card, self.read, self.shape, self.scales, self.offsets = card, read, shape, scales, list(offsets)
        self.variants, self.device = AVERAGING[averaging], device
        self.keep = list(keep) if keep is not None else list(range(len(self.offsets)))
        self.bf16, self.depth = bf16, -(-depth // network.stride[0]) * network.stride[0]

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the kept channels."""
        return tuple(self.card.channels[k] for k in self.keep)

    def __call__(self, box: Box) -> np.ndarray:
        """Probabilities of the kept channels in `box`: float32 (c, z, y, x). Pairs that leave the volume are 0."""
        out = np.empty((len(self.keep), *box.shape), np.float32)
        for part, values in self.parts(box):
            out[(slice(None), *part.inside(box).slices)] = values
        return out

    def parts(self, box: Box) -> Iterator[tuple[Box, np.ndarray]]:
        """The answer for `box` piece by piece: a tile wide, a few sections deep, for results kept in another form."""
        for tile in self._tiles(box):
            part = tile.intersect(box)
            values = self._tile(tile)[(slice(None), *part.inside(tile).slices)]
            self._clear_pairs_outside(values, part)
            yield part, values

    def _tiles(self, box: Box) -> Iterator[Box]:
        """The tiles of the volume's lattice that meet `box`. A 2D network sees to each section by itself: any z will do."""
        flat = self.network.ndim == 2
        size = (1 if flat else self.depth, *self.tile)
        start = tuple(a // s * s for a, s in zip(box.start, size, strict=True))
        stop = tuple(min(-(-b // s) * s, n) for b, s, n in zip(box.stop, size, self.shape, strict=True))
        yield from Box(start, stop).tiles((SECTIONS, *size[1:]) if flat else size)  # type: ignore[arg-type]

    def _tile(self, tile: Box) -> np.ndarray:
        # The pooling grid starts at -PAD: align the read box to it.
        z, y, x = (self._reach(tile, a, h) for a, h in enumerate(self.card.halo_vox))
        region = self._normalised(z, y, x)
        inner = tuple(slice(a - int(r[0]), b - int(r[0])) for a, b, r in zip(tile.start, tile.stop, (z, y, x), strict=True))
        if self.network.ndim == 3:
            return self._averaged(region, inner)
        # Section by section, so that only one answer with halo is in memory.
        window = self.network.config.sections
        first = self.card.halo_vox[0] - (window - 1) // 2
        sections = [
            self._averaged(region[k : k + window], (slice(0, 1), *inner[1:])) for k in range(first, first + tile.shape[0])
        ]
        return np.concatenate(sections, axis=1)

    def _averaged(self, region: np.ndarray, inner: tuple[slice, ...]) -> np.ndarray:
        """The answer for the `inner` part of a region, averaged over the variants."""
        total: np.ndarray | float = 0.0
        for variant in self.variants:
            answer = self._undo(self._forward(np.ascontiguousarray(dihedral(region, variant))), variant)
            total = total + answer[(slice(None), *inner)]
        return total / np.float32(len(self.variants))

    def _reach(self, part: Box, axis: int, halo: int) -> np.ndarray:
        stride, size = self.network.stride[axis], self.shape[axis]
        if axis == 0 and self.network.ndim == 2:
            return np.arange(part.start[0] - halo, part.stop[0] + halo)
        if self.network.whole_sections:
            return np.arange(size)
        pad = PAD if axis else halo
        pad = -(-pad // stride) * stride
        low = max(-pad, part.start[axis] // stride * stride - halo)
        high = min(-(-size // stride) * stride + pad, -(-part.stop[axis] // stride) * stride + halo)
        return np.arange(low, high)

    def _normalised(self, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        fold = [np.clip(z, 0, self.shape[0] - 1) if self.network.ndim == 2 else reflected_places(z, self.shape[0])]
        fold += [reflected_places(i, n) for i, n in zip((y, x), self.shape[1:], strict=True)]
        start = tuple(int(i.min()) for i in fold)
        stop = tuple(int(i.max()) + 1 for i in fold)
        raw = self.read(Box(start, stop))  # type: ignore[arg-type]
        scales = self.scales[start[0] : stop[0]]
        grey = (raw.astype(np.float32) - scales[:, :1, None]) * scales[:, 1:, None]
        return grey[np.ix_(*(i - s for i, s in zip(fold, start, strict=True)))]

    def _forward(self, region: np.ndarray) -> np.ndarray:
        """Normalised (z, y, x) with halo -> probabilities (c, z, y, x); a 2D network takes one window, answers one section."""
        source = torch.from_numpy(region).to(self.device)
        kind = torch.device(self.device).type
        context: Any = torch.autocast(kind, torch.bfloat16) if self.bf16 else nullcontext()
        with torch.inference_mode(), context:
            if self.network.ndim == 3:
                return probabilities(self.network, self.network(source[None, None]))[0].cpu().numpy()
            answer = self.network(source[None].contiguous(memory_format=torch.channels_last))
            return probabilities(self.network, answer)[0, :, None].cpu().numpy()

    def _undo(self, answer: np.ndarray, variant: int) -> np.ndarray:
        """Turn the answer for a mirrored region back; pairs are moved to their lower voxel again. Keeps the kept channels."""
        back = answer.swapaxes(-1, -2) if variant & 4 else answer
        back = back[..., ::-1] if variant & 2 else back
        back = back[..., ::-1, :] if variant & 1 else back
        out = np.empty((len(self.keep), *back.shape[1:]), np.float32)
        for k, channel in enumerate(self.keep):
            offset = self.offsets[channel]
            if offset is None:
                out[k] = back[channel]
                continue
            _, dy, dx = offset
            source = back[self._swapped(channel) if variant & 4 and dy != dx else channel]
            shift = (dy if variant & 1 else 0, dx if variant & 2 else 0)
            out[k] = np.roll(source, (-shift[0], -shift[1]), axis=(-2, -1)) if any(shift) else source
        return out

    def _swapped(self, channel: int) -> int:
        dz, dy, dx = self.offsets[channel]  # type: ignore[misc]
        try:
            return self.offsets.index((dz, dx, dy))
        except ValueError:
            raise InputError(
                f"Channel {self.card.channels[channel]} has no twin with y and x exchanged",
                "symmetric channels",
                "average over 4 variants",
            ) from None

    def _clear_pairs_outside(self, out: np.ndarray, box: Box) -> None:
        for k, channel in enumerate(self.keep):
            for axis, step in enumerate(self.offsets[channel] or ()):
                first = self.shape[axis] - step - box.start[axis]
                if step and first < box.shape[axis]:
                    out[k][(slice(None),) * axis + (slice(max(0, first), None),)] = 0


def _tile_of(network: nn.Module, shape: Int3, tile: int | None) -> tuple[int, int]:
    """Height and width of the tiles. Raises InputError."""
    if network.whole_sections:
        if tile is not None and tile < max(shape[1:]):
            raise InputError(
                f"Tile of {tile} px for a network whose answer depends on the whole section, {shape[1]} x {shape[2]} px",
                "no tile, so that sections are predicted whole",
                "leave the tile out, or train the corrected variant of the network (legacy: false)",
            )
        return shape[1:]
    side = TILE if tile is None else tile
    if side % network.stride[1]:
        raise InputError(f"Tile of {side} px", f"a multiple of {network.stride[1]}", "round it up")
    return side, side


def tile_bytes(card: ModelCard, channels: int, section: tuple[int, int] | None = None) -> int:
    """About how much memory one tile takes: the network, at work on it in bf16, and what becomes of its answer.

    channels: how many are kept. section: height and width of one, for networks that predict them whole; others need less than
    this where the volume is narrower than a tile.
    """
    with torch.device("meta"):
        network = build(card.family, card.config)
    flat = network.ndim == 2
    height, width = (section or (TILE, TILE)) if network.whole_sections else (TILE, TILE)
    pixels = (height + 2 * card.halo_vox[1]) * (width + 2 * card.halo_vox[2])
    depth = 1 if flat else DEPTH + 2 * card.halo_vox[0]
    # The weights as they are, in half precision, and as the library lays them out for its kernels.
    weights = 3 * 4 * sum(p.numel() for p in network.parameters())
    # At most at the upper end of the network: what is joined, the joint, what comes out, and the library's copies of them.
    work = ACTIVATIONS * network.config.full_size_width * 2 * pixels * depth
    answer = 3 * 4 * len(card.channels) * pixels * depth
    kept = 3 * 4 * channels * (SECTIONS if flat else DEPTH) * height * width
    return weights + work + answer + kept
