import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.measure.surfaces import cavities_filled, euler_number, holes


def plate(*punched: int) -> np.ndarray:
    mask = np.ones((3, 9, 20), bool)
    for at in punched:
        mask[:, 3:6, at : at + 3] = False
    return mask


@pytest.mark.parametrize(("mask", "count"), [(plate(), 0), (plate(3), 1), (plate(3, 12), 2)])
def test_holes_of_a_plate(mask, count):
    assert holes(mask) == count
    assert holes(mask.transpose(2, 0, 1)) == count


def test_a_cavity_is_no_hole():
    ball = np.ones((5, 5, 5), bool)
    ball[2, 2, 2] = False
    assert euler_number(ball) == 2
    assert holes(ball) == 0
    assert cavities_filled(ball).all()


def test_voxels_that_share_a_corner_hang_together():
    mask = np.zeros((2, 2, 2), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert euler_number(mask) == 1
    assert holes(mask) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_euler_number_equals_another_implementation(seed, share):
    from skimage.measure import euler_number as reference

    mask = np.random.default_rng(seed).random((5, 6, 7)) < share
    assert euler_number(mask) == reference(mask, connectivity=3)
