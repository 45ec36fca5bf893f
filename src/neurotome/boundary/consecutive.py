"""Two sections as one picture: what a network sees that looks for their overlap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurotome.core import Box, Image, ShapeError

__all__ = ["consecutive"]


def consecutive(image: Image) -> Iterator[np.ndarray]:
    """Each section with the one that follows it, (y, x, 3): red is section i, green is section i + 1, blue is 0.

    N sections give N - 1 pictures of the image's type; two sections are in memory at a time.
    Raises ShapeError for a single section. Source: mweber95/neuron3d, paths NN-2 and NN-5.

    >>> from neurotome.core import Grid
    >>> stack = Image(np.array([[[7]], [[8]], [[9]]], np.uint8), Grid((3, 1, 1), (30, 6, 6)))
    >>> [picture[0, 0].tolist() for picture in consecutive(stack)]
    [[7, 8, 0], [8, 9, 0]]
    """
    sections = image.grid.shape[0]
    if sections < 2:
        raise ShapeError(f"'{image.name}' has one section", "two or more", "give a stack")
    # The check comes when the function is called, the reading when pictures are asked for.
    return (_picture(_section(image, z), _section(image, z + 1)) for z in range(sections - 1))


def _section(image: Image, z: int) -> np.ndarray:
    _, height, width = image.grid.shape
    section: np.ndarray = image.read(Box((z, 0, 0), (z + 1, height, width)))[0]
    return section


def _picture(here: np.ndarray, following: np.ndarray) -> np.ndarray:
    picture: np.ndarray = np.stack([here, following, np.zeros_like(here)], axis=-1)
    return picture
