import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Skeleton, ValueRangeError
from neurotome.morphology.descriptors.sholl_profile import SHOLL_SUMMARY, sholl_columns, sholl_profile


def named(tree, spheres=20):
    return dict(zip(sholl_columns(spheres), sholl_profile(tree, spheres), strict=True))


def test_a_line_is_crossed_once_by_every_sphere(line):
    found = named(line, 5)
    assert [found[f"log_crossings_{i}"] for i in range(1, 6)] == pytest.approx([np.log(2)] * 5)
    assert found["log_reach_um"] == pytest.approx(np.log(61))
    assert found["critical_radius"] == pytest.approx(1 / 6)
    assert found["centroid"] == pytest.approx(0.5)
    assert found["ramification"] == 1 and found["log_decay"] == pytest.approx(0, abs=1e-12)


def test_a_star_with_rays_of_1_to_4():
    rays = np.array([[0, 0, 0], [1.2, 0, 0], [0, 2.2, 0], [0, 0, 3.2], [0, 0, -4.0]]) * 1000
    found = named(Skeleton.of([-1, 0, 0, 0, 0], rays), 3)  # spheres of 1, 2 and 3 um
    assert [found[f"log_crossings_{i}"] for i in (1, 2, 3)] == pytest.approx(np.log([5, 4, 3]))
    assert found["log_most"] == pytest.approx(np.log(5)) and found["log_mean"] == pytest.approx(np.log(4))
    assert found["critical_radius"] == 0.25 and found["centroid"] == pytest.approx((1 + 1.5 + 1.5) / 9)
    assert found["ramification"] == 1.0
    assert found["log_decay"] == pytest.approx(2 * np.log(2 / 4))


def test_two_trees_are_added_about_their_own_roots(line):
    both = Skeleton.of([-1, 0, 1, -1, 3, 4], np.concatenate([line.points_nm, line.points_nm + 1e6]))
    assert named(both, 4)["log_most"] == pytest.approx(np.log(3))
    assert named(both, 4)["log_reach_um"] == named(line, 4)["log_reach_um"]


def test_a_node_is_0_throughout(node):
    assert sholl_profile(node).tolist() == [0.0] * (20 + len(SHOLL_SUMMARY))


def test_no_spheres(line):
    with pytest.raises(ValueRangeError, match="1 or more"):
        sholl_profile(line, 0)


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_nothing_but_the_shape_matters(grown, moved, resampled, seed):
    tree = grown(seed, 80, 2)
    np.testing.assert_allclose(sholl_profile(resampled(moved(tree, seed), seed)), sholl_profile(tree), atol=1e-7)
