"""Preparing an image-to-image training: which images are X and which are Y, and what becomes of both generators.

    direction AtoB   X = image           Y = the recipe's channels, made from the truth, in [0, 1]
    direction BtoA   X = the channel     Y = image, in [0, 1]

What is kept of a model with two generators: G (X -> Y) as the model folder, F (Y -> X) in its folder `backward`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from neurotome.boundary.targets import require_channels
from neurotome.boundary.training.annotated import AnnotatedVolume
from neurotome.boundary.training.patches import Patches, PatchShape
from neurotome.boundary.training.preparation import Preparation
from neurotome.boundary.training.recipe import TrainConfig, TranslationConfig
from neurotome.boundary.training.train import VALIDATION_PATCHES, require_used
from neurotome.boundary.training.volume_files import annotated_volumes, unpaired_volume
from neurotome.core import InputError, ModelCard
from neurotome.nn import Augmentation, FitSettings, build, receptive_halo, section_scale
from neurotome.nn.restore import BACKWARD, freeze, restore
from neurotome.nn.translation.settings import TranslationSettings

if TYPE_CHECKING:
    from neurotome.nn.translation.task import TranslationTask

__all__ = ["UnpairedPatches", "translation"]

Volumes = tuple[AnnotatedVolume, ...]

GREY = ("grey",)
LEAST_CROP = 24
"""Pixels a side of which a discriminator has an opinion."""


def translation(config: TrainConfig, settings: FitSettings) -> Preparation:
    """What `boundary.train` fits for a recipe with `translation`. Raises InputError for options that do not go together."""
    from neurotome.nn.translation.task import TranslationTask

    asked = config.translation
    assert asked is not None
    how = TranslationSettings(**asked.model_dump(exclude={"direction"}))
    _require_fitting(config, asked, how)
    networks = [build(config.family, {"out_channels": len(config.channels), **config.network}) for _ in range(1 + how.two_ways)]
    forth, back = networks[0], networks[1] if how.two_ways else None
    _require_network(config, forth, how)
    seen, unseen, others = _volumes(config)
    truth = all(v.known().says(channel) for v in unseen for channel in config.channels)
    channels = config.channels
    if asked.direction == "BtoA":
        channels = GREY
        seen, unseen, others = (tuple(_exchanged(v, config) for v in volumes) for volumes in (seen, unseen, others))
    if how.two_ways:
        _require_bounded(seen, config.normalization)
    task = TranslationTask(forth, back, how, settings, truth=truth)
    if config.restore is not None:
        restore(task, config.restore.model, config.restore.what)
        freeze(task, config.restore.freeze)
    shape = PatchShape.of(forth, config.crop, config.depth)
    training, validation = _streams(config, settings, shape, channels, (seen, unseen, others), truth=truth)
    beside = {} if back is None else {BACKWARD: lambda card: _backward(task, card, config)}
    return Preparation(task, training, validation, seen, unseen, {"translation": asdict(how)}, channels, beside)


def _streams(
    config: TrainConfig,
    settings: FitSettings,
    shape: PatchShape,
    channels: tuple[str, ...],
    volumes: tuple[Volumes, Volumes, Volumes],
    *,
    truth: bool,
) -> tuple[Dataset[Any], Dataset[Any]]:
    """Samples to train and to validate on; CycleGAN draws X and Y independently."""
    seen, unseen, others = volumes

    def patches(of: Volumes, what: tuple[str, ...], how: Augmentation, count: int, seed: int) -> Patches:
        return Patches(of, what, shape, how, count=count, seed=seed, shrink=config.shrink)

    how = _in_units_of(seen, Augmentation.of(config.augmentation), config.normalization)
    count, seed, still = settings.batch * settings.validate_every, settings.seed, Augmentation.none()
    if config.translation is None or config.translation.model != "cyclegan":
        training: Dataset[Any] = patches(seen, channels, how, count, seed)
    else:
        training = UnpairedPatches(patches(seen, GREY, how, count, seed), patches(others, channels, how, count, seed + 2))
    if truth:
        return training, patches(unseen, channels, still, VALIDATION_PATCHES, seed + 1)
    x, y = (
        patches(unseen, GREY, still, VALIDATION_PATCHES, seed + 1),
        patches(others, channels, still, VALIDATION_PATCHES, seed + 3),
    )
    return training, UnpairedPatches(x, y)


class UnpairedPatches(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """The image of a sample of X beside the target of a sample of Y, which was drawn and augmented by itself."""

    def __init__(self, x: Patches, y: Patches) -> None:
        self.x, self.y = x, y
        self.epoch = y.epoch = x.epoch

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        _, target, valid = self.y[index]
        return self.x[index][0], target, valid


def _volumes(config: TrainConfig) -> tuple[Volumes, Volumes, Volumes]:
    """Blocks to train on, blocks to validate on, and where Y is taken from if not from the first ones."""
    seen, unseen = annotated_volumes(config)
    trained_on = [v for v in config.volumes if v.train]
    others = tuple(
        block if volume.unpaired is None else unpaired_volume(volume) for volume, block in zip(trained_on, seen, strict=True)
    )
    require_channels(config.channels, [v.known() for v in others])
    return tuple(map(_with_image_only, seen)), tuple(map(_with_image_only, unseen)), others


def _with_image_only(volume: AnnotatedVolume) -> AnnotatedVolume:
    """The same; where nothing is known, with a class of no name that is nowhere: samples of X have the form of others."""
    if volume.labels is not None or volume.marks is not None or volume.grey is not None:
        return volume
    return replace(volume, classes=("",), marks=np.broadcast_to(np.uint8(0), volume.pixels.shape))


def _exchanged(volume: AnnotatedVolume, config: TrainConfig) -> AnnotatedVolume:
    """The channel as an image, 255 = 1, and the image as what is to be imitated."""
    made, _ = volume.known().targets(config.channels, shrink=config.shrink)
    pixels = np.round(255 * made[0]).astype(np.uint8)
    offset, factor = section_scale(volume.pixels[0], "unit")
    return replace(
        volume,
        truth_is="grey",
        pixels=pixels,
        scales=tuple(section_scale(section, config.normalization) for section in pixels),
        labels=None,
        marks=None,
        classes=(),
        grey=((volume.pixels - np.float32(offset)) * np.float32(factor)).astype(np.float32),
    )


def _backward(task: TranslationTask, card: ModelCard, config: TrainConfig) -> tuple[nn.Module, ModelCard]:
    """F and its card: it takes a volume of Y, 0..255 for 0..1, and answers with X."""
    assert config.translation is not None
    network = task.trained("x")
    channels = GREY if config.translation.direction == "AtoB" else config.channels
    return network, replace(
        card,
        name=f"{card.name}-{BACKWARD}",
        channels=channels,
        normalization="signed_unit" if task.legacy else "unit",
        halo_vox=receptive_halo(network),
        summary=f"The way back of {card.name}: {card.summary or 'from its channel to its image'}",
    )


def _in_units_of(volumes: Volumes, how: Augmentation, normalization: str) -> Augmentation:
    """The same augmentation for grey values whose standard deviation is not 1."""
    if normalization == "section_zscore":
        return how
    spread = float(np.mean([s.std() * factor for v in volumes for s, (_, factor) in zip(v.pixels, v.scales, strict=True)]))
    return replace(how, brightness=how.brightness * spread, shade_sd=how.shade_sd * spread, noise_sd=how.noise_sd * spread)


def _require_fitting(config: TrainConfig, asked: TranslationConfig, how: TranslationSettings) -> None:
    legacy = bool(config.network.get("legacy", False))
    if "loss" in config.model_fields_set:
        raise InputError(f"loss {config.loss} beside a translation", "translation.loss", "move it there")
    if legacy and config.normalization != "signed_unit":
        raise InputError(f"normalization {config.normalization} for a legacy generator", "signed_unit, the scale of its tanh")
    if how.two_ways and not legacy and config.normalization not in ("unit", "percentile"):
        raise InputError(
            f"normalization {config.normalization} for model {how.model}, which brings images back to X",
            "unit or percentile (signed_unit for legacy generators): what a generator answers is bounded",
            "change normalization",
        )
    if asked.direction == "BtoA" and any(v.unpaired is not None for v in config.volumes):
        raise InputError(
            "direction BtoA with unpaired stacks", "AtoB", "name the stack to start from as image, and the other one as unpaired"
        )
    judged = (how.loss, how.loss_x) if how.two_ways else (how.loss,)
    if {"softmax", "softmax_ce"} & set(judged) and len(config.channels) == 1 and not legacy:
        raise InputError("Loss softmax_ce for one channel, where it is always 0", "two channels or more", "use bce")
    if how.gan_weight and config.crop < LEAST_CROP:
        raise InputError(
            f"Crop {config.crop} px with a discriminator", f"{LEAST_CROP} px or more", "enlarge it, or gan_weight: 0"
        )


def _require_network(config: TrainConfig, network: Any, how: TranslationSettings) -> None:
    if network.ndim != 2:
        raise InputError(f"translation with '{config.family}', a 3D network", "a 2D network", "family: generator")
    require_used(config, network.ndim)
    assert config.translation is not None
    backwards = how.two_ways or config.translation.direction == "BtoA"
    if backwards and (network.config.sections, len(config.channels)) != (1, 1):
        raise InputError(
            f"{network.config.sections} section(s) and {len(config.channels)} channel(s) where images are made from channels",
            "one of each: an image of one section is brought back",
            "choose one channel and sections: 1, or model: pix2pix with direction: AtoB",
        )


def _require_bounded(volumes: Volumes, normalization: str) -> None:
    """Whole numbers are, once normalised; so are percentiles but for a few; other numbers may be anything."""
    for volume in volumes:
        if normalization != "percentile" and volume.pixels.dtype.kind == "f":
            low, high = float(volume.pixels.min()), float(volume.pixels.max())
            if low < 0 or high > 1:
                raise InputError(
                    f"Image '{volume.image.name}' has values from {low:g} to {high:g}",
                    f"numbers in [0, 1] for normalization {normalization}",
                    "use normalization: percentile",
                )
