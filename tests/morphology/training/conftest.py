"""Little neurons to train on."""

import numpy as np
import pytest

from neurotome.core import Skeleton


def grown(seed, nodes=40):
    """A tree that grows from a soma, 4 um a step."""
    rng = np.random.default_rng(seed)
    parents, points, ways = [-1], [np.zeros(3)], [rng.normal(size=3)]
    for node in range(1, nodes):
        parent = int(rng.integers(max(0, node - 6), node))
        way = ways[parent] + 0.6 * rng.normal(size=3)
        parents.append(parent)
        ways.append(way / np.linalg.norm(way))
        points.append(points[parent] + 4000 * ways[-1])
    return Skeleton.of(parents, points, np.full(nodes, 300.0), [1] + [3] * (nodes - 1), name=f"n{seed}")


@pytest.fixture(scope="session")
def trees():
    """Eight neurons, n0 to n7."""
    return [grown(seed) for seed in range(8)]
