"""The same patches after every epoch: what is seen, what the network answers and what is true, each along all three axes.

frames/patch0_epoch0003.png    rows: image, probability, labels; columns: the brightest along z, y and x
progress_patch0.gif            one frame for each epoch
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import imageio.v3 as imageio
import numpy as np
import torch
from torch import nn

from neurotome.core import spread
from neurotome.io import atomic_target, save_gif
from neurotome.nn.models import probabilities
from neurotome.tracing.training.patches import NeuritePatches

__all__ = ["PatchPictures", "mosaic"]

GAP = 2


class PatchPictures:
    """Called with a network and the number of an epoch, adds a frame of each of a few validation patches."""

    most: ClassVar[int] = 3
    per_second: ClassVar[int] = 4

    def __init__(self, patches: NeuritePatches, out: Path, *, bf16: bool) -> None:
        self.out, self.bf16 = out, bf16
        self.shown = [patches.arrays(0, k) for k in spread(len(patches), self.most)]

    def __call__(self, network: nn.Module, epoch: int) -> None:
        device = next(network.parameters()).device
        for k, (image, labels) in enumerate(self.shown):
            source = torch.from_numpy(image)[None, None].to(device)
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
                answer = probabilities(network, network(source))[0, 1].cpu().numpy()
            path = self.out / "frames" / f"patch{k}_epoch{epoch:04d}.png"
            with atomic_target(path) as temporary:
                imageio.imwrite(temporary, mosaic([image / max(float(image.max()), 1e-6), answer, labels]))

    def animate(self) -> None:
        """An animation of all frames there are, epochs in order; an interrupted training has left its own."""
        for k in range(len(self.shown)):
            frames = sorted((self.out / "frames").glob(f"patch{k}_epoch*.png"))
            if frames:
                save_gif([imageio.imread(f) for f in frames], self.out / f"progress_patch{k}.gif", per_second=self.per_second)


def mosaic(volumes: list[np.ndarray]) -> np.ndarray:
    """One row for each volume (z, y, x) of values 0..1, its largest values along z, y and x beside one another; uint8 (y, x).

    >>> mosaic([np.ones((2, 3, 4))]).shape
    (3, 15)
    """
    depth, height, width = volumes[0].shape
    rows = []
    for volume in volumes:
        row = np.zeros((max(height, depth), 2 * width + height + 2 * GAP), np.float32)
        row[:height, :width] = volume.max(0)
        row[:depth, width + GAP : 2 * width + GAP] = volume.max(1)
        row[:depth, 2 * (width + GAP) :] = volume.max(2)
        rows += [row, np.zeros((GAP, row.shape[1]), np.float32)]
    return np.floor(255 * np.clip(np.concatenate(rows[:-1]), 0, 1) + 0.5).astype(np.uint8)
