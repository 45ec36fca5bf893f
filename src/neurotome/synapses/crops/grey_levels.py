"""How dark and how bright a volume is: two percentiles of its grey values, the one scale for all its crops."""

from __future__ import annotations

import numpy as np

from neurotome.core import Box, Image, InputError
from neurotome.core.geometry import Int3
from neurotome.synapses.crops.windows import stored_blocks

__all__ = ["PERCENTILES", "grey_levels"]

PERCENTILES = (0.5, 99.5)
_MOST_VOXELS = 2**24
"""Larger volumes are sampled: this many voxels, in the blocks they are stored in."""


def grey_levels(image: Image, *, most_voxels: int = _MOST_VOXELS) -> tuple[float, float]:
    """The 0.5 and the 99.5 percentile of the grey values of a volume, between two values linearly (as NumPy does).

    Of all voxels, or of `most_voxels` of them in blocks drawn evenly and always the same, where there are more. Values that are
    no finite number do not count. Raises InputError where none is.

    >>> from neurotome.core import Grid
    >>> grey_levels(Image(np.arange(201, dtype=np.uint8).reshape(3, 67, 1), Grid((3, 67, 1), (8, 8, 8))))
    (1.0, 199.0)
    """
    values = np.concatenate([image.read(box).ravel() for box in _sampled(image, most_voxels)])
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not values.size:
        raise InputError(f"Image '{image.name}' has no finite grey value", "some numbers", "check the file")
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)


def _sampled(image: Image, most_voxels: int) -> list[Box]:
    block = _block_shape(image, most_voxels)
    boxes = list(image.grid.box.tiles(block))
    if image.grid.size <= most_voxels:
        return boxes
    wanted = max(1, most_voxels // boxes[0].size)
    # Every n-th would follow the volume's own layout where n divides a row of blocks.
    drawn = np.random.default_rng(0).permutation(len(boxes))[:wanted]
    return [boxes[i] for i in sorted(drawn.tolist())]


def _block_shape(image: Image, most_voxels: int) -> Int3:
    shape = image.grid.shape
    if image.grid.size <= most_voxels:
        return shape
    return stored_blocks(image.data) or (1, shape[1], shape[2])
