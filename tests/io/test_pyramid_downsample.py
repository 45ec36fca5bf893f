from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import ValueRangeError
from neurotome.io.pyramid_downsample import downsample

FACTORS = [(1, 2, 2), (2, 2, 2), (2, 1, 1), (1, 1, 1)]


def groups(values: np.ndarray, factor: tuple[int, int, int]):
    """Index of a coarse voxel, and the fine voxels it stands for."""
    for index in product(*(range(-(-n // f)) for n, f in zip(values.shape, factor, strict=True))):
        yield index, values[tuple(slice(i * f, (i + 1) * f) for i, f in zip(index, factor, strict=True))].ravel().tolist()


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("dtype", [np.uint64, np.uint32, np.int16, np.uint8])
def test_labels_are_the_most_frequent_id_and_the_smaller_of_two(factor, dtype, rng):
    ids = rng.integers(0, 4, (3, 5, 7)).astype(dtype)
    ids[ids == 3] = np.iinfo(dtype).max
    coarse = downsample(ids, factor, "labels")
    assert coarse.dtype == dtype
    for index, group in groups(ids, factor):
        assert coarse[index] == min(Counter(group).items(), key=lambda item: (-item[1], item[0]))[0]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32])
def test_grey_values_are_rounded_half_up(factor, dtype, rng):
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max, (3, 5, 7), dtype, endpoint=True)
    coarse = downsample(values, factor, "image")
    assert coarse.dtype == dtype
    for index, group in groups(values, factor):
        assert coarse[index] == (2 * sum(group) + len(group)) // (2 * len(group))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_fractions_are_averaged(dtype, rng):
    values = rng.random((2, 3, 5, 7)).astype(dtype)
    coarse = downsample(values, (2, 2, 2), "probability")
    assert coarse.dtype == dtype and coarse.shape == (2, 2, 3, 4)
    for channel in range(2):
        for index, group in groups(values[channel], (2, 2, 2)):
            assert coarse[(channel, *index)] == pytest.approx(np.mean(group), rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(shape=st.tuples(*[st.integers(1, 9)] * 3), cut=st.tuples(*[st.integers(0, 4)] * 3), seed=st.integers(0, 99))
def test_cutting_at_whole_groups_changes_nothing(shape, cut, seed):
    factor = FACTORS[seed % 3]
    ids = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint64)
    for kind in ("labels", "image"):
        whole = downsample(ids, factor, kind)
        joined = np.empty_like(whole)
        for sides in product((0, 1), repeat=3):
            fine = [slice(0, c * f) if s == 0 else slice(c * f, None) for s, c, f in zip(sides, cut, factor, strict=True)]
            coarse = [slice(0, c) if s == 0 else slice(c, None) for s, c in zip(sides, cut, strict=True)]
            joined[tuple(coarse)] = downsample(ids[tuple(fine)], factor, kind)
        assert np.array_equal(joined, whole)


def test_other_factors_are_refused():
    with pytest.raises(ValueRangeError, match="go down several levels"):
        downsample(np.zeros((4, 4, 4), np.uint8), (1, 4, 4), "image")
