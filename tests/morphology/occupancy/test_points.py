import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Frame, PointCloud
from neurotome.morphology.occupancy import GridSettings, frame_of, voxelise
from neurotome.morphology.occupancy.points import drawn, hit_voxels, legacy_voxels, splat

XYZ = np.array([[-0.9, -0.5, 0.0], [-0.4, -0.5, 0.3], [0.4, 0.2, 0.3]])
"""The example of the rule's definition, x, y, z."""


def by_definition(points, voxel, size):
    index = np.unique(np.floor((points - points.min(0)) / voxel).astype(int), axis=0)
    index = index + np.floor((size - index.max(0) - 1) / 2).astype(int)
    grid = np.zeros((size,) * 3, np.uint8)
    grid[tuple(index[((index >= 0) & (index < size)).all(1)].T)] = 1
    return grid


def test_the_legacy_rule_on_its_example():
    grid, cut = legacy_voxels(XYZ, 0.25, 8)
    assert np.argwhere(grid).tolist() == [[1, 2, 3], [3, 2, 4], [6, 4, 4]] and cut == 0


def test_the_legacy_rule_cuts_the_lowest_plane_of_a_box_one_voxel_too_long():
    grid, cut = legacy_voxels(np.array([[-1.0, 0, 0], [1, 0, 0]]), 0.25, 8)
    assert np.argwhere(grid)[:, 0].tolist() == [7] and cut == 1


def test_the_legacy_rule_does_not_see_where_a_neuron_is():
    moved = [legacy_voxels(XYZ + shift, 0.25, 8)[0] for shift in (0, 16, -32)]
    assert (moved[0] == moved[1]).all() and (moved[0] == moved[2]).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from((8, 16, 64)))
def test_the_legacy_rule_is_its_definition(seed, size):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (500, 3)) * rng.uniform(0.1, 1, 3)
    assert (legacy_voxels(points, 2 / size, size)[0] == by_definition(points, 2 / size, size)).all()


@pytest.mark.parametrize("axes", ["zyx", "xyz"])
def test_legacy_clouds_have_a_frame_that_leads_to_their_voxels(axes):
    cloud = PointCloud(XYZ[:, ::-1] * 1e4)
    rule = GridSettings(size=8, rule="legacy", scale="global", range_nm=(-1e4, 1e4), axes=axes)
    found = voxelise(cloud, rule)
    voxels = np.argwhere(found.data if axes == "xyz" else found.data.transpose(2, 1, 0))
    assert voxels.tolist() == [[1, 2, 3], [3, 2, 4], [6, 4, 4]]
    assert found.data[tuple(found.frame.voxels(cloud.points_nm + 1e-6).T)].all()
    assert found.frame.centring == "corner" and found.frame.voxel_nm == 2500 and found.frame.lo_nm == -1e4


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), principal=st.booleans(), scale=st.sampled_from(("per_shape", "global")))
def test_legacy_frames_and_legacy_voxels_agree(seed, principal, scale):
    points = np.random.default_rng(seed).uniform(-1e5, 1e5, (200, 3)) * (1, 0.7, 0.4)
    rule = GridSettings(
        size=16, rule="legacy", scale=scale, range_nm=(-1e5, 1e5), orientation="principal" if principal else "given"
    ).but(most_clipped=1)
    found = voxelise(PointCloud(points), rule)
    position = found.frame.index(points)
    clear = (np.abs(position - np.rint(position)) > 1e-9).all(1)
    inside = position[clear & ((position > 0) & (position < 16)).all(1)]
    assert found.data[tuple(np.floor(inside).astype(int).T)].all()


def test_points_fill_the_voxel_they_lie_in_and_the_ends_belong_to_the_grid():
    frame = Frame((0, 0, 0), -800, 800, 8)
    points = np.array([[-800.0, 0, 800], [799.9, -0.1, 0], [0, 0, 800.1]])
    grid, outside = hit_voxels(points, frame)
    assert np.argwhere(grid).tolist() == [[0, 4, 7], [7, 3, 4]] and outside == 1
    assert outside == (frame.voxels(points)[:, 0] < 0).sum()


def test_neither_order_nor_repetition_of_points_matters(rng):
    points = rng.normal(size=(3000, 3)) * 2e4
    again = np.concatenate([points, points[:700]])[rng.permutation(3700)]
    for choice in ({}, {"rule": "legacy"}, {"mode": "soft"}, {"mode": "edt"}):
        chosen = GridSettings(size=32, centring="none", **choice)
        frame = frame_of(PointCloud(points), chosen)
        one, other = (voxelise(PointCloud(p), chosen, frame).data for p in (points, again))
        assert (one == other).all() and one.any()


def test_drawn_points_depend_on_the_name_alone(rng):
    points = rng.normal(size=(5000, 3)) * 2e4
    one, other = (drawn(PointCloud(points, name=name), 1000) for name in ("a", "b"))
    assert len(one) == 1000 and len(np.unique(one.points_nm, axis=0)) == 1000
    assert (one.points_nm == drawn(PointCloud(points, name="a"), 1000).points_nm).all()
    assert (one.points_nm != other.points_nm).any()
    whole = PointCloud(points)
    assert drawn(whole, 5000) is whole and drawn(whole, None) is whole
    rule = GridSettings(n_points=1000)
    one, other = (voxelise(PointCloud(points, name="a"), rule) for _ in range(2))
    assert (one.data == other.data).all() and one.frame == other.frame
    assert one.data.sum() < voxelise(PointCloud(points, name="a"), GridSettings()).data.sum()


def test_a_splat_is_the_highest_gaussian():
    points = np.array([[3.5, 3.5, 3.5], [3.5, 3.5, 5.2], [9, 9, 9]])
    found = splat(points, 8)
    centres = np.stack(np.meshgrid(*(np.arange(8) + 0.5,) * 3, indexing="ij"), -1)
    apart = centres[..., None, :] - points[:2]
    expected = np.where((np.abs(apart) <= 1.5).all(-1), np.exp(-2 * (apart**2).sum(-1)), 0).max(-1)
    assert np.abs(found - expected).max() < 1e-6
