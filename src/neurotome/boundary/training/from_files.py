"""A recipe for images and labels of one's own: what nobody has said is decided by looking at the files, or asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neurotome.boundary.targets import class_of, offset_of, reach_of
from neurotome.boundary.training.annotated import polarity_fault
from neurotome.boundary.training.recipe import RestoreConfig, TrainConfig, VolumeConfig
from neurotome.boundary.training.volume_files import open_volume_files, section_range
from neurotome.core import InputError, Labels, ShapeError, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Nm3
from neurotome.io import open_image, open_labels
from neurotome.nn import FitSettings, build, load_card

__all__ = ["FilePairs", "labels_are", "recipe_from_files", "recipe_text", "require_said"]

LABELS_ARE = ("instances", "inside", "membrane", "classes")
AFFINITIES = (
    *("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1", "affinity:2,0,0"),
    *(f"affinity:{offset}" for n in (3, 9, 27) for offset in (f"0,{n},0", f"0,0,{n}")),
)
"""The three nearest, which segmentation uses, and long ones, which help to learn them (Lee et al. 2017)."""
CROP, NEIGHBOURS, MOST_CLASSES = 256, 5, 10
OPTION = "--labels-are {}"


@dataclass(frozen=True)
class FilePairs:
    """Images with their labels, in order, and what is to be learnt of them. Empty or None: decide, or ask.

    classes: further two-valued masks, name -> one file per image. class_values: what the values of the labels mean.
    validate: the share of each stack held back at its end, or the sections "first:last" of each. model: what to start from.
    """

    images: tuple[Path, ...]
    labels: tuple[Path, ...]
    labels_are: str | None = None
    classes: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    class_values: Mapping[str, int] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    validate: str = "0.2"
    voxel_nm: Nm3 | None = None
    model: str | None = None
    crop: int | None = None
    name: str = "own-network"


def recipe_from_files(pairs: FilePairs, *, steps: int | None = None) -> TrainConfig:
    """What `neurotome boundary train --image ... --labels ...` trains, in full.

    Two-valued labels give a 2D network for `membrane`, instances a 2.5D network for affinities, classes one channel each; `model`
    gives its own network. The crop is as large as the sections allow, up to 256 px.
    Raises InputError for labels whose meaning cannot be seen, ShapeError for too few sections, and what opening files raises.
    """
    _require_pairs(pairs)
    kind = _said(pairs)
    stacks = [_stack(pairs, k, kind) for k in range(len(pairs.images))]
    shapes = [open_volume_files(stack).image.grid.shape for stack in stacks]
    volumes = tuple(v for stack, shape in zip(stacks, shapes, strict=True) for v in _blocks(stack, shape[0], pairs.validate))
    if not any(v.validate_on for v in volumes):
        raise ShapeError(
            f"Each of the {len(stacks)} stacks has one section, nothing can be held back to validate on",
            "a stack of at least two sections",
            "add sections, or another --image with its --labels",
        )
    depth = min(last - first for first, last in (section_range(v.train, "train") for v in volumes))
    network = _network(pairs, kind, depth)
    crop = pairs.crop or _crop(network, min(min(shape[1:]) for shape in shapes))
    names = ", ".join(path.name for path in pairs.images)
    fit: dict[str, Any] = {} if steps is None else {"steps": steps, "validate_every": min(FitSettings.validate_every, steps)}
    return TrainConfig(name=pairs.name, volumes=volumes, crop=crop, fit=fit, summary=f"Trained on {names}", **network)


def recipe_text(config: TrainConfig) -> str:
    """The recipe as YAML, without what is as it always is."""
    data = config.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(data, sort_keys=False, width=130)


def labels_are(labels: Labels, said: str | None, class_values: Mapping[str, int], option: str = OPTION) -> str:
    """What the values mean: as somebody said, or as only one thing is possible (many values without names are instances).

    Raises UnknownNameError for another word, InputError with the share of each value where it could mean two things.
    """
    if said is not None:
        if said not in LABELS_ARE:
            raise UnknownNameError("meaning of labels", said, LABELS_ARE)
        return said
    if class_values:
        return "classes"
    values = labels.read()
    if len(np.unique(values)) <= MOST_CLASSES:
        raise polarity_fault(values, labels.name, option)
    return "instances"


def require_said(volume: Mapping[str, Any], folder: Path) -> None:
    """Raises InputError, with the share of each value, for a volume of a recipe that does not say `truth_is`."""
    if "truth_is" not in volume and isinstance(volume.get("truth"), str):
        path = folder / str(volume["truth"])
        if path.exists():
            labels = open_labels(path, voxel_nm=volume.get("voxel_nm"))
            raise polarity_fault(labels.read(), labels.name, "truth_is: {}")


def _require_pairs(pairs: FilePairs) -> None:
    images = len(pairs.images)
    if len(pairs.labels) != images or not images:
        raise InputError(
            f"{images} --image and {len(pairs.labels)} --labels",
            "one --labels for each --image, in the same order",
            "for a mask alone: --labels MASK --labels-are classes --class-value NAME=255",
        )
    for name, files in pairs.classes.items():
        if len(files) != images:
            raise InputError(
                f"{len(files)} --class {name}=FILE for {images} --image",
                "one for each image, in the same order",
                "write a recipe where only some stacks have the class",
            )


def _said(pairs: FilePairs) -> str:
    voxel_nm = pairs.voxel_nm or open_image(pairs.images[0]).grid.voxel_nm
    return labels_are(open_labels(pairs.labels[0], voxel_nm=voxel_nm), pairs.labels_are, pairs.class_values)


def _stack(pairs: FilePairs, k: int, kind: str) -> VolumeConfig:
    """One whole stack; absolute paths, so that the recipe can be run from anywhere."""
    return VolumeConfig(
        image=pairs.images[k].absolute(),
        truth=pairs.labels[k].absolute(),
        truth_is=kind,  # type: ignore[arg-type]
        train="0:1",
        classes={name: files[k].absolute() for name, files in pairs.classes.items()},
        class_values=dict(pairs.class_values),
        voxel_nm=pairs.voxel_nm,
    )


def _blocks(stack: VolumeConfig, sections: int, validate: str) -> list[VolumeConfig]:
    """The stack cut into what is trained on, before and behind what is held back."""
    first, last = _held_back(sections, validate)
    parts = [(a, b) for a, b in ((0, first), (last, sections)) if b > a]
    if not parts:
        raise ShapeError(f"--validate {validate} of {sections} sections", "some left to train on", "hold back fewer")
    held = f"{first}:{last}" if last > first else ""
    return [
        stack.model_copy(update={"train": f"{a}:{b}", "validate_on": held if k == 0 else ""}) for k, (a, b) in enumerate(parts)
    ]


def _held_back(sections: int, validate: str) -> tuple[int, int]:
    if ":" in validate:
        first, last = section_range(validate, "--validate")
        if not first < last <= sections:
            raise ShapeError(f"--validate {validate} of a stack of {sections}", "0 <= first < last <= number of sections")
        return first, last
    if not re.fullmatch(r"0?\.\d+", validate):
        raise ValueRangeError(f"--validate {validate}", "a share between 0 and 1, or sections first:last", "for example 0.2")
    # One section cannot be shared out; it is trained on.
    count = min(sections - 1, max(1, round(float(validate) * sections)))
    return sections - count, sections


def _network(pairs: FilePairs, kind: str, depth: int) -> dict[str, Any]:
    """Family, network, channels and what belongs to them."""
    if pairs.model is not None:
        card, _ = load_card(pairs.model)
        channels = pairs.channels or card.channels
        return {
            "family": card.family,
            "network": {k: v for k, v in card.config.items() if k != "out_channels"},
            "channels": channels,
            "normalization": card.normalization,
            "loss": _loss(channels),
            "restore": RestoreConfig(model=pairs.model),
        }
    extra = [f"class:{name}" for name in pairs.classes]
    if kind == "classes":
        channels = pairs.channels or tuple(dict.fromkeys([*(f"class:{name}" for name in pairs.class_values), *extra]))
    elif kind == "instances":
        channels = pairs.channels or (*(a for a in AFFINITIES if reach_of(a) < depth), *extra)
    else:
        channels = pairs.channels or ("membrane", *extra)
    sections = min(NEIGHBOURS, depth - (depth + 1) % 2) if any(offset_of(c) for c in channels) else 1
    return {"channels": channels, "network": {"sections": sections}, "loss": _loss(channels)}


def _loss(channels: tuple[str, ...]) -> str:
    """One weight per channel where channels differ in how often they are 1: rare classes would be forgotten."""
    return "balanced_bce" if any(offset_of(c) or class_of(c) for c in channels) else "bce_dice"


def _crop(network: Mapping[str, Any], side: int) -> int:
    """At most 256 px, at most the side of the smallest section, and whole steps of the network's grid."""
    stride = build(network.get("family", "unet2d"), {"out_channels": 1, **network["network"]}).stride[1]
    return max(stride, min(CROP, side) // stride * stride)
