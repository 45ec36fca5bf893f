"""Apply a network to a volume in overlapping tiles that fade into one another; any box gives the same bytes.

    tile 0   |~~--------~~~|                    A tile is answered by itself and counts most in its middle: along each axis its
    tile 1          |~~~--------~~~|            weight is Hann's window, never less than FLOOR. Tiles lie on one lattice of the
    tile 2                |~~~--------~~|       whole volume, `tile - overlap` apart; the last one is moved back so that all are
    volume   |--------------------------|       equally large. Weights are divided by their sum along each axis beforehand, so
                                                that nothing has to be summed up but the answers, in the order of the lattice.

Volumes whose sides are no multiples of the network's stride, or smaller than a tile, are continued by reflection and cut again.
For answers that do not depend on tiles at all see `tiles.py`, which reads each tile with the network's halo: exact, but for a
network that sees 72 voxels far in three dimensions, many times slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from neurotome.core import Box, InputError
from neurotome.core.geometry import Int3
from neurotome.nn.models import probabilities
from neurotome.nn.reflected import reflected

__all__ = ["BLEND_OVERLAP", "BLEND_TILE", "BlendedTiles", "channel_answer"]

BLEND_TILE, BLEND_OVERLAP = 128, 32
FLOOR = 1e-3

DARK_SHARE = 99.9

Reader = Callable[[Box], np.ndarray]
Answer = Callable[[np.ndarray], np.ndarray]


def channel_answer(network: nn.Module, channel: int, *, device: str = "cpu", bf16: bool = True) -> Answer:
    """Normalised grey values (z, y, x) -> probabilities of one channel of a network of volumes, float32 of the same shape."""
    ready = network.to(device).to(memory_format=torch.channels_last_3d).eval()

    def answer(region: np.ndarray) -> np.ndarray:
        source = torch.from_numpy(region).to(device)[None, None].contiguous(memory_format=torch.channels_last_3d)
        with torch.inference_mode(), torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
            return probabilities(ready, ready(source))[0, channel].contiguous().cpu().numpy()

    return answer


@dataclass(frozen=True, eq=False)
class BlendedTiles:
    """What is needed to answer for any box of one volume.

    answer: (z, y, x) float32 -> the same shape, sides multiples of `stride`. read: box -> what it is asked about. tile, overlap:
    multiples of the stride. dark: a tile is 0 and not asked about where its 99.9th percentile is not above this; `skipped` says
    which were.
    """

    answer: Answer
    read: Reader
    shape: Int3
    stride: Int3 = (8, 8, 8)
    tile: int = BLEND_TILE
    overlap: int = BLEND_OVERLAP
    dark: float | None = None
    skipped: set[Box] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in ("tile", "overlap"):
            if any(getattr(self, name) % s for s in self.stride):
                raise InputError(f"{name} of {getattr(self, name)} voxels", f"multiples of {self.stride}", "round it up")
        if not 0 <= self.overlap < self.tile:
            raise InputError(f"Overlap of {self.overlap} in tiles of {self.tile} voxels", "less than a tile", "make it smaller")

    def __call__(self, box: Box) -> np.ndarray:
        """The answer for a box, float32 (z, y, x)."""
        out = np.empty(box.shape, np.float32)
        for part, values in self.parts(box):
            out[part.inside(box).slices] = values
        return out

    def parts(self, box: Box) -> Iterator[tuple[Box, np.ndarray]]:
        """The answer for `box` in slabs from the top down, float32; memory holds one slab as deep as a tile."""
        layers, *flat = (_meeting(self._lattice(axis), box.start[axis], box.stop[axis]) for axis in range(3))
        top = layers[0].start
        slab = np.zeros((self.tile, *box.shape[1:]), np.float32)
        for layer, below in zip(layers, [*(a.start for a in layers[1:]), None], strict=True):
            for row in flat[0]:
                for column in flat[1]:
                    self._add(slab, (layer, row, column), (top, *box.start[1:]))
            stop = layer.stop if below is None else below
            first, last = max(top, box.start[0]), min(stop, box.stop[0])
            if first < last:
                part = Box((first, *box.start[1:]), (last, *box.stop[1:]))
                yield part, slab[first - top : last - top].copy()
            slab[: self.tile - (stop - top)] = slab[stop - top :]
            slab[max(0, self.tile - (stop - top)) :] = 0
            top = stop

    def _add(self, slab: np.ndarray, tile: tuple[_Side, _Side, _Side], corner: Int3) -> None:
        """Add what a tile says, weighted, to the slab whose first voxel is `corner`."""
        values = self._asked(tile)
        if values is None:
            return
        here, there, weights = [], [], []
        for side, first, n in zip(tile, corner, slab.shape, strict=True):
            a, b = max(side.start, first), min(side.stop, first + n)
            here.append(slice(a - side.start, b - side.start))
            there.append(slice(a - first, b - first))
            weights.append(side.weights[here[-1]])
        z, y, x = weights
        slab[tuple(there)] += values[tuple(here)] * (z[:, None, None] * y[:, None]) * x

    def _asked(self, tile: tuple[_Side, ...]) -> np.ndarray | None:
        """The answer for a whole tile; None for one that is dark."""
        places = [np.arange(side.start, side.stop) for side in tile]
        region = np.ascontiguousarray(reflected(self.read, self.shape, places), np.float32)
        if self.dark is not None and np.percentile(region, DARK_SHARE) <= self.dark:
            self.skipped.add(Box(tuple(s.start for s in tile), tuple(s.stop for s in tile)))  # type: ignore[arg-type]
            return None
        return self.answer(region)

    def _lattice(self, axis: int) -> list[_Side]:
        """The tiles along an axis with their weights, which add up to 1 at every voxel."""
        stride = self.stride[axis]
        end = -(-self.shape[axis] // stride) * stride
        side = min(self.tile, end)
        starts = [*range(0, end - side, self.tile - self.overlap), end - side]
        window = np.maximum(np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2, FLOOR)
        total = np.zeros(end)
        for start in starts:
            total[start : start + side] += window
        return [_Side(a, a + side, (window / total[a : a + side]).astype(np.float32)) for a in starts]


@dataclass(frozen=True, eq=False)
class _Side:
    """A tile along one axis, and what it weighs at each voxel."""

    start: int
    stop: int
    weights: np.ndarray


def _meeting(sides: list[_Side], start: int, stop: int) -> list[_Side]:
    return [side for side in sides if side.start < stop and side.stop > start]
