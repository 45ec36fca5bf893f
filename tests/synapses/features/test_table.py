"""All families side by side, by key and never by position; who is missing is said once."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from neurotome.cluster.tables import FeatureSettings, features_of, prepared
from neurotome.core import CropLook, InputError
from neurotome.io import read_feature_table, write_feature_table
from neurotome.synapses.discarded import Discarded, discard_table
from neurotome.synapses.features import assemble, left_out, network_features


@pytest.fixture(scope="module")
def families(crops, network):
    """Morphometry of all six crops in another order; network features of five of them."""
    keys = list(crops.sites.index[::-1])
    var = pd.DataFrame(
        {"unit": ["um3", ""], "formula": ["|C| v", ""], "transform": ["log", ""], "quality": [False, True]}, ["cleft", "parts"]
    )
    rows = np.array([[float(key[-1]), 1.0] for key in keys])
    morphometry = AnnData(rows, obs=crops.sites.loc[keys].assign(reason="none"), var=var, uns={"recipe": "x"})
    table, discarded = network_features(crops, CropLook(mask="9"), network)
    return {"morphometry": morphometry, "vgg3d": table}, discarded


def test_rows_are_joined_by_key(families):
    table = assemble(families[0])
    assert list(table.obs_names) == [f"phantom/v{1 + k % 2}/{k}" for k in (5, 4, 3, 1, 0)]
    assert table.X.dtype == np.float32 and table.shape == (5, 10) and table[:, "cleft"].X.ravel().tolist() == [5, 4, 3, 1, 0]
    assert np.array_equal(table["phantom/v2/3", 2:].X, families[0]["vgg3d"]["phantom/v2/3"].X)
    assert {"center_x", "reason", "flags"} <= set(table.obs) and table.obs_names.is_unique


def test_columns_say_what_they_are(families):
    table = assemble(families[0])
    assert table.var["family"].value_counts().to_dict() == {"vgg3d": 8, "morphometry": 2}
    assert table.var.loc["cleft", ["unit", "formula", "transform", "layer"]].tolist() == ["um3", "|C| v", "log", ""]
    assert table.var.loc["parts", "transform"] == "none" and table.var.loc["layer20_feat_2", "layer"] == "20"
    values, names = features_of(table, "X_vgg3d")
    assert names[0] == "layer20_feat_1" and np.array_equal(values, table[:, names].X)
    assert table.uns["families"]["vgg3d"]["network"]["model"] == "toy" and table.uns["families"]["morphometry"] == {"recipe": "x"}


def test_families_count_alike_whatever_their_number_of_columns(families):
    table = assemble(families[0])
    settings = FeatureSettings(("X_morphometry", "X_vgg3d"), logged=("cleft",), most_columns=None)
    assert prepared(table, settings).shape == (5, 9), "parts is the same for all and drops out"


def test_the_table_can_be_kept(families, tmp_path):
    table = assemble(families[0])
    write_feature_table(tmp_path / "features.h5ad", table)
    again = read_feature_table(tmp_path / "features.h5ad")
    assert np.array_equal(again.X, table.X) and list(again.var["family"]) == list(table.var["family"])
    assert features_of(again, "X_morphometry")[1] == ["cleft", "parts"]


def test_kept_and_left_out_are_all_of_them(families, crops):
    tables, discarded = families
    out = left_out(tables, discarded)
    assert out.values.tolist() == [["phantom/v1/2", "view", "no_vesicles", 0, 1]]
    assert sorted([*assemble(tables).obs_names, *out["key"]]) == sorted(crops.sites.index)
    cut = discard_table([Discarded("phantom/v1/9", "crops", "min_valid", 0.3, 0.5), Discarded("phantom/v1/2", "sites", "late")])
    assert left_out(tables, discarded, cut)[["key", "reason"]].values.tolist() == [
        ["phantom/v1/2", "no_vesicles"],
        ["phantom/v1/9", "min_valid"],
    ]
    assert left_out(tables)[["key", "step", "reason"]].values.tolist() == [["phantom/v1/2", "features", "no_vgg3d"]]
    with pytest.raises(InputError, match="columns key"):
        left_out(tables, pd.DataFrame({"key": ["a"]}))


def test_what_cannot_be_joined_is_refused(families):
    tables, _ = families
    with pytest.raises(InputError, match="No family"):
        assemble({})
    with pytest.raises(InputError, match=r"same column: layer20_feat_1, .*each once"):
        assemble({"a": tables["vgg3d"], "b": tables["vgg3d"]})
    other = tables["morphometry"].copy()
    other.obs_names = [f"other/{name}" for name in other.obs_names]
    with pytest.raises(InputError, match=r"share no key \('other/phantom/v2/5' in morphometry, 'phantom/v1/0' in vgg3d"):
        assemble({**tables, "morphometry": other})
    with pytest.warns(UserWarning, match="not unique"):
        twice = tables["morphometry"][[0, 0, 1]].copy()
    with pytest.raises(InputError, match="same key in 'morphometry': phantom/v2/5"):
        assemble({**tables, "morphometry": twice})
