"""Trees and bridges put together: which root stays, which way edges run, what the new edges say."""

import numpy as np

from neurotome.core import ROOT, Skeleton
from neurotome.tracing.bridging.join import Bridge, joined, straightened

UM = (1000.0, 1000.0, 1000.0)


def line(*columns):
    """Trees along x, each with its root at its first column; in µm."""
    parents, points = [], []
    for xs in columns:
        parents += [ROOT, *range(len(points), len(points) + len(xs) - 1)]
        points += [(0, 0, 1000.0 * x) for x in xs]
    return Skeleton.of(parents, points, radii_nm=np.full(len(points), 500.0))


def straight(a, b):
    return np.array([(0, 0, x) for x in range(a, b + 1)])


def test_a_straight_bridge_is_one_edge():
    trees = line([0, 1, 2], [6, 7, 8])
    bridge = Bridge(2, 3, straight(2, 6), 0.7, 4000.0)
    whole = joined(trees, [bridge], np.arange(2), UM)
    assert len(whole.roots) == 1
    assert whole.length_nm == 8000
    jump = np.flatnonzero(whole.features["jump"])
    assert whole.ids[jump].tolist() == [4]
    assert whole.features["confidence"][jump].tolist() == [0.7]
    assert whole.features["gap_nm"][jump].tolist() == [4000.0]
    assert whole.features["confidence"].sum() == 5.7


def test_the_tree_that_comes_first_keeps_its_root():
    trees = line([0, 1, 2], [6, 7, 8])
    whole = joined(trees, [Bridge(2, 3, straight(2, 6), 0.7, 4000.0)], np.array([5, 1]), UM)
    assert whole.ids[whole.roots].tolist() == [4]
    assert whole.parents[whole.rows_of([1, 2, 3])].tolist() == [2, 3, 4]
    assert whole.ids[whole.features["jump"]].tolist() == [3], "the edge runs the other way now"


def test_a_chain_of_trees_is_reached_from_the_first_whatever_the_order_of_the_bridges():
    trees = line([0, 1], [4, 5], [8, 9])
    bridges = [Bridge(4, 3, straight(5, 8)[::-1], 0.6, 3000.0), Bridge(1, 2, straight(1, 4), 0.9, 3000.0)]
    for order in (bridges, bridges[::-1]):
        whole = joined(trees, order, np.arange(3), UM)
        assert whole.parents.tolist() == [ROOT, 1, 2, 3, 4, 5]
        assert whole.features["confidence"].tolist() == [1, 1, 0.9, 1, 0.6, 1]


def test_a_bent_bridge_has_a_node_at_the_bend():
    trees = line([0, 1, 2], [8, 9])
    way = np.array([(0, 0, 2), (0, 1, 3), (0, 2, 4), (0, 3, 5), (0, 2, 6), (0, 1, 7), (0, 0, 8)])
    whole = joined(trees, [Bridge(2, 3, way, 0.5, 8000.0)], np.arange(2), UM)
    assert len(whole) == 6
    new = whole.rows_of([6])[0]
    assert whole.points_nm[new].tolist() == [0, 3000, 5000]
    assert whole.radii_nm[new] == 500
    assert whole.features["jump"].sum() == 2
    assert whole.parents[whole.rows_of([4, 6])].tolist() == [6, 3]


def test_no_bridges_change_nothing_but_the_features():
    trees = line([0, 1, 2], [6, 7, 8])
    whole = joined(trees, [], np.arange(2), UM)
    assert whole.parents.tolist() == trees.parents.tolist()
    assert not whole.features["jump"].any()


def test_a_staircase_is_straight():
    assert straightened(np.array([(0, i // 2, i) for i in range(20)])).tolist() == [0, 19]
