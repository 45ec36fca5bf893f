import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import InputError, PointCloud, Skeleton
from neurotome.morphology.descriptors.morphometrics import MORPHOMETRICS, SKEWED, morphometrics


def test_every_measure_of_a_y(y_tree):
    found = morphometrics(y_tree)
    assert tuple(found) == MORPHOMETRICS and len(MORPHOMETRICS) >= 25
    # The angle between the stem's daughters (0, 6, 8) and (0, -10, 0), and to the far end, (0, -10, 24).
    local, remote = (math.acos((-60 + 8 * z) / 10 / math.hypot(10, z)) for z in (0, 24))
    expected = {"trees": 1, "stems": 1, "bifurcations": 1, "tips": 2, "max_branch_order": 1, "mean_tip_order": 1, "strahler": 2}
    expected |= {"cable_um": 54, "longest_path_um": 44, "mean_path_to_tip_um": 32, "reach_um": math.hypot(10, 34)}
    expected |= {"mean_tip_reach_um": (math.hypot(10, 34) + math.hypot(6, 18)) / 2}
    expected |= {"path_over_reach": (44 / math.hypot(10, 34) + 20 / math.hypot(6, 18)) / 2}
    expected |= {"mean_branch_um": 18, "median_branch_um": 10, "longest_branch_um": 34, "branch_cv": np.std([10, 10, 34]) / 18}
    expected |= {"mean_tip_branch_um": 22, "mean_inner_branch_um": 10, "tortuosity": (1 + 1 + 34 / 26) / 3}
    expected |= {"tip_asymmetry": 0, "cable_asymmetry": 24 / 44}
    expected |= {"local_angle_deg": math.degrees(local), "remote_angle_deg": math.degrees(remote)}
    expected |= {"soma_radius_um": 5, "soma_surface_um2": 100 * math.pi, "known_radii": 1, "max_radius_um": 2}
    expected |= {"depth_um": 0, "spread_3_um": 0, "hull_volume_um3": 0}
    # Branches of radius 1, of 1 to 1 and of 2; the neurite begins at the soma with the radius of its first node.
    radii = {"stem": 1.0, "straight": 1.0, "bent": (10 * 1.5 + 24 * 2) / 34}
    expected |= {"rall_ratio": (radii["straight"] ** 1.5 + radii["bent"] ** 1.5) / radii["stem"] ** 1.5}
    expected |= {"mean_radius_um": (10 + 10 + 34 * radii["bent"]) / 54}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name
    middles = np.array([[0, 0, 5], [0, 3, 14], [0, -5, 10], [0, -10, 22]])
    assert found["root_to_centroid_um"] == pytest.approx(np.linalg.norm(np.average(middles, axis=0, weights=[10, 10, 10, 24])))


def test_a_line(line):
    found = morphometrics(line)
    expected = {"tips": 1, "bifurcations": 0, "length_um": 60, "width_um": 0, "spread_1_um": 60 / math.sqrt(12), "tortuosity": 1}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert found["tip_asymmetry"] == found["rall_ratio"] == found["local_angle_deg"] == found["mean_radius_um"] == 0


def test_a_node_and_somata_alone_are_finite(node):
    found = morphometrics(node)
    assert {name for name, value in found.items() if value} == {"trees"}
    soma = Skeleton.of([-1], [[0, 0, 0]], [2000.0], [1])
    assert morphometrics(soma)["soma_surface_um2"] == pytest.approx(16 * math.pi)


def test_two_trees_add_up(y_tree):
    both = Skeleton.of(
        [*y_tree.parent_rows, *np.where(y_tree.parent_rows < 0, -1, y_tree.parent_rows + 5)],
        np.concatenate([y_tree.points_nm, y_tree.points_nm + 1e5]),
        np.tile(y_tree.radii_nm, 2),
        np.tile(y_tree.kinds, 2),
    )
    one, two = morphometrics(y_tree), morphometrics(both)
    for name in ("trees", "tips", "stems", "cable_um", "volume_um3"):
        assert two[name] == pytest.approx(2 * one[name])
    for name in ("longest_path_um", "tortuosity", "remote_angle_deg", "rall_ratio", "mean_radius_um", "strahler"):
        assert two[name] == pytest.approx(one[name])


def test_a_cloud_has_no_tree():
    with pytest.raises(InputError, match=r"'dots' is a PointCloud. Expected: a skeleton"):
        morphometrics(PointCloud(np.eye(3), name="dots"))


def test_kinds_of_neurites_count_for_nothing(grown):
    tree = grown(3)
    other = Skeleton(tree.ids, tree.parents, tree.points_nm, tree.radii_nm, np.where(tree.kinds == 1, 1, 4))
    assert morphometrics(other) == morphometrics(tree)


@given(st.integers(0, 1000))
@settings(max_examples=12, deadline=None)
def test_nothing_but_the_shape_matters(grown, moved, resampled, seed):
    tree = grown(seed, 70, 2)
    one, other = morphometrics(tree), morphometrics(resampled(moved(tree, seed), seed))
    for name in MORPHOMETRICS:
        tolerance = 0.02 if name == "box_dimension" else 1e-6
        assert other[name] == pytest.approx(one[name], rel=tolerance, abs=1e-6), name


def test_sizes_grow_with_the_neuron_and_ratios_do_not(grown):
    tree = grown(4)
    larger = Skeleton(tree.ids, tree.parents, tree.points_nm * 2, tree.radii_nm * 2, tree.kinds)
    one, other = morphometrics(tree), morphometrics(larger)
    for name in MORPHOMETRICS:
        power = {"um": 1, "um2": 2, "um3": 3}.get(name.rsplit("_", 1)[-1], 0)
        assert other[name] == pytest.approx(one[name] * 2**power, rel=1e-6), name
        assert (power > 0) <= (name in SKEWED), name
