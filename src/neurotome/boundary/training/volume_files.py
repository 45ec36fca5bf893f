"""From the volumes of a recipe to annotated stacks in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neurotome.boundary.targets import require_channels
from neurotome.boundary.training.annotated import AnnotatedVolume
from neurotome.boundary.training.recipe import TrainConfig, VolumeConfig
from neurotome.core import Box, Image, InputError, Labels, MissingFileError, ShapeError
from neurotome.io import open_image, open_labels

__all__ = ["OpenVolume", "annotated_volumes", "open_volume_files", "section_range", "unpaired_volume"]


@dataclass(frozen=True, eq=False)
class OpenVolume:
    """The files of one volume, opened and cut to its box, not read: image, truth (None: there is none), further masks."""

    image: Image
    truth: Labels | Image | None
    classes: Mapping[str, Labels]


def annotated_volumes(config: TrainConfig) -> tuple[tuple[AnnotatedVolume, ...], tuple[AnnotatedVolume, ...]]:
    """The blocks to train on and those to validate on.

    Raises InputError for blocks that meet, for no block to validate on and for an option that has nothing to act on,
    UnknownNameError for a channel that no volume says anything about, and what `AnnotatedVolume.load` raises.
    """
    seen, unseen = [], []
    places: list[tuple[Path, str, Box]] = []
    for volume in config.volumes:
        train = section_range(volume.train, "train") if volume.train else None
        held = section_range(volume.validate_on, "validate_on") if volume.validate_on else None
        files = open_volume_files(volume)
        places += [
            (volume.image, part, _place(volume, files, block)) for part, block in (("train", train), ("held", held)) if block
        ]
        _require_apart(places)
        if train:
            seen.append(_loaded(volume, files, train, config.normalization))
        if held:
            unseen.append(_loaded(volume, files, held, config.normalization))
    if not seen:
        raise InputError("No volume has sections to train on", "train: first:last for at least one volume", "name some sections")
    if not unseen:
        raise InputError(
            "No volume has sections to validate on", "validate_on: first:last for at least one volume", "hold back some sections"
        )
    if not _of_other_tissue(config):
        require_channels(config.channels, [v.known() for v in seen])
    return tuple(seen), tuple(unseen)


def unpaired_volume(volume: VolumeConfig) -> AnnotatedVolume:
    """All of the stack `unpaired` of a volume: a truth whose image nobody has, so that its pixels are black."""
    assert volume.unpaired is not None
    opened = open_image if volume.truth_is == "grey" else open_labels
    truth = opened(volume.unpaired, voxel_nm=volume.voxel_nm or open_image(volume.image).grid.voxel_nm)
    black = Image(np.broadcast_to(np.uint8(0), truth.grid.shape), truth.grid, truth.name)
    options = {"truth_is": volume.truth_is, "weight": volume.weight, "class_values": volume.class_values}
    return AnnotatedVolume.load(black, truth, (0, truth.grid.shape[0]), normalization="unit", **options)


def _of_other_tissue(config: TrainConfig) -> bool:
    """Whether any truth is unpaired. Raises InputError where nothing could be learnt of it."""
    unpaired = [v for v in config.volumes if v.unpaired is not None]
    if unpaired and (config.translation is None or config.translation.model != "cyclegan"):
        raise InputError(
            f"Volume '{unpaired[0].image}' has unpaired truth '{unpaired[0].unpaired}'",
            "unpaired with translation: {model: cyclegan} only",
            "give the truth of the same tissue as truth",
        )
    return bool(unpaired)


def open_volume_files(volume: VolumeConfig) -> OpenVolume:
    """Open image, truth and masks of a volume. Nothing is read."""
    if volume.pair == "side_by_side" and volume.truth is not None:
        raise InputError(
            f"Volume '{volume.image}' has a truth '{volume.truth}' and is a side-by-side pair", "one of the two", "leave one out"
        )
    if volume.class_values and volume.truth_is != "classes":
        raise InputError(
            f"Volume '{volume.image}' has class_values, and its truth is {volume.truth_is}", "truth_is: classes", "state it"
        )
    image: Image = open_image(volume.image, voxel_nm=volume.voxel_nm, channel=volume.image_channel)
    voxel_nm = volume.voxel_nm or image.grid.voxel_nm
    truth: Labels | Image | None = None
    if volume.pair == "side_by_side":
        image, right = _halves(image, volume.image)
        truth = right if volume.truth_is == "grey" else Labels(right.data, right.grid, name=right.name)
    elif volume.truth is not None:
        open_truth = open_image if volume.truth_is == "grey" else open_labels
        truth = replace(open_truth(volume.truth, voxel_nm=voxel_nm), name=volume.truth.name)
    for name, path in volume.classes.items():
        if not path.exists():
            raise MissingFileError(f"Mask '{path}' of class {name} does not exist", "a file or folder", "check the spelling")
    # Messages name files with their suffix, so that an image and its labels are told apart.
    classes = {name: replace(open_labels(path, voxel_nm=voxel_nm), name=path.name) for name, path in volume.classes.items()}
    files = OpenVolume(replace(image, name=volume.image.name), truth, classes)
    return files if volume.box is None else _boxed(files, Box(*volume.box))


def section_range(text: str, key: str) -> tuple[int, int]:
    """A half-open block of sections, "0:60" -> (0, 60)."""
    first, colon, last = text.partition(":")
    if not colon or not first.isdigit() or not last.isdigit():
        raise InputError(f"{key} is '{text}'", "first:last, half-open, for example 0:60", "write both numbers")
    return int(first), int(last)


def _place(volume: VolumeConfig, files: OpenVolume, sections: tuple[int, int]) -> Box:
    """Where a block is in the file, whatever box sections are counted from."""
    _, height, width = files.image.grid.shape
    block = Box((sections[0], 0, 0), (max(sections), height, width))
    return block if volume.box is None else block.shift(volume.box[0])


def _require_apart(places: list[tuple[Path, str, Box]]) -> None:
    """What is trained on and what is validated on never meet, in no two volumes of the same image."""
    for image, part, box in places:
        for other_image, other_part, other in places:
            if part == "train" and other_part == "held" and image == other_image and box.intersect(other).size:
                blocks = (f"{b.start[0]}:{b.stop[0]}" for b in (box, other))
                raise InputError(
                    f"Sections {' and '.join(blocks)} of '{image.name}' overlap, to train and to validate on",
                    "blocks that do not meet",
                    "shorten one of them",
                )


def _loaded(volume: VolumeConfig, files: OpenVolume, sections: tuple[int, int], normalization: str) -> AnnotatedVolume:
    return AnnotatedVolume.load(
        files.image,
        files.truth,
        sections,
        normalization=normalization,
        truth_is=volume.truth_is,
        weight=volume.weight,
        classes=files.classes,
        class_values=volume.class_values,
    )


def _halves(image: Image, path: Path) -> tuple[Image, Image]:
    """Left and right half of each section, on one grid."""
    depth, height, width = image.grid.shape
    if width % 2:
        raise ShapeError(
            f"Side-by-side pair '{path}' is {width} px wide",
            f"an even width, for example {width + 1}",
            "cut or pad it, so that both halves are equally wide",
        )
    left = image.crop(Box((0, 0, 0), (depth, height, width // 2)))
    right = image.crop(Box((0, 0, width // 2), image.grid.shape))
    return left, Image(right.data, left.grid, f"right half of {image.name}")


def _boxed(files: OpenVolume, box: Box) -> OpenVolume:
    def cut(volume: Image | Labels) -> Image | Labels:
        if box.clip(volume.grid.shape) != box or not box.size:
            raise ShapeError(
                f"Box {box.start} to {box.stop} of '{volume.name}', whose shape is {volume.grid.shape}",
                "a box inside it (z, y, x)",
                "correct box",
            )
        return volume.crop(box)

    image = cut(files.image)
    assert isinstance(image, Image)
    classes = {name: mask for name, file in files.classes.items() if isinstance(mask := cut(file), Labels)}
    return OpenVolume(image, None if files.truth is None else cut(files.truth), classes)
