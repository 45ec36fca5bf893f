"""Apply a network to any box of a volume; the answer does not depend on how the volume was cut.

+--------------------------------+
| reflected border (PAD pixels)  |     The volume is thought of as extended by a border of PAD reflected pixels. A tile reads its
|  +--------------------------+  |     box grown by the network's halo, clipped at that extended volume, and keeps the box only:
|  | volume    +-----------+  |  |     each voxel comes from exactly one tile and sees exactly what it would see if the whole
|  |           | halo      |  |  |     section were predicted at once. Tile corners lie on multiples of the network's stride, so
|  |           |  +-----+  |  |  |     that pooling cells are the same ones everywhere.
|  |           |  | box |  |  |  |
|  +-----------+--+-----+--+--+  |
+--------------------------------+
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn

from neurotome.core import Box, InputError, ModelCard, ValueRangeError
from neurotome.nn.augment import dihedral
from neurotome.nn.normalize import section_scale

__all__ = ["AVERAGING", "Predictor", "section_scales"]

AVERAGING = {1: (0,), 2: (0, 3), 4: (0, 1, 2, 3), 8: tuple(range(8))}
PAD = 32

Offsets = Sequence[tuple[int, int, int] | None]
Reader = Callable[[Box], np.ndarray]


def section_scales(read: Reader, shape: tuple[int, int, int], method: str) -> np.ndarray:
    """Offset and factor of every section, (z, 2) float32: taken from whole sections, so tiles cannot differ.

    Raises ValueRangeError naming the first section that is constant or not finite throughout the volume.
    """
    scales = np.empty((shape[0], 2), np.float32)
    for z in range(shape[0]):
        section = read(Box((z, 0, 0), (z + 1, *shape[1:])))
        scales[z] = section_scale(section, method)
        if not np.isfinite(scales[z]).all():
            bad = tuple(int(i) for i in np.argwhere(~np.isfinite(section[0]))[0])
            raise ValueRangeError(f"Section {z} is not finite at (y, x) = {bad}", "finite grey values", "replace nan and inf")
    if not scales[:, 1].any():
        raise ValueRangeError(
            "Every section of the image is constant", "grey values that differ", "check that the right file was given"
        )
    return scales


class Predictor:
    """A network ready to answer for boxes of one volume.

    read: box -> grey values (z, y, x). offsets: for each output channel, the voxel offset its answer speaks of, or None:
    averaging needs it, since a mirrored pair of voxels is stored at its other end. averaging: 1, 2, 4 or 8 symmetries.
    """

    def __init__(
        self,
        network: nn.Module,
        card: ModelCard,
        read: Reader,
        shape: tuple[int, int, int],
        *,
        offsets: Offsets,
        averaging: int = 1,
        device: str = "cpu",
        bf16: bool = True,
        keep: Sequence[int] | None = None,
        tile: int = 1024,
    ) -> None:
        if averaging not in AVERAGING:
            raise InputError(f"Averaging over {averaging} variants", f"one of {', '.join(map(str, AVERAGING))}")
        if tile % network.stride[1]:
            raise InputError(f"Tile of {tile} px", f"a multiple of {network.stride[1]}", "round it up")
        self.network = network.to(device).eval()
        if network.ndim == 2:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.card, self.read, self.shape, self.offsets = card, read, shape, list(offsets)
        self.variants, self.device, self.tile = AVERAGING[averaging], device, tile
        self.keep = list(keep) if keep is not None else list(range(len(self.offsets)))
        self.bf16 = bf16
        self.scales = section_scales(read, shape, card.normalization)

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the kept channels."""
        return tuple(self.card.channels[k] for k in self.keep)

    def __call__(self, box: Box) -> np.ndarray:
        """Probabilities of the kept channels in `box`: float32 (c, z, y, x). Pairs that leave the volume are 0."""
        out = np.empty((len(self.keep), *box.shape), np.float32)
        depth = box.shape[0] if self.network.ndim == 2 else max(self.network.stride[0], 16)
        for part in box.tiles((depth, self.tile, self.tile)):
            out[(slice(None), *part.inside(box).slices)] = self._tile(part)
        self._clear_pairs_outside(out, box)
        return out

    def _tile(self, part: Box) -> np.ndarray:
        halo = self.card.halo_vox
        # The pooling grid starts at -PAD: align the read box to it.
        z, y, x = (self._reach(part, a, h) for a, h in enumerate(halo))
        region = self._normalised(z, y, x)
        total = np.zeros((len(self.keep), *part.shape), np.float32)
        inner = tuple(slice(a - int(r[0]), b - int(r[0])) for a, b, r in zip(part.start, part.stop, (z, y, x), strict=True))
        for variant in self.variants:
            answer = self._undo(self._forward(np.ascontiguousarray(dihedral(region, variant))), variant)
            if self.network.ndim == 2:
                total += answer[(slice(None), slice(None), *inner[1:])]
            else:
                total += answer[(slice(None), *inner)]
        return total / len(self.variants)

    def _reach(self, part: Box, axis: int, halo: int) -> np.ndarray:
        stride, size = self.network.stride[axis], self.shape[axis]
        if axis == 0 and self.network.ndim == 2:
            return np.arange(part.start[0] - halo, part.stop[0] + halo)
        pad = PAD if axis else halo
        pad = -(-pad // stride) * stride
        low = max(-pad, part.start[axis] // stride * stride - halo)
        high = min(-(-size // stride) * stride + pad, -(-part.stop[axis] // stride) * stride + halo)
        return np.arange(low, high)

    def _normalised(self, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        fold = [np.clip(z, 0, self.shape[0] - 1) if self.network.ndim == 2 else _reflect(z, self.shape[0])]
        fold += [_reflect(i, n) for i, n in zip((y, x), self.shape[1:], strict=True)]
        start = tuple(int(i.min()) for i in fold)
        stop = tuple(int(i.max()) + 1 for i in fold)
        raw = self.read(Box(start, stop))  # type: ignore[arg-type]
        scales = self.scales[start[0] : stop[0]]
        grey = (raw.astype(np.float32) - scales[:, :1, None]) * scales[:, 1:, None]
        return grey[np.ix_(*(i - s for i, s in zip(fold, start, strict=True)))]

    def _forward(self, region: np.ndarray) -> np.ndarray:
        """Normalised (z, y, x) with halo -> probabilities (c, z, y, x); 2D networks answer without the halo in z."""
        source = torch.from_numpy(region).to(self.device)
        kind = torch.device(self.device).type
        context: Any = torch.autocast(kind, torch.bfloat16) if self.bf16 else nullcontext()
        with torch.inference_mode(), context:
            if self.network.ndim == 3:
                return torch.sigmoid(self.network(source[None, None]).float())[0].cpu().numpy()
            window = self.network.config.sections
            answers = []
            for z in range(len(region) - window + 1):
                x = source[None, z : z + window].contiguous(memory_format=torch.channels_last)
                answers.append(torch.sigmoid(self.network(x).float())[0].cpu().numpy())
        return np.stack(answers, axis=1)

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
            source = back[self._swapped(channel) if variant & 4 else channel]
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


def _reflect(index: np.ndarray, size: int) -> np.ndarray:
    if size == 1:
        return np.zeros_like(index)
    folded = np.abs(index) % (2 * size - 2)
    return np.where(folded >= size, 2 * size - 2 - folded, folded)
