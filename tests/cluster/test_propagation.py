import numpy as np
import pytest

from neurotome.cluster.prediction.propagation import PropagationSettings, calibration_error, propagated, worth_labelling
from neurotome.core import InputError, ValueRangeError


def _six(n=200, apart=4.0, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((6, 12)) * apart / np.sqrt(2)
    truth = np.repeat(np.arange(6), n)
    return centres[truth] + rng.standard_normal((6 * n, 12)), np.array(list("abcdef"))[truth]


def _hidden(truth, rows):
    labels = np.full(len(truth), None, object)
    labels[rows] = truth[rows]
    return labels


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_in_a_hundred_labels_is_enough_and_its_confidence_is_right(seed):
    values, truth = _six(seed=seed)
    rows = worth_labelling(values, 12)
    found = propagated(values, _hidden(truth, rows))
    right = np.array(found.names)[found.codes] == truth
    assert right.mean() >= 0.95
    assert calibration_error(found.confidence, right) <= 0.05
    assert found.probability.sum(1) == pytest.approx(np.ones(1200))
    assert (found.codes[rows] == [found.names.index(name) for name in truth[rows]]).all()


def test_where_kinds_overlap_it_says_that_it_is_unsure():
    values, truth = _six(apart=1.2)
    rows = np.random.default_rng(0).permutation(1200)[:120]
    found = propagated(values, _hidden(truth, rows))
    right = np.array(found.names)[found.codes] == truth
    others = np.setdiff1d(np.arange(1200), rows)
    assert 0.5 < right[others].mean() < 0.95
    assert calibration_error(found.confidence[others], right[others]) <= 0.06
    assert found.left_out_accuracy == pytest.approx(right[others].mean(), abs=0.12)


def test_two_lines_of_points_keep_to_their_own_line():
    # Not the nearest labelled point: the one that the line leads to.
    along = np.linspace(0, 10, 101)
    values = np.concatenate([np.stack([along, np.zeros(101)], 1), np.stack([along, np.ones(101)], 1)])
    labels = np.full(202, "", object)
    labels[0], labels[201] = "lower", "upper"
    found = propagated(values, labels, PropagationSettings(k=4, reach=0.99))
    names = np.array(found.names)[found.codes]
    assert (names[:101] == "lower").all()
    assert (names[101:] == "upper").all()
    assert np.isnan(found.left_out_accuracy)


def test_what_no_label_reaches_stays_unsure():
    values = np.concatenate([np.zeros((5, 2)), np.ones((5, 2)), 100 + np.zeros((5, 2))]) + np.arange(30).reshape(15, 2) * 1e-3
    labels = np.full(15, None, object)
    labels[[0, 1, 5, 6]] = ["a", "a", "b", "b"]
    found = propagated(values, labels, PropagationSettings(k=2))
    assert found.confidence[10:] == pytest.approx(np.full(5, 0.5), abs=1e-6)
    assert (found.confidence[:10] > 0.8).all()


def test_calibration_error_of_known_answers():
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0
    assert calibration_error(np.array([1.0, 0.5]), np.array([False, True])) == pytest.approx(0.75)


def test_bad_input():
    with pytest.raises(InputError, match="0 labelled rows of 0 kinds"):
        propagated(np.eye(4), np.full(4, None, object))
    with pytest.raises(ValueRangeError, match="reach = 1"):
        PropagationSettings(reach=1.0)
