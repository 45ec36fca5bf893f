import numpy as np
import pytest

from neurotome.datasets.phantom.organelles import seen_at
from neurotome.datasets.phantom.partition import FAR_NM, make_warp, partition, warped

VOXEL = np.array([10.0, 10.0, 10.0])


def cells_of(*balls):
    """The partition of balls (z, y, x, r) of different owners in 200 nm cubed, without warp."""
    warp = np.zeros((3, 8, 8, 8), np.float32)
    capsules = np.array([[*b, *b] for b in balls], float)
    return partition(capsules, np.arange(1, len(balls) + 1), warp, (20, 20, 20), VOXEL, np.zeros(3))


@pytest.mark.parametrize("axis", [0, 2])
def test_equal_balls_meet_halfway(axis):
    ends = np.array([[95.0, 95, 95, 30], [95.0, 95, 95, 30]])
    ends[0, axis], ends[1, axis] = 15, 175
    cells = cells_of(*ends)
    owner, border = (np.moveaxis(a, axis, -1)[9, 9] for a in (cells.owner, cells.border_nm))
    assert owner.tolist() == [1] * 10 + [2] * 10
    at = np.arange(20) * 10.0
    near = np.abs(at - 95) < FAR_NM
    np.testing.assert_allclose(border[near], np.abs(at - 95)[near], atol=0.5)
    assert (border[~near] == FAR_NM).all()
    tilt = np.moveaxis(cells.tilt, axis, -1)[9, 9][near]
    np.testing.assert_allclose(tilt, 1 if axis == 0 else 0, atol=0.1)
    partner = np.moveaxis(cells.partner, axis, -1)[9, 9]
    assert partner[near].tolist() == [2] * 6 + [1] * 6
    assert not partner[~near].any()


def test_thick_ball_takes_more():
    cells = cells_of((95, 95, 15, 60), (95, 95, 175, 20))
    # Surfaces at 75 and 155: the middle between them is 115.
    assert cells.owner[9, 9].tolist() == [1] * 12 + [2] * 8


def test_no_warp_moves_nothing_and_a_constant_one_moves_all():
    warp = np.zeros((3, 4, 4, 4), np.float32)
    assert warped(warp, 50.0, 60.0, 70.0) == pytest.approx((50, 60, 70))
    warp[1] = 5
    assert warped(warp, 50.0, 60.0, 70.0) == pytest.approx((50, 65, 70))


def test_warp_is_smooth_enough_not_to_fold_and_can_be_undone():
    warp = make_warp(np.array([800.0, 800.0, 800.0]), np.random.default_rng(0))
    slopes = np.stack([np.stack(np.gradient(w, 40.0)) for w in warp])
    squeezed = np.linalg.det(np.moveaxis(slopes, (0, 1), (-2, -1)) + np.eye(3))
    assert squeezed.min() > 0
    points = np.random.default_rng(1).uniform(200, 600, (50, 3))
    again = np.array([warped(warp, *p) for p in seen_at(points, warp)])
    np.testing.assert_allclose(again, points, atol=2.0)
