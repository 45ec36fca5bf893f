"""Fronts against independent implementations and against distances that are known."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS
from neurotome.tracing.tracers.component import component_of
from neurotome.tracing.tracers.heap import lift, take_first
from neurotome.tracing.tracers.marching import eikonal_front, geodesic_front


def begin_at(component, *rows):
    begin = np.full(len(component), np.inf)
    begin[list(rows)] = 0
    return begin


@pytest.fixture
def blob(rng):
    volume = (rng.random((34, 20, 36)) < 0.4).astype(np.uint8)
    volume[33, 10, 10] = 1
    return component_of(Bricks.of(volume, (300.0, 100.0, 150.0)), (33, 10, 10), 1)


def test_a_heap_gives_items_by_key_and_then_by_number(rng):
    key = rng.integers(0, 20, 200).astype(float)
    heap, place, size = np.empty(200, np.int32), np.full(200, -1, np.int32), 0
    later = key.copy()
    key[::3] += 30
    for item in rng.permutation(200):
        size = lift(heap, place, key, size, item)
    for item in range(0, 200, 3):
        key[item] = later[item]
        size = lift(heap, place, key, size, item)
    out = []
    while size:
        out.append(int(take_first(heap, place, key, size)))
        size -= 1
    assert out == np.lexsort((np.arange(200), later)).tolist() and (place == -1).all()


def test_geodesic_times_are_those_of_the_reference(blob, rng):
    slowness = rng.random(len(blob)).astype(np.float32) + 0.01
    front = geodesic_front(blob, slowness, begin_at(blob, blob.start))
    number = {tuple(p): n for n, p in enumerate(blob.voxels.positions.tolist())}
    edges = [
        (here, number[there], 0.5 * length * (float(slowness[here]) + float(slowness[number[there]])))
        for offset, length in zip(NEIGHBOURS, blob.steps_nm)
        for here, there in enumerate(map(tuple, (blob.voxels.positions + offset).tolist()))
        if there in number
    ]
    a, b, w = (np.array(c) for c in zip(*edges))
    expected = dijkstra(coo_matrix((w, (a, b)), shape=(len(blob),) * 2).tocsr(), indices=blob.start)
    assert np.allclose(front.time, expected, rtol=1e-6)


def test_parents_come_before_children_and_later_times_after(blob, rng):
    for front in (
        geodesic_front(blob, np.ones(len(blob)), begin_at(blob, blob.start)),
        eikonal_front(blob, rng.random(len(blob)) + 0.01, blob.start),
    ):
        assert sorted(front.order.tolist()) == list(range(len(blob)))
        assert (np.diff(front.time[front.order]) >= 0).all()
        inner = front.came >= 0
        assert (~inner).sum() == 1 and front.came[blob.start] == -1
        assert (front.time[front.came[inner]] < front.time[inner]).all()


def test_several_sources_share_the_voxels():
    component = component_of(Bricks.of(np.full((1, 1, 41), 255, np.uint8), (1.0, 1.0, 1.0)), (0, 0, 0), 1)
    front = geodesic_front(component, np.ones(41), begin_at(component, 0, 40))
    assert front.time.tolist() == [min(x, 40 - x) for x in range(41)]


@pytest.mark.parametrize("depth", [1.0, 3.0])
def test_a_front_through_even_ground_measures_distance_the_better_the_finer_the_voxels(depth):
    errors = []
    for reach in (12, 24):
        shape = (2 * reach // int(depth) + 1, 2 * reach + 1, 2 * reach + 1)
        component = component_of(
            Bricks.of(np.full(shape, 255, np.uint8), (depth, 1.0, 1.0)), (reach // int(depth), reach, reach), 1
        )
        far = np.linalg.norm(component.points_nm - component.points_nm[component.start], axis=1)
        ring = (far > 0.8 * reach) & (far <= reach)
        even = np.ones(len(component))
        fronts = (
            eikonal_front(component, even, component.start),
            geodesic_front(component, even, begin_at(component, component.start)),
        )
        marched, stepped = (front.time[ring] / far[ring] - 1 for front in fronts)
        assert marched.min() >= -1e-6 and (marched <= stepped + 1e-6).all()
        assert marched.mean() < 0.5 * stepped.mean()
        errors.append(marched.mean())
    # Of first order: the error goes to 0 with the size of the voxels, that of steps to 26 neighbours does not.
    assert errors[1] < 0.75 * errors[0]


def test_a_front_passes_corners():
    volume = np.zeros((9, 9, 9), np.uint8)
    volume[np.arange(9), np.arange(9), np.arange(9)] = 255
    component = component_of(Bricks.of(volume, (1.0, 1.0, 1.0)), (0, 0, 0), 1)
    assert eikonal_front(component, np.full(9, 2.0), 0).time.tolist() == pytest.approx([2 * 3**0.5 * k for k in range(9)])
