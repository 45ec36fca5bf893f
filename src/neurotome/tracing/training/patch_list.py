"""Where the patches of a training lie: random corners with enough neurite in them, drawn once and written down."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from neurotome.core import Box, InputError
from neurotome.core.geometry import Int3

__all__ = ["MOST_MISSES", "Patch", "draw_patches", "least_foreground"]

REFERENCE = 1000 / 120**3
"""A patch of 120 voxels a side is taken when at least 1000 of them are foreground (DB-Enhance)."""

MOST_MISSES = 200
"""Corners in a row without enough foreground after which an image is given up."""


@dataclass(frozen=True)
class Patch:
    """A box of an image: its name, the box's corner and how many of its voxels are foreground."""

    image: str
    corner: Int3
    foreground: int


def least_foreground(shape: Int3) -> int:
    """How many voxels of a patch must be foreground: the share that is 1000 in 120 x 120 x 120.

    >>> least_foreground((120, 120, 120)), least_foreground((64, 64, 64))
    (1000, 152)
    """
    return max(1, round(REFERENCE * math.prod(shape)))


def draw_patches(
    masks: Iterable[tuple[str, np.ndarray]], shape: Int3, count: int, least: int, rng: np.random.Generator
) -> list[Patch]:
    """`count` patches of each image, corners uniform among those tried; an image with too little foreground gives fewer, or none.

    masks: name and foreground (z, y, x) of each image; a patch may be as large as the image. Raises InputError naming an image
    that is smaller, and, when no image has a patch with `least` voxels of foreground, the best one found and where.
    """
    found: list[Patch] = []
    best = Patch("", (0, 0, 0), -1)
    for name, mask in masks:
        sums = _sums(mask)
        if any(n < s for n, s in zip(mask.shape, shape, strict=True)):
            raise InputError(
                f"Patches of {shape} voxels, image '{name}' of {mask.shape}", "patches that fit in", "make them smaller"
            )
        misses = taken = 0
        while taken < count and misses < MOST_MISSES:
            corner = tuple(int(rng.integers(n - s + 1)) for n, s in zip(mask.shape, shape, strict=True))
            patch = Patch(name, corner, _inside(sums, corner, shape))  # type: ignore[arg-type]
            best = max(best, patch, key=lambda p: p.foreground)
            if patch.foreground < least:
                misses += 1
                continue
            misses, taken = 0, taken + 1
            found.append(patch)
    if not found:
        raise InputError(
            f"No patch of {shape} voxels has {least} of foreground; the best, of '{best.image}', has {best.foreground}",
            "images with more neurite",
            "make patches larger, or `least_foreground` smaller",
        )
    return found


def box_of(patch: Patch, shape: Int3) -> Box:
    """The box of a patch of this shape."""
    return Box(patch.corner, tuple(c + s for c, s in zip(patch.corner, shape, strict=True)))  # type: ignore[arg-type]


def _sums(mask: np.ndarray) -> np.ndarray:
    """Foreground before each corner, (z + 1, y + 1, x + 1): any box is counted with eight of these."""
    sums = np.zeros(tuple(n + 1 for n in mask.shape), np.int64)
    sums[1:, 1:, 1:] = mask > 0
    for axis in range(3):
        np.cumsum(sums, axis=axis, out=sums)
    return sums


def _inside(sums: np.ndarray, corner: tuple[int, ...], shape: Int3) -> int:
    part = sums[tuple(slice(c, c + s + 1, s) for c, s in zip(corner, shape, strict=True))]
    return int(np.diff(np.diff(np.diff(part, axis=0), axis=1), axis=2)[0, 0, 0])
