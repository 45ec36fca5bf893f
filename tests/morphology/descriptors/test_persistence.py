import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Skeleton, UnknownNameError, ValueRangeError
from neurotome.morphology.descriptors.persistence import (
    PersistenceSettings,
    bar_statistics,
    betti_curve,
    persistence,
    persistence_columns,
    persistence_image,
    persistence_landscape,
)


def named(tree, settings=None):
    return dict(zip(persistence_columns(settings), persistence(tree, settings), strict=True))


def test_the_vector_of_a_y(y_tree):
    found = named(y_tree, PersistenceSettings(distances=("path",), image=2, betti=4, landscape=1))
    assert found["path_log_scale_um"] == pytest.approx(np.log(45))
    assert found["path_log_bars"] == pytest.approx(np.log(3))
    # Bars 0..1 and 10/44..20/44; the places are 1/8, 3/8, 5/8, 7/8.
    assert [found[f"path_betti_{i}"] for i in range(4)] == pytest.approx(np.log([2, 3, 2, 2]))
    assert [found[f"path_landscape_0_{i}"] for i in range(4)] == [0.125, 0.375, 0.375, 0.125]
    assert found["path_mean_tip"] == pytest.approx((1 + 20 / 44) / 2)
    assert found["path_sd_length"] == pytest.approx((1 - 10 / 44) / 2)
    assert found["path_length_50"] == pytest.approx((1 + 10 / 44) / 2)
    shares = np.array([44, 10]) / 54
    assert found["path_entropy"] == pytest.approx(-(shares * np.log2(shares)).sum())


def test_betti_curves_count_bars_whichever_way_they_lie():
    bars = np.array([[0.0, 1.0], [0.9, 0.3], [0.5, 0.5]])
    places = (np.arange(10) + 0.5) / 10
    expected = [int(((bars.min(1) <= t) & (t < bars.max(1))).sum()) for t in places]
    assert betti_curve(bars, 10).tolist() == expected


def test_an_image_holds_the_mass_where_the_bars_are():
    image = persistence_image(np.array([[0.25, 0.75], [0.1, 0.1]]), 2, 0.05)
    assert image.sum() == pytest.approx(1.0, abs=1e-6)
    assert image[0, 1] == pytest.approx(1.0, abs=1e-5)  # the second bar has no length, so no mass
    on_the_border = persistence_image(np.array([[0.0, 1.0]]), 4, 0.05)
    assert on_the_border.sum() == pytest.approx(0.25)
    assert not persistence_image(np.zeros((0, 2)), 4, 0.05).any()


def test_an_image_is_the_integral_of_gaussians():
    bars, spread = np.array([[0.2, 0.7], [0.4, 0.5]]), 0.1
    fine = (np.arange(400) + 0.5) / 400
    fork, tip = np.meshgrid(fine, fine, indexing="ij")
    dense = sum(
        abs(b - a) * np.exp(-((fork - a) ** 2 + (tip - b) ** 2) / 2 / spread**2) / (2 * np.pi * spread**2) for a, b in bars
    )
    coarse = dense.reshape(4, 100, 4, 100).sum((1, 3)) / 400**2 / 0.6
    np.testing.assert_allclose(persistence_image(bars, 4, spread), coarse, atol=1e-5)


def test_landscapes_descend_and_are_0_where_bars_run_out():
    found = persistence_landscape(np.random.default_rng(0).random((5, 2)), 7, 11)
    assert (np.diff(found, axis=0) <= 0).all() and found.min() == 0 and not found[5:].any()


def test_statistics_of_equal_bars():
    found = bar_statistics(np.array([[0.0, 0.5]] * 4))
    assert found.tolist() == [0, 0, 0.5, 0, 0.5, 0, 0.5, 0.5, 0.5, 0.5, 0.5, pytest.approx(1.0)]


def test_a_node_is_0_and_a_line_finite(node, line):
    assert not persistence(node).any()
    assert np.isfinite(persistence(line)).all()
    assert len(persistence_columns()) == len(set(persistence_columns())) == len(persistence(line)) == 188


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_nothing_but_the_shape_matters(grown, moved, resampled, seed):
    tree = grown(seed, 60, 2)
    np.testing.assert_allclose(persistence(resampled(moved(tree, seed), seed)), persistence(tree), atol=1e-9)


def test_only_the_scale_tells_a_neuron_from_a_larger_one(grown):
    tree = grown(1)
    larger = Skeleton(tree.ids, tree.parents, tree.points_nm * 3, tree.radii_nm, tree.kinds)
    small, large = named(tree), named(larger)
    differ = {name for name in small if abs(small[name] - large[name]) > 1e-9}
    assert differ == {"path_log_scale_um", "radial_log_scale_um"}
    fixed = PersistenceSettings(extent_um=500.0)
    assert abs(persistence(tree, fixed) - persistence(larger, fixed)).max() > 0.1


def test_settings_say_what_is_wrong(line):
    with pytest.raises(ValueRangeError, match="more than 0"):
        PersistenceSettings(spread=0)
    with pytest.raises(ValueRangeError, match="-1 pixels"):
        PersistenceSettings(image=-1)
    with pytest.raises(UnknownNameError, match="euclid"):
        persistence(line, PersistenceSettings(distances=("euclid",)))
