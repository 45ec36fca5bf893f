"""Numbers of the other tool, defects included; see the module."""

import pytest

from neurotome.measure.trees import compare_trees, rivuletpy_compat


@pytest.mark.parametrize(("stop", "step", "f1"), [(100, 10, 0.306), (100, 20, 0.138), (50, 0.1, 0.954), (100, 1, 1.0)], ids=str)
def test_it_depends_on_node_density(line, stop, step, f1):
    test, gold = line(0, stop, step), line(0, 100)
    assert rivuletpy_compat(test.points_nm / 1000, gold.points_nm / 1000, 2.0).f1 == pytest.approx(f1, abs=5e-4)
    compared = compare_trees(test, gold, voxel_nm=(1000, 1000, 1000))
    assert compared.voxel.agreement.f1 == pytest.approx(1 if stop == 100 else 0.6842, abs=5e-5)


def test_nothing_near(line):
    found = rivuletpy_compat(line(0, 9).points_nm, line(0, 9, offset=50).points_nm)
    assert (found.precision, found.recall, found.f1) == (0, 0, 0)
