"""How volumes are cut: every voxel once, along the chunks, never much larger than asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Box, ShapeError
from neurotome.measure import boxes_of
from neurotome.measure.boxes import require_tiling


class Stored:
    dtype = np.dtype(np.uint32)

    def __init__(self, shape, chunk):
        self.shape, self.chunk = shape, chunk

    def __getitem__(self, key):
        raise AssertionError("nothing is read to plan")


sizes = st.tuples(*[st.integers(1, 40)] * 3)


@given(sizes, sizes, st.tuples(*[st.integers(1, 8)] * 3), st.integers(1, 5000))
@settings(max_examples=100, deadline=None)
def test_boxes_are_whole_chunks_and_tile_the_support(start, size, chunk, voxels):
    stop = tuple(a + n for a, n in zip(start, size, strict=True))
    support = Box(start, stop)
    boxes = boxes_of(support, Stored(stop, chunk), voxels=voxels)
    require_tiling(boxes, support)
    assert sum(b.size for b in boxes) == support.size
    assert max(b.size for b in boxes) <= max(voxels, np.prod(chunk))
    for box in boxes:
        for axis in range(3):
            assert box.start[axis] == support.start[axis] or box.start[axis] % chunk[axis] == 0


def test_whole_sections_while_they_fit_and_tiles_where_they_do_not():
    def shape(*size, chunk):
        return boxes_of(Box((0, 0, 0), size), Stored(size, chunk))[0].shape

    assert shape(100, 1024, 1024, chunk=(16, 256, 256)) == (32, 1024, 1024)
    assert shape(20, 20_000, 20_000, chunk=(16, 256, 256)) == (16, 1024, 2048)
    assert shape(20, 20_000, 20_000, chunk=(64, 64, 64)) == (20, 1024, 1024)
    # The file does not say: as neurotome itself stores volumes.
    assert shape(20, 20_000, 20_000, chunk=None) == (16, 1024, 2048)


def test_volumes_with_two_chunk_shapes_are_cut_along_both():
    size = (96, 4096, 4096)
    found = boxes_of(Box((0, 0, 0), size), Stored(size, (16, 256, 256)), Stored(size, (24, 128, 128)))
    assert {b.start[0] % 48 for b in found} == {0}
    # No box holds whole chunks of both: the larger one counts.
    odd = boxes_of(Box((0, 0, 0), size), Stored(size, (16, 1021, 1021)), Stored(size, (16, 1023, 1023)))
    assert {b.start[1] % 1023 for b in odd} == {0}


def test_arrays_in_memory_are_cut_from_the_corner_of_the_support():
    support = Box((3, 1, 0), (9, 5, 4))
    assert [b.start for b in boxes_of(support, np.zeros((10, 6, 4)), voxels=40)] == [(3, 1, 0), (5, 1, 0), (7, 1, 0)]


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [Box((0, 0, 0), (1, 4, 4))],
        [Box((1, 0, 0), (2, 4, 4)), Box((0, 0, 0), (1, 4, 4))],
        [Box((0, 0, 0), (2, 2, 4)), Box((0, 3, 0), (2, 4, 4))],
        [Box((0, 0, 0), (1, 4, 4)), Box((1, 0, 0), (2, 2, 4)), Box((1, 2, 0), (2, 4, 4))],
    ],
)
def test_boxes_that_do_not_tile_are_refused(boxes):
    with pytest.raises(ShapeError, match="do not tile"):
        require_tiling(boxes, Box((0, 0, 0), (2, 4, 4)))
