import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neurotome.core import ShapeError
from neurotome.measure.occupancy import chamfer, normal_consistency, voxel_chamfer

GRID = hnp.arrays(bool, (4, 4, 4), elements=st.booleans(), fill=st.just(False))


def sphere(n):
    """Evenly spread points (Fibonacci lattice)."""
    z = 1 - (2 * np.arange(n) + 1) / n
    turn = np.pi * (1 + 5**0.5) * np.arange(n)
    ring = np.sqrt(1 - z**2)
    return np.column_stack([z, ring * np.sin(turn), ring * np.cos(turn)])


def test_unit_spheres_offset_by_a_tenth():
    """The distance of a point to the other centre is r with density r / (2 s), r in [1 - s, 1 + s], for an offset s.

    So the mean of |r - 1| is s / 2, and that of (r - 1)^2 is s^2 / 3.
    """
    ball, offset = sphere(160_000), 0.1
    found = chamfer(ball, ball + np.array([0, 0, offset]))
    assert found.symmetric == pytest.approx(offset / 2, rel=0.01)
    assert found.squared == pytest.approx(2 * offset**2 / 3, rel=0.02)


@given(GRID, GRID)
def test_voxels_are_the_points_at_their_centres(prediction, truth):
    found, expected = voxel_chamfer(prediction, truth), chamfer(np.argwhere(prediction), np.argwhere(truth))
    assert found.squared == pytest.approx(expected.squared)
    assert found.symmetric == pytest.approx(expected.symmetric)


def test_nothing_is_infinitely_far_from_something():
    empty, one = np.zeros((2, 2, 2), bool), np.ones((2, 2, 2), bool)
    assert voxel_chamfer(empty, empty).symmetric == 0
    assert voxel_chamfer(one, empty).symmetric == np.inf
    assert voxel_chamfer(empty, one).squared == np.inf


def test_normals_of_turned_planes_have_the_cosine_of_the_angle():
    plane = np.argwhere(np.ones((1, 9, 9))).astype(float)
    up, tilted = np.tile([1.0, 0, 0], (81, 1)), np.tile([-2.0, 0, 2.0], (81, 1))
    assert normal_consistency(plane, up, plane, up) == pytest.approx(1)
    assert normal_consistency(plane, up, plane, tilted) == pytest.approx(np.sqrt(0.5))
    assert normal_consistency(sphere(2000), sphere(2000), sphere(2000) + 0.05, sphere(2000)) > 0.99
    with pytest.raises(ShapeError, match="as many"):
        normal_consistency(plane, up[:5], plane, up)
