"""Smoothing, reduction and extension of pruned trees."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import ROOT, SOMA, Skeleton, ValueRangeError
from neurotome.tracing.scooping import extend_tips, prune, reduce_nodes, scoop, smooth_radii
from neurotome.tracing.sparse.bricks import Bricks


def fork():
    """Root, two line nodes, a junction with two arms of two nodes each."""
    points = [(0.0, 0, 0), (0, 0, 10), (0, 0, 20), (0, 0, 30), (0, 10, 40), (0, 20, 50), (0, -10, 40), (0, -20, 50)]
    return Skeleton.of([-1, 0, 1, 2, 3, 4, 3, 6], points, radii_nm=[8.0, 2, 5, 8, 1, 3, 4, 6])


def test_smooth_radii():
    assert smooth_radii(fork()).radii_nm == pytest.approx([8, 15 / 3, 15 / 3, 8, 12 / 3, 4 / 2, 18 / 3, 10 / 2])
    assert smooth_radii(fork()).points_nm.tolist() == fork().points_nm.tolist()


@pytest.mark.parametrize("mark", ["locked", "drawn"])
def test_what_a_person_made_keeps_its_radius(mark):
    tree = replace(fork(), features={mark: np.ones(8, bool)})
    assert smooth_radii(tree).radii_nm.tolist() == tree.radii_nm.tolist()
    thick = replace(tree, radii_nm=np.full(8, 100.0))
    assert len(reduce_nodes(thick, smallest_nm=1000)) == 8
    assert reduce_nodes(thick, smallest_nm=1000).radii_nm.tolist() == [100.0] * 8


def test_roots_absorb_first_and_everything():
    tree = replace(fork(), radii_nm=np.array([31.0, 1, 1, 1, 1, 1, 1, 1]))
    reduced = reduce_nodes(tree)
    assert reduced.ids.tolist() == [1, 5, 6, 7, 8]
    assert reduced.parents.tolist() == [-1, 1, 5, 1, 7]


def test_junctions_absorb_line_nodes_on_all_sides():
    tree = replace(fork(), radii_nm=np.array([1.0, 1, 1, 15, 1, 1, 1, 1]))
    reduced = reduce_nodes(tree)
    assert reduced.ids.tolist() == [1, 2, 4, 6, 8]
    assert reduced.parents.tolist() == [-1, 1, 2, 4, 4]
    assert reduced.points_nm[2].tolist() == [0, 0, 30]


def test_line_nodes_absorb_line_nodes_but_no_tips():
    line = Skeleton.of(np.arange(-1, 9), [(0.0, 0, 10 * i) for i in range(10)], radii_nm=np.full(10, 15.0))
    assert reduce_nodes(line).points_nm[:, 2].tolist() == [0, 20, 40, 60, 80, 90]
    assert len(reduce_nodes(line, scalar=0.6)) == 10
    assert len(reduce_nodes(line, scalar=0)) == 10


def test_a_soma_and_a_cut_loop_are_never_absorbed():
    line = Skeleton.of(np.arange(-1, 9), [(0.0, 0, 10 * i) for i in range(10)], radii_nm=np.full(10, 1000.0))
    assert len(reduce_nodes(line)) == 1
    kinds = np.where(np.arange(10) == 4, SOMA, 0)
    assert (
        reduce_nodes(replace(line, kinds=kinds)).ids.tolist() == [1, 5, 10] or 5 in reduce_nodes(replace(line, kinds=kinds)).ids
    )
    assert reduce_nodes(replace(line, features={"loop_contact": np.arange(10) == 9})).ids.tolist() == [1, 10]


def test_an_edge_over_absorbed_nodes_has_their_worst():
    line = Skeleton.of(np.arange(-1, 5), [(0.0, 0, 10 * i) for i in range(6)], radii_nm=[1.0, 1, 15, 1, 1, 1])
    features = {
        "jump": np.array([0, 1, 0, 0, 0, 0], bool),
        "confidence": np.array([1, 0.4, 0.9, 0.7, 1, 1]),
        "gap_nm": np.array([0, 7.0, 0, 3.0, 0, 0]),
    }
    reduced = reduce_nodes(replace(line, features=features))
    assert reduced.ids.tolist() == [1, 3, 5, 6]
    assert reduced.features["jump"].tolist() == [False, True, False, False]
    assert reduced.features["confidence"].tolist() == [1, 0.4, 0.7, 1]
    assert reduced.features["gap_nm"].tolist() == [0, 7.0, 3.0, 0]


def test_radii_are_floored_at_half_a_voxel():
    assert reduce_nodes(fork(), scalar=0, smallest_nm=10).radii_nm.tolist() == [8, 5, 5, 8, 5, 5, 5, 6]
    with pytest.raises(ValueRangeError, match="scalar=0 keeps every node"):
        reduce_nodes(fork(), -1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 3))
def test_reduction_keeps_roots_and_makes_one_tree_of_each(random_state, scalar):
    rng = np.random.default_rng(random_state)
    n = 60
    parents = np.array([ROOT] + [ROOT if rng.random() < 0.03 else int(rng.integers(max(0, i - 4), i)) for i in range(1, n)])
    tree = Skeleton.of(parents, rng.normal(size=(n, 3)) * 10, radii_nm=rng.uniform(0, 10, n))
    reduced = reduce_nodes(tree, scalar)
    assert set(reduced.ids) <= set(tree.ids)
    assert reduced.ids[reduced.roots].tolist() == tree.ids[tree.roots].tolist()
    assert reduced.trees.tolist() == tree.trees[tree.rows_of(reduced.ids)].tolist()
    above = np.where(reduced.parents == ROOT, ROOT, tree.rows_of(reduced.parents))
    assert all(
        _touches(tree.parent_rows, a, int(tree.rows_of([b])[0]), tree)
        for a, b in zip(above.tolist(), reduced.ids.tolist())
        if a >= 0
    )


def _touches(parents, above, row, tree):
    """Whether `above` is an ancestor of `row`."""
    while row not in (above, ROOT):
        row = parents[row]
    return row == above


def test_tips_of_all_kinds(shapes):
    bricks = shapes.bricks_of(shapes.y_fork())
    tree = prune(scoop(bricks, (15, 40, 10)))
    longer = extend_tips(tree, bricks, 128)
    assert len(longer) == len(tree) + 3
    assert shapes.ends_and_branches(longer) == (3, 1)
    assert len(longer.roots) == 1
    assert longer.points_nm[0, 2] < tree.points_nm[0, 2], "the new node before the root is the root"
    new = ~np.isin(longer.ids, tree.ids)
    assert (longer.features["cluster_voxels"][new] == 0).all()
    places = np.round(longer.points_nm[new] / shapes.UM).astype(int)
    assert shapes.y_fork()[tuple(places.T)].all(), "inside of the object"


def test_some_tips_are_left_alone(shapes):
    bricks = shapes.bricks_of(shapes.tube(5))
    tree = prune(scoop(bricks, (15, 15, 10)))
    assert len(extend_tips(tree, bricks, 128)) == len(tree) + 2
    soma = replace(tree, kinds=np.where(tree.parent_rows == ROOT, SOMA, 0))
    assert len(extend_tips(soma, bricks, 128)) == len(tree) + 1
    for mark in ("locked", "drawn", "loop_contact"):
        marked = replace(tree, features={**tree.features, mark: np.ones(len(tree), bool)})
        assert len(extend_tips(marked, bricks, 128)) == len(tree)


def test_trees_of_one_node_or_none(shapes):
    bricks = shapes.bricks_of(shapes.tube(2))
    one = Skeleton.of([-1], [[15_000.0, 15_000.0, 50_000.0]], features={"scoop_nm": np.ones(1)})
    none = Skeleton.of([], np.zeros((0, 3)))
    for tree in (one, none):
        assert len(smooth_radii(tree)) == len(reduce_nodes(tree)) == len(extend_tips(tree, bricks, 128)) == len(tree)


def test_a_flat_section():
    section = np.zeros((1, 40, 100), np.uint8)
    section[0, 18:23, 5:95] = 255
    bricks = Bricks.of(section, (1000.0, 1000.0, 1000.0))
    tree = extend_tips(prune(scoop(bricks, (0, 20, 5))), bricks, 128)
    assert (tree.points_nm[:, 0] == 0).all()
    assert 86_000 <= tree.length_nm <= 90_000
