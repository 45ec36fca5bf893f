import numpy as np
import pytest

from neurotome.core import InputError, UnknownNameError
from neurotome.nn import normalize, section_scale
from neurotome.nn.normalize import grey_counts, grey_tally, scale_of_counts


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


def test_signed_unit_ends_at_minus_one_and_one():
    image = np.array([[[0, 51, 255]]], np.uint8)
    assert normalize(image, "signed_unit").ravel() == pytest.approx([-1, -0.6, 1], abs=1e-6)
    assert normalize(image.astype(np.uint16) * 257, "signed_unit").ravel() == pytest.approx([-1, -0.6, 1], abs=1e-6)
    assert normalize(image / 255, "signed_unit").ravel() == pytest.approx([-1, -0.6, 1], abs=1e-6)


@pytest.mark.parametrize("method", ["unit", "signed_unit"])
def test_the_scale_of_the_type_does_not_follow_the_grey_values(method, rng):
    for dtype in (np.uint8, np.uint16):
        section = rng.integers(20, 90, (30, 40)).astype(dtype)
        expected = section_scale(section, method)
        assert scale_of_counts(grey_counts(section), section.dtype, method) == expected
        assert section_scale(section[:2, :2], method) == expected


def test_constant_section_becomes_zero_and_nan_is_named():
    assert not normalize(np.full((1, 4, 4), 9, np.uint8), "section_zscore").any()
    image = np.zeros((2, 4, 4), np.float32)
    image[1, 2, 3] = np.nan
    with pytest.raises(InputError, match=r"Section 1 .*\(2, 3\)"):
        normalize(image, "section_zscore")
    with pytest.raises(UnknownNameError, match="section_zscore"):
        normalize(image, "zscore")


def by_numpy(section, method):
    """The definition, in other words."""
    values = section.astype(np.float64)
    if method == "section_zscore":
        return values.mean(), 1 / values.std()
    low, high = np.percentile(values, (1, 99))
    return low, 1 / (high - low)


@pytest.mark.parametrize("method", ["section_zscore", "percentile"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.float32])
def test_counting_grey_values_gives_what_numpy_gives(dtype, method, rng):
    section = (rng.gamma(2, 20, (61, 83)) - (50 if np.dtype(dtype).kind == "i" else 0)).clip(-99, 120).astype(dtype)
    whole = section_scale(section, method)
    assert whole == pytest.approx(by_numpy(section, method), rel=1e-13)
    for cut in (1, 7, 60):
        tally = grey_tally(section.dtype, method)
        for part in (section[cut:], section[:cut, 30:], section[:cut, :30]):
            tally.add(part)
        if section.dtype.itemsize <= 2:
            assert tally.scale() == whole
        assert tally.scale() == pytest.approx(whole, rel=1e-13)


def test_a_section_of_one_pixel():
    assert section_scale(np.array([[7]], np.uint8), "percentile") == (7.0, 0.0)
    assert section_scale(np.array([[7]], np.uint8), "section_zscore") == (7.0, 0.0)


def test_real_sections_keep_the_scale_that_networks_were_trained_with(snemi3d):
    for section in snemi3d.image.read()[::10]:
        for method in ("section_zscore", "percentile"):
            ours, theirs = (np.float32(f(section, method)) for f in (section_scale, by_numpy))
            assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("method", ["section_zscore", "percentile"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_counts_of_parts_give_the_scale_of_the_whole(rng, dtype, method):
    section = rng.integers(*((0, 256) if dtype == "uint8" else (0, 30_000)), (50, 70)).astype(dtype)
    counts = sum(grey_counts(part) for part in (section[:, :9], section[:13, 9:], section[13:, 9:]))
    assert scale_of_counts(counts, section.dtype, method) == section_scale(section, method)
