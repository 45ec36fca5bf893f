import numpy as np
import pytest

from neurotome.core import Skeleton
from neurotome.measure.trees import branch_table
from neurotome.morphology.descriptors.forks import fork_asymmetry, rall_ratio


def test_forks_into_equal_unequal_and_three_parts():
    parents = np.array([-1, 0, 0, 1, 1, 1, 3, 3])
    tips = np.array([5, 4, 1, 2, 1, 1, 1, 1])
    found = fork_asymmetry(parents, tips, 1.0)
    assert found[0] == pytest.approx(3 / 3)
    assert found[1] == pytest.approx((1 / 1 + 1 / 1 + 0) / 3)
    assert found[3] == 0
    assert np.isnan(found[[2, 4, 5, 6, 7]]).all()


def test_rall_holds_where_it_should():
    """A parent of radius 2 into two of radius 2 / 2^(2/3) keeps the sum of r^1.5; two as thick as it make twice as much."""
    points = np.array([[0, 0, 0], [0, 0, 10], [0, 5, 15], [0, -5, 15], [0, 9, 19], [0, 9, 11]]) * 1000.0
    thin = 2000 / 2 ** (2 / 3)
    tree = Skeleton.of([-1, 0, 1, 1, 2, 2], points, [2000, 2000, thin, thin, thin, thin])
    even = Skeleton.of([-1, 0, 1, 1], points[:4], [2000.0] * 4)
    assert rall_ratio(even, branch_table(even)).tolist() == pytest.approx([2])
    known = Skeleton.of([-1, 0, 1, 1, 2, 2], points, [2000, 2000, 0, thin, thin, thin])
    assert len(rall_ratio(tree, branch_table(tree))) == 2
    assert len(rall_ratio(known, branch_table(known))) == 0  # both forks touch the branch whose radius is not known


def test_a_soma_is_no_fork(y_tree):
    star = Skeleton.of([-1, 0, 0], np.eye(3) * 1000, [1000.0] * 3, [1, 3, 3])
    assert len(rall_ratio(star, branch_table(star))) == 0
    assert rall_ratio(y_tree, branch_table(y_tree)).shape == (1,)
