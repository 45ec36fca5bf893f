import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Skeleton
from neurotome.measure.trees.branches import bifurcation_angles, branch_table, branches, strahler_orders

Y = Skeleton.of(
    parents=[-1, 0, 1, 1, 3],
    points_nm=np.array([[0, 0, 0], [0, 0, 10], [0, 6, 18], [0, -10, 10], [0, -10, 34]]) * 1000.0,
    radii_nm=np.array([5, 1, 1, 2, 2]) * 1000.0,
    kinds=[1, 3, 3, 2, 2],
)
"""Root and soma, a fork 10 um on, a straight branch of 10 um, and one of 10 + 24 um with a right angle: its chord is 26 um."""


def test_every_column_of_the_branch_table() -> None:
    table = branch_table(Y)
    assert table.to_dict("list") == {
        "tree": [0, 0, 0],
        "start_id": [1, 2, 2],
        "end_id": [2, 3, 5],
        "ends": ["bifurcation", "tip", "tip"],
        "kind": [3, 3, 2],
        "order": [0, 1, 1],
        "strahler": [2, 1, 1],
        "path_um": [10, 10, 34],
        "chord_um": pytest.approx([10, 10, 26]),
        "tortuosity": pytest.approx([1, 1, 34 / 26]),
        "mean_radius_um": pytest.approx([1, 1, (15 + 48) / 34]),
    }


def test_angles_where_branches_leave_and_where_they_end() -> None:
    found = branches(Y.points_nm, Y.parent_rows)
    rows, local = bifurcation_angles(Y.points_nm, found, remote=False)
    assert rows.tolist() == [1]
    assert local == pytest.approx([np.degrees(np.arccos(-0.6))])
    _, remote = bifurcation_angles(Y.points_nm, found, remote=True)
    assert remote == pytest.approx([np.degrees(np.arccos(132 / 260))])


def test_angles_of_three_daughters_are_averaged_over_pairs() -> None:
    points = np.array([[0, 0, 0], [0, 0, 1], [0, 2, 0], [0, 0, -3.0]])
    parents = np.array([-1, 0, 0, 0])
    _, angles = bifurcation_angles(points, branches(points, parents), remote=False)
    assert angles == pytest.approx([(90 + 90 + 180) / 3])


def test_nodes_at_one_place_have_no_direction() -> None:
    """The first daughter leaves after two nodes at the fork itself, the third never does."""
    points = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0.0]])
    parents = np.array([-1, 0, 1, 2, 0, 0])
    found = branches(points, parents)
    assert bifurcation_angles(points, found, remote=False)[1] == pytest.approx([90])
    assert found.first.tolist() == [3, 4, 5]
    assert np.isnan(found.tortuosity).tolist() == [False, False, True]
    single = Skeleton.of([-1], [[1, 2, 3]])
    assert len(branch_table(single)) == 0
    assert bifurcation_angles(single.points_nm, branches(single.points_nm, single.parent_rows), remote=True)[1].tolist() == []


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_strahler_order_of_a_full_binary_tree_is_its_depth(depth: int) -> None:
    parents = np.array([-1, *[(i - 1) // 2 for i in range(1, 2 ** (depth + 1) - 1)]])
    assert strahler_orders(parents)[0] == depth + 1


def test_strahler_order_of_a_caterpillar_is_two() -> None:
    assert strahler_orders(np.array([-1, 0, 0, 1, 1, 3, 3, 5, 5])).max() == 2
    assert strahler_orders(np.array([-1, 0, 1, -1])).tolist() == [1, 1, 1, 0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_branches_and_orders_agree_with_walking_the_tree(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    parents = np.array([-1, *[rng.integers(max(0, i - 4), i) for i in range(1, n)]])
    points = rng.normal(size=(n, 3))
    children = {row: np.flatnonzero(parents == row).tolist() for row in range(n)}

    def order(row: int) -> int:
        below = sorted((order(child) for child in children[row]), reverse=True)
        if not below:
            return 1 if row else 0
        return below[0] + (len(below) > 1 and below[0] == below[1])

    assert strahler_orders(parents).tolist() == [order(row) for row in range(n)]
    found = branches(points, parents)
    walked = {}
    for start in range(n):
        if start and len(children[start]) == 1:
            continue
        for step in children[start]:
            row, length = step, float(np.linalg.norm(points[step] - points[start]))
            while len(children[row]) == 1:
                (nxt,) = children[row]
                length += float(np.linalg.norm(points[nxt] - points[row]))
                row = nxt
            walked[row] = (start, step, length)
    assert found.end.tolist() == sorted(walked)
    for start, end, first, path in zip(found.start, found.end, found.first, found.path, strict=True):
        assert (start, first) == walked[end][:2]
        assert path == pytest.approx(walked[end][2])
