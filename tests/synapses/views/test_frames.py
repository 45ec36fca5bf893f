import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import ValueRangeError
from neurotome.synapses.views.frames import centre_frames, spread_frames


@given(st.integers(1, 200), st.integers(2, 200))
def test_frames_are_spread_evenly(size: int, count: int) -> None:
    frames = spread_frames(size, count)
    assert len(frames) == count
    assert (frames[0], frames[-1]) == (0, size - 1)
    if count < size:
        assert np.abs(np.array(frames) - np.linspace(0, size - 1, count)).max() < 1
        assert len(set(frames)) == count


def test_centre_frames_are_about_the_centre() -> None:
    assert centre_frames(80, 3) == [39, 40, 41]
    assert centre_frames(4, 9) == [0, 1, 2, 3]
    assert centre_frames(2, 1) == [1]
    with pytest.raises(ValueRangeError):
        centre_frames(80, 0)
