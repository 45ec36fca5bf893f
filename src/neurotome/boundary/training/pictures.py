"""The same whole sections after every epoch, as pictures, and at the end one animation for each of them.

frames/section015_epoch0003.png    P(first channel), grey 0..255 = 0..1
progress_section015.gif            one frame for each epoch
pictures/section015_input.png      what the network is given there, and what it should answer
pictures/section015_target.png
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import imageio.v3 as imageio
import numpy as np
from torch import nn

from neurotome.boundary.targets import reach_of
from neurotome.boundary.training.annotated import AnnotatedVolume
from neurotome.boundary.training.recipe import TrainConfig
from neurotome.boundary.training.whole_sections import WholeSections
from neurotome.core import InputError, ModelCard, spread
from neurotome.io import atomic_target, open_image, save_gif

__all__ = ["EpochPictures"]

GREY_RANGE = (0.5, 99.5)
FRAME = re.compile(r"section(\d+)_epoch(\d+)\.png")


class EpochPictures:
    """Called with a network and the number of an epoch, adds a frame of each named section.

    The sections are those that the recipe names, of the image it names; else three spread evenly over the first validation
    block, or its middle one for a 3D network, which computes many sections to show one.
    """

    per_second: ClassVar[int] = 4

    def __init__(
        self, config: TrainConfig, card: ModelCard, unseen: AnnotatedVolume, out: Path, *, ndim: int, bf16: bool
    ) -> None:
        wanted = config.pictures
        self.card, self.out, self.bf16, self.shrink = card, out, bf16, config.shrink
        self.truth = unseen if wanted.image is None else None
        if wanted.image is None:
            self.stack = WholeSections.of_block(unseen)
        else:
            voxel_nm = wanted.voxel_nm or unseen.image.grid.voxel_nm
            self.stack = WholeSections.of_image(open_image(wanted.image, voxel_nm=voxel_nm), config.normalization)
        numbers = self.stack.numbers
        self.sections = wanted.sections or tuple(numbers[k] for k in spread(len(numbers), 3 if ndim == 2 else 1))
        if wrong := [z for z in self.sections if z not in numbers]:
            raise InputError(
                f"Pictures of section {', '.join(map(str, wrong))}",
                f"sections {numbers[0]} to {numbers[-1]}" + (", the first validation block" if self.truth else ""),
                "correct pictures.sections, or name an image with pictures.image",
            )

    def __call__(self, network: nn.Module, epoch: int) -> None:
        for number in self.sections:
            answer = self.stack(network, self.card, number, self.card.channels[:1], bf16=self.bf16)[0]
            _save(answer, self.out / "frames" / f"section{number:03d}_epoch{epoch:04d}.png")

    def save_sections(self) -> None:
        """Input and target of each section, where there is a truth."""
        for number in self.sections:
            grey = self.stack.grey(number).astype(np.float32)
            low, high = np.percentile(grey, GREY_RANGE)
            _save((grey - low) / max(high - low, 1e-6), self.path_of(self.out, number, "input"))
            if self.truth is not None and (target := self._target(self.truth, number)) is not None:
                _save(target, self.path_of(self.out, number, "target"))

    def animate(self) -> None:
        """An animation of all frames there are, epochs in order; an interrupted training has left its own."""
        for number, frames in self.found(self.out).items():
            pictures = [imageio.imread(frames[epoch]) for epoch in sorted(frames)]
            save_gif(pictures, self.out / f"progress_section{number:03d}.gif", per_second=self.per_second)

    @classmethod
    def found(cls, folder: Path) -> dict[int, dict[int, Path]]:
        """The frames in a folder of a training: section -> epoch -> file, sections in order."""
        found: dict[int, dict[int, Path]] = {}
        for path in sorted((folder / "frames").iterdir()):
            if match := FRAME.fullmatch(path.name):
                found.setdefault(int(match[1]), {})[int(match[2])] = path
        return dict(sorted(found.items()))

    @staticmethod
    def path_of(folder: Path, number: int, what: str) -> Path:
        """Where the `input` or `target` of a section is; there may be none."""
        return folder / "pictures" / f"section{number:03d}_{what}.png"

    def _target(self, volume: AnnotatedVolume, number: int) -> np.ndarray | None:
        """What the first channel should be, (y, x); None where it is not known, as in the last section of the overlap."""
        channel, z = self.card.channels[0], number - volume.sections[0]
        known = volume.known().sections(z, z + 1 + reach_of(channel))
        target, valid = known.targets((channel,), shrink=self.shrink)
        return target[0, 0] if valid[0, 0].any() else None


def _save(picture: np.ndarray, path: Path) -> None:
    """Values 0..1 (others are clipped) as grey 0..255."""
    with atomic_target(path) as temporary:
        imageio.imwrite(temporary, np.floor(255 * np.clip(picture, 0, 1) + 0.5).astype(np.uint8))
