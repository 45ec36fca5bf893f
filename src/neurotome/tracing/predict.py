"""From a light-microscopy stack to the probability that a neurite is there, in memory."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from neurotome.core import (
    Box,
    Grid,
    Image,
    InputError,
    ModelCard,
    Probability,
    Progress,
    UnitError,
    UnknownNameError,
    silent,
)
from neurotome.core.geometry import Nm3
from neurotome.io.source import numpy_dtype
from neurotome.nn import (
    VOLUME_NORMALIZATIONS,
    BlendedTiles,
    Predictor,
    VolumeScale,
    channel_answer,
    load_card,
    load_model,
    volume_scale,
)

__all__ = [
    "DEFAULT_NEURITE_MODEL",
    "MODES",
    "NEURITE",
    "NeuritePredictor",
    "check_voxels",
    "neurite_network",
    "neurite_probability",
    "neurite_scale",
]

DEFAULT_NEURITE_MODEL = "neurite-voxresnet"
NEURITE = "neurite"

Mode = Literal["blend", "exact"]
MODES = ("blend", "exact")

FLATTER = 1.25
"""How much flatter or taller voxels may be than any that the network was trained on."""

EXACT_TILE = 128
"""Side of a tile in exact mode: with a halo of 72 voxels on all sides, ten times as much is computed as is kept."""


def neurite_probability(
    image: Image, model: str | Path = DEFAULT_NEURITE_MODEL, *, mode: Mode = "blend", progress: Progress = silent
) -> Probability:
    """Where the neurites of `image` run: one channel "neurite", uint8 (255 = 1), in memory.

    mode: "blend" fades overlapping tiles into one another; "exact" gives what the network would say of the whole volume at once,
    and takes several times longer. For volumes larger than memory see `predict_block.py`.
    Raises UnknownNameError for the model or the mode, UnitError for voxels unlike those it was trained on, ValueRangeError for an
    image that is constant or not finite.
    """
    network, card = neurite_network(model)
    check_voxels(image.grid, card, image.name)
    ready = NeuritePredictor(image, network, card, neurite_scale(image, card), mode=mode)
    return Probability(ready.bytes_of(image.grid.box, progress)[None], image.grid, (NEURITE,), name="neurites")


def neurite_network(model: str | Path) -> tuple[nn.Module, ModelCard]:
    """A network with a channel for neurites, and its card; a process that does many blocks keeps it.

    Raises UnknownNameError where it has no such channel, InputError where it is not one for whole stacks.
    """
    card, folder = load_card(model)
    if NEURITE not in card.channels:
        raise UnknownNameError(f"channel of model '{card.name}'", NEURITE, card.channels)
    if card.normalization not in VOLUME_NORMALIZATIONS:
        raise InputError(
            f"Model '{card.name}' wants each section normalised ({card.normalization})",
            f"a network of volumes, normalised by {' or '.join(VOLUME_NORMALIZATIONS)}",
            "train one with `neurotome tracing train`",
        )
    return _network(folder.absolute(), card.weights_sha256), card


@lru_cache(maxsize=1)
def _network(folder: Path, weights_sha256: str) -> nn.Module:
    return load_model(folder)[0]


def neurite_scale(image: Image, card: ModelCard) -> VolumeScale:
    """The grey scale of a stack as the network wants it; reads all of it. Raises ValueRangeError."""
    return volume_scale(image.read, image.grid.shape, numpy_dtype(image.data), card.normalization)


class NeuritePredictor:
    """A network ready to answer for boxes of one stack; the same bytes, however the stack is cut into boxes."""

    def __init__(self, image: Image, network: nn.Module, card: ModelCard, scale: VolumeScale, *, mode: Mode = "blend") -> None:
        if mode not in MODES:
            raise UnknownNameError("mode of prediction", mode, MODES)
        channel, device = card.channels.index(NEURITE), "cuda" if torch.cuda.is_available() else "cpu"
        self.tiles: BlendedTiles | None = None
        self.exact: Predictor | None = None

        def read(box: Box) -> np.ndarray:
            return scale(image.read(box))

        if mode == "blend":
            answer = channel_answer(network, channel, device=device)
            self.tiles = BlendedTiles(answer, read, image.grid.shape, network.stride, dark=0.0)
            return
        # Grey values are normalised when they are read; there is nothing left to scale.
        as_they_are = np.tile(np.array([0, 1], np.float32), (image.grid.shape[0], 1))
        self.exact = Predictor(
            network,
            card,
            read,
            image.grid.shape,
            as_they_are,
            offsets=[None] * len(card.channels),
            keep=[channel],
            device=device,
            tile=EXACT_TILE,
            depth=EXACT_TILE,
        )

    @property
    def skipped(self) -> tuple[Box, ...]:
        """Tiles that were too dark to be asked about, so far."""
        return tuple(sorted(self.tiles.skipped, key=lambda box: box.start)) if self.tiles is not None else ()

    def bytes_of(self, box: Box, progress: Progress = silent) -> np.ndarray:
        """The answer for a box, uint8 (z, y, x), 255 p rounded."""
        out, done = np.empty(box.shape, np.uint8), 0
        progress("neurites", done, box.size)
        if self.tiles is not None:
            parts = self.tiles.parts(box)
        else:
            assert self.exact is not None
            parts = ((part, values[0]) for part, values in self.exact.parts(box))
        for part, values in parts:
            out[part.inside(box).slices] = np.floor(values * 255 + 0.5)
            done += part.size
            progress("neurites", done, box.size)
        return out


def check_voxels(grid: Grid, card: ModelCard, name: str) -> None:
    """Raise UnitError where voxels are flatter or taller than those the network was trained on.

    A neurite network sees widths in voxels and knows nothing of nanometres: what must fit is how high voxels are for their width,
    `training["anisotropy"]` of the card, and that neurites are about as thick in voxels as there (`training["radius_vox"]`).
    """
    low, high = card.training.get("anisotropy") or (anisotropy(card.voxel_nm),) * 2
    own = anisotropy(grid.voxel_nm)
    if not low / FLATTER <= own <= high * FLATTER:
        raise UnitError(
            f"Voxels of '{name}' are {own:.3g} times as high as wide, model '{card.name}' was trained on {low:g} to {high:g}",
            f"{low / FLATTER:.3g} to {high * FLATTER:.3g}",
            "check --voxel-nm, bring the stack to other voxels, or choose another --model",
        )
    _, height, width = grid.voxel_nm
    if max(height, width) > 2 * min(height, width):
        raise UnitError(
            f"Voxels of '{name}' are {height:g} x {width:g} nm in the section", "squares, about", "resample the stack"
        )


def anisotropy(voxel_nm: Nm3) -> float:
    """How high a voxel is for its width.

    >>> anisotropy((1000.0, 500.0, 500.0))
    2.0
    """
    z, y, x = voxel_nm
    return z / math.sqrt(y * x)
