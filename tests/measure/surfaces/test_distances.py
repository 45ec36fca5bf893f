import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from scipy.spatial.transform import Rotation

from neurotome.core import InputError
from neurotome.measure.surfaces import distance_to, mid_surface, signed_distance

ISOTROPIC = (8.0, 8.0, 8.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95), st.sampled_from([ISOTROPIC, (40.0, 8.0, 4.0)]))
def test_distances_equal_another_implementation(seed, share, voxel_nm):
    mask = np.random.default_rng(seed).random((7, 8, 9)) < share
    outside = distance_transform_edt(~mask, sampling=voxel_nm)
    inside = distance_transform_edt(mask, sampling=voxel_nm)
    assert distance_to(mask, voxel_nm) == pytest.approx(outside, abs=1e-4)
    assert signed_distance(mask, voxel_nm) == pytest.approx(outside - inside, abs=1e-4)
    assert (signed_distance(~mask, voxel_nm) == -signed_distance(mask, voxel_nm)).all()


def test_empty_and_full_masks():
    nothing = np.zeros((3, 3, 3), bool)
    with pytest.raises(InputError, match="empty mask"):
        distance_to(nothing, ISOTROPIC)
    for mask in (nothing, ~nothing):
        with pytest.raises(InputError, match="inside and an outside"):
            signed_distance(mask, ISOTROPIC)


def height(turn: Rotation, voxel_nm, side_nm=560.0) -> np.ndarray:
    """(3, z, y, x) nm from the middle of a cube, along axes that are turned."""
    grid = np.meshgrid(*((np.arange(int(side_nm / v)) - int(side_nm / v) / 2) * v for v in voxel_nm), indexing="ij")
    return np.tensordot(turn.as_matrix(), np.stack(grid) + 2.3, axes=1)


def sheet(first: np.ndarray, second: np.ndarray, cleft: np.ndarray, voxel_nm):
    return mid_surface(signed_distance(first, voxel_nm), signed_distance(second, voxel_nm), voxel_nm).within(cleft)


@pytest.mark.parametrize("turned", range(4))
@pytest.mark.parametrize(("voxel_nm", "most"), [(ISOTROPIC, 0.01), ((16.0, 8.0, 8.0), 0.03), ((32.0, 8.0, 8.0), 0.06)])
def test_discs_at_any_tilt(turned, voxel_nm, most):
    z, y, x = height(Rotation.random(rng=turned), voxel_nm)
    radius = 12 * 8.0 if turned % 2 else 24 * 8.0
    disc = (abs(z) < 24) & (np.hypot(y, x) <= radius)
    found = sheet(z < -12, z > 12, disc, voxel_nm)
    assert found.area_nm2 == pytest.approx(np.pi * radius**2, rel=most)
    assert found.area_nm2 / found.projected_nm2 == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("turned", range(3))
def test_caps(turned):
    """A cap of a ball of radius R, h high: area 2 pi R h, and that is 2R / (2R - h) of what is seen from above."""
    ball, high = 40 * 8.0, 20 * 8.0
    z, y, x = height(Rotation.random(rng=turned), ISOTROPIC, 640.0)
    out = np.sqrt((z + ball - high / 2) ** 2 + y**2 + x**2)
    cap = (abs(out - ball) < 24) & ((z + ball - high / 2) >= (ball - high) / ball * out)
    found = sheet(out < ball - 12, out > ball + 12, cap, ISOTROPIC)
    assert found.area_nm2 == pytest.approx(2 * np.pi * ball * high, rel=0.01)
    assert found.area_nm2 / found.projected_nm2 == pytest.approx(2 * ball / (2 * ball - high), rel=0.01)
