import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Grid, Mesh, ObjectVoxels, PointCloud, Skeleton, UnknownNameError, ValueRangeError
from neurotome.morphology.descriptors.density import DensitySettings, density, density_columns

PLAIN = DensitySettings(pixels=4, smooth=0, orientation="given", depth=4)


def maps_of(shape, settings=PLAIN):
    n = settings.pixels
    return density(shape, settings)[: 3 * n * n].reshape(3, n, n) ** 2


def test_the_cable_of_a_line(line):
    along_x = maps_of(line)
    for image in along_x[:2]:  # zy sees a point, zx the line
        assert image.sum() == pytest.approx(1)
    assert along_x[0].max() == pytest.approx(1)
    np.testing.assert_allclose(along_x[1].max(0), [0.25] * 4, atol=1e-5)
    found = dict(zip(density_columns(PLAIN), density(line, PLAIN), strict=True))
    assert found["log_extent_um"] == pytest.approx(np.log(31)) and found["outside"] == pytest.approx(0, abs=1e-12)


def test_depth_is_counted_along_the_axis_that_is_named(line):
    found = density(line, DensitySettings(pixels=1, smooth=0, orientation="given", depth=3, depth_axis="x"))
    np.testing.assert_allclose(found[3:6] ** 2, [1 / 3] * 3, atol=1e-5)
    principal = density(line, DensitySettings(pixels=1, smooth=0, depth=3))
    np.testing.assert_allclose(principal[3:6] ** 2, [1 / 3] * 3, atol=1e-5)


def test_what_lies_outside_a_fixed_extent_is_told(line):
    found = density(line, DensitySettings(pixels=4, smooth=0, orientation="given", extent_um=15.0))
    assert found[-1] == pytest.approx(0.5)
    assert (found[:48] ** 2).sum() == pytest.approx(3)


def test_soma_or_mean(y_tree):
    """About its soma the Y lies all on one side of x."""
    about_soma = maps_of(y_tree, DensitySettings(pixels=4, smooth=0, orientation="given", centring="soma"))
    assert about_soma[1][:, :2].sum() == 0
    assert maps_of(y_tree)[1][:, :2].sum() > 0.3


def test_smoothing_keeps_the_sum_and_spreads_it(line):
    smooth = maps_of(line, DensitySettings(pixels=12, smooth=1.0, orientation="given"))
    np.testing.assert_allclose(smooth.sum((1, 2)), 1)
    assert smooth[0].max() < 0.5


def test_a_node_lies_in_the_middle(node):
    found = density(node)
    assert np.isfinite(found).all() and found[-2:].tolist() == [0, 0]
    assert (found[:1200] ** 2).sum() == pytest.approx(3)


def test_shapes_without_a_tree():
    corners = np.array([[0, 0, 0], [0, 0, 8], [0, 4, 0], [0, 4, 8], [6, 0, 0], [6, 0, 8], [6, 4, 0], [6, 4, 8]]) * 1000.0
    cloud = PointCloud(corners)
    box = Mesh(corners, [[0, 1, 2], [1, 3, 2], [4, 6, 5], [5, 6, 7]])
    voxels = ObjectVoxels(np.argwhere(np.ones((3, 2, 4), bool)), Grid((3, 2, 4), (3000.0, 4000.0, 2000.0)))
    sizes = [density(shape, PLAIN)[-2] for shape in (cloud, box, voxels)]
    np.testing.assert_allclose(np.expm1(sizes[:1]), 4)
    for shape in (cloud, box, voxels):
        assert len(density(shape, PLAIN)) == len(density_columns(PLAIN))
        np.testing.assert_allclose(maps_of(shape).sum((1, 2)), 1)


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_in_its_own_axes_nothing_but_the_shape_matters(grown, moved, resampled, seed):
    tree = grown(seed, 80)
    np.testing.assert_allclose(density(resampled(moved(tree, seed), seed)), density(tree), atol=1e-3)


def test_a_larger_neuron_differs_in_its_extent_alone(grown):
    tree = grown(2)
    larger = Skeleton(tree.ids, tree.parents, tree.points_nm * 3, tree.radii_nm, tree.kinds)
    differ = np.flatnonzero(abs(density(tree) - density(larger)) > 1e-6)
    assert [density_columns()[i] for i in differ] == ["log_extent_um"]


def test_settings_say_what_is_wrong():
    with pytest.raises(UnknownNameError, match="one of given, principal"):
        DensitySettings(orientation="upright")
    with pytest.raises(UnknownNameError, match="one of mean, soma"):
        DensitySettings(centring="root")
    with pytest.raises(ValueRangeError, match="0 pixels"):
        DensitySettings(pixels=0)
    with pytest.raises(ValueRangeError, match="reach -1"):
        DensitySettings(extent_um=-1)
