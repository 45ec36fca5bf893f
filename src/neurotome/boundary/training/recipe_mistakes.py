"""What is wrong with a training recipe beyond its keys, found without opening a file: all of it, not just the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from neurotome.boundary.targets import offset_of
from neurotome.boundary.training.patches import PatchShape
from neurotome.boundary.training.preparation import settings_of
from neurotome.boundary.training.recipe import TrainConfig
from neurotome.boundary.training.train import LOSSES
from neurotome.core import NeurotomeError, UnknownNameError
from neurotome.nn import Augmentation, FitSettings, build

__all__ = ["fit_settings", "recipe_mistakes"]


def recipe_mistakes(config: TrainConfig) -> tuple[str, ...]:
    """One sentence per mistake in the channels, the network, its fitting and the augmentation; none for a good recipe.

    For whoever trains several networks in a row: the last recipe is to be refused before the first network is trained.
    """
    checks: list[Callable[[TrainConfig], Any]] = [
        lambda c: [offset_of(channel) for channel in c.channels],
        _require_network,
        fit_settings,
        lambda c: Augmentation.of(c.augmentation),
        _require_loss,
    ]
    found = []
    for check in checks:
        try:
            check(config)
        except NeurotomeError as error:
            found.append(str(error))
    return tuple(found)


def fit_settings(config: TrainConfig) -> FitSettings:
    """How a recipe has its network fitted. Raises UnknownNameError for an option that does not exist, ValueRangeError."""
    return settings_of(FitSettings, "fit", config.fit)


def _require_network(config: TrainConfig) -> None:
    # On the meta device nothing is allocated.
    with torch.device("meta"):
        network = build(config.family, {"out_channels": len(config.channels), **config.network})
    PatchShape.of(network, config.crop, config.depth)


def _require_loss(config: TrainConfig) -> None:
    from neurotome.nn.translation.losses import CLASSIC
    from neurotome.nn.translation.settings import TranslationSettings

    if config.translation is not None:
        TranslationSettings(**config.translation.model_dump(exclude={"direction"}))
    elif config.loss not in (*LOSSES, *CLASSIC):
        raise UnknownNameError("loss", config.loss, (*LOSSES, *CLASSIC))
