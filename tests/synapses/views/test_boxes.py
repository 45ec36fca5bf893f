import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.core import ValueRangeError
from neurotome.synapses.views.boxes import BOX_REASONS, centred_box, fullest_box, inside, vesicle_box, vesicle_fill_report


def ball(radius: float, size: int = 80) -> np.ndarray:
    line = (np.arange(size) - size // 2) ** 2
    return line[:, None, None] + line[:, None] + line <= radius**2


def cuboid(z: int, y: int, x: int, size: int = 80) -> np.ndarray:
    mask = np.zeros((size, size, size), bool)
    mask[5 : 5 + z, 6 : 6 + y, 7 : 7 + x] = True
    return mask


@settings(max_examples=60)
@given(arrays(bool, (7, 6, 8), elements=st.booleans()), st.integers(1, 6))
def test_no_position_is_fuller(mask: np.ndarray, size: int) -> None:
    windows = np.lib.stride_tricks.sliding_window_view(mask, (size,) * 3).sum(axis=(3, 4, 5))
    corner, count = fullest_box(mask, size)
    assert count == windows.max()
    assert windows[corner] == count


def test_the_first_of_equal_positions_is_taken() -> None:
    assert fullest_box(cuboid(30, 30, 30)) == ((5, 6, 7), 25**3)


def test_a_box_larger_than_the_crop_is_refused() -> None:
    with pytest.raises(ValueRangeError, match="1 to 80"):
        fullest_box(cuboid(3, 3, 3), 81)
    with pytest.raises(ValueRangeError, match="a larger crop"):
        centred_box(np.ones((20, 20, 20), bool), np.ones((20, 20, 20), bool))


@pytest.mark.parametrize(
    ("cloud", "reason", "value", "threshold"),
    [
        (cuboid(0, 0, 0), "no_vesicles", 0, 1),
        (cuboid(24, 24, 24), "vesicle_cloud_too_small", 13_824, 15_625),
        (cuboid(26, 26, 24), "vesicle_extent_too_small", 24, 25),
        (ball(20), "fill_below_threshold", 100 * 15_593 / 15_625, 100),
    ],
)
def test_clouds_without_a_full_box(cloud: np.ndarray, reason: str, value: float, threshold: float) -> None:
    fit = vesicle_box(cloud)
    assert (fit.reason, fit.value, fit.threshold) == (reason, value, threshold)


@pytest.mark.parametrize(("radius", "percent"), [(16, 87.79), (20, 99.795), (21, 100.0)])
def test_balls_fill_a_box(radius: int, percent: float) -> None:
    assert vesicle_box(ball(radius), 0).value == pytest.approx(percent, abs=0.005)


def test_threshold_decides() -> None:
    assert vesicle_box(ball(20), 95).reason == ""
    assert vesicle_box(ball(20), 95).corner == (28, 28, 28)
    assert vesicle_box(ball(20), 100).reason == "fill_below_threshold"


def test_centred_box_lies_about_the_mean_of_the_vesicles() -> None:
    fit = centred_box(cuboid(26, 26, 26), np.ones((80, 80, 80), bool))
    # Means 17.5, 18.5, 19.5 are cut to 17, 18, 19, and the box begins 12 before.
    assert (fit.corner, fit.reason, fit.value) == ((5, 6, 7), "", 100)


def test_centred_box_moves_away_from_what_is_empty() -> None:
    vesicles = np.zeros((80, 80, 80), bool)
    vesicles[38:43, 38:43, 38:43] = True
    tissue = np.ones((80, 80, 80), bool)
    tissue[:31], tissue[:, :, 50:] = False, False
    fit = centred_box(vesicles, tissue)
    # Empty are z 28..30 and x 50..52: away means +z, -x, and +y because the empty voxels lie evenly along y.
    assert (fit.corner, fit.value) == ((31, 31, 25), 100)
    assert inside(tissue, fit.corner).all()
    tissue[:, :, 40:] = False
    assert centred_box(vesicles, tissue, 90).reason == "fill_below_threshold"
    # Ten steps at the most: x 18..42 has 22 of 25 sections.
    assert centred_box(vesicles, tissue, 85).corner == (38, 38, 18)
    assert centred_box(vesicles, tissue, 85).value == 88


def test_centred_box_stays_where_it_is_full_enough() -> None:
    tissue = np.ones((80, 80, 80), bool)
    tissue[28] = False
    vesicles = np.zeros((80, 80, 80), bool)
    vesicles[40, 40, 40] = True
    assert centred_box(vesicles, tissue, 96).corner == (28, 28, 28)
    assert centred_box(vesicles, tissue, 97).corner == (29, 29, 29)
    assert centred_box(np.zeros_like(tissue), tissue).reason == "no_vesicles"


def test_centred_box_stays_in_the_crop() -> None:
    vesicles = np.zeros((80, 80, 80), bool)
    vesicles[2, 40, 79] = True
    assert centred_box(vesicles, np.ones((80, 80, 80), bool)).corner == (0, 28, 55)


def test_discards_grow_with_the_threshold(make_crop) -> None:
    clouds = [ball(16), ball(18), ball(20), ball(21), cuboid(24, 24, 24), cuboid(26, 26, 24), cuboid(0, 0, 0)]
    report = vesicle_fill_report([make_crop(vesicles=cloud) for cloud in clouds], (25, 50, 75, 90, 95, 99, 100))
    assert report["discard_rate"].is_monotonic_increasing
    assert report["discarded"].tolist() == [3, 3, 3, 4, 4, 5, 6]
    assert report.loc[100.0, "kept"] == 1
    assert (report["kept"] + report["discarded"] == report["sites"]).all()
    assert report.loc[25.0, list(BOX_REASONS)].tolist() == [1, 1, 1, 0]
