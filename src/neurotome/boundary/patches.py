"""Training samples: patches of annotated volumes, augmented, with their targets made afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

import fastremap
import numpy as np
import torch
from torch.utils.data import Dataset

from neurotome.boundary.targets import offset_of, targets
from neurotome.core import Box, Image, InputError, Labels, ShapeError, ValueRangeError
from neurotome.nn import Augmentation, augment, jittered_corners, section_scale

__all__ = ["AnnotatedVolume", "PatchShape", "Patches"]


@dataclass(frozen=True)
class PatchShape:
    """`sections` neighbouring sections in, `depth` sections out (1 for 2D and 2.5D networks), `size` pixels a side."""

    size: int = 256
    sections: int = 1
    depth: int = 1


@dataclass(frozen=True, eq=False)
class AnnotatedVolume:
    """An image with its truth, limited to `sections` (half-open): nothing outside is ever read, as neighbour either."""

    image: Image
    truth: Labels
    sections: tuple[int, int]
    weight: float = 1.0
    truth_is: str = "instances"
    scales: tuple[tuple[float, float], ...] = field(default=())
    pixels: np.ndarray = field(default_factory=lambda: np.empty(0))
    labels: np.ndarray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def load(
        cls, image: Image, truth: Labels, sections: tuple[int, int], *, normalization: str, truth_is: str, weight: float = 1.0
    ) -> AnnotatedVolume:
        """Read the block into memory. Binary truth (`truth_is` inside or membrane) becomes 1 inside, 0 membrane."""
        image.grid.require_same(truth.grid, f"image '{image.name}'", f"truth '{truth.name}'")
        first, last = sections
        if not 0 <= first < last <= image.grid.shape[0]:
            raise ShapeError(
                f"Sections {first}:{last} of a stack of {image.grid.shape[0]}", "0 <= first < last <= number of sections"
            )
        box = Box((first, 0, 0), (last, *image.grid.shape[1:]))
        pixels, ids = image.read(box), truth.read(box)
        scales = tuple(section_scale(s, normalization) for s in pixels)
        # Nearest-neighbour deformation runs in float32, exact below 2^24: renumber.
        if truth_is != "instances":
            ids = _inside(ids, truth, truth_is)
        labels = fastremap.renumber(ids, preserve_zero=True, in_place=False)[0].astype(np.int32)
        return cls(image, truth, sections, weight, truth_is, scales, pixels, labels)

    def window(self, z: np.ndarray, corner: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Normalised sections, labels and which sections are real: (n, side, side), (n, side, side), (n,).

        z may reach beyond the volume: the outermost section is repeated and marked as not real; so is the plane by reflection.
        """
        real = (z >= 0) & (z < len(self.pixels))
        image = np.empty((len(z), side, side), np.float32)
        labels = np.empty((len(z), side, side), np.int32)
        for k, section in enumerate(np.clip(z, 0, len(self.pixels) - 1)):
            rows, columns = (_reflected(c, side, n) for c, n in zip(corner[k], self.pixels.shape[1:], strict=True))
            offset, factor = self.scales[section]
            image[k] = (self.pixels[section][rows][:, columns] - np.float32(offset)) * np.float32(factor)
            labels[k] = self.labels[section][rows][:, columns]
        return image, labels, real


def _inside(ids: np.ndarray, truth: Labels, truth_is: str) -> np.ndarray:
    values = np.unique(ids)
    if len(values) > 2:
        raise ValueRangeError(
            f"Truth '{truth.name}' has the values {', '.join(map(str, values[:10]))}",
            "two values, since truth_is " + truth_is,
            "use truth_is: instances",
        )
    return ((ids > 0) ^ (truth_is == "membrane")).astype(np.uint8)


def _reflected(start: int, length: int, size: int) -> np.ndarray:
    if size == 1:
        return np.zeros(length, np.int64)
    index = np.abs(np.arange(start, start + length)) % (2 * size - 2)
    return np.where(index >= size, 2 * size - 2 - index, index)


class Patches(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """`count` random patches an epoch; patch i of epoch e is the same on every machine and after every restart.

    Items: image (sections, y, x) for 2D networks or (1, z, y, x) for 3D ones, target and valid (c, [z,] y, x), all float32.
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
        self.reach = max([0, *(o[0] for c in channels if (o := offset_of(c)))], default=0)
        self.reach = max(self.reach, int("overlap" in channels))
        # Shared memory: workers that outlive an epoch see the change.
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        if not 0 <= index < self.count:
            raise IndexError(index)
        rng = np.random.default_rng((self.seed, int(self.epoch), index))
        volume = self.volumes[int(rng.choice(len(self.volumes), p=self.share))]
        image, labels, real = self._draw(volume, rng)
        first = (len(image) - self.shape.depth) // 2
        window = labels[first : first + self.shape.depth + self.reach]
        target, valid = targets(window, self.channels, shrink=self.shrink, binary=volume.truth_is != "instances")
        target, valid = target[:, : self.shape.depth], valid[:, : self.shape.depth]
        valid = valid & self._pairs_real(real, first)
        half = (len(image) - max(self.shape.sections, self.shape.depth)) // 2
        image = image[half : len(image) - half]
        if self.shape.depth == 1:
            target, valid = target[:, 0], valid[:, 0]
        else:
            image = image[None]
        return tuple(torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in (image, target, valid))  # type: ignore[return-value]

    def _draw(self, volume: AnnotatedVolume, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        size = self.shape.size
        side = size + 2 * (-(-size // 8)) if self.how.elastic else size
        around = max(self.shape.sections // 2, self.reach)
        if self.shape.depth > 1:
            # The whole depth answers, so the window must lie inside where the stack allows it.
            last = max(0, len(volume.pixels) - self.shape.depth)
            z0 = int(rng.integers(0, last + 1))
            z = np.arange(z0 - around, z0 + self.shape.depth + around)
        else:
            middle = int(rng.integers(0, len(volume.pixels)))
            z = np.arange(middle - around, middle + around + 1)
        span = [n - size for n in volume.pixels.shape[1:]]
        corner = np.array([int(rng.integers(min(0, s), max(0, s) + 1)) for s in span]) - (side - size) // 2
        corners = corner + jittered_corners(rng, len(z), self.how)
        image, labels, real = volume.window(z, corners, side)
        image, labels = augment(image, labels, self.how, rng, size)
        # augment may reverse z; a window at the end of the stack is then mirrored with it, so mark both ends alike.
        return image, labels, real & real[::-1]

    def _pairs_real(self, real: np.ndarray, first: int) -> np.ndarray:
        """Pairs that touch a repeated section do not count: (c, depth, 1, 1)."""
        ok = np.ones((len(self.channels), self.shape.depth, 1, 1), bool)
        for c, channel in enumerate(self.channels):
            offset = offset_of(channel)
            dz = offset[0] if offset else int(channel == "overlap")
            for d in range(self.shape.depth):
                ok[c, d] = real[first + d] and real[first + d + dz]
        return ok
