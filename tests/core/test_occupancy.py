import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from neurotome.core import Frame, InputError, Occupancy, ShapeError, ValueRangeError

NM = st.floats(-1e7, 1e7)


@given(NM, NM, NM, st.floats(10, 1e7), st.integers(0, 2**31))
def test_there_and_back(z, y, x, half, seed):
    turn = Rotation.random(random_state=seed).as_matrix()
    frame = Frame((z, y, x), -half, half / 2, 64, rotation=turn.tolist())
    points = frame.centre_nm + np.random.default_rng(seed).uniform(-half, half, (20, 3))
    spread = 1.5 * half + np.abs(frame.centre_nm).max()
    assert np.abs(frame.nm(frame.unit(points)) - points).max() <= 1e-9 * spread
    assert np.abs(frame.index_nm(frame.index(points)) - points).max() <= 1e-9 * spread


def test_both_ends_of_the_cube_belong_to_it():
    frame = Frame((0.0, 0.0, 0.0), -100.0, 100.0, 8)
    found = frame.voxels(np.array([[-100.0, 100.0, 0.0], [0, 0, 100.1], [99.9, 74.9, 75.0]]))
    assert found.tolist() == [[0, 7, 4], [-1, -1, -1], [7, 6, 7]]


def test_a_rotation_turns_around_the_centre():
    frame = Frame((10.0, 0.0, 0.0), -8.0, 8.0, 16, rotation=((0, 1, 0), (-1, 0, 0), (0, 0, 1)))
    assert frame.unit(np.array([[10.0, 4.0, 0.0]])).tolist() == [[0.5, 0.0, 0.0]]
    assert frame.soma_index == (8, 8, 8)


def test_a_soma_outside_has_no_voxel():
    assert Frame((0.0, 0.0, 0.0), -8.0, 8.0, 16, soma_nm=(9.0, 0.0, 0.0)).soma_index is None


def test_json_round_trip():
    frame = Frame((1.0, 2.0, 3.0), -8.0, 9.0, 16, "soma", "per_shape", soma_nm=(1.0, 2.0, 3.0), clipped_fraction=0.01)
    assert Frame.from_json(json.loads(json.dumps(frame.to_json()))) == frame
    with pytest.raises(InputError, match="centre_nm"):
        Frame.from_json({k: v for k, v in frame.to_json().items() if k != "centre_nm"})


def test_what_is_no_frame():
    with pytest.raises(ValueRangeError, match="take 56 or 64"):
        Frame((0.0, 0.0, 0.0), -1.0, 1.0, 60)
    with pytest.raises(ValueRangeError, match="range above 0"):
        Frame((0.0, 0.0, 0.0), 1.0, 1.0, 64)
    with pytest.raises(ValueRangeError, match="orthonormal"):
        Frame((0.0, 0.0, 0.0), -1.0, 1.0, 64, rotation=((2, 0, 0), (0, 1, 0), (0, 0, 1)))
    with pytest.raises(ShapeError, match=r"\(64, 64, 64\)"):
        Occupancy(np.zeros((8, 8, 8), bool), Frame((0.0, 0.0, 0.0), -1.0, 1.0, 64))
