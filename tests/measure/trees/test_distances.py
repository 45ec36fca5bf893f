"""The expected values of the definitions: gold = 101 nodes on x = 0..100, in voxels."""

import numpy as np
import pytest

from neurotome.measure.trees import compare_trees
from neurotome.measure.trees.distances import apart, false_rate, is_far, is_near

VOXEL_NM = (1000.0, 1000.0, 1000.0)


def compared(test, gold, unit):
    return compare_trees(test, gold, voxel_nm=VOXEL_NM).in_unit(unit)


@pytest.mark.parametrize("unit", ["voxel", "um"])
@pytest.mark.parametrize(
    ("test", "prf", "far", "vaa3d", "ssd"),
    [
        ((0, 100, 1, 0), (1, 1, 1), (0, 0, 0), (0, 0, 0), 0),
        ((0, 100, 10, 0), (1, 1, 1), (0, 0, 0), (0, 0, 0), 0),
        ((0, 100, 20, 0), (1, 1, 1), (0, 0, 0), (0, 0, 0), 0),
        ((0, 100, 1, 1), (1, 1, 1), (1, 0, 0), (1, 0, 0), 0),
        ((0, 100, 1, 2), (1, 1, 1), (2, 2, 1), (2, 2, 1), 2),
        ((0, 100, 1, 3), (0, 0, 0), (3, 3, 1), (3, 3, 1), 3),
        ((0, 50, 1, 0), (1, 0.52, 0.6842), (6.25, 26, 0.24), (6.25, 25.7526, 0.2425), 13),
        ((0, 50, 10, 0), (1, 0.52, 0.6842), (6.25, 26, 0.24), None, 13),
        ((0, 50, 0.1, 0), (1, 0.52, 0.6842), (6.25, 26, 0.24), None, 13),
        ((0, 200, 1, 0), (0.51, 1, 0.6755), (12.5, 51, 0.245), (12.5, 50.7513, 0.2462), 25.5),
    ],
)
def test_expected_values(line, unit, test, prf, far, vaa3d, ssd):
    start, stop, step, offset = test
    found = compared(line(start, stop, step, offset), line(0, 100), unit)
    near = found.agreement
    assert (near.precision, near.recall, near.f1) == pytest.approx(prf, abs=5e-5)
    assert (found.apart.esa, found.apart.dsa, found.apart.pds) == pytest.approx(far, abs=5e-5)
    if vaa3d is not None:
        assert (found.vaa3d.esa, found.vaa3d.dsa, found.vaa3d.pds) == pytest.approx(vaa3d, abs=5e-5)
    assert found.apart.ssd == pytest.approx(ssd, abs=5e-5)


def test_largest_distances(line):
    found = compared(line(0, 50), line(0, 100), "voxel").apart
    assert (found.dist_max, found.hausdorff) == pytest.approx((0, 49.75))


def test_netmets_of_a_shift(line):
    found = compared(line(0, 100, offset=3), line(0, 100), "voxel")
    assert found.netmets == pytest.approx((0.6753, 0.6753), abs=5e-5)
    assert false_rate(np.zeros(3), np.ones(3)) == 0


def test_both_sides_of_the_threshold_are_included():
    exact = np.array([2.0, 2.0 + 5e-8])
    one = np.ones(2)
    assert is_near(exact, 2.0).all() and is_far(exact, 2.0).all()
    assert apart(exact, exact, one, one).pds == 1
    assert not is_near(exact + 1e-6, 2.0).any() and not is_far(exact - 1e-6, 2.0).any()
