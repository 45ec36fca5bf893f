"""What a network sees: the same for a seed whatever happened before, another view each time, validation that stays."""

import math

import numpy as np
import pytest
import torch

from neurotome.core import InputError, PointCloud, Skeleton
from neurotome.morphology.occupancy import GridSettings, voxelise
from neurotome.morphology.occupancy.variants import Variation
from neurotome.morphology.training import ShapeRecipe, ShapeStream, shape_data

SETTINGS = GridSettings(size=16)


@pytest.fixture
def five(trees):
    return trees[:5]


def same(a, b):
    return torch.equal(a["grids"], b["grids"]) and torch.equal(a["log_extent"], b["log_extent"]) and a["row"] == b["row"]


def test_samples_are_those_of_the_seed_in_any_order(five):
    first, again, other = (ShapeStream(five, SETTINGS, variation=Variation(), views=2, length=8, seed=s) for s in (1, 1, 2))
    samples = [first[item] for item in range(8)]
    assert all(same(samples[item], again[item]) for item in (7, 0, 3, 3))
    assert not any(torch.equal(samples[item]["grids"], other[item]["grids"]) for item in range(8))
    assert samples[0]["grids"].shape == (2, 16, 16, 16) and samples[0]["grids"].dtype == torch.uint8
    assert samples[0]["log_extent"].shape == (2,) and samples[0]["log_extent"].dtype == torch.float32


def test_two_views_are_one_neuron_varied_twice(five):
    stream = ShapeStream(five, SETTINGS, variation=Variation(), views=2, seed=1)
    for item in range(5):
        one, two = stream[item]["grids"]
        assert not torch.equal(one, two)
        assert 0.4 < float(one.sum()) / float(two.sum()) < 2.5


def test_each_turn_sees_every_neuron_once_and_an_epoch_goes_on_where_the_last_one_ended(five):
    stream = ShapeStream(five, SETTINGS, variation=Variation(), length=7, seed=3)
    rows = [stream[item]["row"] for item in range(7)]
    stream.epoch.fill_(1)
    rows += [stream[item]["row"] for item in range(7)]
    assert sorted(rows[:5]) == sorted(rows[5:10]) == list(range(5)) and rows[:5] != rows[5:10]


def test_without_variation_the_grids_are_those_of_the_shapes_and_stay(five):
    stream = ShapeStream(five, SETTINGS, rows=[4, 8, 12, 16, 20])
    for item, shape in enumerate(five):
        drawn = voxelise(shape, SETTINGS)
        sample = stream[item]
        assert sample["row"] == 4 + 4 * item and np.array_equal(sample["grids"][0].numpy(), drawn.data)
        assert float(sample["log_extent"][0]) == pytest.approx(math.log((drawn.frame.hi_nm - drawn.frame.lo_nm) / 2000))
        assert same(sample, stream[item])
    with pytest.raises(IndexError):
        stream[5]


def test_bad_streams_are_refused():
    with pytest.raises(InputError, match="no neurons"):
        ShapeStream([], SETTINGS)
    cloud = PointCloud(np.array([[0.0, 0, 0], [9000, 0, 0]]), name="dots")
    with pytest.raises(InputError, match="'dots' is not a tree"):
        ShapeStream([cloud], SETTINGS, variation=Variation())


def test_the_scale_is_fitted_to_training_neurons_alone(five):
    parts = {"n0": "train", "n1": "train", "n2": "val", "n3": "test", "big": "test"}
    shapes = [*five[:4], Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 4e6]], [1.0, 1.0], name="big")]
    data = shape_data(ShapeRecipe(grid={"size": 16, "scale": "fixed_extent"}, views=2), shapes, parts)
    assert 2e3 < data.settings.extent_nm < 2e5
    assert data.rows("test") == [3, 4] and data.validation[0]["row"] == 2 and data.validation[0]["grids"].shape[0] == 2
    before = data.validation[0]
    data.training.epoch.fill_(3)
    assert same(before, data.validation[0])
    with pytest.raises(InputError, match="is in val"):
        shape_data(ShapeRecipe(grid={"size": 16}), shapes, {**parts, "n2": "test"})
