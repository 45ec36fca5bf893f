"""Hierarchical pruning on trees that can be drawn."""

import numpy as np

from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers.component import component_of
from neurotome.tracing.tracers.marching import geodesic_front
from neurotome.tracing.tracers.segments import kept_voxels, longest_first, reaches_nm


def comb(*teeth):
    """A line of 40 voxels along x with teeth along y: (x, length)."""
    volume = np.zeros((1, 20, 40), np.uint8)
    volume[0, 0] = 255
    for x, length in teeth:
        volume[0, : length + 1, x] = 255
    component = component_of(Bricks.of(volume, (1.0, 1.0, 1.0)), (0, 0, 0), 1)
    begin = np.full(len(component), np.inf)
    begin[component.start] = 0
    return component, geodesic_front(component, np.ones(len(component)), begin)


def kept(component, front, reach, shortest):
    rows = kept_voxels(component, front.order, front.came, np.full(len(component), reach), shortest)
    assert rows[0] == component.start
    return {tuple(p) for p in component.voxels.positions[rows][:, 1:].tolist()}


def test_the_longest_segment_runs_through_and_others_begin_at_it():
    came = np.array([-1, 0, 1, 2, 1, 4, 5, -1])
    steps = np.array([0.0, 1, 1, 1, 1, 1, 1, 0])
    heads, lengths, follows = longest_first(np.arange(8), came, steps)
    assert heads.tolist() == [0, 2, 7] and lengths.tolist() == [4, 2, 0]
    assert follows.tolist() == [1, 4, 3, -1, 5, 6, -1, -1]


def test_teeth_stay_by_what_the_line_does_not_cover():
    component, front = comb((10, 4), (20, 8), (30, 15))
    line = {(0, x) for x in range(40)}
    assert kept(component, front, 3.0, 6.0) == line | {(y, 30) for y in range(16)}
    with_middle = kept(component, front, 3.0, 4.5)
    assert {(y, 20) for y in range(2, 9)} <= with_middle and (4, 10) not in with_middle
    assert kept(component, front, 0.5, 100.0) == {(0, 0)}


def test_two_teeth_side_by_side_are_one():
    component, front = comb((20, 15), (22, 14))
    found = kept(component, front, 3.0, 3.0)
    assert (15, 20) in found and (14, 22) not in found
    assert (14, 22) in kept(component, front, 1.0, 3.0)


def test_reach_grows_with_the_radius_and_holds_the_diagonal(shapes):
    component = component_of(Bricks.of(shapes.filled(shapes.tube(3)), (300.0, 100.0, 200.0)), (15, 15, 50), 128)
    reach = reaches_nm(component, np.full(len(component), 1000.0), 1.3)
    assert np.allclose(reach, 1300 + np.sqrt(300**2 + 100**2 + 200**2))
