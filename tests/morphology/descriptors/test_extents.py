import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neurotome.core import PointCloud, Skeleton
from neurotome.morphology.descriptors.body import Body
from neurotome.morphology.descriptors.extents import axis_extents, box_dimension, hull_volume


def test_the_hull_of_a_cube_and_of_flat_things():
    cube = np.array(np.meshgrid([0, 2], [0, 2], [0, 2])).reshape(3, -1).T.astype(float)
    turned = cube @ Rotation.random(random_state=1).as_matrix() + 1000
    assert hull_volume(turned) == pytest.approx(8)
    assert hull_volume(turned[[0, 1, 2, 3]] * (1, 1, 0)) == 0
    flat = np.column_stack([np.random.default_rng(0).random((50, 2)), np.zeros(50)])
    assert hull_volume(flat @ Rotation.random(random_state=2).as_matrix()) == 0
    assert hull_volume(cube[:3]) == 0 and hull_volume(np.ones((9, 3))) == 0


def test_extents_and_spreads_of_a_cross():
    """Arms of 4, 2 and 1 um both ways: a share of l / 14 of the cable has the mean square l^2 / 3 along its axis."""
    arms = [[sign * length if axis == a else 0 for a in range(3)] for axis, length in enumerate((1, 4, 2)) for sign in (1, -1)]
    cross = Skeleton.of([-1, *[0] * 6], np.array([[0, 0, 0], *arms]) * 1000.0)
    ranges, spreads = axis_extents(Body(cross))
    np.testing.assert_allclose(ranges, [8000, 4000, 2000])
    np.testing.assert_allclose(spreads, [1000 * np.sqrt(length / 7 * length**2 / 3) for length in (4, 2, 1)])


def test_dimensions_of_a_line_a_plane_and_a_block(line, node):
    assert box_dimension(Body(line)) == pytest.approx(1, abs=0.01)
    places = np.array(np.meshgrid(*[np.arange(66)] * 3)).reshape(3, -1).T * 1000.0
    assert box_dimension(Body(PointCloud(places * (1, 1, 0)))) == pytest.approx(2, abs=0.15)
    assert box_dimension(Body(PointCloud(places))) == pytest.approx(3, abs=0.2)
    assert box_dimension(Body(node)) == 0
