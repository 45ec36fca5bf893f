import numpy as np
import pytest

from neurotome.core import Skeleton
from neurotome.tracing.edit import Editor
from neurotome.tracing.sparse.bricks import Bricks

VOXEL = (100.0, 100.0, 100.0)


@pytest.fixture
def fork():
    """1 - 2 - 3 with a twig 4 - 5 at 3 and a long branch 6 - 7 - 8; and a tree of its own, 9 - 10. Radius 50, step 1000 nm."""
    points = [[0, 0, 0], [0, 0, 1000], [0, 0, 2000], [0, 500, 2000], [0, 1000, 2000]]
    points += [[0, 0, 3000], [0, 0, 4000], [0, 0, 5000], [0, 0, 7000], [0, 0, 8000]]
    return Skeleton.of([-1, 0, 1, 2, 3, 2, 5, 6, -1, 8], points, [50.0] * 10, [2] * 10, name="fork")


@pytest.fixture
def editor(fork):
    return Editor(fork, user="ann", clock=lambda: "2026-01-31T12:00:00Z")


def tube(*lines, shape=(21, 61, 121), radius=3.0):
    """Bright tubes of a radius in voxels along lines of voxels: ((z, y, x), (z, y, x)) each."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).astype(float)
    volume = np.zeros(shape, np.uint8)
    for start, stop in lines:
        a, d = np.array(start, float), np.subtract(stop, start).astype(float)
        t = np.clip(((grid - a) @ d) / (d @ d), 0, 1)
        volume[np.linalg.norm(grid - a - t[..., None] * d, axis=-1) <= radius] = 255
    return volume


@pytest.fixture
def parent_of():
    return lambda tree, node: int(tree.parents[tree.rows_of([node])[0]])


@pytest.fixture
def value():
    def look_up(tree, node, name):
        column = getattr(tree, name) if hasattr(tree, name) else tree.features[name]
        return column[tree.rows_of([node])[0]]

    return look_up


@pytest.fixture
def line_tree():
    """Nodes on the axis z = 10, y = 30 from x = first to last voxels."""

    def made(first, last, step=5):
        places = range(first, last + 1, step)
        parents = [k - 1 for k in range(len(places))]
        return Skeleton.of(parents, [[1000.0, 3000.0, 100.0 * x] for x in places], [300.0] * len(places))

    return made


@pytest.fixture(scope="session")
def y_bricks():
    """A stem along x from 10 to 60, and two arms from there."""
    volume = tube(((10, 30, 10), (10, 30, 60)), ((10, 30, 60), (10, 10, 110)), ((10, 30, 60), (10, 50, 110)))
    return Bricks.of(volume, VOXEL)


@pytest.fixture(scope="session")
def bent_bricks():
    """A faint way round in a dark volume: from (10, 30, 10) up to y = 50, along x to 60, and back to y = 30."""
    volume = tube(((10, 30, 10), (10, 50, 10)), ((10, 50, 10), (10, 50, 60)), ((10, 50, 60), (10, 30, 60)), radius=1.5)
    return Bricks.of(np.minimum(volume, 200), VOXEL)
