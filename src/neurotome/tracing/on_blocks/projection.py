"""What is seen of a volume from its three sides: the largest value along each axis, gathered block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import Block, Box
from neurotome.core.geometry import Int3
from neurotome.io import load_arrays, open_image, save_arrays
from neurotome.measure import block_file
from neurotome.tracing.on_blocks.values import ValuesFile

__all__ = ["AXES", "ProjectBlock", "projection_thinning"]

AXES = ("z", "y", "x")
LARGEST_SIDE = 1600
"""Pixels of a projection; in a larger volume, squares of voxels become one."""


def projection_thinning(shape: Int3) -> int:
    """How many voxels along an axis become one pixel.

    >>> projection_thinning((64, 512, 512)), projection_thinning((64, 2048, 4000))
    (1, 3)
    """
    return math.ceil(max(shape) / LARGEST_SIDE)


@dataclass(frozen=True)
class ProjectBlock:
    """The work on one block: the projections of its write box, into one file of `folder`; see `joined`.

    source: the image as it is stored, whatever its values are scaled to for tracing.
    """

    source: ValuesFile
    folder: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        values = open_image(self.source.path, voxel_nm=self.source.voxel_nm, channel=self.source.channel).read(block.write)
        path = block_file(self.folder, block)
        save_arrays(path, **{axis: values.max(k) for k, axis in enumerate(AXES)})
        return [path]

    def joined(self, blocks: Sequence[Block], shape: Int3) -> dict[str, np.ndarray]:
        """Per axis the projection along it: (y, x) along z, (z, x) along y, (z, y) along x; thinned as `projection_thinning`."""
        whole: dict[str, np.ndarray] = {}
        for block in blocks:
            for k, (axis, part) in enumerate(load_arrays(block_file(self.folder, block), *AXES).items()):
                seen = [n for other, n in enumerate(shape) if other != k]
                lowest = np.iinfo(part.dtype).min if part.dtype.kind in "iu" else -np.inf
                picture = whole.setdefault(axis, np.full(seen, lowest, part.dtype))
                window = _without(block.write, k)
                picture[window] = np.maximum(picture[window], part)
        thinning = projection_thinning(shape)
        return {axis: _brightest(picture, thinning) for axis, picture in whole.items()}


def _without(box: Box, axis: int) -> tuple[slice, ...]:
    return tuple(s for other, s in enumerate(box.slices) if other != axis)


def _brightest(picture: np.ndarray, thinning: int) -> np.ndarray:
    """The largest value of each square; what is left over at the ends is kept too, so that thin lines stay."""
    starts = [np.arange(0, n, thinning) for n in picture.shape]
    return np.maximum.reduceat(np.maximum.reduceat(picture, starts[0], 0), starts[1], 1)
