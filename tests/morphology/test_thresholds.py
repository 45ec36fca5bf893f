import json

import numpy as np
import pytest

from neurotome.core import InputError, UnknownNameError
from neurotome.measure.occupancy import threshold_sweep
from neurotome.morphology.thresholds import ThresholdChoice


def curve():
    """True voxels are at 0.6, others at 0.5: the optimum is 0.5, the first threshold that 0.5 is not above."""
    truth = np.arange(1000) < 100
    return threshold_sweep([np.where(truth, 0.6, 0.5)], [truth])


def test_the_choice_is_the_first_best_and_keeps_what_it_rests_on():
    choice = ThresholdChoice.of(curve(), ["b", "a"])
    assert (choice.threshold, choice.value, choice.metric) == (0.5, 1.0, "f1")
    assert choice.chosen_on == ("a", "b")
    back = ThresholdChoice.from_json(json.loads(json.dumps(choice.to_json())))
    assert back.threshold == choice.threshold and back.curve.equals(choice.curve) and back.chosen_on == choice.chosen_on


def test_it_is_not_reported_on_the_neurons_that_chose_it():
    choice = ThresholdChoice.of(curve(), ["a", "b", "c"])
    choice.require_unseen(["d", "e"])
    with pytest.raises(InputError, match=r"'a' and 1 more chose the threshold 0\.5.*split validation and test by neuron"):
        choice.require_unseen(["d", "c", "a"])


def test_no_neurons_choose_nothing():
    with pytest.raises(InputError, match="on no neurons"):
        ThresholdChoice.of(curve(), [])
    with pytest.raises(UnknownNameError, match="one of f1, iou, precision, recall"):
        ThresholdChoice.of(curve(), ["a"], "dice")
