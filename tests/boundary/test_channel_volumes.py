"""Perfect maps and joined answers: what is read is the definition, whatever box is asked for."""

import numpy as np
import pytest

from neurotome.boundary import combined, cytoplasm, edges, overlap, target_volume, targets
from neurotome.core import Box, Grid, InputError, Labels, Probability, ShapeError, UnknownNameError

VOXEL = (30, 6, 6)
CHANNELS = ("membrane", "cytoplasm", "overlap", "affinity:2,0,0", "affinity:0,0,3")


@pytest.fixture
def labels(rng):
    coarse = rng.integers(0, 5, (7, 6, 8))
    ids = np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2)
    return Labels(ids.astype(np.uint16), Grid(ids.shape, VOXEL))


def test_targets_are_the_definition_times_255(labels):
    ids = labels.read()
    made = target_volume(labels, ("membrane", "cytoplasm", "overlap"))
    assert made.channels == ("membrane", "cytoplasm", "overlap") and made.grid == labels.grid
    found = made.read()
    assert found.dtype == np.uint8 and set(np.unique(found)) == {0, 255}
    assert np.array_equal(found[0] > 0, edges(ids)) and np.array_equal(found[1] > 0, cytoplasm(ids))
    assert np.array_equal(found[2, :-1] > 0, overlap(ids)) and not found[2, -1].any()


def test_any_box_shows_the_same(labels, rng):
    made = target_volume(labels, CHANNELS)
    whole = targets(labels.read(), CHANNELS)[0]
    for _ in range(20):
        corners = [sorted(rng.choice(n + 1, 2, replace=False)) for n in made.grid.shape]
        box = Box(*zip(*corners, strict=True))
        assert np.array_equal(made.read(box=box) > 0, whole[(slice(None), *box.slices)])


def test_n_minus_one_planes_of_overlap(labels):
    made = target_volume(labels, ("overlap",), drop_last=True)
    assert made.grid.shape[0] == labels.grid.shape[0] - 1
    assert np.array_equal(made.read()[0] > 0, overlap(labels.read()))
    with pytest.raises(InputError, match="membrane, overlap without the last plane"):
        target_volume(labels, ("membrane", "overlap"), drop_last=True)
    with pytest.raises(ShapeError, match="one section"):
        target_volume(labels.crop(Box((0, 0, 0), (1, 24, 32))), ("overlap",), drop_last=True)


def test_channels_by_name_and_once(labels):
    with pytest.raises(UnknownNameError, match="cytoplasm"):
        target_volume(labels, ("cytoplasma",))
    with pytest.raises(InputError, match="each name once"):
        target_volume(labels, ("membrane", "membrane"))


def test_answers_of_two_networks_in_one_volume(rng):
    grid = Grid((4, 5, 6), VOXEL)
    one, two = (rng.integers(1, 255, (1, *grid.shape), np.uint8) for _ in range(2))
    both = combined([Probability(one, grid, ("cytoplasm",)), Probability(two, grid, ("overlap",))])
    assert both.channels == ("cytoplasm", "overlap")
    found = both.read()
    assert np.array_equal(found[0], one[0]) and np.array_equal(found[1, :3], two[0, :3])
    assert not found[1, 3].any(), "no section follows the last one"
    middle = Box((1, 2, 0), (3, 4, 6))
    assert np.array_equal(both.read(box=middle), found[(slice(None), *middle.slices)])


def test_what_cannot_be_joined(rng):
    grid = Grid((4, 5, 6), VOXEL)
    zeros = np.zeros((1, *grid.shape), np.uint8)
    first = Probability(zeros, grid, ("membrane",))
    with pytest.raises(InputError, match="each name once"):
        combined([first, first])
    with pytest.raises(ShapeError):
        combined([first, Probability(zeros[:, :3], Grid((3, 5, 6), VOXEL), ("overlap",))])
    with pytest.raises(InputError, match="float32, uint8"):
        combined([first, Probability(zeros.astype(np.float32), grid, ("overlap",))])
