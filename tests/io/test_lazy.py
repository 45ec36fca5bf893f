import pickle
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.io.lazy import LazyArray, Ranges, stack_axis

STORED = np.arange(4 * 5 * 6).reshape(4, 5, 6)


def read(log: list[Ranges], ranges: Ranges) -> np.ndarray:
    log.append(ranges)
    return STORED[tuple(slice(a, b) for a, b in ranges)]


def lazy(log: list[Ranges] | None = None) -> LazyArray:
    return LazyArray.whole(partial(read, [] if log is None else log), STORED.shape, STORED.dtype)


index = st.one_of(
    st.integers(-4, 3),
    st.builds(slice, st.none() | st.integers(-6, 6), st.none() | st.integers(-6, 6), st.sampled_from([None, 1, 2])),
)


@given(
    st.one_of(
        index, st.tuples(index, index), st.tuples(index, index, index), st.just(Ellipsis), st.tuples(st.just(Ellipsis), index)
    )
)
def test_an_index_means_what_it_means_in_numpy(key: object) -> None:
    window = lazy()[key]
    assert window.shape == STORED[key].shape
    assert np.array_equal(np.asarray(window), STORED[key])


@given(st.integers(0, 3), st.integers(0, 3), st.integers(-5, 4))
def test_a_window_of_a_window(start: int, length: int, row: int) -> None:
    window = lazy()[start : start + length, :, 1:5][:, row][..., 1:]
    assert np.array_equal(np.asarray(window), STORED[start : start + length, :, 1:5][:, row][..., 1:])


def test_nothing_is_read_before_it_is_asked_for() -> None:
    log: list[Ranges] = []
    window = lazy(log)[1:3, 2, :4]
    assert log == []
    np.asarray(window)
    assert log == [((1, 3), (2, 3), (0, 4))]


def test_outside_is_an_error() -> None:
    with pytest.raises(IndexError, match="index 4 is outside axis 0 of length 4"):
        lazy()[4]
    with pytest.raises(IndexError, match="4 indices for an array of 3 axes"):
        lazy()[0, 0, 0, 0]


def test_an_array_as_index_reads_first() -> None:
    assert np.array_equal(lazy()[np.array([2, 0])], STORED[[2, 0]])


def test_map_and_stack_axis() -> None:
    assert np.array_equal(np.asarray(lazy().map(np.negative)[2]), -STORED[2])
    assert np.array_equal(np.asarray(stack_axis(lazy()[1])[0, 2:]), STORED[1, 2:])


def test_it_can_be_sent_to_another_process() -> None:
    assert np.array_equal(np.asarray(pickle.loads(pickle.dumps(lazy()[1:]))), STORED[1:])
