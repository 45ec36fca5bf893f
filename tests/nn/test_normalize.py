import numpy as np
import pytest

from neurotome.core import InputError, UnknownNameError
from neurotome.nn import normalize


def test_section_zscore_removes_brightness_jumps():
    rng = np.random.default_rng(0)
    section = rng.integers(50, 100, (1, 20, 20)).astype(np.uint8)
    stack = np.concatenate([section, section + 100])
    out = normalize(stack, "section_zscore")
    assert np.allclose(out[0], out[1], atol=1e-5)
    assert out.mean() == pytest.approx(0, abs=1e-5) and out[0].std() == pytest.approx(1, abs=1e-5)


def test_unit_and_percentile():
    image = np.linspace(0, 255, 1000).astype(np.uint8).reshape(1, 10, 100)
    assert normalize(image, "unit").max() == 1.0
    assert np.percentile(normalize(image, "percentile"), (1, 99)) == pytest.approx((0, 1), abs=0.02)


def test_constant_section_becomes_zero_and_nan_is_named():
    assert not normalize(np.full((1, 4, 4), 9, np.uint8), "section_zscore").any()
    image = np.zeros((2, 4, 4), np.float32)
    image[1, 2, 3] = np.nan
    with pytest.raises(InputError, match=r"Section 1 .*\(2, 3\)"):
        normalize(image, "section_zscore")
    with pytest.raises(UnknownNameError, match="section_zscore"):
        normalize(image, "zscore")
