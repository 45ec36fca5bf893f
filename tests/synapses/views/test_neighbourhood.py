import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from neurotome.synapses.views.neighbourhood import dilated, eroded, extent, within

masks = arrays(bool, st.tuples(*[st.integers(1, 7)] * 3))


@pytest.mark.parametrize(("rounds", "voxels"), [(0, 1), (1, 7), (2, 25), (3, 63)])
def test_a_voxel_grows_to_a_city_block_ball(rounds: int, voxels: int) -> None:
    seed = np.zeros((9, 9, 9), bool)
    seed[4, 4, 4] = True
    assert dilated(seed, rounds).sum() == voxels


@settings(max_examples=60)
@given(masks, st.integers(0, 4))
def test_rounds_are_those_of_scipy(mask: np.ndarray, rounds: int) -> None:
    expected = ndimage.binary_dilation(mask, iterations=rounds) if rounds else mask
    np.testing.assert_array_equal(dilated(mask, rounds), expected)
    kept = ndimage.binary_erosion(mask, iterations=rounds, border_value=1) if rounds else mask
    np.testing.assert_array_equal(eroded(mask, rounds), kept)


def test_rounds_without_end_fill_the_crop() -> None:
    seed = np.zeros((4, 5, 6), bool)
    seed[0, 0, 0] = True
    assert dilated(seed, 10**9).all()
    assert not dilated(np.zeros((4, 5, 6), bool), 10**9).any()


@settings(max_examples=60)
@given(masks, st.floats(1, 40))
def test_within_is_the_distance_between_centres(mask: np.ndarray, distance: float) -> None:
    voxel = (10.0, 4.0, 3.0)
    places, all_of_them = np.argwhere(mask) * voxel, np.indices(mask.shape).reshape(3, -1).T * voxel
    squares = ((all_of_them[:, None] - places[None]) ** 2).sum(axis=2)
    expected = (squares.min(axis=1, initial=np.inf) <= distance**2 * (1 + 1e-6)).reshape(mask.shape)
    np.testing.assert_array_equal(within(mask, distance, voxel), expected)


def test_extent_is_the_smallest_box() -> None:
    mask = np.zeros((5, 6, 7), bool)
    assert extent(mask) is None
    mask[1, 2:4, 6] = True
    assert extent(mask) == (slice(1, 2), slice(2, 4), slice(6, 7))
