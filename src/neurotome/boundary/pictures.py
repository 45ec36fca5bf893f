"""The same validation patch after every epoch: input, target, answer side by side."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import torch
from torch import nn

__all__ = ["EpochPicture"]


class EpochPicture:
    """Called with the network and the epoch; writes frames/epoch0003.png, one row per channel (at most four)."""

    def __init__(self, sample: tuple[torch.Tensor, torch.Tensor, torch.Tensor], channels: tuple[str, ...], folder: Path) -> None:
        self.image, self.target = sample[0], sample[1]
        self.rows = min(4, len(channels))
        self.folder = folder

    def __call__(self, network: nn.Module, epoch: int) -> None:
        device = next(network.parameters()).device
        with torch.no_grad():
            answer = torch.sigmoid(network(self.image[None].to(device)).float())[0].cpu()
        image, target = self.image.numpy(), self.target.numpy()
        if image.ndim == 4:  # (1, z, y, x) and (c, z, y, x): show the middle section
            middle = image.shape[1] // 2
            image, target, answer = image[0], target[:, middle], answer[:, middle]
        grey = np.clip((image[len(image) // 2] + 2.5) / 5, 0, 1)
        rows = [np.hstack([grey, target[c], answer[c].numpy()]) for c in range(self.rows)]
        self.folder.mkdir(parents=True, exist_ok=True)
        imageio.imwrite(self.folder / f"epoch{epoch:04d}.png", np.round(255 * np.vstack(rows)).astype(np.uint8))
