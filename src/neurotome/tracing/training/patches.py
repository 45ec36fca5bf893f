"""Training samples: the patches of the list, augmented anew in each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from neurotome.core.geometry import Int3
from neurotome.tracing.training.augment import StackAugmentation
from neurotome.tracing.training.images import NeuriteImage
from neurotome.tracing.training.patch_list import Patch, box_of

__all__ = ["NeuritePatches"]


class NeuritePatches(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """`count` patches an epoch: image, foreground and which voxels count (all), each (1, z, y, x) float32.

    The list is gone through in random order, then in another one; item i of epoch e is the same on every machine and after every
    restart. how: None changes nothing and keeps the order of the list, for validation.
    """

    def __init__(
        self,
        images: Sequence[NeuriteImage],
        patches: Sequence[Patch],
        shape: Int3,
        how: StackAugmentation | None,
        *,
        count: int,
        seed: int,
    ) -> None:
        self.images = {image.name: image for image in images}
        self.patches, self.shape, self.how, self.count, self.seed = list(patches), shape, how, count, seed
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        if not 0 <= index < self.count:
            raise IndexError(index)
        image, labels = self.arrays(int(self.epoch), index)
        target = torch.from_numpy(labels.astype(np.float32))[None]
        return torch.from_numpy(image)[None], target, torch.ones_like(target)

    def arrays(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Normalised grey values, float32, and foreground, bool (z, y, x)."""
        place = epoch * self.count + index
        patch = self.patches[self._order(place // len(self.patches))[place % len(self.patches)]]
        source = self.images[patch.image]
        image, labels = source.patch(box_of(patch, self.shape))
        if self.how is None:
            return image, labels
        return self.how.apply(image, labels, np.random.default_rng((self.seed, 1, place)), source.voxel_nm)

    def _order(self, round_: int) -> np.ndarray:
        """The order in which the list is gone through for the nth time."""
        if self.how is None:
            return np.arange(len(self.patches))
        return np.random.default_rng((self.seed, 0, round_)).permutation(len(self.patches))
