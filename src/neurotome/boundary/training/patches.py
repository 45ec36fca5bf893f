"""Training samples: patches of annotated volumes, augmented, with their targets made afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from neurotome.boundary.targets import reach_of
from neurotome.boundary.training.annotated import AnnotatedVolume, Window
from neurotome.core import InputError, ShapeError
from neurotome.nn import Augmentation, Draw, jittered_corners

__all__ = ["AnnotatedVolume", "PatchShape", "Patches", "Sample"]


@dataclass(frozen=True)
class PatchShape:
    """`sections` neighbouring sections in, `depth` sections out (1 for 2D and 2.5D networks), `size` pixels a side."""

    size: int = 256
    sections: int = 1
    depth: int = 1

    @classmethod
    def of(cls, network: nn.Module, size: int, depth: int) -> PatchShape:
        """What a network takes; `depth` is for 3D ones. Raises InputError for a size that does not fit its grid."""
        if size % network.stride[1]:
            raise InputError(f"Crop {size} px", f"a multiple of {network.stride[1]} for this network", "round it up")
        return cls(size, depth, depth) if network.ndim == 3 else cls(size, network.config.sections, 1)


@dataclass(frozen=True, eq=False)
class Sample:
    """One item of `Patches` as arrays, with where it is from and what chance decided about it."""

    image: np.ndarray
    target: np.ndarray
    valid: np.ndarray
    volume: AnnotatedVolume
    section: int
    corner: tuple[int, int]
    draw: Draw


class Patches(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """`count` random patches an epoch; patch i of epoch e is the same on every machine and after every restart.

    Items: image (sections, y, x) for 2D networks or (1, z, y, x) for 3D ones, target and valid (c, [z,] y, x), all float32.
    An odd number of sections is centred on the section that is answered for; an even number n begins n // 2 - 1 before it.
    """

    def __init__(
        self,
        volumes: tuple[AnnotatedVolume, ...],
        channels: tuple[str, ...],
        shape: PatchShape,
        how: Augmentation,
        *,
        count: int,
        seed: int = 0,
        shrink: int = 0,
    ) -> None:
        if not volumes:
            raise InputError("No annotated volume was given", "at least one image with its truth")
        self.volumes, self.channels, self.shape, self.how = volumes, tuple(channels), shape, how
        self.count, self.seed, self.shrink = count, seed, shrink
        weights = np.array([v.weight for v in volumes], float)
        self.share = weights / weights.sum()
        self.reach = max(map(reach_of, channels), default=0)
        # Where every channel looks ahead, the last sections have nothing to learn from.
        self.ahead = min(map(reach_of, channels), default=0)
        for volume in volumes:
            if len(volume.pixels) <= self.ahead:
                raise ShapeError(
                    f"A block of {len(volume.pixels)} sections of '{volume.image.name}' for channels {', '.join(channels)}",
                    f"at least {self.ahead + 1} sections",
                    "give it more of them",
                )
        # Shared memory: workers that outlive an epoch see the change.
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        sample = self.sample(index)
        parts = (sample.image, sample.target, sample.valid)
        return tuple(torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in parts)  # type: ignore[return-value]

    def sample(self, index: int) -> Sample:
        """Item `index` with its origin."""
        if not 0 <= index < self.count:
            raise IndexError(index)
        rng = np.random.default_rng((self.seed, int(self.epoch), index))
        volume = self.volumes[int(rng.choice(len(self.volumes), p=self.share))]
        draw = Draw.of(self.how, rng, self.how.side(self.shape.size), self.shape.size)
        section, corner, window = self._drawn(volume, draw, rng)
        depth = self.shape.depth
        first = (len(window.image) - depth) // 2
        target, valid = window.known.sections(first, first + depth + self.reach).targets(self.channels, shrink=self.shrink)
        target, valid = target[:, :depth], valid[:, :depth] & self._pairs_real(window.real, first)
        if depth > 1:
            return Sample(window.image[None, first : first + depth], target, valid, volume, section, corner, draw)
        begin = first - (self.shape.sections - 1) // 2
        image = window.image[begin : begin + self.shape.sections]
        return Sample(image, target[:, 0], valid[:, 0], volume, section, corner, draw)

    def _drawn(self, volume: AnnotatedVolume, draw: Draw, rng: np.random.Generator) -> tuple[int, tuple[int, int], Window]:
        """The section (of the image) that is answered for, or the first of them, the corner of the patch, and the tissue."""
        size, depth, count = self.shape.size, self.shape.depth, len(volume.pixels)
        side = self.how.side(size)
        around = max(self.shape.sections // 2, self.reach)
        if depth > 1:
            # The whole depth answers, so the window must lie inside where the stack allows it.
            middle = int(rng.integers(0, max(0, count - depth) + 1))
        else:
            middle = int(rng.integers(0, count - self.ahead)) + (self.ahead if draw.reverse else 0)
        z = np.arange(middle - around, middle + depth + around)
        corner = [int(rng.integers(min(0, n - size), max(0, n - size) + 1)) for n in volume.pixels.shape[1:]]
        corners = np.array(corner) - (side - size) // 2 + jittered_corners(rng, len(z), self.how)
        window = volume.window(z, corners, side).moved(draw)
        return volume.sections[0] + middle, (corner[0], corner[1]), window

    def _pairs_real(self, real: np.ndarray, first: int) -> np.ndarray:
        """Pairs that touch a repeated section do not count: (c, depth, 1, 1)."""
        ok = np.ones((len(self.channels), self.shape.depth, 1, 1), bool)
        for c, channel in enumerate(self.channels):
            for d in range(self.shape.depth):
                ok[c, d] = real[first + d] and real[first + d + reach_of(channel)]
        return ok
