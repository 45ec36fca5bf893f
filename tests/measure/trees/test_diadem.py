import numpy as np
import pytest

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.measure.trees import DiademSettings, diadem

POINTS = np.array([[0, 0, 0], [0, 0, 10], [0, 10, 20], [0, -10, 20.0]])
GOLD = (POINTS, np.array([-1, 0, 1, 1]))
"""Root, bifurcation B at x = 10 (weight 2), tips t1 and t2 (weight 1 each)."""


def test_a_missing_branch_scores_by_continuation():
    test = (POINTS[:3], np.array([-1, 0, 1]))
    found = diadem(test, GOLD)
    assert found.score == pytest.approx(0.75)
    assert found.continued.tolist() == [1]
    assert found.match.tolist() == [0, -1, 2, -1]


def test_an_extra_branch_costs_its_nodes():
    """Test and gold exchanged: B (2) and t2 (1) are excess beside the one gold tip."""
    found = diadem(GOLD, (POINTS[:3], np.array([-1, 0, 1])))
    assert found.score == pytest.approx(1 / 4)
    assert found.excess.tolist() == [1, 3]


def test_paths_of_another_length_do_not_match():
    """The way to B makes a detour of 41 %: B is neither matched nor continued; the branches beyond it are as in gold."""
    points = np.array([[0, 0, 0], [0, 5, 5], [0, 0, 10], [0, 10, 20], [0, -10, 20.0]])
    detour = (points, np.array([-1, 0, 1, 2, 2]))
    found = diadem(detour, GOLD)
    assert found.match.tolist() == [0, -1, 3, 4]
    assert (found.continued.tolist(), found.excess.tolist()) == ([], [2])
    assert found.score == pytest.approx(2 / 6)
    assert diadem(detour, GOLD, DiademSettings(path=0.5)).score == 1


def test_the_cylinder_is_flat():
    for axis, shift, score in ((0, 0.9, 1.0), (0, 1.1, 0.0), (1, 1.9, 1.0), (1, 2.1, 0.0)):
        moved = POINTS + np.eye(3)[axis] * shift
        assert diadem((moved, GOLD[1]), GOLD).score == score, (axis, shift)
        assert diadem((moved, GOLD[1]), GOLD, DiademSettings(xy=3, z=3)).score == 1


@pytest.mark.parametrize(
    ("weight", "score"), [("tips", 3 / 4), ("uniform", 2 / 3), ("root_of_tips", (2**0.5 + 1) / (2**0.5 + 2))]
)
def test_weights(weight, score):
    test = (POINTS[:3], np.array([-1, 0, 1]))
    assert diadem(test, GOLD, DiademSettings(weight=weight)).score == pytest.approx(score)


def test_weight_by_path():
    test = (POINTS[:3], np.array([-1, 0, 1]))
    branch = 200**0.5
    assert diadem(test, GOLD, DiademSettings(weight="path")).score == pytest.approx((10 + branch) / (10 + 2 * branch))


def test_each_test_node_is_used_once():
    """Two gold tips within reach of the one test tip."""
    gold = (np.array([[0, 0, 0], [0, 0, 20], [0, 1, 21], [0, -1, 21.0]]), np.array([-1, 0, 1, 1]))
    test = (np.array([[0, 0, 0], [0, 0, 21.0]]), np.array([-1, 0]))
    assert (diadem(test, gold).match[1:] == 1).sum() == 1


def test_settings_are_checked():
    with pytest.raises(UnknownNameError, match="root_of_tips"):
        DiademSettings(weight="tip")
    with pytest.raises(ValueRangeError, match="above 0"):
        DiademSettings(z=0)
