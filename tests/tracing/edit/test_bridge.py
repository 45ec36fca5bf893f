import numpy as np
import pytest

from neurotome.core import InputError, Skeleton, ValueRangeError
from neurotome.tracing.edit import Editor
from neurotome.tracing.sparse.bricks import Bricks

ENDS = [[1000.0, 3000, 500], [1000, 3000, 1000], [1000, 3000, 6000], [1000, 3000, 6500], [1000, 3000, 7000]]


@pytest.fixture
def apart():
    """Two pieces of a neurite, 1 - 2 and 3 - 4 - 5, with the gap from x = 1000 to 6000 nm."""
    return Skeleton.of([-1, 0, -1, 2, 3], ENDS, [100.0, 100, 200, 200, 200], [2, 2, 3, 3, 3])


def test_bridge_takes_the_bright_way_round(apart, bent_bricks):
    editor = Editor(apart, probability=bent_bricks)
    tree = editor.do("bridge", a=2, b=3)
    new = tree.ids > 5
    assert len(tree.roots) == 1 and tree.parents[tree.ids == 3].tolist() == [-1]
    assert tree.points_nm[new][:, 1].max() == pytest.approx(5000, abs=200)
    edges = tree.features["jump"]
    assert set(tree.ids[edges].tolist()) == {2, *tree.ids[new].tolist()}
    gap = tree.features["gap_nm"][edges]
    assert (gap == gap[0]).all() and 8000 < gap[0] < 9100
    assert tree.features["confidence"][edges] == pytest.approx(200 / 255, abs=0.02)
    assert tree.edge_nm[edges].min() >= 190 and tree.edge_nm[edges].max() < 600
    assert np.all((tree.radii_nm[new] > 100) & (tree.radii_nm[new] < 200)) and (tree.kinds[new] == 3).all()


def test_a_bridge_is_accepted_or_rejected_as_one(apart, bent_bricks):
    editor = Editor(apart, probability=bent_bricks)
    bridged = editor.do("bridge", a=2, b=3)
    accepted = editor.do("accept_jump", node=7)
    assert (accepted.features["confidence"] == 1).all() and accepted.features["jump"].sum() == bridged.features["jump"].sum()
    rejected = editor.do("reject_jump", node=7)
    assert sorted(rejected.ids.tolist()) == [1, 2, 3, 4, 5] and len(rejected.roots) == 2 and not rejected.features["jump"].any()


def test_neighbours_get_an_edge_without_nodes(bent_bricks):
    close = Skeleton.of([-1, -1], [[1000, 3000, 1000], [1000, 3000, 1100]])
    tree = Editor(close, probability=bent_bricks).do("bridge", a=1, b=2)
    assert tree.parents.tolist() == [-1, 1] and tree.features["gap_nm"].tolist() == [0, 100]


def test_a_sure_bridge_is_still_a_proposal(apart):
    white = Bricks.of(np.full((21, 61, 121), 255, np.uint8), (100.0, 100.0, 100.0))
    tree = Editor(apart, probability=white).do("bridge", a=2, b=3)
    assert 0.999 < tree.features["confidence"][tree.features["jump"]].max() < 1


def test_the_origin_of_the_volume_counts(apart, bent_bricks):
    far = np.array([5e4, -2e4, 7e3])
    moved = Skeleton.of(apart.parent_rows, apart.points_nm + far, apart.radii_nm, apart.kinds)
    here = Editor(apart, probability=bent_bricks).do("bridge", a=2, b=3)
    there = Editor(moved, probability=bent_bricks, origin_nm=tuple(far)).do("bridge", a=2, b=3)
    assert np.allclose(there.points_nm - far, here.points_nm) and np.array_equal(there.parents, here.parents)


def test_bridge_refuses(apart, bent_bricks):
    with pytest.raises(InputError, match=r"no volume to look for a path in.*give --probability VOLUME"):
        Editor(apart).do("bridge", a=2, b=3)
    editor = Editor(apart, probability=bent_bricks)
    with pytest.raises(InputError, match="close a loop"):
        editor.do("bridge", a=3, b=5)
    editor.do("move_node", node=5, point_nm=(1000, 9000, 0))
    with pytest.raises(ValueRangeError, match=r"Node 5 lies at voxel \(10, 90, 0\) .*outside of a volume of \(21, 61, 121\)"):
        editor.do("bridge", a=2, b=5)
