import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import ROOT, InputError, ShapeError, Skeleton, ValueRangeError, parents_first

# Two trees; rows 0 to 4 are 1 - 2 - 3 with 4 on 2, and 5 alone.
PARENTS = [ROOT, 0, 1, 1, ROOT]
POINTS = [[0, 0, 0], [0, 0, 30], [0, 40, 30], [0, 0, 60], [90, 90, 90]]


def five(**changes):
    return Skeleton.of(**({"parents": PARENTS, "points_nm": POINTS} | changes))


@st.composite
def forests(draw, largest=40):
    """Parents as row numbers, in any order of rows."""
    n = draw(st.integers(1, largest))
    ordered = [draw(st.integers(-1, i - 1)) for i in range(n)]
    place = draw(st.permutations(range(n)))
    parents = np.empty(n, np.int64)
    for row, parent in enumerate(ordered):
        parents[place[row]] = ROOT if parent < 0 else place[parent]
    return parents


def test_what_is_known_of_a_tree():
    tree = five()
    assert tree.ids.tolist() == [1, 2, 3, 4, 5] and tree.parents.tolist() == [-1, 1, 2, 2, -1]
    assert tree.parent_rows.tolist() == PARENTS and tree.children.tolist() == [1, 2, 0, 0, 0]
    assert tree.roots.tolist() == [0, 4] and tree.trees.tolist() == [0, 0, 0, 0, 1]
    assert tree.edge_nm.tolist() == [0, 30, 40, 30, 0] and tree.length_nm == 100
    assert tree.radii_nm.tolist() == [0] * 5 and tree.kinds.tolist() == [0] * 5


def test_rows_in_any_order_are_put_in_order_with_all_that_belongs_to_them():
    order = [3, 1, 4, 0, 2]
    place = np.argsort(order)
    parents = [ROOT if PARENTS[i] < 0 else place[PARENTS[i]] for i in order]
    points, radii = [POINTS[i] for i in order], [10.0 * i for i in order]
    tree = Skeleton.of(parents, points, radii, [i + 2 for i in order], {"gap_nm": np.array(order) / 2})
    named = {tuple(point): row for row, point in enumerate(tree.points_nm.tolist())}
    rows = [named[tuple(map(float, point))] for point in POINTS]
    assert tree.radii_nm[rows].tolist() == [0, 10, 20, 30, 40] and tree.kinds[rows].tolist() == [2, 3, 4, 5, 6]
    assert tree.features["gap_nm"][rows].tolist() == [0, 0.5, 1, 1.5, 2]
    assert tree.length_nm == 100 and tree.parents[rows[1]] == tree.ids[rows[0]]


@given(forests())
def test_parents_come_first_and_every_row_once(parents):
    order = parents_first(parents)
    place = np.argsort(order)
    assert sorted(order.tolist()) == list(range(len(parents)))
    assert all(place[parent] < place[row] for row, parent in enumerate(parents.tolist()) if parent >= 0)
    tree = Skeleton.of(parents, np.arange(3 * len(parents)).reshape(-1, 3))
    assert tree.children.sum() == len(tree) - len(tree.roots) == (parents >= 0).sum()
    # Trees lie one after the other, in the order of their roots.
    assert (np.diff(tree.trees) >= 0).all() or (parents < np.arange(len(parents))).all()


@given(forests(), st.data())
def test_what_is_taken_keeps_its_ids_and_its_parents_where_they_are_taken_too(parents, data):
    tree = Skeleton.of(parents, np.arange(3 * len(parents)).reshape(-1, 3), features={"jump": np.arange(len(parents)) % 2 == 0})
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(tree), max_size=len(tree))))
    part = tree.take(mask)
    assert part.ids.tolist() == tree.ids[mask].tolist()
    for node, parent in zip(part.ids.tolist(), part.parents.tolist()):
        before = int(tree.parents[tree.rows_of([node])[0]])
        assert parent == (before if before in set(part.ids.tolist()) else ROOT)
    assert part.features["jump"].tolist() == tree.features["jump"][mask].tolist()
    same = tree.take(np.flatnonzero(mask))
    assert same.parents.tolist() == part.parents.tolist() and len(tree.take(np.ones(len(tree), bool))) == len(tree)


