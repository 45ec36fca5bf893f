"""The grey scale of every section as a step over blocks: any process counts any part, one process adds the counts up.

    blocks (any executor)                             one process
    SectionScales(sections 0:16, left)  -> 0-0-0.npz \\
    SectionScales(sections 0:16, right) -> 0-0-8.npz  > merged -> offset and factor of every section
    ...                                              /

Whole numbers are counted, so that a section may be cut and its scale is still that of the whole, to the last bit. Numbers
with a fraction part are summed up, where a cut would show: there, blocks hold whole sections.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from neurotome.boundary.image_file import ImageFile
from neurotome.core import Block, Box, Image
from neurotome.core.geometry import Int3
from neurotome.io import load_arrays, save_arrays
from neurotome.io.source import numpy_dtype
from neurotome.nn.normalize import counted, grey_counts, scale_of_counts
from neurotome.nn.tiles import SCALED_AT_ONCE, checked_scales, slab_scales

__all__ = ["SectionScales"]

BLOCK_VOXELS = 2**30
"""Voxels of a block: some ten seconds of reading and counting."""

DEPTH = 64
"""At most that many sections of a block, unless a chunk has more: 16-bit grey values need half a megabyte of counts for each."""


@dataclass(frozen=True)
class SectionScales:
    """Learns from a block what it can about the grey scale of its sections, into a file of its own in `folder`.

    method: the normalisation of the network's card.
    """

    image: ImageFile
    method: str
    folder: Path

    def shape(self) -> Int3:
        """The shape of the blocks (z, y, x): made of whole chunks of the file, so that none is read twice."""
        image, chunk = self.image.open(), self.image.chunk()
        limits = (min(image.grid.shape[0], max(DEPTH, chunk[0])), *image.grid.shape[1:])
        return grown(chunk if counted(numpy_dtype(image.data)) else (chunk[0], *limits[1:]), limits, BLOCK_VOXELS)

    def __call__(self, block: Block) -> Sequence[Path]:
        image, path = self.image.open(), self.file(block)
        if counted(numpy_dtype(image.data)):
            save_arrays(path, compress=True, counts=self._counts(image, block.write))
        else:
            save_arrays(path, scales=slab_scales(image.read, block.write, numpy_dtype(image.data), self.method))
        return [path]

    def file(self, block: Block) -> Path:
        """Where a block puts what it learns."""
        return self.folder / "{}-{}-{}.npz".format(*block.write.start)

    def merged(self, blocks: Sequence[Block]) -> np.ndarray:
        """The scales of all sections, (z, 2) float32, once all `blocks` are done: the numbers of `nn.section_scales`.

        Raises ValueRangeError as that does.
        """
        image = self.image.open()
        scales = np.empty((image.grid.shape[0], 2))
        for (first, last), slab in groupby(blocks, lambda block: (block.write.start[0], block.write.stop[0])):
            scales[first:last] = list(self._of_slab(image, list(slab)))
        return checked_scales(scales, image.read, image.grid.shape)

    def _counts(self, image: Image, box: Box) -> np.ndarray:
        """How often each grey value occurs in each section of the box: (z, values) int64."""
        dtype = numpy_dtype(image.data)
        counts = np.zeros((box.shape[0], 2 ** (8 * dtype.itemsize)), np.int64)
        for part in box.tiles(grown(self.image.chunk(), box.shape, SCALED_AT_ONCE)):
            for z, section in enumerate(image.read(part), part.start[0] - box.start[0]):
                counts[z] += grey_counts(section)
        return counts

    def _of_slab(self, image: Image, slab: list[Block]) -> Iterator[Sequence[float]]:
        """Offset and factor of the sections of the blocks, which lie beside one another."""
        dtype = numpy_dtype(image.data)
        if not counted(dtype):
            (whole,) = slab
            yield from load_arrays(self.file(whole), "scales")["scales"]
            return
        total = load_arrays(self.file(slab[0]), "counts")["counts"]
        for block in slab[1:]:
            total += load_arrays(self.file(block), "counts")["counts"]
        yield from (scale_of_counts(counts, dtype, self.method) for counts in total)


def grown(chunk: Int3, shape: Int3, most: int) -> Int3:
    """The largest multiple of a chunk that has at most `most` voxels and, clipped, lies in `shape`: longer in x first, z last.

    >>> grown((8, 256, 256), (100, 1000, 5000), 2**24), grown((1, 1, 5000), (100, 1000, 5000), 2**24)
    ((8, 256, 5000), (3, 1000, 5000))
    """
    size = [min(c, n) for c, n in zip(chunk, shape, strict=True)]
    for axis in (2, 1, 0):
        beside = math.prod(size) // size[axis]
        size[axis] = min(shape[axis], max(1, most // (beside * chunk[axis])) * chunk[axis])
    z, y, x = size
    return z, y, x
