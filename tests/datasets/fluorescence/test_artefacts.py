import numpy as np
import pytest

from neurotome.core import Skeleton
from neurotome.datasets.fluorescence import artefacts
from neurotome.datasets.fluorescence.paths import branches, dense


@pytest.fixture
def comb():
    """A spine of 200 with four teeth of 100, a node every 0.5; radius 2."""
    points = [[0, 0, 40.0 * k] for k in range(6)] + [[0, 100, 40.0 * k] for k in range(1, 5)]
    return dense(Skeleton.of([-1, 0, 1, 2, 3, 4, 1, 2, 3, 4], points, np.full(10, 2.0)), 0.5)


def test_fading_falls_to_the_tip_of_some_end_branches_only(comb, rng):
    ways = branches(comb)
    factor = artefacts.fading(ways, 0.6, rng)
    ends = factor[comb.children == 0]
    assert set(np.round(ends, 3)) == {0.4, 1.0}
    assert (factor[~ways.is_end[ways.number]] == 1).all()
    for branch in np.unique(ways.number):
        assert (np.diff(factor[ways.number == branch]) <= 1e-12).all()


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_a_gap_is_dark_for_its_length_and_twice_the_radius(comb, count):
    ways = branches(comb)
    dark = artefacts.gaps(comb, ways, count, 5.0, 1.0, np.random.default_rng(4))
    edges = np.flatnonzero(dark)
    runs = np.split(edges, np.flatnonzero((np.diff(edges) > 1) | (np.diff(ways.number[edges]) != 0)) + 1) if count else []
    assert bool(len(edges)) == bool(count)
    assert len(runs) <= count
    if 0 < count < 4:
        assert len(runs) == count
        assert all(1 + 4 - 1 <= 0.5 * len(run) <= 5 + 4 + 1 for run in runs)
    # Not at forks, tips or the root.
    assert not dark[(comb.children != 1) | (comb.parents < 0)].any()


def test_there_is_no_gap_where_there_is_no_room(rng):
    stub = dense(Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 20]], [1, 1]), 0.5)
    assert not artefacts.gaps(stub, branches(stub), 5, 5.0, 1.0, rng).any()


def test_beads_are_thicker_and_brighter_and_what_is_between_thinner(comb, rng):
    ways = branches(comb)
    wider, brighter = artefacts.beads(comb, ways, 1.0, 1.0, rng)
    assert 1.15 < wider.max() <= 2.0
    assert 0.75 <= wider.min() < 1.0
    assert np.corrcoef(wider, brighter)[0, 1] > 0.8
    plain, even = artefacts.beads(comb, ways, 0.0, 1.0, rng)
    assert (plain == 1).all()
    assert (even == 1).all()


def test_an_uneven_label_stays_around_1(comb, rng):
    factor = artefacts.unevenness(branches(comb), 1.0, 0.1, rng)
    assert 0.75 < factor.min() < 0.98
    assert 1.02 < factor.max() < 1.3
