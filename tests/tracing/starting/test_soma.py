"""Somata: where they are, how many, and that each is one node from which its stems leave."""

import numpy as np
import pytest

from neurotome.core import SOMA, Skeleton
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.distance import distance_to_background
from neurotome.tracing.starting.foreground import Level, foreground
from neurotome.tracing.starting.soma import find_somata, with_soma

UM = (1000.0, 1000.0, 1000.0)
SHAPE = (41, 80, 160)


def ball(centre, radius, stretch=1.0):
    z, y, x = (np.arange(n).reshape([-1 if i == k else 1 for i in range(3)]) - centre[k] for k, n in enumerate(SHAPE))
    return z**2 + y**2 + (x / stretch) ** 2 <= radius**2


def fibre(radius, y=40):
    grid = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return ((grid[0] - 20) ** 2 + (grid[1] - y) ** 2 <= radius**2) & (grid[2] >= 3) & (grid[2] < 157)


def somata_of(mask, **settings):
    found = foreground(Bricks.of(mask.astype(np.uint8) * 255, UM), Level(128))
    return find_somata(found, distance_to_background(found.voxels), **settings)


def test_a_ball_on_a_fibre():
    (soma,) = somata_of(ball((20, 40, 60), 10) | fibre(2))
    assert soma.voxel == (20, 40, 60)
    assert soma.radius_nm == pytest.approx(10_000, abs=500)
    assert soma.component == 0


def test_no_soma_in_a_fibre_alone_however_thick():
    assert somata_of(fibre(8)) == ()


def test_too_small_for_the_radius_or_for_the_ratio():
    mask = ball((20, 40, 60), 5) | fibre(2)
    assert len(somata_of(mask, least_ratio=2.0)) == 1
    assert somata_of(mask, least_ratio=2.0, least_radius_nm=6000.0) == ()
    assert somata_of(mask, least_ratio=3.0) == ()


def test_a_bouton_of_three_voxels_is_no_soma():
    assert somata_of(ball((20, 40, 60), 2.9) | fibre(0.5)) == ()
    assert len(somata_of(ball((20, 40, 60), 4.2) | fibre(0.5))) == 1


def test_two_somata_of_one_component_and_one_of_another():
    mask = ball((20, 20, 40), 9) | ball((20, 20, 110), 11) | fibre(2, y=20) | ball((20, 60, 80), 10) | fibre(2, y=60)
    somata = somata_of(mask)
    assert [(s.component, s.voxel) for s in somata] == [(0, (20, 20, 110)), (0, (20, 20, 40)), (1, (20, 60, 80))]


def test_two_somata_that_touch_are_two_and_a_long_one_is_one():
    assert len(somata_of(ball((20, 40, 60), 10) | ball((20, 40, 78), 10) | fibre(2))) == 2
    assert len(somata_of(ball((20, 40, 60), 10, stretch=2.5) | fibre(2))) == 1


def test_a_swelling_half_as_large_is_no_second_soma():
    assert len(somata_of(ball((20, 40, 60), 13) | ball((20, 40, 120), 6) | fibre(1))) == 1


def test_nodes_inside_become_the_root():
    parents = [-1, 0, 1, 2, 0, 4, 5]
    points = [[0, 0, 0], [0, 0, 4], [0, 0, 8], [0, 0, 12], [0, 4, 0], [0, 11, 0], [0, 20, 0]]
    features = {"scoop_nm": np.array([2.0, 9, 9, 3, 3, 3, 3])}
    tree = with_soma(Skeleton.of(parents, points, features=features), np.array([0.0, 0.0, 1.0]), 10.0)
    assert tree.kinds.tolist() == [SOMA, 0, 0, 0]
    assert tree.radii_nm[0] == 10
    assert tree.points_nm.tolist() == [[0, 0, 1], [0, 0, 12], [0, 11, 0], [0, 20, 0]]
    assert tree.parent_rows.tolist() == [-1, 0, 0, 2]
    assert tree.features["scoop_nm"].tolist() == [10, 3, 3, 3]
