import numpy as np
import pytest

from neurotome.datasets.phantom.routes import capsule_gap, cheapest_path, lower_clearance

CAPSULE = np.array([0, 0, 0, 2, 0, 0, 10, 4], np.float32)


@pytest.mark.parametrize(
    ("point", "gap"),
    [((0, 0, 0), -2), ((0, 0, -5), 3), ((0, 6, 5), 3), ((3, 4, 10), 1), ((0, 0, 20), 6)],
)
def test_gap_is_the_distance_to_the_surface(point, gap):
    assert capsule_gap(CAPSULE, *map(float, point)) == pytest.approx(gap)


def test_gap_of_a_ball():
    assert capsule_gap(np.array([1, 1, 1, 2, 1, 1, 1, 2], np.float32), 1.0, 1.0, 6.0) == pytest.approx(3)


def test_clearance_is_lowered_near_the_tube_only():
    clearance = np.full((1, 1, 11), 100, np.float32)
    lower_clearance(clearance, np.array([[0, 0, 0, 10, 0, 0, 0, 10.0]]), 10.0, 50.0)
    assert clearance.ravel().tolist() == [-10, 0, 10, 20, 30, 40, 50, 100, 100, 100, 100]


def test_path_goes_around_a_wall():
    clearance = np.full((1, 5, 5), 100, np.float32)
    clearance[0, :4, 2] = 0
    path = cheapest_path(clearance, np.ones_like(clearance), np.array([0, 0, 0]), np.array([0, 0, 4]), 50.0, 10.0)
    assert path[0].tolist() == [0, 0, 0]
    assert path[-1].tolist() == [0, 0, 4]
    assert [0, 4, 2] in path.tolist()
    assert (np.abs(np.diff(path, axis=0)).max(1) == 1).all()


def test_path_prefers_smooth_ground():
    rough = np.ones((1, 3, 9), np.float32)
    rough[0, 0, 1:8] = 9
    path = cheapest_path(np.full_like(rough, 100), rough, np.array([0, 0, 0]), np.array([0, 0, 8]), 50.0, 10.0)
    assert set(path[2:-2, 1].tolist()) <= {1, 2}


def test_path_to_a_closed_place_ends_as_near_as_it_gets():
    clearance = np.full((1, 1, 6), 100, np.float32)
    clearance[0, 0, 3] = 0
    path = cheapest_path(clearance, np.ones_like(clearance), np.array([0, 0, 0]), np.array([0, 0, 5]), 50.0, 10.0)
    assert path[-1].tolist() == [0, 0, 2]
