"""Territories in one object: nearest by the way inside, each voxel one owner, and where they touch is listed."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS, ObjectVoxels
from neurotome.tracing.starting.foreground import components
from neurotome.tracing.starting.separate import contested_contacts, territories


@pytest.fixture(scope="module")
def maze():
    noise = np.random.default_rng(3).random((12, 40, 40)) < 0.45
    voxels = ObjectVoxels.of(Bricks.of(noise.astype(np.uint8), (300.0, 100.0, 100.0)), 1)
    return voxels.chosen(components(voxels)[0] == 0)


def shortest_ways(voxels, sources):
    """(k, n) by SciPy, over the graph with every edge written out."""
    a, b, length = [], [], []
    for number, position in enumerate(voxels.positions.tolist()):
        for step in NEIGHBOURS:
            other = voxels.at(tuple((position + step).tolist()))
            if other >= 0:
                a.append(number)
                b.append(other)
                length.append(float(np.sqrt(((step * np.array(voxels.voxel_nm)) ** 2).sum())))
    graph = coo_matrix((length, (a, b)), shape=(len(voxels),) * 2).tocsr()
    return dijkstra(graph, indices=sources)


def test_every_voxel_goes_to_the_nearest_source_inside_the_object(maze):
    sources, head_start = np.array([10, len(maze) // 2, len(maze) - 5]), np.array([0.0, 500.0, 100.0])
    found = territories(maze, sources, head_start)
    ways = shortest_ways(maze, sources) - head_start[:, None]
    np.testing.assert_allclose(found.path_nm, ways.min(0), rtol=1e-9, atol=1e-6)
    second = np.sort(ways, axis=0)[1]
    clear = second - ways.min(0) > 1e-6
    np.testing.assert_array_equal(found.owner[clear], ways.argmin(0)[clear])
    assert found.owner.min() == 0


def test_every_territory_is_in_one_piece(maze):
    found = territories(maze, np.array([10, len(maze) // 2, len(maze) - 5]), np.zeros(3))
    for source in range(3):
        assert len(components(maze.chosen(found.owner == source))[1]) == 1


def test_what_no_source_reaches_has_no_owner():
    volume = np.zeros((1, 1, 20), np.uint8)
    volume[0, 0, [2, 3, 4, 10, 11]] = 1
    voxels = ObjectVoxels.of(Bricks.of(volume, (1.0, 1.0, 1.0)), 1)
    found = territories(voxels, np.array([0]), np.zeros(1))
    assert found.owner.tolist() == [0, 0, 0, -1, -1]
    assert len(contested_contacts(voxels, found)) == 0


def test_the_contact_of_two_territories_on_a_line():
    volume = np.ones((1, 3, 101), np.uint8)
    voxels = ObjectVoxels.of(Bricks.of(volume, (10.0, 10.0, 10.0)), 1)
    sources = np.array([voxels.at((0, 1, 0)), voxels.at((0, 1, 100))])
    contact = contested_contacts(voxels, territories(voxels, sources, np.array([0.0, 200.0])))
    assert contact[["first", "second", "voxels"]].to_numpy().tolist() == [[0, 1, 6]]
    # The head start of 20 voxels moves the border 10 voxels towards the other source.
    assert contact["x"].tolist() in ([40], [41])
    assert contact["path_nm"].iloc[0] == pytest.approx(400, abs=15)
