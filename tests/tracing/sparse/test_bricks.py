"""The sparse volume: what is read from it, and that the blocks it came in do not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Box, ShapeError, ValueRangeError
from neurotome.tracing.sparse.bricks import SIDE, Bricks, bricks_in, value_at

NM = (300.0, 100.0, 100.0)


def sparse(shape, random_state=0, share=0.0005):
    rng = np.random.default_rng(random_state)
    return np.where(rng.random(shape) < share, rng.integers(1, 256, shape), 0).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1, 70, 33), (32, 32, 32), (33, 64, 65), (40, 70, 90), (1, 1, 1)])
def test_what_was_put_in_is_read(shape):
    volume = sparse(shape, share=0.01)
    assert (Bricks.of(volume, NM).read(Box((0, 0, 0), shape)) == volume).all()


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(-20, 50)] * 3), st.tuples(*[st.integers(1, 60)] * 3))
def test_boxes_may_reach_out(start, size):
    volume = sparse((40, 50, 70))
    box = Box(start, tuple(a + n for a, n in zip(start, size)))
    around = np.pad(volume, 120)[tuple(slice(a + 120, a + 120 + n) for a, n in zip(start, size))]
    assert (Bricks.of(volume, NM).read(box) == around).all()


@pytest.mark.parametrize("at_once", [(SIDE, SIDE, SIDE), (2 * SIDE, SIDE, 3 * SIDE), (8 * SIDE, 8 * SIDE, 8 * SIDE)])
def test_blocks_do_not_matter(at_once):
    volume = sparse((70, 100, 130))
    whole = Bricks.of(volume, NM)
    parts = Bricks.gathered(lambda box: volume[box.slices], volume.shape, NM, at_once=at_once)
    assert parts.table.tobytes() == whole.table.tobytes()
    assert parts.values.tobytes() == whole.values.tobytes()


def test_parts_may_come_in_any_order():
    volume = sparse((64, 64, 64))
    boxes = [Box((z, y, 0), (z + 32, y + 32, 64)) for z in (0, 32) for y in (0, 32)]
    parts = [bricks_in(volume[box.slices], box, (64, 64, 64), 1) for box in boxes]
    there, back = (Bricks.joined((64, 64, 64), NM, some) for some in (parts, parts[::-1]))
    assert there.values.tobytes() == back.values.tobytes()
    assert there.table.tobytes() == back.table.tobytes()


def test_bricks_below_the_floor_are_left_out_and_the_others_are_whole():
    volume = np.zeros((32, 32, 96), np.uint8)
    volume[0, 0, 5], volume[0, 0, 6], volume[0, 0, 40] = 200, 3, 99
    bricks = Bricks.of(volume, NM, floor=100)
    assert bricks.table.tolist() == [[[0, -1, -1]]]
    assert bricks.read(Box((0, 0, 0), (1, 1, 96)))[0, 0, [5, 6, 40]].tolist() == [200, 3, 0]


@pytest.mark.parametrize("threshold", [1, 128, 255])
def test_object_voxels_are_listed_and_counted(threshold):
    volume = sparse((40, 70, 90), share=0.02)
    bricks = Bricks.of(volume, NM)
    voxels = bricks.voxels(threshold)
    assert bricks.count(threshold) == len(voxels) == (volume >= threshold).sum()
    assert {tuple(v) for v in voxels.tolist()} == {tuple(v) for v in np.argwhere(volume >= threshold).tolist()}
    assert (np.diff(np.ravel_multi_index(tuple((voxels // SIDE).T), bricks.table.shape)) >= 0).all()


def test_single_values():
    volume = sparse((40, 70, 90), share=0.02)
    bricks = Bricks.of(volume, NM)
    for z, y, x in [(0, 0, 0), (39, 69, 89), (31, 32, 33), (20, 64, 31)]:
        assert value_at(bricks.table, bricks.values, z, y, x) == volume[z, y, x]
    for z, y, x in [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (40, 0, 0), (64, 0, 0), (0, 96, 0), (0, 0, 96)]:
        assert value_at(bricks.table, bricks.values, z, y, x) == 0


def test_an_empty_volume_has_no_bricks():
    bricks = Bricks.of(np.zeros((40, 40, 40), np.uint8), NM)
    assert bricks.values.shape == (0, SIDE, SIDE, SIDE)
    assert bricks.voxels().shape == (0, 3)
    assert bricks.count() == 0
    assert not bricks.read(Box((0, 0, 0), (40, 40, 40))).any()


def test_other_arrays_are_refused():
    with pytest.raises(ShapeError, match="a section is a stack of one"):
        Bricks.of(np.zeros((5, 5), np.uint8), NM)
    with pytest.raises(ValueRangeError, match="uint8, 255 = 1"):
        Bricks.of(np.zeros((5, 5, 5), np.float32), NM)
    with pytest.raises(ShapeError, match="multiples of 32"):
        bricks_in(np.zeros((8, 32, 32), np.uint8), Box((4, 0, 0), (12, 32, 32)), (40, 32, 32), 1)
