import logging

import numpy as np
import pytest

from neurotome.core import Frame, InputError, PointCloud, ShapeError, Skeleton
from neurotome.morphology.occupancy import GridSettings, frame_of, voxelise


def line(length_nm, name="line", radius=0.0):
    return Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, length_nm]], [radius] * 2, [1, 3], name=name)


def test_one_node_is_one_voxel_or_a_ball():
    dot = voxelise(Skeleton.of([-1], [[7e5, 8e5, 9e5]]), GridSettings(size=32))
    assert np.argwhere(dot.data).tolist() == [[16, 16, 16]] and dot.frame.soma_index == (16, 16, 16)
    ball = voxelise(Skeleton.of([-1], [[7e5, 8e5, 9e5]], [5e3]), GridSettings(size=32))
    assert ball.data.sum() * ball.frame.voxel_nm**3 == pytest.approx(4 / 3 * np.pi * 125e9, rel=0.02)


def test_both_of_two_trees_are_there():
    pair = Skeleton.of([-1, 0, -1, 2], [[0, 0, 0], [0, 0, 4e4], [3e4, 0, 0], [3e4, 0, 4e4]], [100] * 4)
    found = voxelise(pair, GridSettings(size=32))
    assert found.data[found.frame.voxels(pair.points_nm)[:, 0]].any((1, 2)).all()
    assert (found.data.any((1, 2))).sum() == 2


def test_nothing_leaves_a_grid_of_its_own(tree):
    for choice in ({}, {"centring": "mean"}, {"centring": "none"}, {"orientation": "principal"}):
        found = voxelise(tree, GridSettings(**choice))
        assert found.frame.clipped_fraction == 0
        assert found.data[tuple(found.frame.voxels(tree.points_nm).T)].all()
        assert found.name == "grown" and found.frame.scale == "per_shape"


def test_a_little_outside_is_logged_and_kept(caplog):
    with caplog.at_level(logging.WARNING, "neurotome.morphology"):
        found = voxelise(line(1e5, "longish", 900), GridSettings(scale="fixed_extent", extent_nm=9.8e4))
    assert found.frame.clipped_fraction == pytest.approx(0.02)
    assert "2.0% of 'longish' lies outside" in caplog.text and "extent_nm=100900 would hold all" in caplog.text
    caplog.clear()
    within = voxelise(line(1e5, "within", 900), GridSettings(scale="fixed_extent", extent_nm=9.95e4))
    assert within.frame.clipped_fraction == pytest.approx(0.005) and not caplog.records


def test_much_outside_is_refused_with_the_extent_that_holds_it():
    tight = GridSettings(scale="fixed_extent", extent_nm=8e4)
    with pytest.raises(InputError, match=r"20\.0% of 'long' lies outside.*80\.0 um.*extent_nm=100000, which holds all"):
        voxelise(line(1e5, "long"), tight)
    assert voxelise(line(1e5, "long"), tight.but(most_clipped=0.3)).frame.clipped_fraction == pytest.approx(0.2)
    cloud = PointCloud(np.array([[0, 0, 0], [0, 0, 9e4]]), soma_nm=(0, 0, 0), name="cloud")
    with pytest.raises(InputError, match=r"50\.0% of 'cloud'"):
        voxelise(cloud, tight)


def test_the_extent_named_is_enough():
    tree = line(1e5, "long", 700)
    assert voxelise(tree, GridSettings(scale="fixed_extent", extent_nm=100700)).frame.clipped_fraction == 0


def test_a_tree_without_radii_is_half_a_voxel_wide(caplog):
    with caplog.at_level(logging.WARNING, "neurotome.morphology"):
        found = voxelise(line(1e5, "bare"), GridSettings(size=32))
        voxelise(line(1e5, "bare"), GridSettings(size=32))
    assert caplog.text.count("'bare' has no radii") == 1
    assert (found.data == voxelise(line(1e5, "half", found.frame.voxel_nm / 2), GridSettings(size=32), found.frame).data).all()
    with pytest.raises(InputError, match="'bare' has no radii"):
        voxelise(line(1e5, "bare"), GridSettings(strict_radii=True))


def test_a_frame_may_be_given(tree):
    frame = frame_of(tree, GridSettings(size=32))
    assert (voxelise(tree, GridSettings(size=32), frame).data == voxelise(tree, GridSettings(size=32)).data).all()
    with pytest.raises(ShapeError, match="A frame of 32 voxels"):
        voxelise(tree, GridSettings(size=64), frame)


def test_a_tree_under_the_legacy_rule_begins_at_the_corner_of_its_box():
    found = voxelise(line(1e5, "legacy"), GridSettings(size=8, rule="legacy", scale="global", range_nm=(-8e4, 8e4)))
    assert found.frame.voxel_nm == 2e4
    assert np.argwhere(found.data).tolist() == [[3, 3, n] for n in range(1, 7)]  # 6 voxels: 1 before, 1 behind
    assert found.frame.index(np.zeros((1, 3))).tolist() == [[3, 3, 1]]


def test_an_empty_skeleton_is_refused():
    empty = Skeleton([], [], np.empty((0, 3)), [], [], name="nothing")
    with pytest.raises(InputError, match="'nothing' has no nodes"):
        voxelise(empty, GridSettings())


def test_everything_outside_is_refused_too():
    with pytest.raises(InputError, match=r"100\.0%"):
        voxelise(line(1e5, "away"), GridSettings(size=8), Frame((1e6, 0, 0), -1e4, 1e4, 8))
