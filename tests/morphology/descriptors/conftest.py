"""Small trees for the descriptors, and what must not matter to them."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neurotome.core import SOMA, Skeleton


@pytest.fixture(scope="session")
def y_tree():
    """A stem of 10 um and two branches of 10 and 34 um, the second with a bend."""
    return Skeleton.of(
        parents=[-1, 0, 1, 1, 3],
        points_nm=np.array([[0, 0, 0], [0, 0, 10], [0, 6, 18], [0, -10, 10], [0, -10, 34]]) * 1000.0,
        radii_nm=np.array([5, 1, 1, 2, 2]) * 1000.0,
        kinds=[1, 3, 3, 2, 2],
        name="y",
    )


@pytest.fixture(scope="session")
def line():
    """60 um along x in two edges."""
    return Skeleton.of([-1, 0, 1], np.array([[0, 0, 0], [0, 0, 20], [0, 0, 60]]) * 1000.0, name="line")


@pytest.fixture(scope="session")
def node():
    return Skeleton.of([-1], [[3000.0, 4000.0, 5000.0]], name="node")


@pytest.fixture(scope="session")
def grown():
    """seed, n -> a neuron of n nodes that keeps its direction for a while, with a soma, radii, and no symmetry."""

    def make(seed: int, n: int = 120, trees: int = 1) -> Skeleton:
        rng = np.random.default_rng(seed)
        parents, points, headings = np.full(n, -1), rng.normal(size=(n, 3)) * 9000, rng.normal(size=(n, 3))
        for row in range(trees, n):
            parents[row] = row - 1 if row > trees and rng.random() > 0.12 else rng.integers(row)
            heading = headings[parents[row]] + 0.5 * rng.normal(size=3) + (0.4, 0.0, 0.1)
            headings[row] = heading / np.linalg.norm(heading)
            points[row] = points[parents[row]] + rng.uniform(1000, 6000) * headings[row]
        kinds = np.where(np.arange(n) == 0, SOMA, 3)
        return Skeleton.of(parents, points, rng.uniform(200, 900, n), kinds, name=f"grown{seed}")

    return make


@pytest.fixture(scope="session")
def moved():
    """tree, seed -> the same tree turned and shifted."""

    def make(tree: Skeleton, seed: int) -> Skeleton:
        rotation = Rotation.random(random_state=seed).as_matrix()
        shift = np.random.default_rng(seed).normal(size=3) * 1e5
        return Skeleton(tree.ids, tree.parents, tree.points_nm @ rotation.T + shift, tree.radii_nm, tree.kinds, name=tree.name)

    return make


@pytest.fixture(scope="session")
def resampled():
    """tree, seed -> the same tree with up to three nodes more on each edge, the radii of neurites in between."""

    def make(tree: Skeleton, seed: int) -> Skeleton:
        rng = np.random.default_rng(seed)
        parents, points = tree.parent_rows.tolist(), list(tree.points_nm)
        radii, kinds = tree.radii_nm.tolist(), tree.kinds.tolist()
        for row in range(len(tree)):
            above = tree.parent_rows[row]
            for at in np.sort(rng.random(rng.integers(0, 4))) if above >= 0 else ():
                start = tree.radii_nm[row if tree.kinds[above] == SOMA else above]
                points.append(tree.points_nm[above] * (1 - at) + tree.points_nm[row] * at)
                radii.append(start * (1 - at) + tree.radii_nm[row] * at)
                kinds.append(int(tree.kinds[row]))
                parents.append(parents[row])
                parents[row] = len(points) - 1
        return Skeleton.of(parents, np.array(points), radii, kinds, name=tree.name)

    return make
