"""From annotated stacks to a network with a card: the training task of this room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from neurotome.boundary.patches import AnnotatedVolume, Patches, PatchShape
from neurotome.boundary.pictures import EpochPicture
from neurotome.boundary.targets import offset_of
from neurotome.core import FormatError, InputError, ModelCard, Progress, RunFolderError, UnknownNameError, silent
from neurotome.datasets import data_root
from neurotome.io import atomic_write_json, open_image, open_labels
from neurotome.nn import (
    Augmentation,
    FitSettings,
    balanced_bce,
    bce_dice,
    build,
    receptive_halo,
    save_model,
)

__all__ = ["TrainConfig", "VolumeConfig", "train", "with_paths_from"]

T = TypeVar("T")
LOSSES = {"bce_dice": bce_dice, "balanced_bce": balanced_bce}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VolumeConfig(_Strict):
    """One annotated stack. `train` and `validate` are blocks of sections, "0:60"; they may not meet."""

    image: Path
    truth: Path
    truth_is: Literal["instances", "inside", "membrane"]
    train: str
    validate_on: str = ""
    voxel_nm: tuple[float, float, float] | None = None
    weight: float = 1.0


class TrainConfig(_Strict):
    """Everything that decides what comes out. Unknown keys are refused."""

    name: str
    volumes: tuple[VolumeConfig, ...] = Field(min_length=1)
    channels: tuple[str, ...] = ("membrane",)
    family: str = "unet2d"
    network: dict[str, Any] = {}
    crop: int = 256
    depth: int = 18
    shrink: int = 0
    loss: Literal["bce_dice", "balanced_bce"] = "bce_dice"
    normalization: Literal["section_zscore", "unit", "percentile"] = "section_zscore"
    augmentation: dict[str, float | bool | int] = {}
    fit: dict[str, Any] = {}
    summary: str = ""
    licence: str = ""
    cite: tuple[str, ...] = ()


def train(config: TrainConfig, out: Path, *, progress: Progress = silent) -> ModelCard:
    """Train a boundary network into folder `out`; called again after an interruption it goes on.

    Leaves card.json and weights.safetensors (a model folder for `predict`), history.csv, frames/, logs/, checkpoints/.
    Raises InputError for wrong options, RunFolderError when `out` holds a training with another config.
    """
    from neurotome.nn import fit

    for channel in config.channels:
        offset_of(channel)
    settings = _made(FitSettings, "fit", config.fit)
    torch.manual_seed(settings.seed)
    network = build(config.family, {"out_channels": len(config.channels), **config.network})
    shape = _patch_shape(config, network)
    how = _made(Augmentation, "augmentation", config.augmentation)
    seen, unseen = _load(config)
    training = Patches(
        seen,
        config.channels,
        shape,
        how,
        count=settings.batch * settings.validate_every,
        seed=settings.seed,
        shrink=config.shrink,
    )
    validation = Patches(
        unseen, config.channels, shape, Augmentation.none(), count=32, seed=settings.seed + 1, shrink=config.shrink
    )
    picture = EpochPicture(validation[0], config.channels, out / "frames")
    _claim(out, config)
    network = fit(network, LOSSES[config.loss], training, validation, out, settings, picture=picture, progress=progress)
    card = _card(config, network, seen)
    return save_model(out, network, card)


def _made(kind: type[T], key: str, options: Mapping[str, Any]) -> T:
    """A settings dataclass from a section of the recipe; raises UnknownNameError for an option it does not have."""
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            raise UnknownNameError(f"option of {key}", name, known)
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})


def _claim(out: Path, config: TrainConfig) -> None:
    """Write train.json, or check that the one there says the same."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "train.json"
    mine = json.loads(config.model_dump_json())
    if not path.exists():
        if any(out.iterdir()):
            raise RunFolderError(
                f"Folder '{out}' is not empty and holds no training", "an empty or new folder", "choose another --out"
            )
        atomic_write_json(path, mine)
        return
    try:
        theirs = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise FormatError(f"'{path}' is not JSON ({error})", "the settings of a training", "choose another --out") from error
    for key in mine:
        if mine[key] != theirs.get(key):
            raise RunFolderError(
                f"Folder '{out}' holds a training with {key} = {theirs.get(key)}, not {mine[key]}",
                "the same config",
                "choose another --out",
            )


def _patch_shape(config: TrainConfig, network: torch.nn.Module) -> PatchShape:
    if config.crop % network.stride[1]:
        raise InputError(f"Crop {config.crop} px", f"a multiple of {network.stride[1]} for this network", "round it up")
    if network.ndim == 3:
        return PatchShape(config.crop, config.depth, config.depth)
    return PatchShape(config.crop, network.config.sections, 1)


def _load(config: TrainConfig) -> tuple[tuple[AnnotatedVolume, ...], tuple[AnnotatedVolume, ...]]:
    seen, unseen = [], []
    for volume in config.volumes:
        image = open_image(volume.image, voxel_nm=volume.voxel_nm)
        truth = open_labels(volume.truth, voxel_nm=volume.voxel_nm or image.grid.voxel_nm)
        train = _sections(volume.train, "train")
        options = {"normalization": config.normalization, "weight": volume.weight, "truth_is": volume.truth_is}
        seen.append(AnnotatedVolume.load(image, truth, train, **options))
        if volume.validate_on:
            held = _sections(volume.validate_on, "validate_on")
            if max(train[0], held[0]) < min(train[1], held[1]):
                raise InputError(
                    f"Sections {volume.train} and {volume.validate_on} overlap", "blocks that do not meet", "shorten one of them"
                )
            unseen.append(AnnotatedVolume.load(image, truth, held, **options))
    if not unseen:
        raise InputError(
            "No volume has sections to validate on", "validate_on: first:last for at least one volume", "hold back some sections"
        )
    return tuple(seen), tuple(unseen)


def _sections(text: str, key: str) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    if not colon or not first.isdigit() or not last.isdigit():
        raise InputError(f"{key} is '{text}'", "first:last, half-open, for example 0:60", "write both numbers")
    return int(first), int(last)


def _card(config: TrainConfig, network: torch.nn.Module, seen: tuple[AnnotatedVolume, ...]) -> ModelCard:
    voxel = np.mean([v.image.grid.voxel_nm for v in seen], axis=0)
    return ModelCard(
        name=config.name,
        family=config.family,
        config={"out_channels": len(config.channels), **config.network},
        channels=config.channels,
        voxel_nm=tuple(float(v) for v in voxel),  # type: ignore[arg-type]
        normalization=config.normalization,
        halo_vox=receptive_halo(network),
        summary=config.summary,
        trained_on=tuple(f"{v.image.name} sections {v.train}" for v in config.volumes),
        validated_on=tuple(f"{v.image.name} sections {v.validate_on}" for v in config.volumes if v.validate_on),
        training={
            "steps": _made(FitSettings, "fit", config.fit).steps,
            "parameters": sum(p.numel() for p in network.parameters()),
            "crop": config.crop,
            "loss": config.loss,
        },
        licence=config.licence,
        cite=config.cite,
    )


def with_paths_from(config: TrainConfig, folder: Path) -> TrainConfig:
    """The same config with relative paths made absolute: from `folder`, those that begin with DATA from the data folder."""

    def found(path: Path) -> Path:
        return data_root().joinpath(*path.parts[1:]) if path.parts[0] == "DATA" else folder / path

    volumes = tuple(v.model_copy(update={"image": found(v.image), "truth": found(v.truth)}) for v in config.volumes)
    return config.model_copy(update={"volumes": volumes})
