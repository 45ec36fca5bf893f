import numpy as np
import pandas as pd
import pytest

from neurotome.core import InputError, ShapeError, UnknownNameError, ValueRangeError
from neurotome.measure.occupancy import (
    THRESHOLDS,
    best_threshold,
    mean_histogram,
    mean_sweep,
    occupied,
    overlap,
    probability_histogram,
    threshold_sweep,
)


def neurons(count=4, seed=0):
    """Logits of networks whose best threshold is 0.55: true voxels are above it, others below, with few exceptions."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        truth = rng.random((16, 16, 16)) < 0.05
        surely_true, surely_not = rng.uniform(0.56, 0.95, truth.shape), rng.uniform(0.02, 0.54, truth.shape)
        yield np.where(truth, surely_true, surely_not).astype(np.float32), truth


def test_thresholds_are_those_of_the_definition():
    assert len(THRESHOLDS) == 18
    assert np.allclose(THRESHOLDS, 0.10 + 0.05 * np.arange(18))
    assert 0.55 in THRESHOLDS


def test_the_planted_optimum_is_found():
    probabilities, truths = zip(*neurons(), strict=True)
    sweep = threshold_sweep(probabilities, truths)
    assert best_threshold(sweep) == best_threshold(sweep, "iou") == 0.55
    assert sweep.f1.max() == 1


def test_each_row_is_the_mean_of_the_scores_of_the_neurons():
    probabilities, truths = zip(*neurons(seed=3), strict=True)
    sweep = threshold_sweep(iter(probabilities), iter(truths))
    for row in sweep.itertuples():
        found = [overlap(occupied(p, row.threshold), t) for p, t in zip(probabilities, truths, strict=True)]
        for metric in ("f1", "iou", "precision", "recall"):
            assert getattr(row, metric) == pytest.approx(np.mean([getattr(f, metric) for f in found]), abs=1e-4)
    assert (sweep.n == 4).all()


def test_of_equal_thresholds_the_lowest_wins():
    sweep = threshold_sweep([np.array([0.05, 0.97])], [np.array([0, 1])])
    assert (sweep.f1 == 1).all()
    assert best_threshold(sweep) == 0.10


@pytest.mark.parametrize(("true", "high", "expected"), [(0, 0, 1), (0, 1, 0), (1, 0, 0)])
def test_empty_grids_score_as_elsewhere(true, high, expected):
    row = threshold_sweep([np.full(4, 0.9 * high)], [np.full(4, true)], [0.5]).iloc[0]
    assert (row.f1, row.iou, row.precision, row.recall) == (expected,) * 4


def test_what_cannot_be_swept_is_refused():
    with pytest.raises(InputError, match="no neurons"):
        threshold_sweep([], [])
    with pytest.raises(InputError, match="Only 1 truths"):
        threshold_sweep([np.zeros(2), np.zeros(2)], [np.zeros(2)])
    with pytest.raises(ShapeError, match="the same shape"):
        threshold_sweep([np.zeros(2)], [np.zeros(3)])
    for wrong in ([0.0, 1.5], [0.0, np.nan]):
        with pytest.raises(ValueRangeError, match="apply a sigmoid"):
            threshold_sweep([np.array(wrong)], [np.zeros(2)])
    with pytest.raises(ValueRangeError, match="ascending"):
        threshold_sweep([np.zeros(2)], [np.zeros(2)], [0.5, 0.4])
    with pytest.raises(UnknownNameError, match="did you mean 'iou'"):
        best_threshold(pd.DataFrame({"threshold": [0.1], "f1": [0.5]}), "iuo")


def test_every_voxel_is_in_one_bin():
    probability, truth = next(neurons())
    histogram = probability_histogram(probability, truth)
    assert histogram.occupied.sum() == truth.sum()
    assert histogram.background.sum() == truth.size - truth.sum()
    assert histogram.occupied[histogram.high <= 0.55].sum() == 0
    mean = mean_histogram([histogram, histogram.assign(occupied=0)])
    assert mean.occupied.sum() == truth.sum() / 2


def test_the_mean_of_sweeps_is_the_sweep_of_all():
    probabilities, truths = zip(*neurons(seed=5), strict=True)
    parts = [threshold_sweep(probabilities[:1], truths[:1]), threshold_sweep(probabilities[1:], truths[1:])]
    pd.testing.assert_frame_equal(mean_sweep(parts), threshold_sweep(probabilities, truths))
    with pytest.raises(InputError, match="different thresholds"):
        mean_sweep([parts[0], parts[1].iloc[:5]])
    with pytest.raises(InputError, match="no neurons"):
        mean_sweep([])
