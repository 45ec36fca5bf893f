import anndata
import numpy as np
import pandas as pd
import pytest

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.synapses.analysis.feature_matrix import feature_matrix, logarithms, rows_of, transformed


def test_columns_that_say_nothing_are_left_out_with_their_reason(synapses):
    matrix = feature_matrix(synapses())
    assert matrix.dropped == {"margin": "measure of quality", "vesicle_count": "100% missing"}
    assert matrix.columns == (
        *("cleft_area_um2", "cleft_holes", "vesicle_volume_um3", "mito_within_300nm", "cleft_curvature"),
        *("post_density", "cleft_volume_um3"),
    )
    assert matrix.logged == ("cleft_area_um2", "vesicle_volume_um3", "cleft_volume_um3")
    assert matrix.filled == 1
    assert matrix.values.shape == (90, 7)
    np.testing.assert_allclose(matrix.values.mean(0), 0, atol=0.05)
    assert matrix.described()["columns"] == 7


def test_each_family_counts_as_much_as_one_column(synapses):
    matrix = feature_matrix(synapses(), ("morphometry", "vgg3d"))
    assert matrix.values.shape == (90, 13)
    np.testing.assert_allclose((matrix.values[:, :7] ** 2).mean(0).sum(), 1, rtol=0.1)
    np.testing.assert_allclose((matrix.values[:, 7:] ** 2).mean(0).sum(), 1, rtol=0.01)
    assert feature_matrix(synapses(), None).columns == matrix.columns


def test_many_columns_are_condensed(synapses):
    table = synapses()
    wide = np.random.default_rng(0).standard_normal((90, 80)).astype(np.float32)
    wide = anndata.AnnData(wide, table.obs, pd.DataFrame({"family": "vgg3d"}, index=[f"f{at}" for at in range(80)]))
    matrix = feature_matrix(wide, ("vgg3d",))
    assert (matrix.scaled.shape, matrix.values.shape) == ((90, 80), (90, 50))


def test_the_unit_of_a_logarithm_plays_no_part():
    values = np.array([0.0, 0.001, 0.002, 0.5, np.nan])
    np.testing.assert_allclose(logarithms(values), logarithms(1e9 * values))
    np.testing.assert_allclose(logarithms(np.array([0.1, 1.0])), [np.log(0.1), 0])
    assert logarithms(np.zeros(3)).tolist() == [0, 0, 0]
    with pytest.raises(ValueRangeError, match="'area' has the value -1"):
        logarithms(np.array([-1.0, 2]), "area")


def test_transformed_takes_what_the_table_marks(synapses):
    table = synapses()
    values, logged = transformed(table, [0, 1])
    assert logged == {"cleft_area_um2"}
    np.testing.assert_allclose(values[:, 0], np.log(table.X[:, 0].astype(float)))
    np.testing.assert_array_equal(values[:, 1], table.X[:, 1])


def test_a_correction_moves_every_volume_to_the_same_place(synapses):
    table = synapses(shift=3.0)
    plain = feature_matrix(table)
    at = plain.columns.index("post_density")
    volume = table.obs["volume"].to_numpy()
    assert plain.values[volume == "v3", at].mean() > 1
    even = feature_matrix(table, correction="z_per_volume").values
    for name in ("v1", "v2", "v3"):
        np.testing.assert_allclose(even[volume == name].mean(0), 0, atol=1e-9)
    np.testing.assert_array_equal(plain.corrected(volume, "z_per_volume"), even)


def test_what_cannot_be_used_is_told(synapses):
    with pytest.raises(UnknownNameError, match="Unknown family of features 'vgg3'"):
        feature_matrix(synapses(), ("vgg3",))
    with pytest.raises(UnknownNameError, match="Unknown correction 'z'"):
        feature_matrix(synapses(), correction="z")
    with pytest.raises(InputError, match="where all rows are of one volume"):
        feature_matrix(synapses(volumes=("v1",)), correction="z_per_volume")
    with pytest.raises(InputError, match="A table without synapses"):
        feature_matrix(rows_of(synapses(), np.arange(0)))
    constant = synapses()
    constant.X = np.ones_like(constant.X)
    with pytest.raises(InputError, match="No column has two different values"):
        feature_matrix(constant)
    nameless = synapses()
    del nameless.var["family"]
    with pytest.raises(InputError, match="does not say which family"):
        feature_matrix(nameless)
