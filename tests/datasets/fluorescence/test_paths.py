import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import SOMA, Skeleton
from neurotome.datasets.fluorescence.paths import branches, dense, inside, joined

# A stem of 40 that forks into arms of 30 (with a node half way) and 50.
FORK = Skeleton.of([-1, 0, 1, 2, 1], [[0, 0, 0], [0, 0, 40], [0, 15, 40], [0, 30, 40], [0, 0, 90]], [4, 2, 2, 1, 1], name="fork")


@given(st.floats(0.7, 60))
def test_dense_keeps_length_ends_and_forks_and_has_no_long_edge(step):
    fine = dense(FORK, step)
    assert np.isclose(fine.length_nm, FORK.length_nm)
    assert fine.edge_nm.max() <= step + 1e-9
    assert sorted(np.bincount(fine.children).tolist()[:1]) == [2]
    for point in FORK.points_nm:
        assert np.abs(fine.points_nm - point).sum(1).min() < 1e-9


def test_a_neurite_keeps_its_radius_up_to_the_centre_of_the_soma():
    tree = Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 40]], [20, 2], [SOMA, 3])
    fine = dense(tree, 10)
    assert fine.radii_nm.tolist() == [20, 2, 2, 2, 2]
    assert fine.kinds.tolist() == [SOMA, 3, 3, 3, 3]


def test_inside_cuts_at_the_box_and_leaves_out_crumbs():
    fine = dense(FORK, 1)
    cut = inside(fine, np.array([0, 0, 0]), np.array([0, 10, 45]))
    assert (cut.points_nm[:, 1].max(), cut.points_nm[:, 2].max()) == (10, 45)
    assert len(cut.roots) == 1
    pieces = inside(fine, np.array([0, 5, 0]), np.array([0, 30, 90]), fewest=26)
    assert (len(pieces), len(pieces.roots)) == (26, 1)
    assert len(inside(fine, np.array([0, 5, 0]), np.array([0, 30, 90]), fewest=27)) == 0


def test_branches_end_at_forks_and_tips():
    ways = branches(dense(FORK, 5))
    assert sorted(ways.length_nm.tolist()) == [30, 40, 50]
    assert ways.is_end[ways.length_nm.argsort()].tolist() == [True, False, True]
    assert ways.along_nm.max() == 50


def test_joined_trees_stay_apart_and_keep_what_all_of_them_have():
    a = Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 1]], features={"a": np.ones(2), "b": np.ones(2)})
    b = Skeleton.of([-1], [[5, 5, 5]], features={"b": np.zeros(1)})
    both = joined((a, b), "both")
    assert both.parents.tolist() == [-1, 1, -1]
    assert {k: v.tolist() for k, v in both.features.items()} == {"b": [1, 1, 0]}
