from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.measure.trees.critical import bifurcations, match_points, tips


def brute_force(test, gold, tau):
    """Most pairs, then least distance, by trying everything."""
    if len(test) > len(gold):
        test, gold = gold, test
    best = (0, 0.0)
    slots = [*range(len(gold)), *[-1] * len(test)]
    for chosen in set(permutations(slots, len(test))):
        distances = [np.linalg.norm(test[i] - gold[j]) for i, j in enumerate(chosen) if j >= 0]
        if all(d <= tau for d in distances):
            best = min(best, (-len(distances), sum(distances)))
    return -best[0], best[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 3), st.integers(0, 4))
def test_most_pairs_then_least_distance(seed, tests, golds):
    rng = np.random.default_rng(seed)
    test, gold = (rng.random((n, 3)) * 3 for n in (tests, golds))
    found = match_points(test, gold, 1.5)
    assert (len(found.pairs), found.distance.sum()) == pytest.approx(brute_force(test, gold, 1.5))
    assert len(set(found.pairs[:, 0])) == len(set(found.pairs[:, 1])) == len(found.pairs)


def test_number_of_pairs_comes_before_distance():
    """Point 0 is nearest to gold 0, but only gold 1 is left for it if both are to be matched."""
    test = np.array([[0, 0, 0.0], [0, 0, -1.9]])
    gold = np.array([[0, 0, 0.0], [0, 0, 1.9]])
    found = match_points(test, gold, 2.0)
    assert found.pairs.tolist() == [[1, 0], [0, 1]]
    assert found.mean_distance == pytest.approx(1.9)


def test_empty_sets():
    none, one = np.zeros((0, 3)), np.zeros((1, 3))
    both = match_points(none, none, 2.0)
    assert (both.precision, both.recall, both.f1) == (1, 1, 1)
    for test, gold in ((none, one), (one, none)):
        found = match_points(test, gold, 2.0)
        assert (found.precision, found.recall, found.f1) == (0, 0, 0)
    apart = match_points(one, one + 9, 2.0)
    assert (apart.precision, apart.recall, apart.f1) == (0, 0, 0) and np.isnan(apart.mean_distance)


def test_a_root_may_branch_but_is_no_tip():
    parents = np.array([-1, 0, 0, 2, -1, 4])
    assert bifurcations(parents).tolist() == [0]
    assert tips(parents).tolist() == [1, 3, 5]
