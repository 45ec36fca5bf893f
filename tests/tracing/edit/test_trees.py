import numpy as np
import pytest

from neurotome.core import InputError, Skeleton
from neurotome.tracing.edit import Editor


def test_cut_makes_a_tree_of_its_own(editor, parent_of):
    tree = editor.do("cut", node=6)
    assert parent_of(tree, 6) == -1 and len(tree.roots) == 3 and tree.length_nm == 6000
    with pytest.raises(InputError, match=r"Node 6 is a root"):
        editor.do("cut", node=6)


@pytest.mark.parametrize(("a", "b"), [(8, 10), (10, 8)])
def test_join_reroots_the_smaller_tree(editor, a, b, parent_of):
    tree = editor.do("join", a=a, b=b)
    assert [parent_of(tree, n) for n in (10, 9, 1)] == [8, 10, -1]
    assert len(tree.roots) == 1 and tree.length_nm == 7000 + 3000 + 0


def test_join_of_equals_keeps_the_first(parent_of):
    two = Skeleton.of([-1, 0, -1, 2], [[0, 0, 0], [0, 0, 1], [0, 0, 3], [0, 0, 4]])
    assert Editor(two).do("join", a=2, b=4).parents.tolist() == [-1, 1, 2, 4]
    turned = Editor(two).do("join", a=4, b=2)
    assert [parent_of(turned, n) for n in (3, 4, 2, 1)] == [-1, 3, 4, 2]


def test_join_refuses_a_loop(editor):
    with pytest.raises(InputError, match=r"Nodes 5 and 8 belong to the same tree.*close a loop.*cut one of the edges"):
        editor.do("join", a=5, b=8)


def test_reroot_keeps_edges(editor, fork, parent_of):
    tree = editor.do("reroot", node=8)
    assert [parent_of(tree, n) for n in (8, 7, 6, 3, 2, 1, 4)] == [-1, 8, 7, 6, 3, 2, 3]
    assert tree.length_nm == fork.length_nm and len(tree.roots) == 2


@pytest.fixture
def bridged(fork):
    """The way 3 - 6 - 7 - 8 is a bridge of three edges over one gap; 4 hangs on a jump of another gap."""
    gap = np.array([0, 0, 0, 500, 0, 3000, 3000, 3000, 0, 0], float)
    features = {"jump": gap > 0, "gap_nm": gap, "confidence": np.where(gap > 0, 0.6, 1.0)}
    return Skeleton(fork.ids, fork.parents, fork.points_nm, fork.radii_nm, fork.kinds, features, "bridged")


@pytest.mark.parametrize("node", [6, 7, 8])
def test_accept_jump_accepts_the_whole_bridge(bridged, node, value):
    tree = Editor(bridged).do("accept_jump", node=node)
    assert [value(tree, n, "confidence") for n in (4, 6, 7, 8)] == [0.6, 1, 1, 1]
    assert tree.features["jump"].sum() == 4


@pytest.mark.parametrize("node", [6, 7, 8])
def test_reject_jump_removes_the_whole_bridge(bridged, node, parent_of, value):
    tree = Editor(bridged).do("reject_jump", node=node)
    assert tree.ids.tolist() == [1, 2, 3, 4, 5, 8, 9, 10] and parent_of(tree, 8) == -1
    assert not value(tree, 8, "jump") and value(tree, 8, "confidence") == 1 and value(tree, 8, "gap_nm") == 0


def test_reject_jump_of_one_edge_is_a_cut(bridged, parent_of):
    tree = Editor(bridged).do("reject_jump", node=4)
    assert len(tree) == 10 and parent_of(tree, 4) == -1


def test_verdicts_need_a_jump_that_is_not_locked(bridged):
    with pytest.raises(InputError, match=r"The edge above node 5 is no bridge.*use cut"):
        Editor(bridged).do("accept_jump", node=5)
    editor = Editor(bridged)
    editor.do("lock", node=7)
    with pytest.raises(InputError, match=r"Node 7 is locked: cannot remove the bridge it lies on"):
        editor.do("reject_jump", node=8)
    editor.do("lock", node=3, subtree=True)
    with pytest.raises(InputError, match=r"cannot remove the bridge between them.*unlock nodes 4, 3 first"):
        editor.do("reject_jump", node=4)


def test_prune_below_takes_the_short_side_branch(editor):
    assert editor.do("prune_below", length_nm=1000).ids.tolist() == list(range(1, 11))
    assert editor.do("prune_below", length_nm=1000.5).ids.tolist() == [1, 2, 3, 6, 7, 8, 9, 10]
    with pytest.raises(InputError, match=r"a length above 0"):
        editor.do("prune_below", length_nm=0)


def test_prune_below_keeps_the_longest_way_of_every_tree(editor):
    assert editor.do("prune_below", length_nm=1e9).ids.tolist() == [1, 2, 3, 6, 7, 8, 9, 10]


def test_prune_below_measures_again_where_a_fork_is_gone():
    """Twigs of 3 and 4 at the end of a side branch of 10: the shorter one goes, the other is 14 long then."""
    points = [[0, 0, 0], [0, 0, 50], [0, 0, 100], [0, 10, 50], [0, 13, 50], [0, 10, 54]]
    tree = Skeleton.of([-1, 0, 1, 1, 3, 3], points)
    assert Editor(tree).do("prune_below", length_nm=12).ids.tolist() == [1, 2, 3, 4, 6]
    assert Editor(tree).do("prune_below", length_nm=15).ids.tolist() == [1, 2, 3]


@pytest.mark.parametrize("mark", ["locked", "drawn", "unremovable", "soma", "accepted"])
def test_prune_below_spares_what_is_confirmed(fork, mark):
    here = fork.ids == 5
    features = {mark: here}
    if mark == "accepted":
        features = {"jump": here, "confidence": np.ones(10)}
    kinds = np.where(here & (mark == "soma"), 1, fork.kinds)
    tree = Skeleton(fork.ids, fork.parents, fork.points_nm, fork.radii_nm, kinds, {} if mark == "soma" else features)
    assert len(Editor(tree).do("prune_below", length_nm=1e9)) == 10
    unsure = Skeleton(
        fork.ids, fork.parents, fork.points_nm, fork.radii_nm, fork.kinds, {"jump": here, "confidence": 0.9 + 0 * here}
    )
    assert len(Editor(unsure).do("prune_below", length_nm=1e9)) == 8
