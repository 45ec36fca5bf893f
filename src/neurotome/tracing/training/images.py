"""The annotated stacks of a training, by name, and which of them are held back: whole images, never patches of one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import Box, Image, InputError, Labels, MissingFileError, ShapeError
from neurotome.core.geometry import Nm3
from neurotome.datasets.fluorescence import fluorescence, random_spec
from neurotome.io import open_image, open_labels
from neurotome.io.source import numpy_dtype
from neurotome.nn.volume_scale import VolumeScale, volume_scale
from neurotome.tracing.training.recipe import ImagesConfig, NeuriteRecipe, PhantomsConfig

__all__ = ["NeuriteImage", "annotated_images", "divided", "files_of"]

HELD_VOXELS = 2 * 10**9
"""Images of at most so many voxels altogether are kept in memory."""


@dataclass(frozen=True, eq=False)
class NeuriteImage:
    """A stack, where its neurites are (> 0), and the scale of its grey values; held: in the validation set."""

    name: str
    image: Image
    labels: Labels
    scale: VolumeScale
    held: bool | None = None

    @property
    def voxel_nm(self) -> Nm3:
        return self.image.grid.voxel_nm

    def patch(self, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """Normalised grey values, float32, and foreground, bool, of a box."""
        return self.scale(self.image.read(box)), self.labels.read(box) > 0

    def mask(self) -> np.ndarray:
        return self.labels.read() > 0


def annotated_images(recipe: NeuriteRecipe) -> tuple[NeuriteImage, ...]:
    """All stacks that a recipe names, in order.

    Raises InputError for a name that occurs twice, and for labels that are empty or fill the stack.
    """
    opened: list[tuple[str, Image, Labels, bool | None]] = []
    for source in recipe.images:
        held = True if source.validate_on else None
        opened += [(*one, held) for one in (_phantoms(source.phantoms) if source.phantoms else _files(source))]
    names = [name for name, *_ in opened]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise InputError(f"Image '{twice[0]}' is named twice", "each image once", "leave one of them out")
    small = sum(math.prod(image.grid.shape) for _, image, _, _ in opened) <= HELD_VOXELS
    return tuple(
        _checked(name, image, labels, recipe.normalization, held=held, in_memory=small) for name, image, labels, held in opened
    )


def divided(
    images: tuple[NeuriteImage, ...], share: float, rng: np.random.Generator
) -> tuple[tuple[NeuriteImage, ...], tuple[NeuriteImage, ...]]:
    """Images to train on and images to validate on. Those that the recipe holds back decide; else a random `share` of them.

    Raises InputError where one of both would be empty.
    """
    held = [i for i in images if i.held]
    if not held:
        chosen = rng.permutation(len(images))[: max(1, round(share * len(images)))]
        held = [images[k] for k in sorted(chosen)]
    names = {i.name for i in held}
    seen = tuple(i for i in images if i.name not in names)
    if not seen:
        raise InputError(
            f"{len(images)} image{'s' * (len(images) != 1)} to train and validate on",
            "at least one for each, since patches of one image would tell about each other",
            "add images, or cut the one you have into two files",
        )
    return seen, tuple(held)


def files_of(recipe: NeuriteRecipe) -> list[Path]:
    """Every file that a recipe reads, each once."""
    pairs = [pair for source in recipe.images if source.image is not None for pair in _pairs(source)]
    return list(dict.fromkeys(path for pair in pairs for path in pair))


def _files(source: ImagesConfig) -> list[tuple[str, Image, Labels]]:
    found = []
    for image_path, labels_path in _pairs(source):
        image = open_image(image_path, voxel_nm=source.voxel_nm)
        labels = open_labels(labels_path, voxel_nm=image.grid.voxel_nm)
        if image.grid.shape != labels.grid.shape:
            raise ShapeError(
                f"Image '{image_path}' has shape {image.grid.shape}, labels '{labels_path}' have {labels.grid.shape}",
                "the same shape",
                "check that they belong together",
            )
        found.append((_stem(image_path), image, labels))
    return found


def _pairs(source: ImagesConfig) -> list[tuple[Path, Path]]:
    """Files with their labels; of folders, those of the same name. Raises InputError naming what has no partner."""
    image, labels = source.image, source.labels
    if image is None or labels is None:
        return []
    for path in (image, labels):
        if not path.exists():
            raise MissingFileError(f"'{path}' does not exist", "a file or a folder of files", "check the path")
    if not (image.is_dir() and image.suffix != ".zarr"):
        return [(image, labels)]
    here, there = ({p.name: p for p in sorted(folder.iterdir()) if not p.name.startswith(".")} for folder in (image, labels))
    if alone := sorted(here.keys() ^ there.keys()):
        missing = labels if alone[0] in here else image
        raise InputError(f"'{missing}' has no '{alone[0]}'", "images and labels of the same file names", "rename or remove it")
    if not here:
        raise InputError(f"Folder '{image}' is empty", "stacks with labels of the same file names", "check the path")
    return [(here[name], there[name]) for name in here]


def _phantoms(config: PhantomsConfig) -> list[tuple[str, Image, Labels]]:
    made = []
    for k, seed in enumerate(np.random.SeedSequence(config.seed).spawn(config.count)):
        phantom = fluorescence(random_spec(np.random.default_rng(seed), shape=config.shape))
        made.append((f"phantom-{config.seed}-{k:03d}", phantom.image, phantom.mask))
    return made


def _checked(name: str, image: Image, labels: Labels, method: str, *, held: bool | None, in_memory: bool) -> NeuriteImage:
    mask = labels.read() > 0
    if mask.all() or not mask.any():
        raise InputError(
            f"Labels of '{name}' are {'all foreground' if mask.all() else 'empty'}",
            "neurites (> 0) and background",
            "leave it out",
        )
    if in_memory:
        image, labels = Image(image.read(), image.grid, name), Labels(mask.astype(np.uint8), labels.grid)
    scale = volume_scale(image.read, image.grid.shape, numpy_dtype(image.data), method)
    return NeuriteImage(name, image, labels, scale, held)


def _stem(path: Path) -> str:
    return path.name.split(".")[0]
