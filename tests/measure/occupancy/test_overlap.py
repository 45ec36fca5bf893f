import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from neurotome.core import ShapeError, ValueRangeError
from neurotome.measure.occupancy import occupied, overlap, tolerant_overlap

GRID = hnp.arrays(bool, (4, 4, 4), elements=st.booleans(), fill=st.just(False))


@given(GRID, GRID)
def test_f1_follows_from_iou(prediction, truth):
    found = overlap(prediction, truth)
    assert found.f1 == pytest.approx(2 * found.iou / (1 + found.iou), abs=1e-12)


@given(GRID, GRID)
def test_swapping_the_sets_swaps_precision_and_recall(prediction, truth):
    there, back = overlap(prediction, truth), overlap(truth, prediction)
    assert (there.precision, there.recall, there.iou) == (back.recall, back.precision, back.iou)


def test_empty_grids_agree_and_an_empty_one_never_with_another():
    empty, one = np.zeros((3, 3, 3), bool), np.zeros((3, 3, 3), bool)
    one[1, 1, 1] = True
    for measure in (overlap, tolerant_overlap):
        both = measure(empty, empty)
        assert (both.f1, both.iou, both.precision, both.recall) == (1, 1, 1, 1)
        for found in (measure(one, empty), measure(empty, one)):
            assert (found.f1, found.iou, found.precision, found.recall) == (0, 0, 0, 0)


@given(GRID, GRID)
def test_tolerance_is_dilation_by_26_neighbours(prediction, truth):
    found = tolerant_overlap(prediction, truth)
    around = np.ones((3, 3, 3), bool)
    if prediction.any():
        assert found.precision == ndimage.binary_dilation(truth, around)[prediction].mean()
    if truth.any():
        assert found.recall == ndimage.binary_dilation(prediction, around)[truth].mean()


def test_a_line_moved_by_one_voxel_matches_within_one_voxel_only():
    truth = np.zeros((8, 8, 8), bool)
    truth[4, 4, 1:7] = True
    moved = np.roll(truth, 1, axis=0)
    assert overlap(moved, truth).f1 == 0
    assert tolerant_overlap(moved, truth).f1 == 1
    assert tolerant_overlap(np.roll(truth, 2, axis=0), truth).f1 == 0


def test_whole_numbers_of_0_and_1_are_voxels_and_probabilities_are_not():
    truth = np.array([[[0, 1]]], np.uint8)
    assert overlap(truth, truth.astype(bool)).f1 == 1
    with pytest.raises(ValueRangeError, match=r"prediction with values from 0\.0 to 0\.7\. .*compare it with a threshold"):
        overlap(np.array([[[0, 0.7]]]), truth)
    with pytest.raises(ShapeError, match="the same shape"):
        overlap(truth, truth[..., :1])


def test_a_probability_at_the_threshold_is_not_above_it():
    probability = np.array([0.55], np.float32)
    assert not occupied(probability, 0.55)[0]
    assert not occupied(probability, np.float64(0.55))[0]
