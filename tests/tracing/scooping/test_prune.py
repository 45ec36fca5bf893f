"""Pruning: what goes, what never goes, and that a second time changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from neurotome.core import ROOT, SOMA, InputError, Skeleton, UnknownNameError, ValueRangeError
from neurotome.tracing.scooping import prune, scoop
from neurotome.tracing.sparse.bricks import Bricks


def line_with_a_spur(spur_um=1.0, scoop_um=2.0):
    """Eleven nodes along x, 5 µm apart, and one beside the sixth."""
    parents = [ROOT, *range(10), 5]
    points = [(0.0, 0.0, 5000.0 * i) for i in range(11)] + [(0.0, 1000 * spur_um, 25_000.0)]
    scoops = np.array([1000 * scoop_um] * 11 + [0.0])
    return Skeleton.of(parents, points, features={"scoop_nm": scoops})


def random_tree(random_state, nodes=60):
    rng = np.random.default_rng(random_state)
    parents = np.array([ROOT] + [int(rng.integers(max(0, i - 8), i)) for i in range(1, nodes)])
    points = np.zeros((nodes, 3))
    for i in range(1, nodes):
        points[i] = points[parents[i]] + rng.normal(size=3) * 2000
    return Skeleton.of(parents, points, features={"scoop_nm": rng.uniform(500, 4000, nodes)})


@pytest.mark.parametrize(("spur", "stays"), [(1.0, False), (2.5, False), (2.7, False), (4.9, False), (5.1, True)])
def test_a_spur_goes_unless_it_leaves_the_scoop_by_three_um(spur, stays):
    # The spur's L is its length; attachment asks for more than 1.3 * 2 µm, length for 2 + 3 µm.
    assert (12 in prune(line_with_a_spur(spur)).ids) == stays


def test_each_bound_works_alone():
    spur = line_with_a_spur(2.7)
    assert 12 in prune(spur, min_length_nm=0).ids
    assert 12 not in prune(spur, attachment=1.4, min_length_nm=0).ids


def test_a_line_loses_a_last_node_inside_its_neighbours_scoop():
    line = Skeleton.of([-1, 0, 1, 2], [[0, 0, x] for x in (0.0, 5000, 10_000, 10_500)], features={"scoop_nm": np.full(4, 2000.0)})
    assert prune(line).ids.tolist() == [1, 2, 3]


@pytest.mark.parametrize("mark", ["unremovable", "locked", "drawn"])
def test_marked_nodes_and_the_way_to_them_stay(mark):
    tree = line_with_a_spur(0.5)
    marks = np.arange(12) == 11
    assert 12 not in prune(tree).ids
    assert 12 in prune(replace(tree, features={**tree.features, mark: marks})).ids


def test_rules_for_the_root():
    scoops = np.array([0.0, 2000, 2000, 2000, 2000])
    points = [(0.0, 0.0, 10_000.0), (0.0, 500.0, 10_000.0), (0.0, 500.0, 2000.0), (0.0, 500.0, 18_000.0), (0.0, 500.0, 26_000.0)]
    tree = Skeleton.of([-1, 0, 1, 1, 3], points, features={"scoop_nm": scoops})
    kept = prune(tree)
    assert sorted(kept.ids.tolist()) == [2, 3, 4, 5]
    assert kept.ids[kept.roots].tolist() == [2], "the nearest that is left"
    protected = prune(tree, root="protect")
    assert protected.ids[0] == 1
    assert len(protected) == 5
    soma = prune(replace(tree, kinds=np.array([SOMA, 0, 0, 0, 0])))
    assert soma.ids[0] == 1
    middle = prune(tree, root="middle")
    assert middle.length_nm == pytest.approx(kept.length_nm)
    assert middle.ids[middle.roots].tolist() == [2], "the middle edge runs from 2 to 4"
    thicker = replace(tree, features={"scoop_nm": scoops + np.array([0, 0, 0, 500, 0])})
    assert prune(thicker, root="middle").ids[0] == 4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 3), st.sampled_from(["keep", "protect", "middle"]))
def test_pruning_again_changes_nothing(random_state, attachment, root):
    once = prune(random_tree(random_state), attachment=attachment, root=root)
    twice = prune(once, attachment=attachment, root=root)
    assert twice.ids.tolist() == once.ids.tolist()
    assert twice.parents.tolist() == once.parents.tolist()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6))
def test_pruning_scooped_blobs_again_changes_nothing(random_state):
    noise = ndimage.gaussian_filter(np.random.default_rng(random_state).normal(size=(20, 40, 60)), 2)
    labels, _ = ndimage.label(noise > np.quantile(noise, 0.75), np.ones((3, 3, 3)))
    largest = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    tree = scoop(Bricks.of(largest.astype(np.uint8) * 255, (1000.0,) * 3), tuple(np.argwhere(largest)[0].tolist()))
    once = prune(tree)
    assert prune(once).ids.tolist() == once.ids.tolist()
    assert set(once.ids) <= set(tree.ids)
    assert len(once.roots) == 1


def test_trees_of_one_skeleton_are_pruned_each_for_itself():
    one, two = random_tree(1), random_tree(2)
    n = len(one)
    both = Skeleton(
        np.concatenate((one.ids, two.ids + n)),
        np.concatenate((one.parents, np.where(two.parents == ROOT, ROOT, two.parents + n))),
        np.concatenate((one.points_nm, two.points_nm)),
        np.zeros(2 * n),
        np.zeros(2 * n, int),
        {"scoop_nm": np.concatenate((one.features["scoop_nm"], two.features["scoop_nm"]))},
    )
    assert sorted(prune(both).ids.tolist()) == sorted(prune(one).ids.tolist()) + sorted((prune(two).ids + n).tolist())


def test_a_contact_moves_to_where_its_branch_began():
    tree = line_with_a_spur(0.5)
    tree = prune(replace(tree, features={**tree.features, "loop_contact": np.arange(12) == 11}))
    assert tree.ids[tree.features["loop_contact"]].tolist() == [6]


def test_a_jump_stays_with_its_edge_when_the_root_moves():
    tree = line_with_a_spur()
    tree = replace(
        tree, features={**tree.features, "jump": np.arange(12) == 7, "confidence": np.where(np.arange(12) == 7, 0.4, 1.0)}
    )
    middle = prune(tree, root="middle")
    row = int(np.flatnonzero(middle.features["jump"])[0])
    assert {int(middle.ids[row]), int(middle.parents[row])} == {7, 8}
    assert middle.features["confidence"][row] == 0.4


def test_small_trees():
    one = Skeleton.of([-1], [[1.0, 2, 3]], features={"scoop_nm": np.zeros(1)})
    assert prune(one).points_nm.tolist() == [[1.0, 2.0, 3.0]]
    none = Skeleton.of([], np.zeros((0, 3)), features={"scoop_nm": np.zeros(0)})
    assert len(prune(none)) == 0
    two = Skeleton.of([-1, 0], [[0.0, 0, 0], [0, 0, 1000.0]], features={"scoop_nm": np.array([1000.0, 1000.0])})
    assert len(prune(two)) == 2
    coincident = Skeleton.of([-1, 0, 1], np.zeros((3, 3)), features={"scoop_nm": np.zeros(3)})
    assert len(prune(coincident)) == 1


def test_bad_requests_are_refused():
    tree = line_with_a_spur()
    with pytest.raises(UnknownNameError, match="keep, middle, protect"):
        prune(tree, root="start")
    with pytest.raises(ValueRangeError, match="0 or more"):
        prune(tree, attachment=-1)
    with pytest.raises(InputError, match=r"no feature scoop_nm.*make the tree with scoop"):
        prune(replace(tree, features={}))
