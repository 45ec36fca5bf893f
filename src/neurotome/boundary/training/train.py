"""From annotated stacks to a network with a card: the training task of this room."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from neurotome.boundary.targets import offset_of
from neurotome.boundary.training.patches import Patches, PatchShape
from neurotome.boundary.training.preparation import Preparation, carry_out, settings_of
from neurotome.boundary.training.recipe import TrainConfig
from neurotome.boundary.training.volume_files import annotated_volumes
from neurotome.core import InputError, ModelCard, Progress, UnknownNameError, silent
from neurotome.nn import Augmentation, FitSettings, balanced_bce, bce_dice, build

if TYPE_CHECKING:
    from neurotome.nn.task import Loss

__all__ = ["require_used", "train"]

LOSSES = {"bce_dice": bce_dice, "balanced_bce": balanced_bce}
VALIDATION_PATCHES = 32


def train(config: TrainConfig, out: Path, *, progress: Progress = silent) -> ModelCard:
    """Train a boundary network into folder `out`; called again after an interruption it goes on.

    Leaves run.json, card.json and weights.safetensors (a model folder for `predict`), recipe.yaml, history.csv, frames/ and
    pictures/ of whole sections, an animation of each, logs/, checkpoints/.
    Raises InputError for wrong options, RunFolderError when `out` holds a training with another config.
    """
    settings = settings_of(FitSettings, "fit", config.fit)
    torch.manual_seed(settings.seed)
    if config.translation is not None:
        from neurotome.boundary.training.translate import translation

        return carry_out(config, translation(config, settings), settings, out, progress)
    return carry_out(config, _one_network(config, settings), settings, out, progress)


def _one_network(config: TrainConfig, settings: FitSettings) -> Preparation:
    """A network that learns its channels from annotated patches."""
    from neurotome.nn.task import NetworkTask

    for channel in config.channels:
        offset_of(channel)
    network: Any = build(config.family, {"out_channels": len(config.channels), **config.network})
    loss = _loss(config, network)
    require_used(config, network.ndim)
    if config.restore is not None:
        from neurotome.nn.restore import freeze, restore

        restore(network, config.restore.model, config.restore.what)
        freeze(network, config.restore.freeze)
    shape = PatchShape.of(network, config.crop, config.depth)
    how = Augmentation.of(config.augmentation)
    seen, unseen = annotated_volumes(config)
    count = settings.batch * settings.validate_every
    training = Patches(seen, config.channels, shape, how, count=count, seed=settings.seed, shrink=config.shrink)
    validation = Patches(
        unseen,
        config.channels,
        shape,
        Augmentation.none(),
        count=VALIDATION_PATCHES,
        seed=settings.seed + 1,
        shrink=config.shrink,
    )
    return Preparation(NetworkTask(network, loss, settings), training, validation, seen, unseen, {"loss": config.loss})


def _loss(config: TrainConfig, network: nn.Module) -> Loss:
    """The loss of the recipe; generators of the legacy scale are judged on it."""
    from neurotome.nn.translation.losses import CLASSIC

    if config.loss in LOSSES:
        return LOSSES[config.loss]
    if config.loss not in CLASSIC:
        raise UnknownNameError("loss", config.loss, (*LOSSES, *CLASSIC))
    if config.loss in ("softmax", "softmax_ce") and len(config.channels) < 2:
        raise InputError(f"Loss {config.loss} for one channel, where it is always 0", "two channels or more", "use bce")
    return partial(CLASSIC[config.loss], legacy=getattr(network.config, "legacy", False))


def require_used(config: TrainConfig, ndim: int) -> None:
    """Raises InputError for an option that this network has no use for."""
    if "depth" in config.model_fields_set and ndim == 2:
        raise InputError(
            f"depth {config.depth} for '{config.family}', a 2D network", "depth with 3D networks only", "leave it out"
        )
    if config.shrink and not any(offset_of(channel) for channel in config.channels):
        raise InputError(f"shrink {config.shrink} without an affinity channel", "shrink with affinities only", "leave it out")
