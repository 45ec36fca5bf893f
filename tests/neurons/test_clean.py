"""The reference's cleaning of an overlap map, by itself."""

import numpy as np
import pytest

from neurotome.core import Grid, Probability, UnknownNameError, ValueRangeError
from neurotome.neurons import clean_overlap, with_clean_overlap


def disc(radius, size=61):
    y, x = np.mgrid[:size, :size] - size // 2
    return y**2 + x**2 <= radius**2


def volume(overlap, value=255):
    data = np.stack([np.full(overlap.shape, 99, np.uint8), overlap.astype(np.uint8) * np.uint8(value)])
    return Probability(data, Grid(overlap.shape, (30, 6, 6)), ("cytoplasm", "overlap"))


def test_a_disc_of_9_vanishes_and_one_of_10_leaves_a_pixel():
    maps = volume(np.stack([disc(9), disc(10)]))
    cleaned = with_clean_overlap(maps)
    assert cleaned.channels == maps.channels and cleaned.grid == maps.grid
    assert (cleaned.data[0] == 99).all()
    assert [int((plane == 255).sum()) for plane in cleaned.data[1]] == [0, 1]


def test_binarised_at_127():
    for value, left in ((126, 0), (127, 1)):
        assert (with_clean_overlap(volume(disc(10)[None], value)).data[1] > 0).sum() == left


def test_the_parameters_are_those_of_the_array_function(rng):
    overlap = rng.random((2, 40, 40)) > 0.05
    cleaned = with_clean_overlap(volume(overlap), erosions=2, skeletonise=False)
    assert np.array_equal(cleaned.data[1] > 0, clean_overlap(overlap, erosions=2, skeletonise=False))


def test_bad_parameters():
    maps = volume(disc(3)[None])
    with pytest.raises(ValueRangeError, match="Threshold 0"):
        with_clean_overlap(maps, threshold=0)
    with pytest.raises(ValueRangeError, match="-1 erosions"):
        with_clean_overlap(maps, erosions=-1)
    with pytest.raises(UnknownNameError, match="overlap"):
        with_clean_overlap(Probability(maps.data[:1], maps.grid, ("cytoplasm",)))
