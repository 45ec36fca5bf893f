import numpy as np
import pytest

from neurotome.core import InputError, Skeleton, UnknownNameError, ValueRangeError
from neurotome.tracing.edit import Editor


def test_add_node_under_a_parent_takes_its_radius_and_kind(editor, parent_of, value):
    tree = editor.do("add_node", point_nm=(0, 0, 6000), parent=8)
    assert parent_of(tree, 11) == 8 and value(tree, 11, "radii_nm") == 50 and value(tree, 11, "kinds") == 2
    assert value(tree, 11, "drawn") and not tree.features["drawn"][:-1].any()


def test_add_node_without_parent_is_a_tree_of_its_own(editor, parent_of, value):
    tree = editor.do("add_node", point_nm=(1, 2, 3), radius_nm=7, kind=4)
    assert parent_of(tree, 11) == -1 and len(tree.roots) == 3
    assert value(tree, 11, "points_nm").tolist() == [1, 2, 3] and value(tree, 11, "kinds") == 4


def test_a_trace_can_begin_from_nothing():
    empty = Skeleton.of([], np.zeros((0, 3)))
    editor = Editor(empty)
    editor.do("add_node", point_nm=(0, 0, 0))
    tree = editor.do("add_node", point_nm=(0, 0, 50), parent=1)
    assert tree.ids.tolist() == [1, 2] and tree.length_nm == 50
    assert len(editor.undo()) == 1 and len(editor.undo()) == 0


def test_ids_are_never_used_twice(editor):
    editor.do("add_node", point_nm=(0, 0, 9000), parent=10)
    editor.do("delete_node", node=11)
    assert editor.do("add_node", point_nm=(0, 0, 9000), parent=10).ids[-1] == 12
    editor.undo()
    assert editor.do("add_node", point_nm=(0, 0, 9000), parent=10).ids[-1] == 13


def test_insert_on_edge_takes_the_middle(editor, parent_of, value):
    tree = editor.do("insert_on_edge", node=6)
    assert parent_of(tree, 6) == 11 and parent_of(tree, 11) == 3
    assert value(tree, 11, "points_nm").tolist() == [0, 0, 2500] and tree.length_nm == 7000.0
    moved = editor.do("insert_on_edge", node=7, point_nm=(100, 0, 3500))
    assert value(moved, 12, "points_nm").tolist() == [100, 0, 3500]


def test_insert_on_a_jump_makes_two_halves_of_it(fork):
    jump = np.arange(1, 11) == 7
    tree = Skeleton(fork.ids, fork.parents, fork.points_nm, fork.radii_nm, fork.kinds, {"jump": jump, "gap_nm": jump * 900.0})
    grown = Editor(tree).do("insert_on_edge", node=7)
    assert grown.ids[grown.features["jump"]].tolist() == [11, 7]
    assert grown.features["gap_nm"][grown.features["jump"]].tolist() == [900, 900]


def test_move_node(editor, fork, value):
    tree = editor.do("move_node", node=5, point_nm=(10, 20, 30))
    assert value(tree, 5, "points_nm").tolist() == [10, 20, 30] and value(tree, 5, "drawn")
    rest = fork.ids != 5
    assert np.array_equal(tree.points_nm[rest], fork.points_nm[rest])


def test_delete_reattaches_or_drops(editor, parent_of):
    assert parent_of(editor.do("delete_node", node=6), 7) == 3
    editor.undo()
    assert editor.do("delete_node", node=6, children="drop").ids.tolist() == [1, 2, 3, 4, 5, 9, 10]
    editor.undo()
    tree = editor.do("delete_node", node=1)
    assert parent_of(tree, 2) == -1 and len(tree) == 9


def test_an_edge_over_a_deleted_node_is_as_sure_as_its_worse_half(fork, value):
    jump, confidence = np.arange(1, 11) == 6, np.where(np.arange(1, 11) == 6, 0.4, 1.0)
    features = {"jump": jump, "confidence": confidence}
    tree = Skeleton(fork.ids, fork.parents, fork.points_nm, fork.radii_nm, fork.kinds, features)
    left = Editor(tree).do("delete_node", node=6)
    assert value(left, 7, "jump") and value(left, 7, "confidence") == 0.4
    root_gone = Editor(tree.take(tree.ids > 5)).do("delete_node", node=6)
    assert not value(root_gone, 7, "jump") and value(root_gone, 7, "confidence") == 1


