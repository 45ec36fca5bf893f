import numpy as np
import pandas as pd
import pytest

from neurotome.core import InputError, ValueRangeError
from neurotome.measure.occupancy import OCCUPANCY_SCORES, bootstrap_interval, occupancy_scores, occupancy_summary, summarised


def line(start, stop):
    voxels = np.zeros((16, 16, 16), bool)
    voxels[8, 8, start:stop] = True
    return voxels


def test_scores_of_half_a_line():
    scores = occupancy_scores(line(2, 8), line(2, 14), voxel_nm=500.0)
    assert list(scores) == list(OCCUPANCY_SCORES)
    assert scores["precision"] == 1 and scores["recall"] == 0.5
    assert scores["f1"] == pytest.approx(2 / 3) and scores["iou"] == 0.5
    assert scores["f1_1vox"] == pytest.approx(2 * (7 / 12) / (1 + 7 / 12))
    # The 6 missing voxels are 1 to 6 from the end.
    assert scores["chamfer_vox"] == pytest.approx(21 / 12 / 2)
    assert scores["chamfer_vm_vox2"] == pytest.approx(91 / 12)
    assert scores["chamfer_nm"] == 500 * scores["chamfer_vox"]
    assert scores["volume_ratio"] == 0.5 and scores["components"] == 1
    assert scores["largest_share"] == 0.5


def test_two_empty_grids_agree_in_everything():
    empty = np.zeros((8, 8, 8), bool)
    scores = occupancy_scores(empty, empty, voxel_nm=1.0)
    worst = {"chamfer_vm_vox2": 0, "chamfer_vox": 0, "chamfer_nm": 0, "components": 0}
    assert scores == {name: worst.get(name, 1) for name in OCCUPANCY_SCORES}


def test_a_voxel_needs_a_size():
    with pytest.raises(ValueRangeError, match="voxel_nm=0"):
        occupancy_scores(line(2, 8), line(2, 8), voxel_nm=0)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = []
    for _ in range(200):
        low, high = bootstrap_interval(rng.exponential(1.0, 40), resamples=400)
        held.append(low <= 1.0 <= high)
    assert 0.88 <= np.mean(held) <= 0.98


def test_intervals_refuse_nan_and_survive_infinity():
    assert bootstrap_interval(np.array([1.0, np.inf]))[1] == np.inf
    with pytest.raises(ValueRangeError, match="Value 1 is NaN"):
        bootstrap_interval(np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="no values"):
        bootstrap_interval(np.array([]))


def test_a_summary_holds_every_score_with_its_convention():
    table = pd.DataFrame([occupancy_scores(line(2, 8), line(2, stop), voxel_nm=10.0) for stop in (8, 11, 14)])
    rows = summarised(table)
    assert rows.loc["recall", "mean"] == pytest.approx(np.mean([1, 6 / 9, 0.5]))
    assert rows.loc["recall", "median"] == pytest.approx(6 / 9)
    assert rows.loc["recall", "low"] < rows.loc["recall", "mean"] < rows.loc["recall", "high"]
    scores = occupancy_summary(table)
    assert scores["recall"] == rows.loc["recall", "mean"]
    assert {s.metric: s.unit for s in scores}["chamfer_nm"] == "nm"
