import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neurotome.core import InputError
from neurotome.measure.surfaces import covariance_axes


@pytest.mark.parametrize("voxel_nm", [(8.0, 8.0, 8.0), (16.0, 8.0, 8.0)])
@pytest.mark.parametrize("turned", range(3))
def test_an_ellipsoid_turned(voxel_nm, turned):
    """The spread along a half-axis a of a full ellipsoid is a / sqrt(5)."""
    turn = Rotation.random(rng=turned).as_matrix()
    grid = np.meshgrid(*((np.arange(int(520 / v)) - int(520 / v) / 2) * v for v in voxel_nm), indexing="ij")
    half_axes = np.array([240.0, 120.0, 60.0])
    inside = ((np.tensordot(turn, np.stack(grid), axes=1) / half_axes[:, None, None, None]) ** 2).sum(0) <= 1
    axes = covariance_axes(inside, voxel_nm)
    assert axes.spread_nm == pytest.approx(half_axes / np.sqrt(5), rel=0.01)
    assert axes.elongation == pytest.approx(2.0, abs=0.02)
    assert axes.flatness == pytest.approx(0.5, abs=0.01)
    assert np.abs(axes.directions @ turn.T) == pytest.approx(np.eye(3), abs=0.02)


def test_a_line_has_no_elongation():
    axes = covariance_axes(np.ones((1, 1, 5), bool), (8.0, 8.0, 8.0))
    assert axes.spread_nm == pytest.approx([8 * np.sqrt(2), 0, 0])
    assert np.isnan(axes.elongation)
    assert np.isnan(axes.flatness)


def test_an_empty_mask():
    with pytest.raises(InputError, match="empty mask"):
        covariance_axes(np.zeros((2, 2, 2), bool), (8.0, 8.0, 8.0))
