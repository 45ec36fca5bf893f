"""Old fakes for the discriminators, so that a generator cannot win by changing its habits (Shrivastava et al. 2017)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

__all__ = ["FakeBuffer"]


class FakeBuffer:
    """Keeps `size` images; of each image it is given, it hands out that one or, half of the time once it is full, an old one.

    What it draws depends on `seed` and on how many images it has seen, so a training that goes on from `state` draws as if it
    had never stopped. Size 0 hands out what it is given.
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size, self.seed = size, seed
        self.seen = 0
        self.images: list[torch.Tensor] = []

    def exchange(self, batch: torch.Tensor) -> torch.Tensor:
        """A batch of the same shape, (b, c, y, x)."""
        return torch.stack([self._exchange_one(image) for image in batch.detach()]) if self.size else batch.detach()

    def _exchange_one(self, image: torch.Tensor) -> torch.Tensor:
        rng = np.random.default_rng((self.seed, self.seen))
        self.seen += 1
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if rng.random() < 0.5:
            return image
        slot = int(rng.integers(self.size))
        old, self.images[slot] = self.images[slot], image.clone()
        return old.to(image)

    @property
    def state(self) -> dict[str, Any]:
        """All that a checkpoint needs."""
        return {"seen": self.seen, "images": [image.cpu() for image in self.images]}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.seen, self.images = state["seen"], list(state["images"])
