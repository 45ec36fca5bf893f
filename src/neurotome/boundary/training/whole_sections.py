"""Whole sections of a stack, predicted by a network that is still learning: what it is judged by and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from neurotome.boundary.targets import offset_of
from neurotome.boundary.training.annotated import AnnotatedVolume
from neurotome.core import Box, Grid, Image, ModelCard
from neurotome.io.source import numpy_dtype
from neurotome.nn import Predictor, section_scales
from neurotome.nn.tiles import Reader

__all__ = ["WholeSections"]


@dataclass(frozen=True, eq=False)
class WholeSections:
    """Predicts sections of one stack at their full size, as `predict` would. Sections are numbered as in the file.

    read, shape, scales: as `Predictor` takes them. first: the number of the stack's first section in its file.
    """

    read: Reader
    grid: Grid
    scales: np.ndarray
    first: int = 0

    @classmethod
    def of_block(cls, volume: AnnotatedVolume) -> WholeSections:
        """The sections of an annotated block; sections beside it are never looked at."""
        first, last = volume.sections
        grid = volume.image.grid.crop(Box((first, 0, 0), (last, *volume.image.grid.shape[1:])))
        return cls(lambda box: volume.pixels[box.slices], grid, np.array(volume.scales, np.float32), first)

    @classmethod
    def of_image(cls, image: Image, normalization: str) -> WholeSections:
        scales = section_scales(image.read, image.grid.shape, numpy_dtype(image.data), normalization)
        return cls(image.read, image.grid, scales)

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.grid.shape[0])

    def grey(self, number: int) -> np.ndarray:
        """The section as it is in the file, (y, x)."""
        return np.asarray(self.read(self._box(number))[0])

    def __call__(self, network: nn.Module, card: ModelCard, number: int, channels: tuple[str, ...], *, bf16: bool) -> np.ndarray:
        """The named channels of a section, float32 (c, y, x)."""
        predictor = Predictor(
            network,
            card,
            self.read,
            self.grid.shape,
            self.scales,
            offsets=[offset_of(c) for c in card.channels],
            keep=[card.channels.index(c) for c in channels],
            device=str(next(network.parameters()).device),
            bf16=bf16,
        )
        return predictor(self._box(number))[:, 0]

    def _box(self, number: int) -> Box:
        z = number - self.first
        return Box((z, 0, 0), (z + 1, *self.grid.shape[1:]))
