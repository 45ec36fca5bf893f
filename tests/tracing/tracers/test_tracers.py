"""What is particular to one tracer."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree

from neurotome.core import ValueRangeError
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers import (
    BackTrackingSettings,
    ConsensusSettings,
    FastMarchingSettings,
    SpanningTreeSettings,
    spanning_tree,
)
from neurotome.tracing.tracers.centreline import smoothed
from neurotome.tracing.tracers.component import component_of, depths_nm, radii_from_depths
from neurotome.tracing.tracers.fast_marching import grey_weighted_distance
from neurotome.tracing.tracers.marching import geodesic_front
from neurotome.tracing.tracers.segments import reaches_nm
from neurotome.tracing.tracers.spanning_tree import _ways, sample

UM3 = (1000.0, 1000.0, 1000.0)


def test_grey_weighted_distance_sums_probability_on_the_way_out():
    row = np.array([[[0, 51, 102, 255, 102, 51, 0]]], np.uint8)
    component = component_of(Bricks.of(row, UM3), (0, 0, 3), 1)
    grey = grey_weighted_distance(component, depths_nm(component))
    assert grey.tolist() == pytest.approx([200, 500, 1200, 500, 200], rel=1e-6)


def test_grey_weighted_distance_peaks_on_the_axis(shapes):
    component = component_of(Bricks.of(shapes.filled(shapes.tube(5)), UM3), (15, 15, 50), 128)
    grey = grey_weighted_distance(component, depths_nm(component))
    middle = component.voxels.positions[:, 2] == 50
    assert component.voxels.positions[middle][grey[middle].argmax()].tolist() == [15, 15, 50]


def test_back_tracking_crosses_dim_gaps_and_says_so(shapes, traced):
    volume = shapes.filled(shapes.tube(3))
    volume[:, :, 50:54] //= 3
    alone = traced("back_tracking", volume, (15, 15, 10))
    assert alone.points[:, 2].max() < 51 and (alone.tree.features["confidence"] == 1).all()
    across = traced("back_tracking", volume, (15, 15, 10), floor=60)
    assert across.points[:, 2].max() == pytest.approx(90, abs=1) and (across.ends, across.branches) == (2, 0)
    # 4 dim voxels on a path of about 76.
    assert across.tree.features["confidence"][5] == pytest.approx(1 - 4 / 76, abs=0.01)
    assert len(traced("back_tracking", volume, (15, 15, 10), floor=60, min_confidence=0.99).tree) == 1


def test_samples_keep_their_distance_and_leave_no_voxel_out(shapes):
    component = component_of(Bricks.of(shapes.filled(shapes.y_fork()), UM3), (15, 40, 10), 128)
    depths = depths_nm(component)
    reaches = reaches_nm(component, radii_from_depths(depths, component), 1.3)
    chosen = sample(component, depths, reaches)
    assert chosen[0] == component.start
    points = component.points_nm
    far = np.linalg.norm(points[:, None] - points[chosen], axis=2) / reaches[chosen]
    assert far.min(1).max() <= 1
    between = far[chosen]
    assert (between[np.triu_indices(len(chosen), 1)[::-1]] > 1).all()


def test_the_ways_are_a_minimum_spanning_tree(rng):
    volume = (rng.random((20, 24, 40)) < 0.5).astype(np.uint8) * 255
    component = component_of(Bricks.of(volume, UM3), tuple(np.argwhere(volume)[0].tolist()), 1)
    slowness = rng.random(len(component)) + 0.1
    chosen = np.sort(rng.choice(len(component), 30, replace=False))
    begin = np.full(len(component), np.inf)
    begin[chosen] = 0
    front = geodesic_front(component, slowness, begin)
    ways = _ways(component, slowness, front.time, front.came, front.order)
    assert len(ways) == 29
    every = []
    for voxel in chosen:
        alone = np.full(len(component), np.inf)
        alone[voxel] = 0
        every.append(geodesic_front(component, slowness, alone).time[chosen])
    expected = minimum_spanning_tree(coo_matrix(np.triu(np.array(every), 1))).sum()
    slow, points = slowness.astype(np.float32), component.points_nm
    steps = np.linalg.norm(points[ways[:, 0]] - points[ways[:, 1]], axis=1)
    found = front.time[ways].sum() + (steps * (slow[ways[:, 0]] + slow[ways[:, 1]]) / 2).sum()
    assert found == pytest.approx(expected, rel=1e-6)


def test_smoothing_flattens_stairs_and_leaves_ends_and_junctions():
    parents = np.array([-1, 0, 1, 2, 3, 4, 3])
    points = np.array([[0, y, x] for y, x in ((0, 0), (1, 1), (0, 2), (1, 3), (0, 4), (1, 5), (5, 3))], float)
    flat = smoothed(parents, points, 6)
    assert np.array_equal(flat[[0, 3, 5, 6]], points[[0, 3, 5, 6]])
    assert np.abs(np.diff(flat[:4, 1])).max() < np.abs(np.diff(points[:4, 1])).max()
    assert smoothed(parents, points, 0).tolist() == points.tolist()


def test_merging_can_be_switched_off(shapes, traced):
    dense = traced("fast_marching", shapes.tube(3), (15, 15, 10), merge=0.0, extend=False)
    assert len(dense.tree) == 78 and dense.tree.edge_nm.max() <= 1000 * 3**0.5


def test_no_settings_are_the_defaults(shapes):
    bricks = Bricks.of(shapes.filled(shapes.tube(3)), UM3)
    trees = spanning_tree(bricks, (15, 15, 10)), spanning_tree(bricks, (15, 15, 10), SpanningTreeSettings())
    assert trees[0].points_nm.tobytes() == trees[1].points_nm.tobytes()


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        (FastMarchingSettings, {"threshold": 256}, "Threshold 256"),
        (FastMarchingSettings, {"coverage": -1.0}, "coverage"),
        (FastMarchingSettings, {"min_length_nm": float("nan")}, "min_length_nm"),
        (FastMarchingSettings, {"attraction": 99.0}, "Attraction"),
        (BackTrackingSettings, {"floor": 129}, "lower the floor"),
        (BackTrackingSettings, {"min_confidence": 50}, "percent"),
        (SpanningTreeSettings, {"centring": -1.0}, "Centring"),
        (ConsensusSettings, {"quorum": 5}, r"1\.\.4"),
        (ConsensusSettings, {"tolerance": 0.0}, "more than 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, options, words):
    with pytest.raises(ValueRangeError, match=words):
        settings(**options)
