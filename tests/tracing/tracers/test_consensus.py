"""The consensus of trees that were drawn by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from neurotome.core import InputError, Skeleton, ValueRangeError
from neurotome.tracing.tracers import consensus
from neurotome.tracing.tracers.consensus import _spanning


def line(length, y=0.0, step=10.0, **more):
    x = np.arange(0, length + step / 2, step)
    points = np.stack([np.zeros_like(x), np.full_like(x, y), x], axis=1)
    return Skeleton.of(np.arange(len(x)) - 1, points, **more)


def with_branch(tree, at, length, step=10.0):
    n, more = len(tree), int(length / step)
    parents = np.concatenate([tree.parent_rows, [at], n + np.arange(more - 1)])
    grown = [tree.points_nm[at] + [0, step * (k + 1), 0] for k in range(more)]
    return Skeleton.of(parents, np.vstack([tree.points_nm, grown]))


def ends_and_branches(tree):
    degrees = tree.children + (tree.parents >= 0)
    return int((degrees <= 1).sum()), int((degrees >= 3).sum())


def test_the_consensus_of_one_tree_with_itself_is_that_tree():
    tree = with_branch(line(200), 8, 100)
    agreed = consensus([tree, tree, tree], 6.0, 2)
    assert ends_and_branches(agreed) == (3, 1)
    assert agreed.length_nm == pytest.approx(300, rel=0.03)
    assert (agreed.features["confidence"] == 1).all() and (agreed.features["support"] == 3).all()
    assert np.linalg.norm(agreed.points_nm[agreed.roots[0]]) <= 3


@pytest.mark.parametrize(("quorum", "expected"), [(1, (4, 2)), (2, (3, 1)), (3, (2, 0))])
def test_branches_stay_by_their_votes(quorum, expected):
    plain, one, two = line(300), with_branch(line(300), 10, 100), with_branch(with_branch(line(300), 10, 100), 20, 80)
    agreed = consensus([plain, one, two], 6.0, quorum)
    assert ends_and_branches(agreed) == expected


def test_confidence_is_the_share_of_trees_on_each_edge():
    agreed = consensus([line(100), line(200), line(200), line(200)], 6.0, 2)
    x, confidence = agreed.points_nm[:, 2], agreed.features["confidence"]
    assert (confidence[x < 90] == 1).all() and (confidence[x > 115] == 0.75).all()


def test_lines_side_by_side_become_one_between_them():
    agreed = consensus([line(200, 0.0), line(200, 4.0)], 6.0, 2)
    assert ends_and_branches(agreed) == (2, 0)
    assert np.abs(agreed.points_nm[:, 1] - 2).max() < 0.5
    assert len(consensus([line(200, 0.0), line(200, 14.0)], 6.0, 2)) == 0
    assert len(consensus([line(200, 0.0), line(200, 14.0)], 6.0, 1).roots) == 2


def test_pieces_are_joined_by_what_few_saw_and_say_so():
    whole = line(300)
    first, last = line(120), Skeleton.of(np.arange(11) - 1, whole.points_nm[20:])
    agreed = consensus([whole, first, last], 6.0, 2)
    assert len(agreed.roots) == 1 and agreed.length_nm == pytest.approx(300, rel=0.03)
    x, confidence = agreed.points_nm[:, 2], agreed.features["confidence"]
    assert np.allclose(confidence[(x > 130) & (x < 190)], 1 / 3) and np.allclose(confidence[x < 110], 2 / 3)


def test_a_loop_that_the_trees_cut_in_different_places_stays_a_tree():
    turn = np.linspace(0, 2 * np.pi, 61)[:-1]
    ring = 100 * np.stack([np.zeros(60), np.sin(turn), np.cos(turn)], axis=1)
    cuts = [Skeleton.of(np.arange(60) - 1, np.roll(ring, -k, axis=0)) for k in (0, 13, 31)]
    agreed = consensus(cuts, 8.0, 2)
    assert len(agreed.roots) == 1 and agreed.length_nm == pytest.approx(2 * np.pi * 100, rel=0.07)
    assert ends_and_branches(agreed) == (2, 0)


def test_steps_with_more_votes_are_taken_before_shorter_ones():
    points = np.array([[0, 0, 0], [0, 10, 4], [0, 0, 8]], float)
    by_way_of_one, straight = (np.linspace(points[:-1], points[1:], 9).reshape(-1, 3), np.linspace(points[0], points[2], 9))
    trees = [cKDTree(by_way_of_one), cKDTree(by_way_of_one), None, cKDTree(straight)]
    steps = np.array([[0, 1], [0, 2], [1, 2]])
    assert sorted(_spanning(steps, points, trees, 2.0).tolist()) == [[0, 1], [1, 2]]
    assert [0, 2] in _spanning(steps, points, trees[2:], 2.0).tolist()


@pytest.mark.parametrize("at", [20, 35, 50, 65])
@pytest.mark.parametrize("gap", [31, 44, 60])
def test_of_two_ways_round_a_loop_the_one_with_more_votes_stays(at, gap):
    bend = [[0, 0, 0], [0, 0, 100], [0, gap, 100], [0, gap, 0]]
    around = Skeleton.of([-1, 0, 1, 2], bend)
    # A short cut between the legs, with the bend left open.
    across = Skeleton.of([-1, 0, 1, 1, 3, 3], [[0, 0, 0], [0, 0, at], [0, 0, 100], [0, gap, at], [0, gap, 0], [0, gap, 100]])
    agreed = consensus([around, around, across], 6.0, 2)
    assert ends_and_branches(agreed) == (2, 0)
    assert agreed.length_nm == pytest.approx(200 + gap, rel=0.05)
    assert (np.abs(agreed.points_nm[:, 1:] - [gap / 2, at]) > [gap / 2 - 8, 8]).any(1).all()


def test_radii_are_means_and_kinds_the_most_frequent():
    thin, thick = (line(100, radii_nm=np.full(11, r), kinds=np.full(11, k)) for r, k in ((2.0, 3), (4.0, 2)))
    agreed = consensus([thin, thick, thick], 6.0, 2)
    assert np.allclose(agreed.radii_nm, 10 / 3) and set(agreed.kinds.tolist()) == {2}


def test_an_empty_tree_is_a_vote_against():
    empty = Skeleton.of([], np.zeros((0, 3)))
    agreed = consensus([line(100), empty, line(100)], 6.0, 2)
    assert agreed.length_nm == pytest.approx(100, rel=0.05) and np.allclose(agreed.features["confidence"], 2 / 3)
    assert len(consensus([line(100), empty], 6.0, 2)) == 0 and len(consensus([empty], 6.0, 1)) == 0


def test_a_tree_of_one_node_is_kept():
    dot = Skeleton.of([-1], [[5.0, 5, 5]], [3.0])
    agreed = consensus([dot, dot], 6.0, 2)
    assert agreed.points_nm.tolist() == [[5, 5, 5]] and agreed.radii_nm.tolist() == [3]


@given(st.lists(st.sampled_from([1.0, 2.0, 5.0, 10.0, 20.0, 50.0]), min_size=2, max_size=4))
@settings(max_examples=25, deadline=None)
def test_how_densely_the_nodes_were_set_does_not_matter(steps):
    agreed = consensus([line(200, step=step) for step in steps], 6.0, len(steps))
    assert ends_and_branches(agreed) == (2, 0)
    assert agreed.length_nm == pytest.approx(200, rel=0.03)
    assert (agreed.features["confidence"] == 1).all()


def test_two_runs_give_the_same_bytes(rng):
    trees = [with_branch(line(300, y), 10, 100) for y in rng.normal(0, 2, 4)]
    first, second = (consensus(trees, 6.0, 2) for _ in range(2))
    assert first.points_nm.tobytes() == second.points_nm.tobytes() and first.parents.tobytes() == second.parents.tobytes()


@pytest.mark.parametrize(
    ("count", "tolerance", "quorum", "error", "words"),
    [
        (0, 5.0, 1, InputError, "at least one"),
        (2, 0.0, 1, ValueRangeError, "more than 0"),
        (2, 5.0, 3, ValueRangeError, r"1\.\.2"),
        (2, 5.0, 0, ValueRangeError, r"1\.\.2"),
    ],
)
def test_what_cannot_be_agreed_on_is_refused(count, tolerance, quorum, error, words):
    with pytest.raises(error, match=words):
        consensus([line(100)] * count, tolerance, quorum)
