import numpy as np
import pytest

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.synapses.views.grey import NORMALISATIONS, blended, in_steps, normalised_grey

RAMP = np.array([0, 85, 170, 255], np.uint8).reshape(1, 2, 2)
THIRDS = [0, 1 / 3, 2 / 3, 1]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("crop_minmax", THIRDS),
        ("slice_minmax", THIRDS),
        ("fixed", THIRDS),
        ("synister", [-1, -1 / 3, 1 / 3, 1]),
        ("zscore", [0, 0.2764, 0.7236, 1]),
        ("mean", THIRDS),
        ("percentile", [0, 0.25, 0.75, 1]),
    ],
)
def test_ramp(how: str, expected: list[float]) -> None:
    grey = normalised_grey(RAMP, how, levels=(42.5, 212.5))
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey.ravel(), expected, atol=5e-5)


@pytest.mark.parametrize("how", NORMALISATIONS)
def test_padding_counts_for_nothing(how: str) -> None:
    image = np.random.default_rng(0).integers(40, 200, (4, 5, 6)).astype(np.uint8)
    valid = np.ones(image.shape, bool)
    valid[:, :, 4:], valid[0] = False, False
    alone = normalised_grey(image[1:, :, :4], how, levels=(50, 180))
    for padding in (0, 255):
        padded = np.where(valid, image, np.uint8(padding))
        np.testing.assert_array_equal(normalised_grey(padded, how, valid=valid, levels=(50, 180))[1:, :, :4], alone)


def test_sections_have_limits_of_their_own() -> None:
    image = np.stack([RAMP[0], RAMP[0] // 2 + 100])
    np.testing.assert_allclose(normalised_grey(image, "slice_minmax")[1].ravel(), THIRDS, atol=0.005)
    assert normalised_grey(image, "crop_minmax")[1].min() == pytest.approx(100 / 255)


@pytest.mark.parametrize(("how", "value"), [("crop_minmax", 0), ("slice_minmax", 0), ("zscore", 0.5), ("mean", 0.5)])
def test_no_contrast_is_a_number(how: str, value: float) -> None:
    assert np.unique(normalised_grey(np.full((3, 3, 3), 7, np.uint16), how)).tolist() == [value]


def test_bad_values_are_refused() -> None:
    with pytest.raises(ValueRangeError, match=r"from 0 to 4000\. Expected: 0 to 255 for 'fixed'"):
        normalised_grey(np.array([[[0, 4000]]], np.uint16), "fixed")
    with pytest.raises(ValueRangeError, match="not finite"):
        normalised_grey(np.array([[[0, np.nan]]]), "crop_minmax")
    with pytest.raises(ValueRangeError, match="without a valid voxel"):
        normalised_grey(RAMP, "zscore", valid=np.zeros(RAMP.shape, bool))
    with pytest.raises(ValueRangeError, match="Percentiles"):
        normalised_grey(RAMP, "percentile")
    with pytest.raises(ValueRangeError, match="mean grey value of -3"):
        normalised_grey(np.full((2, 2, 2), -3.0), "mean")
    with pytest.raises(UnknownNameError, match="did you mean 'crop_minmax'"):
        normalised_grey(RAMP, "crop_min_max")


def test_sixteen_bits_and_fractions_are_taken() -> None:
    np.testing.assert_allclose(normalised_grey(RAMP.astype(np.uint16) * 200, "crop_minmax").ravel(), THIRDS, atol=1e-6)
    np.testing.assert_allclose(normalised_grey(RAMP / 255, "crop_minmax").ravel(), THIRDS, atol=1e-6)


def test_alpha_is_the_opacity_of_grey_outside() -> None:
    values = np.full(4, 0.2, np.float32)
    mask = np.array([True, False, False, True])
    for alpha, outside in ((0, 0.2), (0.3, 0.32), (1, 0.6)):
        np.testing.assert_allclose(blended(values, mask, alpha=alpha, grey=0.6), [0.2, outside, outside, 0.2], atol=1e-7)
    assert blended(values, mask, alpha=0.3, grey=0.6).dtype == np.float32


def test_grey_is_the_same_whatever_the_cleft() -> None:
    mask = np.zeros((4, 4, 4), bool)
    mask[1:3, 1:3, 1:3] = True
    for low, high in ((50, 120), (120, 200), (0, 255)):
        image = np.linspace(low, high, 64).astype(np.uint8).reshape(4, 4, 4)
        shown = blended(normalised_grey(image, "percentile", levels=(0, 255)), mask, alpha=1, grey=0.6)
        assert np.unique(shown[~mask]).tolist() == [np.float32(0.6)]


def test_eight_bits_keep_whole_steps() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    for how, limits in (("fixed", (0.0, 1.0)), ("synister", (-1.0, 1.0))):
        grey = normalised_grey(every, how)
        np.testing.assert_allclose(in_steps(grey, limits), grey, atol=1e-6)
    assert in_steps(np.array([0.6], np.float32))[0] == np.float32(153 / 255)
