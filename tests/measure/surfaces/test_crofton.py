import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import ShapeError, UnitError
from neurotome.measure.surfaces import crofton_area, crofton_weights

ISOTROPIC = (8.0, 8.0, 8.0)


def ball(radius_nm: float, voxel_nm: tuple[float, float, float], offset: float = 0.3) -> np.ndarray:
    shape = [int(2 * radius_nm / side) + 5 for side in voxel_nm]
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return sum(((g - (n - 1) / 2 - offset) * side) ** 2 for g, n, side in zip(grid, shape, voxel_nm)) <= radius_nm**2


@pytest.mark.parametrize("radius", [6, 10, 20, 30])
def test_balls(radius):
    mask = ball(8.0 * radius, ISOTROPIC)
    assert crofton_area(mask, ISOTROPIC) == pytest.approx(4 * np.pi * (8.0 * radius) ** 2, rel=0.012)


@pytest.mark.parametrize(
    ("radius_nm", "voxel_nm"), [(320.0, (32.0, 8.0, 8.0)), (640.0, (32.0, 8.0, 8.0)), (240.0, (8.0, 4.0, 2.0))]
)
def test_balls_of_flat_voxels(radius_nm, voxel_nm):
    assert crofton_area(ball(radius_nm, voxel_nm), voxel_nm) == pytest.approx(4 * np.pi * radius_nm**2, rel=0.012)


def test_boxes_come_out_too_small_by_what_is_known():
    area = crofton_area(np.ones((30, 30, 30), bool), (1.0, 1.0, 1.0))
    assert 0.87 < area / (6 * 30**2) < 0.92


def test_what_the_array_cuts_is_no_surface():
    z, y, x = np.ogrid[:40, :40, :40]
    slope = z * 0.5 + y * 0.25 < x - 4
    # The plane x = z / 2 + y / 4 + 4 over 40 x 40 voxels of (z, y), all of it inside the array.
    assert crofton_area(slope, ISOTROPIC, cut_faces=False) == pytest.approx(64 * 1600 * np.sqrt(1 + 0.25 + 0.0625), rel=0.06)
    assert crofton_area(np.ones((9, 9, 9), bool), ISOTROPIC, cut_faces=False) == 0
    assert crofton_area(np.zeros((9, 9, 9), bool), ISOTROPIC) == 0


def test_a_ball_in_the_open_counts_alike_either_way():
    mask = np.pad(ball(80.0, ISOTROPIC), 3)
    assert crofton_area(mask, ISOTROPIC) == crofton_area(mask, ISOTROPIC, cut_faces=False)


def test_weights_are_those_published_for_cubes():
    """Lang and Ohser: 0.045778, 0.036981 and 0.035196 for each of the 26 ways."""
    weights = sorted(np.array(crofton_weights(ISOTROPIC)) / 2)
    assert weights[:4] == pytest.approx([0.035196] * 4, abs=1e-6)
    assert weights[4:10] == pytest.approx([0.036981] * 6, abs=1e-6)
    assert weights[10:] == pytest.approx([0.045778] * 3, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.floats(2.0, 50.0)] * 3))
def test_weights_add_up_to_one(voxel_nm):
    weights = crofton_weights(voxel_nm)
    assert len(weights) == 13
    assert min(weights) > 0
    assert sum(weights) == pytest.approx(1.0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations([0, 1, 2]))
def test_area_does_not_depend_on_how_axes_are_named(seed, order):
    mask = np.random.default_rng(seed).random((4, 5, 6)) < 0.5
    voxel_nm = (30.0, 6.0, 4.0)
    turned = crofton_area(mask.transpose(order), tuple(voxel_nm[axis] for axis in order))
    assert turned == pytest.approx(crofton_area(mask, voxel_nm))
    assert crofton_area(mask[::-1, :, ::-1], voxel_nm) == pytest.approx(crofton_area(mask, voxel_nm))


def test_bad_input():
    with pytest.raises(ShapeError, match="three axes"):
        crofton_area(np.ones((4, 4), bool), ISOTROPIC)
    with pytest.raises(UnitError, match="above 0"):
        crofton_area(np.ones((4, 4, 4), bool), (8.0, 0.0, 8.0))
