import numpy as np
import pandas as pd
import pytest

from neurotome.core import Grid, InputError, Labels, Probability, ShapeError, UnknownNameError, ValueRangeError
from neurotome.measure import label_scores
from neurotome.neurons import AgglomerateSettings, ComponentsSettings, LinkSettings, pick, segment, threshold_table, tune

GRID = Grid((3, 24, 24), (30, 6, 6))


def truth():
    ids = np.zeros(GRID.shape, np.uint16)
    ids[:, 1:11, 1:11], ids[:, 1:11, 13:23], ids[:, 13:23, 1:23] = 1, 2, 3
    return Labels(ids, GRID)


def probability(seed=0):
    rng = np.random.default_rng(seed)
    ids = truth().data
    data = np.zeros((3, *GRID.shape), np.uint8)
    for axis in range(3):
        same = (ids == np.roll(ids, -1, axis)) & (ids > 0)
        data[axis] = np.clip(np.where(same, 190, 50) + rng.normal(0, 45, GRID.shape), 0, 255)
    return Probability(data, GRID, ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1"))


@pytest.mark.parametrize("more", [{}, {"min_voxels": 9}, {"grow": 1}])
def test_each_row_is_what_measure_says_of_that_cut(more):
    result = segment(probability(), settings=AgglomerateSettings(**more))
    thresholds = (0.1, 0.4, 0.7)
    table = threshold_table(result, truth(), thresholds)
    for threshold, row in zip(thresholds, table.itertuples()):
        direct = segment(probability(), settings=AgglomerateSettings(threshold=threshold, **more))
        scores = label_scores(direct.labels, truth(), truth_parts="components")
        assert row.adapted_rand_error == pytest.approx(scores["adapted_rand_error"], abs=1e-12)
        assert row.voi_split == pytest.approx(scores["voi_split"], abs=1e-12)
        assert row.voi_merge == pytest.approx(scores["voi_merge"], abs=1e-12)
        assert (row.split_errors, row.merge_errors) == (scores["split_errors"], scores["merge_errors"])
        assert row.segments == direct.labels.data.max()


def test_tune_returns_the_settings_of_the_best_row():
    sweep = {"threshold": (0.2, 0.5, 0.9), "t_high": (240, 256), "smooth": (0, 1.0)}
    tuning = tune(probability(), truth(), sweep=sweep)
    assert len(tuning.table) == 12
    best = tuning.table.loc[tuning.row]
    assert best["adapted_rand_error"] == tuning.table["adapted_rand_error"].min()
    assert (tuning.settings.threshold, tuning.settings.t_high) == (best["threshold"], best["t_high"])
    direct = segment(probability(), settings=tuning.settings)
    score = label_scores(direct.labels, truth(), truth_parts="components")["adapted_rand_error"]
    assert score == pytest.approx(best["adapted_rand_error"], abs=1e-12)


@pytest.mark.parametrize(
    ("method", "make", "thresholds"), [("link", LinkSettings, (100, 127)), ("components", ComponentsSettings, (0.4, 0.7))]
)
def test_other_methods_are_run_once_per_threshold(method, make, thresholds):
    tuning = tune(probability(), truth(), method, sweep={"threshold": thresholds})
    assert tuning.table["threshold"].tolist() == list(thresholds)
    assert isinstance(tuning.settings, make)
    assert tuning.settings.threshold in thresholds


def test_truth_as_given_keeps_disconnected_objects_whole():
    parted = truth()
    parted.data[parted.data == 2] = 1
    rows = [tune(probability(), parted, sweep={"threshold": (0.4,)}, truth_parts=p).table for p in ("components", "as given")]
    assert rows[1]["adapted_rand_error"][0] > rows[0]["adapted_rand_error"][0] + 0.1


def scored(are, voi, merges):
    return pd.DataFrame({"adapted_rand_error": are, "voi_sum": voi, "merge_errors": merges})


def test_pick():
    table = scored([0.3, 0.1, 0.2], [1.0, 3.0, 2.0], [9, 5, 2])
    assert pick(table) == 1
    assert pick(table, by="voi") == 0
    assert pick(table, by="merge_errors", max_merge_errors=5) == 2
    with pytest.raises(ValueRangeError, match="at most 1 merge errors, the fewest are 2"):
        pick(table, by="merge_errors", max_merge_errors=1)
    with pytest.raises(InputError, match="max_merge_errors"):
        pick(table, by="merge_errors")
    with pytest.raises(UnknownNameError, match="criterion"):
        pick(table, by="ari")


def test_wrong_input():
    other = Labels(np.ones((3, 24, 25), np.uint8), Grid((3, 24, 25), (30, 6, 6)))
    with pytest.raises(ShapeError):
        tune(probability(), other)
    with pytest.raises(ValueRangeError, match="no label above 0"):
        tune(probability(), Labels(np.zeros(GRID.shape, np.uint8), GRID))
    with pytest.raises(UnknownNameError, match="did you mean 't_high'"):
        tune(probability(), truth(), sweep={"t_hihg": (250,)})
    with pytest.raises(UnknownNameError, match="treatment of the truth"):
        tune(probability(), truth(), truth_parts="parts")
