import numpy as np
import pytest

from neurotome.core import ValueRangeError
from neurotome.synapses.analysis import majority_accuracy, neuron_consensus


def test_the_majority_of_eleven_is_right_more_often_than_each():
    assert majority_accuracy(11, 0.8) == pytest.approx(0.98834, abs=5e-5)
    assert majority_accuracy(1, 0.8) == pytest.approx(0.8)
    # Two that disagree are a tie, right half of the time: no gain.
    assert majority_accuracy(2, 0.8) == pytest.approx(0.8)
    drawn = np.random.default_rng(0).random((100_000, 11)) < 0.8
    assert majority_accuracy(11, 0.8) == pytest.approx((drawn.sum(1) > 5).mean(), abs=0.002)
    with pytest.raises(ValueRangeError, match=r"accuracy 1\.2"):
        majority_accuracy(3, 1.2)


def test_neurons_get_the_label_of_most_of_their_synapses():
    neurons = np.array(["a", "a", "a", "b", "b", "", "c", "a"], object)
    labels = np.array(
        ["excitatory", "excitatory", "inhibitory", "inhibitory", "excitatory", "excitatory", None, "excitatory"], object
    )
    table = neuron_consensus(neurons, labels).set_index("neuron")
    assert table.index.tolist() == ["a", "b"]
    assert table.loc["a", ["synapses", "label", "votes", "share", "second", "tie"]].tolist() == [
        4,
        "excitatory",
        3,
        0.75,
        "inhibitory",
        False,
    ]
    assert table.loc["b", ["label", "tie"]].tolist() == ["excitatory", True]
    weighted = neuron_consensus(neurons, labels, np.array([0.1, 0.1, 0.9, 1, 1, 1, 1, 0.1])).set_index("neuron")
    assert weighted.loc["a", "label"] == "inhibitory"
    assert neuron_consensus(np.array([""], object), np.array(["x"], object)).empty
