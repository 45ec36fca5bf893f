"""From an image to probabilities with a trained network, block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from neurotome.boundary.targets import offset_of
from neurotome.core import Box, Image, ModelCard, Probability, Progress, UnitError, UnknownNameError, silent
from neurotome.nn import Predictor, load_model

__all__ = ["DEFAULT_MODEL", "check_voxel_size", "kept_channels", "predict", "predict_blocks", "predictor"]

DEFAULT_MODEL = "em-affinity-25d"
MAX_VOXEL_RATIO = 1.5

Writer = Callable[[Box, np.ndarray], None]


def predict(
    image: Image,
    model: str | Path = DEFAULT_MODEL,
    *,
    channels: tuple[str, ...] | None = None,
    averaging: int = 1,
    progress: Progress = silent,
) -> Probability:
    """Probabilities of `image` in memory: uint8 (255 = 1), the named channels (default: all of the network).

    averaging: over 1, 2, 4 or 8 symmetries of the section. For volumes larger than memory use `predictor` and `predict_blocks`.
    """
    ready = predictor(image, model, channels=channels, averaging=averaging)
    out = np.zeros((len(ready.keep), *image.grid.shape), np.uint8)

    def write(box: Box, values: np.ndarray) -> None:
        out[(slice(None), *box.slices)] = values

    predict_blocks(ready, list(image.grid.box.tiles((4, 2048, 2048))), write, progress=progress)
    return Probability(out, image.grid, ready.channels, name="boundary")


def predictor(
    image: Image,
    model: str | Path = DEFAULT_MODEL,
    *,
    channels: tuple[str, ...] | None = None,
    averaging: int = 1,
    tile: int = 1024,
    bf16: bool = True,
) -> Predictor:
    """Everything that can be wrong is found here, before anything is written; reads the image once for its grey scale.

    Raises UnknownNameError for the model or a channel, UnitError when the voxel size is further than a factor 1.5 from the
    network's, ValueRangeError for an image that is constant or not finite, FormatError for a file that cannot be read.
    """
    import torch

    network, card = load_model(model)
    check_voxel_size(image, card)
    names = kept_channels(card, channels)
    return Predictor(
        network,
        card,
        image.read,
        image.grid.shape,
        offsets=[offset_of(c) for c in card.channels],
        keep=[card.channels.index(c) for c in names],
        averaging=averaging,
        device="cuda" if torch.cuda.is_available() else "cpu",
        bf16=bf16,
        tile=tile,
    )


def predict_blocks(ready: Predictor, boxes: Sequence[Box], write: Writer, *, progress: Progress = silent) -> None:
    """Predict box by box and hand each (c, z, y, x) uint8 result to `write`: never more than one box in memory.

    The result is the same for any set of boxes and any tile size (to rounding of the arithmetic).
    """
    total, done = sum(b.size for b in boxes), 0
    progress("predict", 0, total)
    for box in boxes:
        # A few sections at a time, so that memory stays small beside the result and the bar moves.
        values = np.empty((len(ready.keep), *box.shape), np.uint8)
        for part in box.tiles((4 if ready.network.ndim == 2 else box.shape[0], box.shape[1], box.shape[2])):
            values[(slice(None), *part.inside(box).slices)] = np.floor(ready(part) * 255 + 0.5)
            done += part.size
            progress("predict", done, total)
        write(box, values)


def kept_channels(card: ModelCard, channels: tuple[str, ...] | None) -> tuple[str, ...]:
    """The wanted channels, checked against the network's. Raises UnknownNameError."""
    for channel in channels or ():
        if channel not in card.channels:
            raise UnknownNameError(f"channel of model '{card.name}'", channel, card.channels)
    return tuple(channels or card.channels)


def check_voxel_size(image: Image, card: ModelCard) -> None:
    """Raise UnitError where a voxel axis differs from the network's by more than the factor MAX_VOXEL_RATIO."""
    ratios = [a / b for a, b in zip(image.grid.voxel_nm, card.voxel_nm, strict=True)]
    if any(max(r, 1 / r) > MAX_VOXEL_RATIO for r in ratios):
        mine, theirs = (", ".join(f"{v:g}" for v in size) for size in (image.grid.voxel_nm, card.voxel_nm))
        raise UnitError(
            f"Voxels of '{image.name}' are {mine} nm (z, y, x), model '{card.name}' was trained at {theirs} nm",
            f"a factor of at most {MAX_VOXEL_RATIO} on each axis",
            "add --rescale to resample to the model's voxel size and back, or choose another --model",
        )
