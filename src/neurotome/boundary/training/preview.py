"""Some of the patches that a training would draw, with what was done to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.boundary.targets import offset_of
from neurotome.boundary.training.patches import Patches, PatchShape
from neurotome.boundary.training.recipe import TrainConfig
from neurotome.boundary.training.volume_files import annotated_volumes
from neurotome.core import InputError
from neurotome.nn import Augmentation, FitSettings, build

__all__ = ["PreviewPatch", "preview_patches"]


@dataclass(frozen=True, eq=False)
class PreviewPatch:
    """What the network sees in the section it answers for, image (y, x), and what it should say, target and valid (c, y, x)."""

    image: np.ndarray
    target: np.ndarray
    valid: np.ndarray
    channels: tuple[str, ...]
    origin: str
    done: tuple[str, ...]


def preview_patches(config: TrainConfig, *, count: int = 6, seed: int | None = None) -> tuple[PreviewPatch, ...]:
    """The first patches of a training with this seed (default: the recipe's), exactly as the network gets them."""
    for channel in config.channels:
        offset_of(channel)
    if count < 1:
        raise InputError(f"{count} patches", "1 or more", "raise it")
    network = build(config.family, {"out_channels": len(config.channels), **config.network})
    shape, how = PatchShape.of(network, config.crop, config.depth), Augmentation.of(config.augmentation)
    seen, _ = annotated_volumes(config)
    chosen = config.fit.get("seed", FitSettings.seed) if seed is None else seed
    patches = Patches(seen, config.channels, shape, how, count=count, seed=chosen, shrink=config.shrink)
    return tuple(_patch(patches, k) for k in range(count))


def _patch(patches: Patches, index: int) -> PreviewPatch:
    sample = patches.sample(index)
    # The section that is answered for; of a 3D patch the middle one.
    middle = (sample.image.shape[-3] - 1) // 2
    image, target, valid = sample.image[..., middle, :, :], sample.target, np.broadcast_to(sample.valid, sample.target.shape)
    if patches.shape.depth > 1:
        image, target, valid = image[0], target[:, middle], valid[:, middle]
    told = sample.draw.told(sections=patches.shape.sections)
    y, x = sample.corner
    origin = f"{sample.volume.image.name}, section {sample.section}, from y {y}, x {x}"
    return PreviewPatch(image, target, valid, patches.channels, origin, told or ("nothing changed",))
