"""Radii of cylinders, and of what is none."""

import numba
import numpy as np
import pytest

from neurotome.core import ShapeError, UnknownNameError, ValueRangeError
from neurotome.tracing.scooping import rayburst
from neurotome.tracing.sparse.bricks import Bricks

MIDDLE = np.array([[15_000.0, 15_000.0, 50_000.0]])


@pytest.mark.parametrize(
    ("radius", "flat", "solid"), [(2, 2.5, 1.97), (3, 3.5, 3.09), (4, 4.5, 4.03), (5, 5.5, 5.37), (6, 6.5, 6.23), (8, 8.5, 8.28)]
)
def test_binary_cylinders(shapes, radius, flat, solid):
    bricks = shapes.bricks_of(shapes.tube(radius))
    assert rayburst(bricks, MIDDLE, 128, kernel="2d")[0] / shapes.UM == pytest.approx(flat, abs=0.01)
    assert rayburst(bricks, MIDDLE, 128)[0] / shapes.UM == pytest.approx(solid, abs=0.02)


@pytest.mark.parametrize(("radius", "solid"), [(2, 1.98), (3, 3.03), (5, 5.11), (8, 8.23)])
def test_cylinders_with_soft_edges(shapes, radius, solid):
    z, y, x = shapes.axes((31, 31, 101))
    depth = radius + 0.5 - np.sqrt((z - 15) ** 2 + (y - 15) ** 2)
    values = np.where((x >= 10) & (x <= 90), np.clip(255 * depth, 0, 255), 0).astype(np.uint8)
    bricks = Bricks.of(values, (shapes.UM,) * 3)
    assert rayburst(bricks, MIDDLE, 128, kernel="2d")[0] / shapes.UM == pytest.approx(radius, abs=0.02)
    assert rayburst(bricks, MIDDLE, 128)[0] / shapes.UM == pytest.approx(solid, abs=0.05)


@pytest.mark.parametrize("direction", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 1), (1, 1, 1), (1, 2, 3)])
def test_any_direction_is_within_half_a_voxel(shapes, direction):
    way = 25 * np.array(direction) / np.linalg.norm(direction)
    for radius in (2, 3, 5):
        bricks = shapes.bricks_of(shapes.capsule((61, 61, 61), 30 - way, 30 + way, radius))
        assert rayburst(bricks, [[30_000.0] * 3], 128)[0] / shapes.UM == pytest.approx(radius, abs=0.5)


def test_a_radius_in_nm_does_not_depend_on_the_voxels(shapes):
    fine = shapes.capsule((61, 41, 121), (30, 20, 10), (30, 20, 110), 9)
    coarse = shapes.capsule((21, 41, 121), (30, 20, 10), (30, 20, 110), 9, (3.0, 1.0, 1.0))
    point = [[30_000.0, 20_000.0, 60_000.0]]
    a = rayburst(shapes.bricks_of(fine), point, 128)[0]
    b = rayburst(shapes.bricks_of(coarse, (3.0, 1.0, 1.0)), point, 128)[0]
    assert a == pytest.approx(b, rel=0.07)


def test_rays_that_escape_give_half_of_the_cluster(shapes):
    slab = np.zeros((31, 61, 61), bool)
    slab[12:19] = True
    bricks = shapes.bricks_of(slab)
    point = [[15_000.0, 30_000.0, 30_000.0]]
    free = rayburst(bricks, point, 128)[0]
    assert free > 3500
    assert rayburst(bricks, point, 128, cluster_size_nm=np.array([free / 0.76]))[0] == pytest.approx(free / 1.52)
    assert rayburst(bricks, point, 128, cluster_size_nm=np.array([free / 0.74]))[0] == pytest.approx(free)


def test_no_radius_is_below_half_a_voxel(shapes):
    voxel = np.zeros((5, 5, 5), bool)
    voxel[2, 2, 2] = True
    bricks = shapes.bricks_of(voxel, (3.0, 1.0, 1.0))
    assert rayburst(bricks, [[6000.0, 2000.0, 2000.0], [0.0, 0.0, 0.0]], 128).tolist() == [500.0, 500.0]


def test_each_point_can_have_its_threshold(shapes):
    z, y, x = shapes.axes((31, 31, 101))
    values = np.clip(255 - 20 * np.hypot(z - 15, y - 15) + 0 * x, 0, 255).astype(np.uint8)
    bricks = Bricks.of(values, (shapes.UM,) * 3)
    low, high = rayburst(bricks, np.repeat(MIDDLE, 2, axis=0), np.array([100, 200]), kernel="2d")
    assert low / shapes.UM == pytest.approx(155 / 20, abs=0.1)
    assert high / shapes.UM == pytest.approx(55 / 20, abs=0.1)


def test_nothing_is_asked(shapes):
    assert rayburst(shapes.bricks_of(shapes.tube(2)), np.zeros((0, 3)), 128).shape == (0,)


def test_bad_requests_are_refused(shapes):
    bricks = shapes.bricks_of(shapes.tube(2))
    with pytest.raises(UnknownNameError, match="3d"):
        rayburst(bricks, MIDDLE, 128, kernel="3D")
    with pytest.raises(ValueRangeError, match="64 is usual"):
        rayburst(bricks, MIDDLE, 128, directions=3)
    with pytest.raises(ShapeError, match="1 points and 2 cluster sizes"):
        rayburst(bricks, MIDDLE, 128, cluster_size_nm=np.ones(2))


def test_the_same_bytes_on_any_number_of_threads(shapes):
    rng = np.random.default_rng(4)
    bricks = Bricks.of(rng.integers(0, 256, (40, 40, 40)).astype(np.uint8), (500.0, 300.0, 300.0))
    points, sizes = rng.uniform(0, 12_000, (1700, 3)), rng.uniform(500, 3000, 1700)
    thresholds = rng.integers(60, 200, 1700)
    before = numba.get_num_threads()
    found = []
    try:
        for threads in sorted({1, numba.config.NUMBA_NUM_THREADS}):
            numba.set_num_threads(threads)
            found.append(rayburst(bricks, points, thresholds, cluster_size_nm=sizes))
    finally:
        numba.set_num_threads(before)
    one_by_one = [rayburst(bricks, points[[i]], thresholds[[i]], cluster_size_nm=sizes[[i]])[0] for i in range(0, 1700, 7)]
    assert all(other.tobytes() == found[0].tobytes() for other in found)
    np.testing.assert_array_equal(found[0][::7], one_by_one)
