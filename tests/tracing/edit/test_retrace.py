import numpy as np
import pytest

from neurotome.core import InputError, Skeleton, ValueRangeError
from neurotome.tracing.edit import Editor
from neurotome.tracing.sparse.bricks import Bricks


def test_from_the_last_good_node_the_rest_is_traced(y_bricks, line_tree):
    """The stem is right up to x = 50; from there both arms are found, and nothing climbs back along the stem."""
    stem = line_tree(10, 50)
    tree = Editor(stem, probability=y_bricks).do("retrace_from", node=9)
    assert np.array_equal(tree.points_nm[:9], stem.points_nm) and len(tree.roots) == 1
    tips = tree.points_nm[(tree.children == 0) & (np.arange(len(tree)) > 8)] / 100
    assert len(tips) == 2 and (np.count_nonzero(tree.children >= 2)) == 1
    assert sorted(tips[:, 1].round(-1).tolist()) == [10, 50] and tips[:, 2] == pytest.approx([111, 111], abs=4)
    assert tree.points_nm[9:, 2].min() > 5000 and tree.radii_nm[9:] == pytest.approx(300, abs=60)
    assert "graft" not in tree.features and not tree.features["loop_contact"].any()


def test_what_was_below_is_replaced(y_bricks, line_tree):
    """The old continuation runs straight on into the dark."""
    wrong = line_tree(10, 100)
    editor = Editor(wrong, probability=y_bricks)
    tree = editor.do("retrace_from", node=9)
    assert np.array_equal(tree.ids[:9], np.arange(1, 10)) and tree.ids[9] == 20
    straight = np.abs(tree.points_nm[:, 1] - 3000) < 1
    assert tree.points_nm[straight, 2].max() < 7000
    again = Editor(line_tree(10, 50), probability=y_bricks).do("retrace_from", node=9)
    assert np.array_equal(tree.points_nm, again.points_nm)


@pytest.mark.parametrize("mark", ["locked", "drawn"])
def test_what_is_confirmed_stays_and_is_grafted_on(y_bricks, line_tree, mark):
    """Three nodes of the upper arm are there already, confirmed: the new trace ends at them, and they hang on it."""
    stem = line_tree(10, 50)
    share = np.array([0.5, 0.7, 0.9])[:, None]
    arm = np.array([1000.0, 3000, 6000]) * (1 - share) + np.array([1000.0, 1000, 11000]) * share
    points = np.concatenate([stem.points_nm, arm])
    confirmed = np.arange(12) > 8
    known = Skeleton.of(np.arange(-1, 11), points, np.full(12, 300.0), features={mark: confirmed})
    tree = Editor(known, probability=y_bricks).do("retrace_from", node=9)
    kept = tree.rows_of([10, 11, 12])
    assert np.array_equal(tree.points_nm[kept], arm) and (tree.radii_nm[kept] == 300).all() and tree.features[mark][kept].all()
    assert len(tree.roots) == 1 and tree.parents[kept[0]] > 12 and tree.parents[kept[1:]].tolist() == [10, 11]
    assert tree.edge_nm.max() < 2500
    above = (tree.points_nm[:, 1] < 2000) & (tree.ids > 12)
    assert not above.any(), "the confirmed part was traced a second time"
    assert np.count_nonzero(tree.children >= 2) == 1


def test_what_is_below_an_island_stays_with_it(y_bricks, line_tree):
    """Of a chain of twelve, 10 is locked: 11 and 12 are not traced anew, and an edge between locked nodes is none to replace."""
    chain = line_tree(10, 65)
    locked = np.isin(chain.ids, [10])
    known = Skeleton(chain.ids, chain.parents, chain.points_nm, chain.radii_nm, chain.kinds, {"locked": locked})
    tree = Editor(known, probability=y_bricks).do("retrace_from", node=8)
    assert tree.parents[tree.rows_of([11, 12])].tolist() == [10, 11] and 9 not in tree.ids
    both = Skeleton(
        chain.ids, chain.parents, chain.points_nm, chain.radii_nm, chain.kinds, {"locked": np.isin(chain.ids, [9, 10])}
    )
    held = Editor(both, probability=y_bricks)
    with pytest.raises(InputError, match="Nothing longer than 3000 nm grows from node 9"):
        held.do("retrace_from", node=9)


def test_an_island_that_is_not_met_is_its_own_tree(y_bricks, line_tree):
    far = np.array([[100.0, 100, 11500], [100.0, 100, 11900]])
    stem = line_tree(10, 50)
    locked = np.arange(11) > 8
    known = Skeleton.of(np.arange(-1, 10), np.concatenate([stem.points_nm, far]), np.full(11, 300.0), features={"locked": locked})
    tree = Editor(known, probability=y_bricks).do("retrace_from", node=9)
    assert len(tree.roots) == 2 and tree.parents[tree.rows_of([10, 11])].tolist() == [-1, 10]


def test_upstream_and_other_trees_are_never_touched(y_bricks, line_tree):
    stem = line_tree(10, 50)
    unknown = Skeleton(stem.ids, stem.parents, stem.points_nm, 0 * stem.radii_nm, stem.kinds)
    tree = Editor(unknown, probability=y_bricks).do("retrace_from", node=9)
    assert np.array_equal(tree.points_nm[:9], stem.points_nm) and (tree.radii_nm[:9] == 0).all()
    assert tree.points_nm[9:, 2].min() > 5000


def test_a_node_beside_the_object_snaps_to_it(y_bricks, line_tree):
    stem = line_tree(10, 50)
    editor = Editor(stem, probability=y_bricks)
    editor.do("move_node", node=9, point_nm=(1000, 3600, 5000))
    assert len(editor.do("retrace_from", node=9)) > 20
    editor.undo()
    editor.do("move_node", node=9, point_nm=(1000, 4900, 3000))
    with pytest.raises(InputError, match=r"Node 9 lies more than 5 voxels from any free voxel of value 128.*move the node"):
        editor.do("retrace_from", node=9)


def test_retrace_refuses(y_bricks, line_tree):
    whole = line_tree(10, 60)
    with pytest.raises(InputError, match=r"no volume to trace anew in"):
        Editor(whole).do("retrace_from", node=2)
    with pytest.raises(ValueRangeError, match=r"Threshold 300. Expected: 1..255"):
        Editor(whole, probability=y_bricks).do("retrace_from", node=2, threshold=300)
    ball = np.zeros((9, 9, 9), np.uint8)
    ball[4, 4, 4] = 255
    dot = Skeleton.of([-1], [[400.0, 400, 400]])
    with pytest.raises(InputError, match=r"Nothing longer than 3000 nm grows from node 1 at threshold 128.*lower the threshold"):
        Editor(dot, probability=Bricks.of(ball, (100.0, 100.0, 100.0))).do("retrace_from", node=1)
