"""One scale of grey values per volume."""

import numpy as np
import pytest

from neurotome.core import Grid, Image, InputError
from neurotome.synapses.crops import grey_levels


def image(values):
    return Image(values, Grid(values.shape, (8.0, 8.0, 8.0)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_small_volumes_are_read_whole(dtype):
    values = np.random.default_rng(0).integers(0, 250, (9, 10, 11)).astype(dtype)
    assert grey_levels(image(values)) == pytest.approx(tuple(np.percentile(values, (0.5, 99.5))))


def test_large_ones_are_sampled_always_alike():
    values = np.random.default_rng(1).normal(100, 20, (200, 40, 40)).astype(np.float32)
    sampled = grey_levels(image(values), most_voxels=40_000)
    assert sampled == grey_levels(image(values), most_voxels=40_000)
    assert sampled != grey_levels(image(values))
    assert sampled == pytest.approx(grey_levels(image(values)), abs=1.5)


def test_what_is_no_number_does_not_count():
    values = np.full((2, 2, 2), np.nan, np.float32)
    with pytest.raises(InputError, match="no finite grey value"):
        grey_levels(image(values))
    values[0] = 3
    assert grey_levels(image(values)) == (3.0, 3.0)
