import numpy as np
import pytest

from neurotome.core import SOMA
from neurotome.datasets.fluorescence.grow import Habit, grown, random_habit

EXTENT = np.array([60.0, 190.0, 190.0])


def make(seed, **habit):
    return grown(EXTENT, Habit(**{"radius": (0.8, 2.5), "cable": 1200.0, **habit}), np.random.default_rng(seed))


@pytest.mark.parametrize("soma", [0.0, 7.0])
def test_a_tree_is_one_tree_of_the_length_asked_for(soma):
    for seed in range(6):
        tree = make(seed, soma=soma)
        assert len(tree.roots) == 1
        assert 1150 < tree.length_nm < 1210
        assert tree.kinds[0] == (SOMA if soma else 2)
        assert tree.children.max() <= (4 if soma else 3)
        assert 3 < (tree.children == 0).sum() < 150


def test_neurites_get_thinner_and_stay_in_their_range():
    tree = make(1)
    assert tree.radii_nm.min() >= 0.8
    assert tree.radii_nm.max() <= 2.5
    rows = np.flatnonzero(tree.parent_rows >= 0)
    assert (tree.radii_nm[rows] <= tree.radii_nm[tree.parent_rows[rows]] + 1e-9).all()


def test_growth_stays_in_the_box():
    tree = make(2, soma=5.0)
    assert (tree.points_nm >= -10).all()
    assert (tree.points_nm <= EXTENT + 10).all()


def test_parts_of_a_tree_that_are_far_along_it_keep_apart():
    tree = make(3, clearance=6.0)
    # The way along the tree to the last common node, from both of two tips' paths, is what excuses nearness.
    points = tree.points_nm
    near = np.argwhere(np.triu(((points[:, None] - points[None]) ** 2).sum(-1) < 4.0**2, 1))
    apart = [(a, b) for a, b in near if _path(tree, a, b) > 70]
    assert not apart


def _path(tree, a, b):
    length, above, edge = 0.0, tree.parent_rows, tree.edge_nm
    while a != b:
        if a < b:
            a, b = b, a
        length += edge[a]
        a = above[a]
    return length


def test_winding_habits_wind_more():
    ratio = {}
    for wander in (0.02, 0.2):
        tree = make(4, wander=wander, segment=80.0)
        turns = []
        for row in np.flatnonzero((tree.parent_rows >= 0) & (tree.children == 1)):
            parent = tree.parent_rows[row]
            if parent > 0 and tree.children[parent] == 1:
                u, v = (
                    tree.points_nm[row] - tree.points_nm[parent],
                    tree.points_nm[parent] - tree.points_nm[tree.parent_rows[parent]],
                )
                turns.append(np.arccos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1)))
        ratio[wander] = np.mean(turns)
    assert ratio[0.2] > 2 * ratio[0.02]


def test_the_same_seed_grows_the_same_tree():
    habit = random_habit(np.random.default_rng(0), (1.0, 2.0), 500.0, 5.0)
    a, b = (grown(EXTENT, habit, np.random.default_rng(9)) for _ in range(2))
    assert a.points_nm.tobytes() == b.points_nm.tobytes()
