import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from neurotome.morphology.occupancy.capsules import filled_share, paint_capsules, paint_lines, share_outside


def painted(size, starts, ends, radii):
    grid = np.zeros((size,) * 3, np.uint8)
    paint_capsules(
        grid, np.atleast_2d(starts).astype(float), np.atleast_2d(ends).astype(float), np.atleast_2d(radii).astype(float)
    )
    return grid


def nearest_by_search(size, start, end, radii):
    """|q - p(t)| - r(t), the least over t by trying 1001 of them, for every voxel centre q."""
    t = np.linspace(0, 1, 1001)[:, None]
    axis, radius = start + t * (end - start), (radii[0] + t * (radii[1] - radii[0])).ravel()
    centres = np.stack(np.meshgrid(*(np.arange(size) + 0.5,) * 3, indexing="ij"), -1).reshape(-1, 3)
    square = (centres**2).sum(1)[:, None] - 2 * centres @ axis.T + (axis**2).sum(1)
    return (np.sqrt(np.maximum(square, 0)) - radius).min(1).reshape((size,) * 3)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_capsules_are_all_voxels_whose_centres_are_near_enough(seed):
    rng = np.random.default_rng(seed)
    start, end, radii = rng.uniform(-2, 12, 3), rng.uniform(-2, 12, 3), rng.uniform(0, 4, 2)
    grid = painted(10, start, end, radii).astype(bool)
    line = painted(10, start, end, (0, 0)).astype(bool)
    far = nearest_by_search(10, start, end, radii)
    assert (grid[far < -1e-4]).all()
    assert not (grid & ~line)[far > 1e-4].any()
    assert (grid | line == grid).all()


def test_a_ball_and_a_cone_that_one_end_swallows():
    ball = painted(9, (4.5,) * 3, (4.5,) * 3, (2, 2))
    assert ball.sum() == 33  # centres within 2 of one: 1 + 6 + 12 + 8 + 6
    assert (painted(9, (4.5,) * 3, (4.5, 4.5, 5.0), (2, 0.1)) == ball).all()
    assert (painted(9, (4.5, 4.5, 5.0), (4.5,) * 3, (0.1, 2)) == ball).all()


@pytest.mark.parametrize("radius", [0.0, 0.2, 0.5])
def test_thin_capsules_are_chains_of_voxels_that_share_faces(rng, radius):
    for _ in range(50):
        start, end = rng.uniform(0, 16, 3), rng.uniform(0, 16, 3)
        grid = painted(16, start, end, (radius, radius))
        steps = np.abs(np.floor(start) - np.floor(end)).sum()
        assert grid.sum() == steps + 1
        assert ndimage.label(grid)[1] == 1
        samples = np.floor(start + np.linspace(0, 1, 4000)[:, None] * (end - start)).astype(int)
        assert grid[tuple(samples.T)].all()


def test_lines_on_faces_and_through_corners():
    assert painted(4, (0, 0, 0), (4, 4, 4), (0, 0)).sum() == 10  # through corners: around each of them by two faces
    assert np.argwhere(painted(4, (4, 4, 4), (4, 4, 4), (0, 0))).tolist() == [[3, 3, 3]]
    assert np.argwhere(painted(4, (1.5, 1.5, 4), (1.5, 1.5, 9), (0, 0))).tolist() == [[1, 1, 3]]
    assert painted(4, (-3, 1, 1), (-1, 1, 1), (0.4, 0.4)).sum() == 0
    through = painted(4, (-5, 1.5, 1.5), (9, 1.5, 1.5), (0, 0))
    assert through[:, 1, 1].all() and through.sum() == 4


def test_lines_do_not_depend_on_their_direction(rng):
    for _ in range(30):
        a, b, radii = rng.uniform(0, 12, 3), rng.uniform(0, 12, 3), rng.uniform(0, 3, 2)
        assert (painted(12, a, b, radii) == painted(12, b, a, radii[::-1])).all()


def test_the_share_of_a_voxel_that_is_filled():
    line = np.array([[4.5, 4.5, -20.0]]), np.array([[4.5, 4.5, 20.0]])
    share = filled_share(9, *line, np.array([[1.7, 1.7]]))
    assert share.sum() / 9 == pytest.approx(np.pi * 1.7**2, rel=0.01)
    assert share.max() == 1 and share.dtype == np.float32
    middle = np.full((1, 3), 4.3)
    assert filled_share(9, middle, middle, np.array([[3.0, 3.0]])).sum() == pytest.approx(4 / 3 * np.pi * 27, rel=0.01)


def test_soft_grids_keep_axons_thinner_than_their_samples_and_half_a_voxel_for_unknown_radii():
    start, end = np.array([[0.3, 0.3, 0.3]]), np.array([[7.6, 5.1, 6.4]])
    grid = np.zeros((8, 8, 8), np.uint8)
    paint_lines(grid, start, end)
    share = filled_share(8, start, end, np.full((1, 2), 0.01))
    assert ((share > 0) == grid.astype(bool)).all() and share.max() < 0.02
    assert (filled_share(8, start, end, np.zeros((1, 2))) == filled_share(8, start, end, np.full((1, 2), 0.5))).all()


def test_the_share_of_cable_outside():
    starts = np.array([[1.0, 1, 1], [1, 1, 2], [9, 9, 9]])
    ends = np.array([[1.0, 1, 3], [1, 1, 6], [9, 9, 11]])
    assert share_outside(starts, ends, 4) == pytest.approx((0 + 2 + 2) / 8)
    places = np.array([[0.0, 0, 0], [4, 4, 4], [4, 4, 4.1], [-0.1, 2, 2]])
    assert share_outside(places, places, 4) == 0.5
