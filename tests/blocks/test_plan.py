import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.blocks import Plan, PlannedStep, block_shape, blocks_of
from neurotome.core import Box, Grid, ShapeError

three = st.tuples(*[st.integers(1, 9)] * 3)
halos = st.tuples(*[st.integers(0, 3)] * 3)


def grid_of(shape):
    return Grid(shape, (30, 6, 6))


@given(three, three, halos, halos)
def test_write_boxes_cover_the_grid_once_and_read_boxes_lie_around_them(shape, step, below, above):
    times = np.zeros(shape, int)
    for block in blocks_of(grid_of(shape), step, halo=(below, above)):
        times[block.write.slices] += 1
        start = tuple(max(a - h, 0) for a, h in zip(block.write.start, below))
        stop = tuple(min(b + h, n) for b, h, n in zip(block.write.stop, above, shape))
        assert block.read == Box(start, stop)
        assert all(a % s == 0 for a, s in zip(block.write.start, step))
    assert (times == 1).all()


def test_one_halo_is_for_both_sides():
    grid = grid_of((8, 8, 8))
    assert blocks_of(grid, (4, 4, 4), halo=(1, 2, 0)) == blocks_of(grid, (4, 4, 4), halo=((1, 2, 0), (1, 2, 0)))


@pytest.mark.parametrize("shape, halo", [((0, 1, 1), (0, 0, 0)), ((1, 1, 1), (0, -1, 0))])
def test_impossible_blocks_are_refused(shape, halo):
    with pytest.raises(ShapeError):
        blocks_of(grid_of((4, 4, 4)), shape, halo=halo)


@given(three, three, st.integers(1, 800))
def test_blocks_are_whole_shards_and_small_enough(shape, shard, most):
    chosen = block_shape(grid_of(shape), shard, most)
    for c, s, n in zip(chosen, shard, shape):
        assert c == n or c % s == 0
    assert math.prod(chosen) <= max(most, math.prod(min(s, n) for s, n in zip(shard, shape)))


def test_a_block_grows_while_it_may():
    assert block_shape(grid_of((8, 8, 8)), (2, 2, 2), 10**9) == (8, 8, 8)
    assert block_shape(grid_of((8, 64, 64)), (4, 16, 16), 1) == (4, 16, 16)


def test_a_plan_adds_up():
    blocks = blocks_of(grid_of((64, 512, 512)), (32, 256, 256), halo=(0, 32, 32))
    step = PlannedStep.of("predict", blocks, bytes_per_worker=32 * 288 * 288 * 100, disk_bytes=10**9, voxels_per_s=1e5)
    assert (step.blocks, step.voxels) == (8, 8 * 32 * 288 * 288)
    assert step.bytes_per_worker == 32 * 288 * 288 * 100
    small = PlannedStep("merge", 1, 1000, 10, 5, 1000)
    plan = Plan((step, small), workers=3)
    # Three rounds of three workers for eight blocks; the merge has one block, whoever waits.
    assert plan.seconds == pytest.approx(3 * 32 * 288 * 288 / 1e5 + 1)
    assert plan.disk_bytes == 10**9 + 5 and plan.bytes_per_worker == step.bytes_per_worker
    assert plan.rows()[-1] == ("total", "9", "21 Mvoxel", "0.27 GB", "1 GB", "0:02")
    assert plan.text().splitlines()[0].split("  ")[0] == "step"
