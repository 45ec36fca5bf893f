"""Distances to the background: SciPy's, without ever having the whole volume in an array."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.distance import distance_to_background
from neurotome.tracing.sparse.object_voxels import ObjectVoxels


def measured(mask, voxel_nm):
    voxels = ObjectVoxels.of(Bricks.of(mask.astype(np.uint8), voxel_nm), 1)
    return voxels, distance_to_background(voxels)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1.0, 1.0, 1.0), (300.0, 100.0, 100.0), (40.0, 250.0, 90.0)]))
def test_equals_the_dense_distance(state, voxel_nm):
    noise = np.random.default_rng(state).normal(size=(36, 40, 70))
    mask = ndimage.gaussian_filter(noise, 2.5) > 0.01
    voxels, depth = measured(mask, voxel_nm)
    np.testing.assert_allclose(depth, ndimage.distance_transform_edt(mask, voxel_nm)[tuple(voxels.positions.T)], rtol=1e-6)


def test_far_more_than_a_brick_deep():
    z, y, x = np.ogrid[:101, :101, :101]
    mask = (z - 50) ** 2 + (y - 50) ** 2 + (x - 50) ** 2 <= 48**2
    voxels, depth = measured(mask, (10.0, 10.0, 10.0))
    assert depth[voxels.at((50, 50, 50))] == pytest.approx(10 * ndimage.distance_transform_edt(mask).max(), rel=1e-6)


def test_a_face_of_the_volume_is_no_background():
    mask = np.zeros((9, 9, 50), bool)
    mask[2:7, 2:7] = True
    voxels, depth = measured(mask, (100.0, 100.0, 100.0))
    assert depth[voxels.at((4, 4, 0))] == depth[voxels.at((4, 4, 25))] == 300.0
    assert np.isinf(measured(np.ones((3, 3, 3), bool), (1.0, 1.0, 1.0))[1]).all()
