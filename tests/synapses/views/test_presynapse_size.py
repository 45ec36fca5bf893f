import numpy as np
import pytest

from neurotome.synapses.views.presynapse_size import resized_presynapse


def block(z: slice, y: slice, x: slice, size: int = 40) -> np.ndarray:
    mask = np.zeros((size, size, size), bool)
    mask[z, y, x] = True
    return mask


PRE = block(slice(10, 30), slice(10, 30), slice(0, 20))


def test_shrinking_keeps_what_is_nearest_the_centroid() -> None:
    small, reached = resized_presynapse(PRE, ~PRE, 0.02)
    assert reached
    assert small.sum() == 1280
    places = np.argwhere(PRE)
    distances = ((places - places.mean(axis=0)) ** 2).sum(axis=1)
    assert distances[small[PRE]].max() <= distances[~small[PRE]].min()


def test_ties_are_kept_in_order() -> None:
    pair = block(slice(5, 6), slice(5, 6), slice(4, 8))
    small, _ = resized_presynapse(pair, ~pair, 3 / 40**3, tolerance=0)
    assert np.argwhere(small)[:, 2].tolist() == [4, 5, 6]
    one, _ = resized_presynapse(pair, ~pair, 1 / 40**3, tolerance=0)
    assert np.argwhere(one)[:, 2].tolist() == [5]


def test_nearest_is_measured_in_nanometres() -> None:
    plate = block(slice(10, 15), slice(20, 21), slice(10, 15))
    small, _ = resized_presynapse(plate, ~plate, 5 / 40**3, voxel_nm=(40.0, 4.0, 4.0))
    assert np.argwhere(small)[:, 0].tolist() == [12] * 5


def test_growing_takes_background_only_and_the_nearest_of_the_last_layer() -> None:
    other = block(slice(0, 40), slice(0, 40), slice(20, 40))
    grown, reached = resized_presynapse(PRE, ~PRE & ~other, 0.16)
    assert reached
    assert grown.sum() == 10_240
    assert not (grown & other).any()
    assert (grown & PRE).sum() == PRE.sum()


def test_growing_ends_after_ten_layers() -> None:
    seed = block(slice(20, 21), slice(20, 21), slice(20, 21))
    grown, reached = resized_presynapse(seed, ~seed, 0.5)
    assert not reached
    # The city-block ball of radius 10.
    assert grown.sum() == sum(2 * (10 - abs(z)) ** 2 + 2 * (10 - abs(z)) + 1 for z in range(-10, 11))


def test_growing_ends_where_there_is_no_background() -> None:
    grown, reached = resized_presynapse(PRE, np.zeros_like(PRE), 0.5)
    assert (int(grown.sum()), reached) == (8000, False)


def test_sizes_within_the_tolerance_stay() -> None:
    share = PRE.mean()
    for fraction in (share, share / 1.09, share / 0.91):
        assert resized_presynapse(PRE, ~PRE, fraction)[0] is PRE
    assert resized_presynapse(PRE, ~PRE, share / 1.2)[0].sum() == int(8000 / 1.2)


@pytest.mark.parametrize("fraction", [0.29, 0.07, 0.57])
def test_the_goal_is_a_whole_number_of_voxels(fraction: float) -> None:
    everything = np.ones((80, 80, 80), bool)
    assert resized_presynapse(everything, ~everything, fraction)[0].sum() == round(512_000 * fraction)


def test_nothing_cannot_grow() -> None:
    nothing = np.zeros_like(PRE)
    assert resized_presynapse(nothing, ~nothing, 0.1)[1] is False
