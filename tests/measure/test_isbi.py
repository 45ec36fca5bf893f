"""V_rand and V_info as the ISBI-2012 challenge computes them."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from neurotome.core import InputError, ShapeError, ValueRangeError
from neurotome.measure import isbi_scores, isbi_thresholds, section_agreement, thin_border

WALL = np.ones((5, 11), bool)
WALL[:, 5] = False


def one_threshold(inside, truth, threshold):
    """V_rand and V_info of one section at the level nearest to `threshold`."""
    scores = isbi_scores(np.asarray(inside, float)[None], np.asarray(truth)[None])
    at = np.abs(scores.thresholds - threshold).argmin()
    return scores.means("v_rand")[at], scores.means("v_info")[at]


def test_eleven_thresholds_in_double_precision():
    levels = isbi_thresholds()
    assert (len(levels), levels.dtype, levels[3], levels[-1]) == (11, np.float64, 0.30000000000000004, 0.9999999999999999)


def test_one_object_cut_into_halves(toy):
    found = section_agreement(*toy["T1"])
    assert (found.v_rand, found.rand_precision, found.rand_recall) == pytest.approx((2 / 3, 1, 1 / 2), abs=1e-6)
    assert found.v_info == 0


def test_two_objects_merged(toy):
    found = section_agreement(*toy["T2"])
    assert (found.v_rand, found.rand_precision, found.rand_recall) == pytest.approx((2 / 3, 1 / 2, 1), abs=1e-6)
    assert found.v_info == 0


def test_ten_objects_with_dams(toy):
    found = section_agreement(*toy["T3"])
    assert found.v_rand == pytest.approx(258 / 329, abs=1e-6)
    assert (found.v_info, found.info_precision, found.info_recall) == pytest.approx((0.8340492, 1, 0.7153383), abs=1e-6)


def test_a_thick_wall_costs_nothing_after_thinning():
    thick = np.ones((5, 11))
    thick[:, 3:8] = 0
    assert one_threshold(thick, WALL, 0.5) == pytest.approx((1, 1), abs=1e-6)
    regions = np.where(thick > 0, np.where(np.arange(11) < 5, 1, 2), 0)
    truth = np.where(WALL, np.where(np.arange(11) < 5, 1, 2), 0)
    without = section_agreement(truth, regions)
    assert (without.v_rand, without.v_info) == pytest.approx((47 / 86, 0.4651464), abs=1e-6)


def test_one_missing_wall_pixel_merges():
    holed = WALL.astype(float)
    holed[2, 5] = 1
    assert one_threshold(holed, WALL, 0.5) == pytest.approx((2 / 3, 0), abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_the_eleventh_threshold_separates_095_from_1(dtype):
    faint = np.where(WALL, 1, 0.95).astype(dtype)[None]
    scores = isbi_scores(faint, WALL[None])
    assert (scores.v_rand, scores.v_info) == pytest.approx((1, 1), abs=1e-6)
    assert scores.means("v_rand")[:10] == pytest.approx(2 / 3, abs=1e-6)
    assert scores.best_threshold() == scores.thresholds[10]


def test_values_are_compared_in_double_precision():
    just_above = np.where(WALL, np.nextafter(0.5, 1), 0.5)
    assert one_threshold(just_above, WALL, 0.5) == pytest.approx((1, 1), abs=1e-6)


def two_sections():
    inside = np.ones((2, 5, 11))
    inside[0, :, 5] = 0.25
    inside[1, :, 5], inside[1, :, 2] = 0.05, 0.15
    return inside, np.stack([WALL, WALL])


def test_one_threshold_for_the_whole_stack():
    scores = isbi_scores(*two_sections())
    assert (scores.v_rand, scores.v_info) == pytest.approx((187 / 208, 0.8340954), abs=1e-6)
    assert scores.best_threshold("v_rand") == pytest.approx(0.3)
    best_each = np.array([r.v_rand for r in scores.rows]).reshape(11, 2).max(axis=0)
    assert best_each.mean() == pytest.approx(1)


def test_rows_and_scores_carry_threshold_and_convention():
    scores = isbi_scores(*two_sections())
    rows = [row for row in scores.to_rows() if row["threshold"] == scores.best_threshold("v_rand")]
    assert [row["section"] for row in rows] == [0, 1]
    assert np.mean([row["v_rand"] for row in rows]) == scores.v_rand
    listed = {s.metric: s for s in scores.to_scores()}
    assert listed["v_rand"].value == scores.v_rand
    assert listed["v_info"].value == scores.v_info
    assert (listed["v_rand"].convention, listed["v_rand"].better) == ("isbi2012, thinned", "higher")
    assert listed["v_rand_threshold"].value == pytest.approx(0.3)
    assert list(rows[0]) == [
        *("section", "threshold", "v_rand", "rand_precision", "rand_recall"),
        *("v_info", "info_precision", "info_recall"),
    ]


def test_uint8_is_255_times_the_probability():
    inside = np.where(WALL, 255, 100).astype(np.uint8)[None]
    by_float = isbi_scores(inside / 255.0, WALL[None])
    assert isbi_scores(inside, WALL[None]).rows == by_float.rows


def test_progress_counts_thresholds():
    seen = []
    isbi_scores(*two_sections(), progress=lambda what, done, total: seen.append((done, total)))
    assert seen == [(n, 11) for n in range(1, 12)]


def test_bad_input_says_what_is_wrong():
    good = WALL[None].astype(float)
    with pytest.raises(InputError, match="Truth section 1 is constant"):
        isbi_scores(np.ones((2, 5, 11)), np.stack([WALL, np.ones_like(WALL)]))
    with pytest.raises(InputError, match="Truth section 0 is constant"):
        isbi_scores(good, np.zeros((1, 5, 11)))
    with pytest.raises(ValueRangeError, match="values 0, 255"):
        isbi_scores(good, WALL[None] * np.uint8(255))
    with pytest.raises(ValueRangeError, match="from 0 to 2"):
        isbi_scores(good * 2, WALL[None])
    with pytest.raises(ValueRangeError, match="nan"):
        isbi_scores(good * np.nan, WALL[None])
    with pytest.raises(ValueRangeError, match="type int64"):
        isbi_scores(good.astype(int), WALL[None])
    with pytest.raises(ShapeError, match=r"\(1, 5, 11\), truth has \(5, 11\)"):
        isbi_scores(good, WALL)


@pytest.fixture(scope="module")
def training_sections(real_data):
    tifffile = pytest.importorskip("tifffile")
    folder = real_data / "isbi2012"
    truth = tifffile.imread(folder / "train-labels.ome.tif") > 0
    return tifffile.imread(folder / "train-volume.ome.tif") / 255.0, truth


@pytest.mark.realdata
def test_real_sections_everything_inside(training_sections):
    raw, truth = training_sections
    scores = isbi_scores(np.ones_like(raw), truth)
    assert (scores.v_rand, scores.v_info) == pytest.approx((0.0744115, 0), abs=1e-6)


@pytest.mark.realdata
@pytest.mark.parametrize(("sigma", "v_rand", "v_info"), [(0, 0.65245, 0.81895), (2, 0.75642, 0.89652), (2.5, 0.76224, 0.89533)])
def test_real_sections_grey_value_as_probability(training_sections, sigma, v_rand, v_info):
    raw, truth = training_sections
    inside = np.stack([gaussian_filter(section, sigma) for section in raw]) if sigma else raw
    scores = isbi_scores(np.clip(inside, 0, 1), truth)
    assert (scores.v_rand, scores.v_info) == pytest.approx((v_rand, v_info), abs=1e-4)


def test_thinning_keeps_every_region():
    inside = np.random.default_rng(0).random((30, 30)) > 0.5
    assert np.unique(thin_border(inside))[-1] == np.unique(thin_border(inside)[inside])[-1]
