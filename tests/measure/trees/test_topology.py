import pytest

from neurotome.core import Skeleton
from neurotome.measure.trees import compare_trees

VOXEL_NM = (1000.0, 1000.0, 1000.0)


def together(*trees):
    """Several trees as one skeleton."""
    parents, points = [], []
    for tree in trees:
        parents += [p + len(points) if p >= 0 else -1 for p in tree.parent_rows.tolist()]
        points += tree.points_nm.tolist()
    return Skeleton.of(parents, points, name="several")


def topology(test, gold, unit="um"):
    return compare_trees(test, gold, voxel_nm=VOXEL_NM).in_unit(unit).topology


@pytest.mark.parametrize("unit", ["voxel", "um"])
def test_a_tree_in_two_pieces(line, unit):
    found = topology(together(line(0, 40), line(40.25, 100)), line(0, 100), unit)
    assert (found.splits, found.omits, found.merges) == (1, 0, 0)
    assert found.erl == pytest.approx((40**2 + 60**2) / 100, rel=0.01)
    assert found.erl_best == pytest.approx(100)
    assert found.edge_accuracy == pytest.approx(1, abs=0.006)


def test_a_gap(line):
    """Covered: 0..42 and 58..100, the tolerance of 2 included."""
    found = topology(together(line(0, 40), line(60, 100)), line(0, 100))
    assert (found.splits, found.omits) == (0, 1)
    assert found.omitted == pytest.approx(0.16)
    assert found.edge_accuracy == pytest.approx(0.84)
    assert found.erl == pytest.approx(2 * 42**2 / 100)


def test_a_merge_counts_for_nothing(tree, line):
    gold = together(line(0, 100), line(0, 50, offset=30))
    bridged = tree([-1, 0, 1, 2], [[0, 0, 0], [0, 0, 100], [0, 30, 50], [0, 30, 0]], name="one tree")
    found = topology(bridged, gold)
    assert found.merges == 1
    assert found.erl == 0
    assert found.edge_accuracy == 0
    assert found.erl_best == pytest.approx((100**2 + 50**2) / 150)


def test_touching_a_neighbour_for_less_than_5_um_is_no_merge(tree, line):
    gold = together(line(0, 100), line(0, 50, offset=30))
    hook = tree([-1, 0, 1], [[0, 0, 0], [0, 0, 100], [0, 30, 49]], name="hook")
    found = topology(hook, gold)
    assert found.merges == 0
    assert found.erl == pytest.approx(100**2 / 150, rel=0.01)


def test_nothing_near(line):
    found = topology(line(0, 100, offset=50), line(0, 100))
    assert (found.splits, found.omits, found.omitted, found.erl, found.edge_accuracy) == (0, 1, 1, 0, 0)
