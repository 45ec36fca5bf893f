import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.nn import volume_scale


def scale_of(volume, method="volume_percentile"):
    return volume_scale(lambda box: volume[box.slices], volume.shape, volume.dtype, method)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["uint8", "uint16", "int16", "float32", "int32"]), st.integers(0, 10**6))
def test_percentiles_are_those_of_numpy(dtype, seed):
    rng = np.random.default_rng(seed)
    low = 0 if dtype.startswith("u") else -100
    volume = rng.integers(low, 200, (3, 5, 41)).astype(dtype)
    if dtype == "float32":
        volume += rng.random(volume.shape, np.float32)
    scale = scale_of(volume)
    p1, p995 = np.percentile(volume.astype(np.float64), (1, 99.5))
    assert scale.offset == pytest.approx(p1, abs=1e-4) and 1 / scale.factor == pytest.approx(p995 - p1, rel=1e-5)
    assert np.allclose(scale(volume), np.clip((volume - p1) / (p995 - p1), 0, 4), atol=1e-4)


def test_any_cut_gives_the_same_scale(monkeypatch):
    import importlib

    module = importlib.import_module("neurotome.nn.volume_scale")
    volume = np.random.default_rng(0).normal(0, 50, (7, 30, 20)).astype(np.float32)
    whole = scale_of(volume)
    monkeypatch.setattr(module, "READ_AT_ONCE", 37)
    assert scale_of(volume) == whole


def test_a_thresholded_stack_is_scaled_by_what_is_left():
    volume = np.zeros((10, 10, 100), np.uint8)
    volume.reshape(-1)[:50] = np.arange(101, 151)
    scale = scale_of(volume)
    assert scale.offset == 0 and 1 / scale.factor == pytest.approx(125.5)
    assert scale(volume).max() == pytest.approx(150 / 125.5) and scale(volume).min() == 0


def test_one_bright_voxel_is_enough():
    volume = np.full((5, 5, 5), 7, np.uint16)
    volume[2, 2, 2] = 9
    assert scale_of(volume)(volume)[2, 2, 2] == 1
    volume[2, 2, 2] = 3
    scale = scale_of(volume)
    assert (scale.offset, 1 / scale.factor) == (3, 4)


def test_constants_of_the_reference():
    scale = scale_of(np.zeros((1, 1, 1), np.uint16), "fmost")
    assert scale(np.array([0, 168, 1500, 60000], np.uint16)).tolist() == pytest.approx([-0.337, -0.001, 2.663, 2.663], abs=1e-6)


def test_what_cannot_be_scaled():
    with pytest.raises(ValueRangeError, match="All 8 voxels of the image are 5"):
        scale_of(np.full((2, 2, 2), 5, np.uint8))
    bad = np.ones((2, 3, 4), np.float32)
    bad[1, 2, 3] = np.nan
    with pytest.raises(ValueRangeError, match=r"not finite at \(z, y, x\) = \(1, 2, 3\)"):
        scale_of(bad)
    with pytest.raises(UnknownNameError, match="section_zscore"):
        scale_of(np.arange(8).reshape(2, 2, 2), "section_zscore")
