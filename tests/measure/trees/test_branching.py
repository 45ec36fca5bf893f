import numpy as np
import pytest

from neurotome.measure.trees import tree_counts
from neurotome.measure.trees.branching import branching

#            0 -- 1 -- 2
#                 `--- 3 -- 4          5 alone
#                      `--- 6
PARENTS = np.array([-1, 0, 1, 1, 3, -1, 3])
POINTS = np.array([[0, 0, 0], [0, 0, 10], [0, 0, 20], [0, 10, 10], [0, 20, 10], [0, 90, 0], [0, 10, 40.0]])


def test_what_nodes_know():
    found = branching(POINTS, PARENTS)
    assert found.depth.tolist() == [0, 10, 20, 20, 30, 0, 50]
    assert found.up.tolist() == [-1, 0, 1, 1, 3, -1, 3]
    assert found.tips_below.tolist() == [3, 3, 1, 2, 1, 0, 1]
    assert found.order.tolist() == [0, 0, 1, 1, 2, 0, 2]
    assert [row for row in range(7) if found.above(1, row)] == [2, 3, 4, 6]
    assert [row for row in range(7) if found.above(5, row)] == []


def test_counts():
    found = tree_counts(POINTS, PARENTS)
    assert (found.nodes, found.roots, found.stems, found.bifurcations, found.tips) == (7, 2, 1, 2, 3)
    assert (found.length_um, found.longest_path_um, found.highest_order) == (70, 50, 2)
    assert found.furthest_um == pytest.approx(np.hypot(10, 40))


def test_sholl_profile_counts_a_dip_twice():
    """A straight edge from 15 um on one side to 15 um on the other passes the centre at 5 um."""
    points = np.array([[0, 0, 0], [0, 5, 14.2], [0, 5, -14.2]])
    assert tree_counts(points, np.array([-1, 0, 1])).sholl.tolist() == [3]


@pytest.mark.realdata
def test_supplied_fly_neurons():
    from neurotome import datasets
    from neurotome.io.swc import read_swc

    folder = datasets.data_root() / "tracing"
    if not (folder / "fly_neuron.swc").is_file():
        pytest.skip(f"{folder} is not there (set NEUROTOME_DATA)")
    for name, nodes, length, ends, forks in (("fly_neuron", 1679, 1576.034, 24, 23), ("fly_neuron_small", 354, 372.5, 5, 4)):
        read = read_swc(folder / f"{name}.swc", unit="voxel", voxel_nm=(1000.0,) * 3).skeleton
        found = tree_counts(read.points_nm / 1000, read.parent_rows)
        assert (found.nodes, found.tips, found.bifurcations, found.roots) == (nodes, ends, forks, 1)
        assert found.length_um == pytest.approx(length, abs=5e-3)