def test_set_type_of_node_or_subtree(editor):
    assert editor.do("set_type", node=3, kind=4).kinds.tolist() == [2, 2, 4, 2, 2, 2, 2, 2, 2, 2]
    assert editor.do("set_type", node=6, kind=3, subtree=True).kinds.tolist() == [2, 2, 4, 2, 2, 3, 3, 3, 2, 2]
    with pytest.raises(ValueRangeError, match=r"Type -2. Expected: 0 or more: 0 undefined, 1 soma"):
        editor.do("set_type", node=3, kind=-2)


def test_set_radius(editor):
    tree = editor.do("set_radius", node=3, radius_nm=80)
    assert tree.radii_nm[2] == 80 and tree.features["drawn"][2]
    with pytest.raises(ValueRangeError, match="radius -3 nm"):
        editor.do("set_radius", node=3, radius_nm=-3)


LOCKED = [
    ("move_node", {"node": 6, "point_nm": (0, 0, 0)}, r"Node 6 is locked: cannot move it.*Remedy: unlock node 6 first"),
    ("set_radius", {"node": 6, "radius_nm": 1}, "cannot set its radius"),
    ("set_type", {"node": 3, "kind": 1, "subtree": True}, r"Node 6 \(and 2 more\) is locked: .*unlock nodes 6, 7, 8 first"),
    ("delete_node", {"node": 7}, "cannot delete it"),
    ("delete_node", {"node": 3, "children": "drop"}, "cannot delete all from node 3 down"),
    ("insert_on_edge", {"node": 7}, "cannot insert a node on its edge"),
    ("cut", {"node": 8}, "cannot cut between them"),
]


@pytest.mark.parametrize(("operation", "arguments", "message"), LOCKED, ids=[row[0] for row in LOCKED])
def test_what_is_locked_is_not_edited_by_hand(editor, operation, arguments, message):
    before = editor.do("lock", node=6, subtree=True)
    with pytest.raises(InputError, match=message):
        editor.do(operation, **arguments)
    assert editor.tree is before and len(editor.log) == 1
    editor.do("unlock", node=6, subtree=True)
    editor.do(operation, **arguments)


def test_next_to_what_is_locked_everything_goes(editor, parent_of):
    editor.do("lock", node=6, subtree=True)
    editor.do("cut", node=6)
    editor.do("join", a=3, b=6)
    editor.do("delete_node", node=3)
    editor.do("add_node", point_nm=(0, 9, 5000), parent=8)
    tree = editor.do("reroot", node=7)
    assert tree.features["locked"].sum() == 3 and parent_of(tree, 7) == -1


WRONG = [
    (InputError, "move_node", {"node": 99, "point_nm": (0, 0, 0)}, r"'fork' has no node 99.*look it up in the SWC file"),
    (UnknownNameError, "mve_node", {}, r"Unknown operation 'mve_node'.*did you mean 'move_node'\?"),
    (UnknownNameError, "move_node", {"nod": 3, "point_nm": (0, 0, 0)}, r"Unknown argument of move_node 'nod'.*'node'\?"),
    (InputError, "move_node", {"node": 3}, "move_node misses point_nm. Expected: node, point_nm. Remedy: give point_nm"),
    (InputError, "move_node", {"node": 3, "point_nm": (0, 0)}, r"got point_nm \(0, 0\). Expected: three finite numbers in nm"),
    (InputError, "move_node", {"node": 3.5, "point_nm": (0, 0, 0)}, "got node 3.5. Expected: a whole number"),
    (InputError, "move_node", {"node": True, "point_nm": (0, 0, 0)}, "got node True"),
    (InputError, "move_node", {"node": 3, "point_nm": (0, 0, np.nan)}, "three finite numbers"),
    (InputError, "lock", {"node": 3, "subtree": 1}, "Expected: true or false"),
    (InputError, "delete_node", {"node": 3, "children": "keep"}, "got children 'keep'. Expected: one of reattach, drop"),
    (InputError, "insert_on_edge", {"node": 1}, "Node 1 is a root. Expected: the lower node of an edge"),
    (InputError, "undo", {"node": 1}, "undo got node. Expected: no arguments"),
    (InputError, "undo", {}, "There is nothing to undo"),
    (InputError, "redo", {}, "There is nothing to redo. Expected: an undo right before it"),
]


@pytest.mark.parametrize(("kind", "operation", "arguments", "message"), WRONG, ids=[f"{r[1]}-{i}" for i, r in enumerate(WRONG)])
def test_refusals_say_what_to_do_and_change_nothing(editor, fork, kind, operation, arguments, message):
    with pytest.raises(kind, match=message):
        editor.do(operation, **arguments)
    assert editor.tree is fork and not editor.log
