"""The cheapest path against a reference implementation, and on crops whose answer can be seen."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from neurotome.core import ShapeError, ValueRangeError
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS
from neurotome.tracing.tracers.minimal_path import cheapest_path
from neurotome.tracing.tracers.neighbourhood import step_lengths

ISO = (100.0, 100.0, 100.0)


def reference_costs(values, start, voxel_nm):
    """Costs to all voxels by SciPy's Dijkstra on the graph with every edge written out."""
    shape, index = values.shape, np.arange(values.size).reshape(values.shape)
    price = 1 / (0.01 + values.reshape(-1) / 255)
    a, b, w = [], [], []
    here = np.argwhere(np.ones(shape, bool))
    for offset, length in zip(NEIGHBOURS, step_lengths(voxel_nm)):
        there = here + offset
        ok = ((there >= 0) & (there < shape)).all(1)
        i, j = index[tuple(here[ok].T)], index[tuple(there[ok].T)]
        a.append(i), b.append(j), w.append(length * (price[i] + price[j]) / 2)
    graph = coo_matrix((np.concatenate(w), (np.concatenate(a), np.concatenate(b))), shape=(values.size,) * 2).tocsr()
    return dijkstra(graph, indices=np.ravel_multi_index(start, shape)).reshape(shape)


@pytest.mark.parametrize("voxel_nm", [ISO, (300.0, 100.0, 120.0)])
def test_costs_are_those_of_the_reference(rng, voxel_nm):
    values = (rng.random((6, 9, 11)) ** 3 * 255).astype(np.uint8)
    goals = np.array([[5, 8, 10], [0, 8, 0], [5, 0, 5]])
    expected = reference_costs(values, (2, 1, 1), voxel_nm)
    for goal in goals:
        path, cost = cheapest_path(values, (2, 1, 1), goal[None], voxel_nm)
        assert cost == pytest.approx(expected[tuple(goal)], rel=1e-12)
        assert path[0].tolist() == [2, 1, 1] and path[-1].tolist() == goal.tolist()
        steps = np.diff(path, axis=0)
        assert np.abs(steps).max() == 1 and np.abs(steps).max(1).min() == 1
        price = 1 / (0.01 + values[tuple(path.T)] / 255)
        walked = np.sqrt(((steps * voxel_nm) ** 2).sum(1)) * (price[1:] + price[:-1]) / 2
        assert walked.sum() == pytest.approx(cost, rel=1e-12)
    path, cost = cheapest_path(values, (2, 1, 1), goals, voxel_nm)
    assert cost == pytest.approx(min(expected[tuple(g)] for g in goals), rel=1e-12)


def test_it_crosses_a_gap_where_it_is_narrowest():
    values = np.zeros((1, 9, 20), np.uint8)
    values[0, 4, :8] = values[0, 4, 14:] = 255  # a gap of 6 on the line
    values[0, 5:8, 7] = values[0, 7, 7:14] = values[0, 5:7, 14] = 255  # and a bright way round it
    path, _ = cheapest_path(values, (0, 4, 0), np.array([[0, 4, 19]]), ISO)
    assert (values[tuple(path.T)] > 0).all()
    values[0, 7, 7:14] = 0
    path, _ = cheapest_path(values, (0, 4, 0), np.array([[0, 4, 19]]), ISO)
    assert path[:, 1].tolist() == [4] * 20


def test_a_start_that_is_a_goal_costs_nothing():
    path, cost = cheapest_path(np.zeros((2, 2, 2), np.uint8), (1, 0, 1), np.array([[0, 0, 0], [1, 0, 1]]), ISO)
    assert path.tolist() == [[1, 0, 1]] and cost == 0


def test_of_equal_goals_the_first_in_order_wins_whatever_order_they_come_in():
    values = np.full((3, 3, 3), 200, np.uint8)
    goals = np.array([[2, 1, 1], [1, 1, 2], [0, 1, 1], [1, 2, 1]])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        path, _ = cheapest_path(values, (1, 1, 1), goals[order], ISO)
        assert path.tolist() == [[1, 1, 1], [0, 1, 1]]


@pytest.mark.parametrize(
    ("values", "start", "goals", "error", "words"),
    [
        (np.zeros((4, 4), np.uint8), (0, 0, 0), [[0, 0, 0]], ShapeError, "a section is a stack of one"),
        (np.zeros((4, 4, 4)), (0, 0, 0), [[0, 0, 0]], ValueRangeError, "scale it first"),
        (np.zeros((4, 4, 4), np.uint8), (0, 0, 0), np.zeros((0, 3)), ShapeError, "at least one voxel"),
        (np.zeros((4, 4, 4), np.uint8), (0, 4, 0), [[0, 0, 0]], ValueRangeError, r"Start \(0, 4, 0\)"),
        (np.zeros((4, 4, 4), np.uint8), (0, 0, 0), [[0, 0, 0], [0, -1, 0]], ValueRangeError, "cut a larger crop"),
    ],
)
def test_what_cannot_be_searched_is_refused(values, start, goals, error, words):
    with pytest.raises(error, match=words):
        cheapest_path(values, start, np.asarray(goals), ISO)
