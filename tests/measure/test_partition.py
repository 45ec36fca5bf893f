"""The metrics on arrays small enough to check by hand, against independent implementations, and their symmetries."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import metrics as skimage_metrics
from sklearn import metrics as sklearn_metrics

from neurotome.core import UnknownNameError
from neurotome.measure import (
    Contingency,
    adapted_rand,
    adjusted_rand_index,
    contingency,
    cremi_score,
    foreground_overlap,
    split_merge_errors,
    variation_of_information,
)

SHAPE = (3, 4, 5)
ids = arrays(np.uint16, SHAPE, elements=st.integers(0, 4))

RAND = [
    ("T1", "isbi", 1 / 3, 1, 1 / 2),
    ("T1", "snemi", 1 / 3, 1, 1 / 2),
    ("T1", "skimage", 100 / 299, 1, 199 / 399),
    ("T2", "isbi", 1 / 3, 1 / 2, 1),
    ("T2", "cremi", 1 / 3, 1 / 2, 1),
    ("T2", "skimage", 0.3344482, 0.4987469, 1),
    ("T3", "isbi", 71 / 329, 1, 0.645),
    ("T3", "snemi", 0.2195029, 1, 0.6400125),
    ("T3", "skimage", 68 / 199, None, None),
    ("T4", "isbi", 9 / 11, 0.1, 1),
    ("T4", "snemi", 9 / 11, 0.1, 1),
    ("T4", "skimage", 60 / 73, None, None),
    ("T5", "isbi", 0, 1, 1),
    ("T5", "snemi", 0, 1, 1),
    ("T5", "skimage", 0, 1, 1),
    ("T6", "isbi", 39 / 41, None, None),
    ("T6", "snemi", 15999 / 16001, None, None),
    ("T6", "skimage", 60 / 73, None, None),
    ("T7", "isbi", 305 / 796, None, None),
    ("T7", "snemi", 305 / 796, None, None),
]


@pytest.mark.parametrize(("case", "convention", "error", "precision", "recall"), RAND)
def test_adapted_rand_of_the_toy_cases(toy, case, convention, error, precision, recall):
    found = adapted_rand(contingency(*toy[case]), convention)
    assert found.error == pytest.approx(error, abs=1e-6)
    if precision is not None:
        assert (found.precision, found.recall) == pytest.approx((precision, recall), abs=1e-6)


@pytest.mark.parametrize("case", ["T1", "T2", "T3", "T4", "T5", "T6", "T7"])
def test_cremi_is_another_name_for_snemi(toy, case):
    table = contingency(*toy[case])
    assert adapted_rand(table, "cremi") == adapted_rand(table, "snemi")


VOI = [
    ("T1", 1, 0),
    ("T2", 0, 1),
    ("T3", 0.7219281, 0.6643856),
    ("T4", 0, 3.3219281),
    ("T5", 0, 0),
    ("T6", 0, 3.3219281),
    ("T7", 0.9339887, 0.4591479),
]


@pytest.mark.parametrize(("case", "split", "merge"), VOI)
def test_variation_of_information_of_the_toy_cases(toy, case, split, merge):
    voi = variation_of_information(contingency(*toy[case]))
    assert (voi.split, voi.merge) == pytest.approx((split, merge), abs=1e-6)
    assert voi.sum == voi.split + voi.merge


def test_voxels_predicted_0_may_be_singletons(toy):
    voi = variation_of_information(contingency(*toy["T3"]), predicted_zero="singletons")
    assert (voi.split, voi.merge) == pytest.approx((1.3219281, 0), abs=1e-6)


def test_other_measures_of_the_ten_shortened_rows(toy):
    table = contingency(*toy["T3"])
    assert adjusted_rand_index(table) == pytest.approx(0.6204465, abs=1e-6)
    assert (foreground_overlap(table).precision, foreground_overlap(table).recall) == (1, 0.8)
    expected = math.sqrt((0.7219281 + 0.6643856) * 0.2195029)
    assert cremi_score(table) == pytest.approx(expected, abs=1e-6)


def test_nothing_predicted_has_foreground_precision_0(toy):
    overlap = foreground_overlap(contingency(*toy["T6"]))
    assert (overlap.precision, overlap.recall) == (0, 0)


@pytest.mark.parametrize(("discard", "splits", "merges"), [(10, 1, 0), (9, 2, 1)])
def test_an_overlap_of_exactly_the_discarded_size_is_no_error(toy, discard, splits, merges):
    table = contingency(*toy["T7"])
    assert table.voxels.tolist() == [20, 11, 10, 19]
    errors = split_merge_errors(table, discard=discard)
    assert (errors.splits, errors.merges) == (splits, merges)


def test_truth_label_0_may_be_an_object(toy):
    table = contingency(toy["T5"][0], np.ones((20, 20), int))
    assert adapted_rand(table).error == 0
    assert adapted_rand(table, truth_zero="object").error == pytest.approx(1 / 3)
    assert variation_of_information(table, truth_zero="object").merge == pytest.approx(1)
    assert split_merge_errors(table, truth_zero="object").merges == 1


def test_objects_of_one_voxel_have_no_pair_to_get_wrong():
    single = np.arange(1, 9)
    assert adapted_rand(contingency(single, single), "skimage").error == 0
    assert adjusted_rand_index(contingency(single, single)) == 1


def test_unknown_names_are_refused(toy):
    table = contingency(*toy["T1"])
    with pytest.raises(UnknownNameError, match="did you mean 'skimage'"):
        adapted_rand(table, "scikit-image")
    with pytest.raises(UnknownNameError, match="segment, singletons"):
        variation_of_information(table, predicted_zero="ignore")
    with pytest.raises(UnknownNameError, match="ignore, object"):
        adapted_rand(table, truth_zero="keep")


def test_scikit_image_swaps_precision_and_recall(toy):
    error, second, third = skimage_metrics.adapted_rand_error(*toy["T1"])
    ours = adapted_rand(contingency(*toy["T1"]), "skimage")
    assert (error, third, second) == pytest.approx((ours.error, ours.precision, ours.recall), abs=1e-12)
    assert (second, third) == pytest.approx((0.4987469, 1.0), abs=1e-6)


@given(ids, ids)
@settings(max_examples=60, deadline=None)
def test_agreement_with_scikit_image(truth, segmentation):
    truth[0, 0, :2] = 1
    table = contingency(truth, segmentation)
    # scikit-image divides 0 by 0 where the truth or the segmentation has no pair at all.
    with np.errstate(invalid="ignore"):
        error, recall, precision = skimage_metrics.adapted_rand_error(truth, segmentation)
    ours = adapted_rand(table, "skimage")
    if math.isfinite(precision):
        assert (ours.error, ours.precision, ours.recall) == pytest.approx((error, precision, recall), abs=1e-9)
    split, merge = skimage_metrics.variation_of_information(truth, segmentation)
    voi = variation_of_information(table, truth_zero="object")
    assert (voi.split, voi.merge) == pytest.approx((split, merge), abs=1e-9)


@given(ids, ids)
@settings(max_examples=60, deadline=None)
def test_agreement_with_scikit_learn(truth, segmentation):
    table = contingency(truth, segmentation)
    expected = sklearn_metrics.adjusted_rand_score(truth.ravel(), segmentation.ravel())
    assert adjusted_rand_index(table) == pytest.approx(expected, abs=1e-9)
    inside = truth > 0
    if inside.any():
        expected = sklearn_metrics.adjusted_rand_score(truth[inside], segmentation[inside])
        assert adjusted_rand_index(table, foreground=True) == pytest.approx(expected, abs=1e-9)


@given(ids, ids, st.permutations(range(1, 5)), st.permutations(range(1, 5)))
@settings(max_examples=40, deadline=None)
def test_the_numbers_of_the_labels_do_not_matter(truth, segmentation, truth_names, segment_names):
    def renamed(labels, names):
        return np.array([0, *(10**6 * n for n in names)])[labels]

    before = contingency(truth, segmentation)
    after = contingency(renamed(truth, truth_names), renamed(segmentation, segment_names))
    for convention in ("isbi", "snemi", "skimage"):
        assert adapted_rand(after, convention) == adapted_rand(before, convention)
    assert variation_of_information(after).sum == pytest.approx(variation_of_information(before).sum, abs=1e-12)
    assert split_merge_errors(after, discard=1) == split_merge_errors(before, discard=1)
    assert adjusted_rand_index(after) == adjusted_rand_index(before)


@given(ids.map(lambda a: a + 1), ids.map(lambda a: a + 1))
@settings(max_examples=40, deadline=None)
def test_without_background_exchange_swaps_split_and_merge(one, other):
    there, back = contingency(one, other), contingency(other, one)
    for convention in ("isbi", "snemi", "skimage"):
        a, b = adapted_rand(there, convention), adapted_rand(back, convention)
        assert (a.precision, a.recall) == (b.recall, b.precision)
        assert a.error == pytest.approx(b.error, abs=1e-15)
    a, b = variation_of_information(there), variation_of_information(back)
    assert (a.split, a.merge) == pytest.approx((b.merge, b.split), abs=1e-12)
    assert adjusted_rand_index(there) == adjusted_rand_index(back)
    assert split_merge_errors(there).splits == split_merge_errors(back).merges


@given(ids)
@settings(max_examples=30, deadline=None)
def test_a_segmentation_agrees_with_itself(labels):
    labels[0, 0, :2] = 1
    table = contingency(labels, labels)
    for convention in ("isbi", "snemi", "skimage"):
        assert adapted_rand(table, convention).error == 0
    assert variation_of_information(table).sum == 0
    assert cremi_score(table) == 0
    assert adjusted_rand_index(table) == 1


def test_sums_of_squares_stay_exact_beyond_64_bit():
    one, two = np.array([1, 1], np.uint64), np.array([1, 2], np.uint64)
    table = Contingency(one, two, np.array([2**40, 2**40]))
    assert adapted_rand(table).error == pytest.approx(1 / 3)
    assert adapted_rand(table).recall == 0.5
