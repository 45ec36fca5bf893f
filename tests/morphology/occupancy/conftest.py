"""Shapes whose grids are known."""

import numpy as np
import pytest

from neurotome.core import Mesh, Skeleton


def grown_tree(seed: int, nodes: int = 400, name: str = "grown") -> Skeleton:
    """Steps of 2 um that keep their direction for a while, from a soma of 6 um."""
    rng = np.random.default_rng(seed)
    parents, points, headings = np.full(nodes, -1), np.zeros((nodes, 3)), np.zeros((nodes, 3))
    headings[0] = 0.6, 0.0, 0.8
    for row in range(1, nodes):
        parents[row] = row - 1 if rng.random() > 0.04 else rng.integers(row)
        heading = headings[parents[row]] + 0.25 * rng.normal(size=3)
        headings[row] = heading / np.linalg.norm(heading)
        points[row] = points[parents[row]] + 2000 * headings[row]
    kinds = np.where(np.arange(nodes) == 0, 1, 3)
    radii = np.where(kinds == 1, 6000.0, rng.uniform(100, 900, nodes))
    return Skeleton.of(parents, points + np.array([5e4, 2e4, 9e4]), radii, kinds, name=name)


def ball_mesh(centre, radius: float, rounds: int = 3, name: str = "ball") -> Mesh:
    """An octahedron whose triangles are cut in four again and again, its corners on a sphere."""
    corners = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
    triangles = np.array([[a, b, c] if x * y * z > 0 else [a, c, b] for a, x in ((0, 1), (1, -1)) for b, y in ((2, 1), (3, -1))
                          for c, z in ((4, 1), (5, -1))])  # fmt: skip
    for _ in range(rounds):
        a, b, c = (corners[triangles[:, n]] for n in range(3))
        ab, bc, ca = a + b, b + c, c + a
        soup = np.concatenate([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]], axis=1).transpose(1, 0, 2).reshape(-1, 3)
        soup /= np.linalg.norm(soup, axis=1)[:, None]
        corners, same = np.unique(soup.round(12), axis=0, return_inverse=True)
        triangles = same.reshape(-1, 3)
    return Mesh(corners * radius + centre, triangles, name=name)


@pytest.fixture(scope="session")
def tree() -> Skeleton:
    return grown_tree(0)


@pytest.fixture(scope="session")
def grown():
    return grown_tree


@pytest.fixture(scope="session")
def ball():
    return ball_mesh
