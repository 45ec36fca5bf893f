"""From an image to probabilities with a trained network, in memory."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from neurotome.boundary.rescale import seen_voxel
from neurotome.boundary.targets import offset_of
from neurotome.core import Box, Image, ModelCard, Probability, Progress, UnitError, UnknownNameError, silent
from neurotome.io.source import numpy_dtype
from neurotome.nn import Predictor, load_card, load_model, section_scales

__all__ = [
    "DEFAULT_MODEL",
    "check_voxel_size",
    "kept_channels",
    "network_of",
    "predict",
    "predict_box",
    "predictor",
    "predictor_of",
]

DEFAULT_MODEL = "em-affinity-25d"
MAX_RATIOS = (2.0, 1.5, 1.5)


def predict(
    image: Image,
    model: str | Path = DEFAULT_MODEL,
    *,
    channels: tuple[str, ...] | None = None,
    averaging: int = 1,
    progress: Progress = silent,
) -> Probability:
    """Probabilities of `image` in memory: uint8 (255 = 1), the named channels (default: all of the network).

    averaging: over 1, 2, 4 or 8 symmetries of the section. For volumes larger than memory see `predict_block.py`.
    """
    ready = predictor(image, model, channels=channels, averaging=averaging)
    return Probability(predict_box(ready, image.grid.box, progress), image.grid, ready.channels, name="boundary")


def predictor(
    image: Image,
    model: str | Path = DEFAULT_MODEL,
    *,
    channels: tuple[str, ...] | None = None,
    averaging: int = 1,
    tile: int | None = None,
    bf16: bool = True,
) -> Predictor:
    """Everything that can be wrong is found here, before anything is written; reads the image once for its grey scale.

    Raises UnknownNameError for the model or a channel, UnitError when the voxels are too unlike the network's,
    ValueRangeError for an image that is constant or not finite, FormatError for a file that cannot be read.
    """
    network, card = network_of(model)
    check_voxel_size(image, card)
    names = kept_channels(card, channels)
    scales = section_scales(image.read, image.grid.shape, numpy_dtype(image.data), card.normalization)
    return predictor_of(image, network, card, scales, channels=names, averaging=averaging, tile=tile, bf16=bf16)


def predictor_of(
    image: Image,
    network: nn.Module,
    card: ModelCard,
    scales: np.ndarray,
    *,
    channels: tuple[str, ...],
    averaging: int = 1,
    tile: int | None = None,
    bf16: bool = True,
) -> Predictor:
    """A predictor whose parts have been checked and whose grey scales, (z, 2) float32, are known."""
    return Predictor(
        network,
        card,
        image.read,
        image.grid.shape,
        scales,
        offsets=[_pair_of(c) for c in card.channels],
        keep=[card.channels.index(c) for c in channels],
        averaging=averaging,
        device="cuda" if torch.cuda.is_available() else "cpu",
        bf16=bf16,
        tile=tile,
    )


def _pair_of(channel: str) -> tuple[int, int, int] | None:
    """Where the second voxel is of which a channel speaks: an overlap is a pair of sections too, and the last has no other."""
    return (1, 0, 0) if channel == "overlap" else offset_of(channel)


def network_of(model: str | Path) -> tuple[nn.Module, ModelCard]:
    """`load_model`, but a process that does many blocks keeps the network."""
    card, folder = load_card(model)
    return _network(folder.absolute(), card.weights_sha256), card


@lru_cache(maxsize=1)
def _network(folder: Path, weights_sha256: str) -> nn.Module:
    return load_model(folder)[0]


def predict_box(ready: Predictor, box: Box, progress: Progress = silent) -> np.ndarray:
    """The answer for a box as uint8 (c, z, y, x), 255 p rounded: the same bytes, however the volume is cut into boxes."""
    out, done = np.empty((len(ready.keep), *box.shape), np.uint8), 0
    progress("predict", done, box.size)
    for part, values in ready.parts(box):
        out[(slice(None), *part.inside(box).slices)] = np.floor(values * 255 + 0.5)
        done += part.size
        progress("predict", done, box.size)
    return out


def kept_channels(card: ModelCard, channels: tuple[str, ...] | None) -> tuple[str, ...]:
    """The wanted channels, checked against the network's. Raises UnknownNameError."""
    for channel in channels or ():
        if channel not in card.channels:
            raise UnknownNameError(f"channel of model '{card.name}'", channel, card.channels)
    return tuple(channels or card.channels)


def check_voxel_size(image: Image, card: ModelCard) -> None:
    """Raise UnitError where voxels differ more from the network's than it was seen to bear: MAX_RATIOS along z, y, x."""
    own = image.grid.voxel_nm
    too_far = [max(a / b, b / a) > most for a, b, most in zip(own, card.voxel_nm, MAX_RATIOS, strict=True)]
    if not any(too_far):
        return
    mine, theirs = (", ".join(f"{v:g}" for v in size) for size in (own, card.voxel_nm))
    curable = seen_voxel(own, card.voxel_nm)[0] == card.voxel_nm[0] or not too_far[0]
    raise UnitError(
        f"Voxels of '{image.name}' are {mine} nm (z, y, x), model '{card.name}' was trained at {theirs} nm",
        f"a factor of at most {', '.join(f'{most:g}' for most in MAX_RATIOS)} along z, y, x",
        ("add --rescale to resample to the model's pixel size and back, or " if curable else "") + "choose another --model",
    )
