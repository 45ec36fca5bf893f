import cc3d
import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from neurotome.morphology.geodesic_tree import TreeSettings, VoxelTree, voxel_tree


def tree_of(inside: np.ndarray, root=0, depth=0.5, **settings) -> tuple[VoxelTree, np.ndarray]:
    voxels = np.argwhere(inside)
    pieces = cc3d.connected_components(inside, connectivity=26)[tuple(voxels.T)].astype(np.int64) - 1
    return voxel_tree(voxels, pieces, np.full(len(voxels), depth), root, TreeSettings(**settings)), voxels


def is_tree(tree: VoxelTree) -> bool:
    """One root, and every node's parent before it."""
    return tree.parents[0] == -1 and (tree.parents[1:] >= 0).all() and (tree.parents < np.arange(len(tree.parents))).all()


def test_a_cross_has_its_four_arms_and_no_more():
    inside = np.zeros((3, 21, 21), bool)
    inside[1, 10, :] = inside[1, :, 10] = True
    tree, voxels = tree_of(inside, root=int(np.flatnonzero((np.argwhere(inside) == [1, 10, 10]).all(1))[0]))
    children = np.bincount(tree.parents[1:], minlength=len(tree.rows))
    assert is_tree(tree)
    assert len(tree.rows) == 41
    tips = {tuple(v) for v in voxels[tree.rows[children == 0]].tolist()}
    assert tips == {(1, 0, 10), (1, 20, 10), (1, 10, 0), (1, 10, 20)}


def test_a_ring_is_opened():
    inside = np.zeros((1, 21, 21), bool)
    inside[0, [0, 20], :] = inside[0, :, [0, 20]] = True
    tree, _ = tree_of(inside)
    assert is_tree(tree)
    assert len(tree.rows) >= inside.sum() - 2


def test_a_thick_tube_is_one_line_along_its_middle():
    inside = np.zeros((9, 9, 60), bool)
    inside[2:7, 2:7, 2:58] = True
    voxels = np.argwhere(inside)
    depth = np.minimum.reduce([voxels[:, 0] - 1, 7 - voxels[:, 0], voxels[:, 1] - 1, 7 - voxels[:, 1]]).astype(float)
    root = int(np.flatnonzero((voxels == [4, 4, 2]).all(1))[0])
    tree = voxel_tree(voxels, np.zeros(len(voxels), np.int64), depth, root)
    between = voxels[tree.rows][(voxels[tree.rows][:, 2] > 6) & (voxels[tree.rows][:, 2] < 52)]
    assert (between[:, :2] == 4).all()
    assert len(between) == 45


@pytest.mark.parametrize("seed", range(4))
def test_any_dust_becomes_one_tree_with_the_shortest_bridges(seed):
    rng = np.random.default_rng(seed)
    inside = rng.random((12, 12, 12)) < 0.02
    tree, voxels = tree_of(inside, reach_scale=0.0, reach_voxels=0.0)
    assert is_tree(tree)
    assert sorted(tree.rows.tolist()) == list(range(len(voxels)))
    pieces = cc3d.connected_components(inside, connectivity=26)[tuple(voxels.T)].astype(np.int64) - 1
    count = pieces.max() + 1
    assert tree.bridged.sum() == count - 1
    # An independent minimum spanning tree over the nearest distances of all pairs of pieces.
    apart = cdist(voxels, voxels)
    between = np.array([[apart[pieces == a][:, pieces == b].min() if a != b else 0 for b in range(count)] for a in range(count)])
    rows, parents = tree.rows[tree.bridged], tree.rows[tree.parents[tree.bridged]]
    assert apart[rows, parents].sum() == pytest.approx(minimum_spanning_tree(between).sum())


def test_the_gap_between_neighbours_is_not_jumped():
    """Two arms, one voxel apart, both stay: what is covered is measured along the neurite."""
    inside = np.zeros((1, 3, 30), bool)
    inside[0, 0, :] = inside[0, 2, :] = inside[0, :, 0] = True
    tree, voxels = tree_of(inside)
    for arm in (0, 2):
        assert (voxels[tree.rows][:, 1] == arm).sum() >= 28


def test_nothing_is_left_farther_than_the_reach():
    rng = np.random.default_rng(5)
    inside = np.zeros((20, 20, 20), bool)
    for _ in range(6):
        at = np.array([10, 10, 10])
        for _ in range(40):
            at = np.clip(at + rng.integers(-1, 2, 3), 0, 19)
            inside[tuple(at)] = True
    tree, voxels = tree_of(inside)
    assert cdist(voxels, voxels[tree.rows]).min(1).max() <= 1.75
