"""Every metric under its name, with convention, support and direction."""

import pytest

from neurotome.core import Box, InputError, UnknownNameError
from neurotome.measure import CONVENTIONS, METRICS, label_scores


def scored(as_labels, toy, case, **options):
    truth, segmentation = toy[case]
    return label_scores(as_labels(segmentation), as_labels(truth), **options)


def test_every_metric_is_there_in_its_default_convention(as_labels, toy):
    scores = scored(as_labels, toy, "T3")
    assert tuple(s.metric for s in scores) == METRICS
    assert {s.support for s in scores} == {"full"}
    assert all(s.better in ("lower", "higher") and s.convention for s in scores)
    expected = {
        "adapted_rand_error": 71 / 329,
        "voi_split": 0.7219281,
        "voi_merge": 0.6643856,
        "voi_sum": 1.3863137,
        "split_errors": 0,
        "merge_errors": 0,
        "ari_all_voxels": 0.6204465,
        "foreground_precision": 1,
        "foreground_recall": 0.8,
    }
    assert {m: scores[m] for m in expected} == pytest.approx(expected, abs=1e-6)


def test_each_convention_is_listed_once(as_labels, toy):
    scores = scored(as_labels, toy, "T3", conventions=CONVENTIONS)
    rand = {s.convention: s.value for s in scores if s.metric == "adapted_rand_error"}
    expected = {"isbi": 71 / 329, "snemi": 0.2195029, "cremi": 0.2195029, "skimage": 68 / 199}
    assert rand == pytest.approx(expected, abs=1e-6)
    voi = {s.convention: s.value for s in scores if s.metric == "voi_split"}
    assert voi == pytest.approx({"cremi": 0.7219281, "singletons": 1.3219281}, abs=1e-6)
    assert {s.unit for s in scores if s.metric.startswith("voi")} == {"bits"}


def test_one_convention_may_be_a_plain_name(as_labels, toy):
    assert scored(as_labels, toy, "T3", conventions="skimage")["adapted_rand_error"] == pytest.approx(68 / 199)


def test_only_the_metrics_that_were_asked_for(as_labels, toy):
    scores = scored(as_labels, toy, "T7", metrics=["merge_errors", "split_errors"])
    assert [(s.metric, s.value) for s in scores] == [("split_errors", 1), ("merge_errors", 0)]


def test_the_support_says_which_rules_changed_the_number(as_labels, toy):
    options = {"truth_parts": "components", "border_nm": 0.0, "truth_zero": "object", "support": Box((0, 0, 0), (1, 12, 20))}
    (score,) = scored(as_labels, toy, "T5", metrics=["voi_merge"], **options)
    assert score.support == "box z 0:1, y 0:12, x 0:20; truth components; border 0 nm ignored; truth 0 an object"
    # Two rows of 20 lie on each side of the border and are ignored: 9 rows of the object and 1 of truth 0 remain.
    assert score.value == 0


def test_the_crop_of_another_shape_needs_force(as_labels, toy):
    with pytest.raises(InputError, match="--force"):
        scored(as_labels, toy, "T1", support="snemi_crop")
    forced = scored(as_labels, toy, "T1", support="snemi_crop", force=True)
    assert {s.support for s in forced} == {"snemi_crop"}


def test_unknown_names_are_refused_before_anything_is_read(as_labels, toy):
    def unread(what, done, total):
        raise AssertionError("the volumes were read")

    with pytest.raises(UnknownNameError, match="did you mean 'adapted_rand_error'"):
        scored(as_labels, toy, "T1", metrics=["adapted_rand"], progress=unread)
    with pytest.raises(UnknownNameError, match="did you mean 'snemi'"):
        scored(as_labels, toy, "T1", conventions=("isbi", "snemi3d"), progress=unread)


@pytest.mark.realdata
def test_floor_of_any_connecting_method_on_snemi3d(real_data):
    tifffile = pytest.importorskip("tifffile")
    import numpy as np

    from neurotome.core import Grid, Labels
    from neurotome.measure import equal_label_components

    truth = tifffile.imread(real_data / "snemi3d" / "train-labels.ome.tif")
    pieces = equal_label_components(truth)
    assert (len(np.unique(truth)) - 1, int(pieces.max())) == (333, 361)
    grid = Grid(truth.shape, (30.0, 6.0, 6.0))
    scores = label_scores(Labels(pieces, grid), Labels(truth, grid))
    found = {m: scores[m] for m in ("adapted_rand_error", "split_errors", "merge_errors", "voi_split", "voi_merge")}
    assert found == pytest.approx(
        {"adapted_rand_error": 0.0231, "split_errors": 25, "merge_errors": 0, "voi_split": 0.0746, "voi_merge": 0}, abs=1e-4
    )
    assert scores["ari_all_voxels"] == pytest.approx(0.9902, abs=1e-4)
    again = label_scores(Labels(pieces, grid), Labels(truth, grid), truth_parts="components")
    assert again["adapted_rand_error"] == 0
