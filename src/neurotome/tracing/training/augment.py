"""Six changes to a training patch, each by chance, in this order (DB-Enhance); geometry is the same for image and labels.

flip one axis; turn by 90, 180 or 270 degrees in a plane; add noise; subtract noise; multiply; add a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from neurotome.core import ValueRangeError

__all__ = ["FLAT", "StackAugmentation"]

FLAT = 1.5
"""From this ratio of voxel sides on, a patch is turned within its sections only."""


@dataclass(frozen=True)
class StackAugmentation:
    """chance: of each change. The rest is in normalised grey values: the noise has a standard deviation of up to `noise_sd`.

    >>> patch = np.arange(8.0, dtype=np.float32).reshape(2, 2, 2)
    >>> image, labels = StackAugmentation(chance=0).apply(patch, patch > 3, np.random.default_rng(0), (1.0, 1.0, 1.0))
    >>> (image == patch).all(), (labels == (patch > 3)).all()
    (np.True_, np.True_)
    """

    chance: float = 0.5
    noise_sd: float = 10 / 500
    gain: tuple[float, float] = (0.5, 1.5)
    shift: float = 100 / 500

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= 1:
            raise ValueRangeError(f"chance {self.chance}", "0 to 1", "change it")
        if min(self.noise_sd, self.shift, self.gain[0]) < 0 or self.gain[1] < self.gain[0]:
            raise ValueRangeError(
                f"noise_sd {self.noise_sd}, shift {self.shift}, gain {self.gain}", "0 or more, gain from low to high", "change it"
            )

    def apply(
        self, image: np.ndarray, labels: np.ndarray, rng: np.random.Generator, voxel: tuple[float, float, float]
    ) -> tuple[np.ndarray, np.ndarray]:
        """A changed copy of normalised grey values float32 (z, y, x), and its labels; `voxel`: the sides of one, z, y, x."""
        if rng.random() < self.chance:
            axis = int(rng.integers(3))
            image, labels = np.flip(image, axis), np.flip(labels, axis)
        planes = _planes(image.shape, voxel)
        if rng.random() < self.chance and planes:
            plane, turns = planes[int(rng.integers(len(planes)))], int(rng.integers(1, 4))
            image, labels = np.rot90(image, turns, plane), np.rot90(labels, turns, plane)
        image = np.array(image, np.float32)
        for sign in (1, -1):
            if rng.random() < self.chance:
                sd = np.float32(sign * rng.uniform(0, self.noise_sd))
                image += sd * rng.standard_normal(image.shape, dtype=np.float32)
        if rng.random() < self.chance:
            image *= np.float32(rng.uniform(*self.gain))
        if rng.random() < self.chance:
            image += np.float32(rng.uniform(-self.shift, self.shift))
        return image, np.ascontiguousarray(labels)


def _planes(shape: tuple[int, ...], voxel: tuple[float, float, float]) -> list[tuple[int, int]]:
    """The planes in which a patch may be turned: its sides there are equal, and voxels nearly squares."""
    flat = max(voxel) > FLAT * min(voxel)
    return [(a, b) for a, b in combinations(range(3), 2) if shape[a] == shape[b] and (not flat or (a, b) == (1, 2))]
