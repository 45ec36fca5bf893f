"""In which boxes a volume is walked, so that memory is bounded by the box and every storage chunk is read once.

sections of 4 x 12 chunks         +-------+-------+-------+    A box is whole chunks, sections first: it grows within the section
(y down, x right)                 | 0     | 1     | 2     |    until it covers it, then in depth. Where the support begins inside
                                  +-------+-------+-------+    a chunk, the first boxes are smaller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from neurotome.core import ArrayLike, Box, ShapeError
from neurotome.core.geometry import Int3

__all__ = ["BOX_VOXELS", "boxes_of", "require_tiling", "volume_parts"]

BOX_VOXELS = 1 << 25
# What a file most probably is stored in, if it does not say: neurotome's own OME-Zarr, and whole sections where they are small.
_USUAL_CHUNK: Int3 = (16, 256, 256)


def boxes_of(box: Box, *volumes: ArrayLike, voxels: int | None = None) -> list[Box]:
    """Boxes of some `voxels` (default: BOX_VOXELS, never less than one chunk) that tile `box`, z slowest.

    volumes: the arrays (z, y, x) that are read; boxes are cut along their chunks.

    >>> [b.shape for b in boxes_of(Box((0, 0, 0), (3, 4, 4)), np.zeros((3, 4, 4)), voxels=40)]
    [(2, 4, 4), (1, 4, 4)]
    """
    chunk = _common_chunk([c for c in map(_chunk, volumes) if c is not None])
    shape = _grown(chunk or (1, 1, box.shape[2]), box.shape, BOX_VOXELS if voxels is None else voxels)
    if chunk is None:
        return list(box.tiles(shape))
    z, y, x = (start // c * c for start, c in zip(box.start, chunk, strict=True))
    return [tile.intersect(box) for tile in Box((z, y, x), box.stop).tiles(shape)]


def volume_parts(shape: tuple[int, ...], *volumes: ArrayLike) -> Iterator[tuple[slice, ...]]:
    """Slices of such boxes for a whole array of any number of axes (less than three are read at once)."""
    if len(shape) != 3:
        yield (slice(None),) * len(shape)
        return
    yield from (box.slices for box in boxes_of(Box((0, 0, 0), (shape[0], shape[1], shape[2])), *volumes))


def require_tiling(boxes: Sequence[Box], box: Box) -> None:
    """Raise ShapeError unless the boxes form a lattice that covers `box` exactly once, z slowest."""
    z, y, x = (sorted({(b.start[axis], b.stop[axis]) for b in boxes}) for axis in range(3))
    closed = [
        ranges and ranges[0][0] == a and ranges[-1][1] == b and all(p[1] == q[0] for p, q in pairwise(ranges))
        for ranges, a, b in zip((z, y, x), box.start, box.stop, strict=True)
    ]
    corners = [b.start for b in boxes]
    if not all(closed) or len(boxes) != len(z) * len(y) * len(x) or corners != sorted(set(corners)):
        raise ShapeError(
            f"{len(boxes)} boxes do not tile the support {box}",
            "a lattice of boxes that covers it once, z slowest",
            "leave out `boxes`, or cut with Box.tiles",
        )


def _chunk(data: ArrayLike) -> Int3 | None:
    """What the array is stored in; None for arrays in memory, which may be cut anywhere."""
    if isinstance(data, np.ndarray):
        return None
    layout = getattr(data, "chunk_layout", None)  # tensorstore
    stored = layout.read_chunk.shape if layout is not None else getattr(data, "chunk", None)
    if stored is None or len(stored) < 3 or min(stored) < 1:
        return _USUAL_CHUNK
    z, y, x = (int(n) for n in stored[-3:])
    return z, y, x


def _common_chunk(chunks: list[Int3]) -> Int3 | None:
    """What is whole chunks of every volume; where that is too large for a box, the largest chunk along each axis."""
    if not chunks:
        return None
    whole = [math.lcm(*sizes) for sizes in zip(*chunks, strict=True)]
    z, y, x = whole if math.prod(whole) <= BOX_VOXELS else [max(sizes) for sizes in zip(*chunks, strict=True)]
    return z, y, x


def _grown(chunk: Int3, shape: Int3, voxels: int) -> Int3:
    """The chunk, doubled along x or y (whichever is shorter), then along z, while that stays within so many voxels."""
    sides = list(chunk)
    while True:
        open_axes = [axis for axis in (1, 2) if sides[axis] < shape[axis]] or [axis for axis in (0,) if sides[0] < shape[0]]
        if not open_axes:
            break
        larger = sides.copy()
        larger[min(open_axes, key=lambda axis: (sides[axis], -axis))] *= 2
        if math.prod(min(side, n) for side, n in zip(larger, shape, strict=True)) > voxels:
            break
        sides = larger
    return sides[0], sides[1], sides[2]
