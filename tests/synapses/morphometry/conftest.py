"""Crops made of masks that are told by formula, and the crop of the fixture P1."""

from collections.abc import Callable

import numpy as np
import pytest

from neurotome.core import OPERANDS, Crop
from neurotome.datasets.synapse_phantoms import p1

VOXEL_NM = (8.0, 8.0, 8.0)
STARTS = (20, 25, 43)
"""Of P1's crop of 80, centring off."""


def crop_of(image: np.ndarray | None = None, voxel_nm=VOXEL_NM, instances=None, **masks: np.ndarray) -> Crop:
    """A crop of these operands; without "valid" all of it is; all_... default to the nearest ones."""
    shape = next(iter(masks.values())).shape
    masks = {"valid": np.ones(shape, bool), **masks}
    for name in ("vesicles", "cleft", "cleft2", "mitochondria"):
        if name in masks:
            masks.setdefault(f"all_{name}", masks[name])
    bits = np.zeros(shape, np.uint32)
    for name, mask in masks.items():
        bits |= np.where(mask, np.uint32(1 << OPERANDS.index(name)), np.uint32(0))
    image = np.zeros(shape, np.uint8) if image is None else image
    return Crop("made/here/1", image, bits, OPERANDS, voxel_nm, (0.0, 255.0), instances)


def _p1_crop() -> Crop:
    volume = p1().volume
    box = tuple(slice(start, start + 80) for start in STARTS)
    image, neurons, organelles = (layer.read()[box] for layer in (volume.image, volume.neurons, volume.organelles))

    def part(*ranges: tuple[int, int]) -> np.ndarray:
        mask = np.zeros((80, 80, 80), bool)
        mask[tuple(slice(low - start, high - start) for (low, high), start in zip(ranges, STARTS))] = True
        return mask

    return crop_of(
        image,
        pre=neurons == 11,
        post=neurons == 22,
        cleft=part((45, 75), (50, 80), (80, 86)),
        cleft2=part((45, 75), (84, 90), (80, 86)),
        vesicles=part((46, 72), (52, 78), (50, 76)),
        mitochondria=part((80, 92), (92, 104), (90, 102)),
        **{
            f"all_{name}": organelles == label
            for name, label in (("cleft", 4), ("cleft2", 3), ("vesicles", 2), ("mitochondria", 1))
        },
    )


@pytest.fixture(scope="session")
def p1_crop() -> Crop:
    return _p1_crop()


@pytest.fixture
def make_crop() -> Callable[..., Crop]:
    return crop_of
