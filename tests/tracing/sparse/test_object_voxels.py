"""Numbers of object voxels: every voxel one, in the same order whatever blocks the volume was read in."""

import numpy as np
import pytest

from neurotome.core import Box
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.object_voxels import ObjectVoxels


@pytest.fixture
def volume(rng):
    return (rng.random((40, 70, 35)) * 256).astype(np.uint8)


def test_numbers_and_positions_are_inverse(volume):
    voxels = ObjectVoxels.of(Bricks.of(volume, (1.0, 1.0, 1.0)), 200)
    assert len(voxels) == (volume >= 200).sum()
    assert set(map(tuple, voxels.positions.tolist())) == set(map(tuple, np.argwhere(volume >= 200).tolist()))
    for number in range(0, len(voxels), 101):
        assert voxels.at(tuple(voxels.positions[number])) == number


def test_background_and_outside_have_no_number(volume):
    voxels = ObjectVoxels.of(Bricks.of(volume, (1.0, 1.0, 1.0)), 200)
    z, y, x = np.argwhere(volume < 200)[17].tolist()
    assert voxels.at((z, y, x)) == voxels.at((-1, 0, 0)) == voxels.at((0, 70, 0)) == voxels.at((0, 0, 4000)) == -1


def test_the_blocks_of_reading_do_not_matter(volume):
    read = lambda box: volume[box.slices]  # noqa: E731
    first, second = (
        ObjectVoxels.of(Bricks.gathered(read, volume.shape, (1.0, 1.0, 1.0), floor=128, at_once=at_once), 200)
        for at_once in ((32, 32, 32), (64, 64, 64))
    )
    np.testing.assert_array_equal(first.positions, second.positions)


def test_only_what_is_allowed(volume):
    bricks = Bricks.of(volume, (1.0, 1.0, 1.0))
    allowed = np.zeros(bricks.values.shape, np.uint8)
    allowed[0] = 1
    voxels = ObjectVoxels.of(bricks, 200, allowed)
    assert len(voxels) == (bricks.read(Box((0, 0, 0), (32, 32, 32))) >= 200).sum()


def test_chosen_voxels_are_numbered_anew_and_painted(volume):
    bricks = Bricks.of(volume, (1.0, 1.0, 1.0))
    voxels = ObjectVoxels.of(bricks, 200)
    which = np.arange(len(voxels)) % 3 == 1
    chosen = voxels.chosen(which)
    np.testing.assert_array_equal(chosen.positions, voxels.positions[which])
    mask = np.zeros(bricks.values.shape, np.uint8)
    voxels.paint(mask, which, 7)
    assert (mask == 7).sum() == which.sum()
    assert len(ObjectVoxels.of(bricks, 200, mask)) == which.sum()


def test_the_first_of_each_group_is_first_in_the_volume():
    volume = np.full((1, 3, 40), 255, np.uint8)
    voxels = ObjectVoxels.of(Bricks.of(volume, (1.0, 1.0, 1.0)), 1)
    group = (voxels.positions[:, 2] >= 20).astype(np.int32)
    assert voxels.positions[voxels.firsts(group, 2)].tolist() == [[0, 0, 0], [0, 0, 20]]
    lowest_rows = voxels.positions[:, 1].astype(np.float32)
    assert voxels.positions[voxels.firsts(group, 2, lowest_rows)].tolist() == [[0, 2, 0], [0, 2, 20]]


def test_a_volume_without_bricks():
    voxels = ObjectVoxels.of(Bricks.of(np.zeros((5, 5, 5), np.uint8), (1.0, 1.0, 1.0)), 1)
    assert len(voxels) == 0
    assert voxels.positions.shape == (0, 3)