@given(forests())
def test_the_order_is_depth_first_and_siblings_come_in_the_order_of_their_rows(parents):
    order, todo = [], np.flatnonzero(parents == ROOT)[::-1].tolist()
    while todo:
        order.append(todo.pop())
        todo.extend(np.flatnonzero(parents == order[-1])[::-1].tolist())
    in_order = bool((parents < np.arange(len(parents))).all())
    assert parents_first(parents).tolist() == (list(range(len(parents))) if in_order else order)


def test_order_already_right_stays():
    assert parents_first(np.array(PARENTS)).tolist() == [0, 1, 2, 3, 4]
    # Else depth first, children and roots in the order of their rows.
    assert parents_first(np.array([2, ROOT, ROOT, 2, 0])).tolist() == [1, 2, 0, 4, 3]


def test_a_long_line_needs_no_deep_stack():
    n = 200_000
    backwards = np.append(np.arange(1, n), ROOT)
    tree = Skeleton.of(backwards, np.zeros((n, 3)))
    assert tree.parent_rows[-1] == n - 2 and len(tree.roots) == 1


@pytest.mark.parametrize("parents", [[0], [1, 0], [ROOT, 2, 3, 1], [1, 2, 0, ROOT]])
def test_cycles_are_refused(parents):
    with pytest.raises(InputError, match=r"is its own ancestor.*cut the loop"):
        Skeleton.of(parents, np.zeros((len(parents), 3)))


def test_rows_of_ids():
    tree = five().take(np.array([0, 3, 4]))
    assert tree.rows_of([5, ROOT, 1, 4]).tolist() == [2, ROOT, 0, 1]
    assert tree.rows_of(np.zeros((0,), np.int64)).tolist() == []
    for missing in (2, 3, 6, 10**12):
        with pytest.raises(InputError, match=f"'neuron' has no node {missing}"):
            tree.rows_of([1, missing])


def test_no_node_at_all():
    empty = Skeleton.of([], np.zeros((0, 3)))
    assert len(empty) == 0 and empty.length_nm == 0 and empty.roots.tolist() == [] and empty.rows_of([ROOT]).tolist() == [ROOT]
    with pytest.raises(InputError, match="no node 1"):
        empty.rows_of([1])


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"points_nm": np.zeros((4, 3))}, ShapeError, r"\(4, 3\).*\(5, 3\)"),
        ({"radii_nm": np.zeros(4)}, ShapeError, "5 nodes and 4 radii_nm"),
        ({"features": {"jump": np.zeros(6)}}, ShapeError, "5 nodes and 6 jump"),
        ({"points_nm": [*POINTS[:2], [0, np.nan, 0], *POINTS[3:]]}, ValueRangeError, "Node 3 .* not finite"),
        ({"radii_nm": [1, np.inf, 1, 1, 1]}, ValueRangeError, "Node 2 .* not finite"),
        ({"radii_nm": [1, 1, 1, -0.5, 1]}, ValueRangeError, "Node 4 .* radius -0.5"),
        ({"ids": [1, 2, 2, 4, 5]}, InputError, "two nodes with id 2"),
        ({"ids": [-3, 2, 3, 4, 5], "parents": [ROOT, 2, 2, 2, ROOT]}, InputError, "id -3"),
        ({"parents": [ROOT, 1, 4, 2, ROOT]}, InputError, "Node 3 .* comes before its parent 4.*Skeleton.of"),
        ({"parents": [ROOT, 1, 3, 2, ROOT]}, InputError, "Node 3 .* comes before its parent 3"),
        ({"parents": [ROOT, 1, 9, 2, ROOT]}, InputError, "no node 9"),
    ],
)
def test_what_is_no_tree(changes, error, words):
    good = five()
    fields = {name: getattr(good, name) for name in ("ids", "parents", "points_nm", "radii_nm", "kinds", "features")}
    with pytest.raises(error, match=words):
        Skeleton(**(fields | changes))
