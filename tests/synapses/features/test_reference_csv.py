"""Tables of the reference: written as it does, read back the same, older ones too."""

import numpy as np
import pandas as pd
import pytest

from neurotome.core import CropLook, FormatError, InputError, MissingFileError
from neurotome.synapses.features import assemble, network_features, read_reference_csv, reference_csv_name, write_reference_csv

OLD = "bbox,Var1,bbox_name,feat_1,feat_2,umap_x,umap_y,segmentation_type,alpha,extraction_method\n{rows}"


def old(path, rows="bbox1,a,bbox1,1,2,0,0,9,0.5,standard\nbbox2,a,bbox2,3,4,1,0,9,0.5,standard\n", header=OLD):
    path.write_text(header.format(rows=rows))
    return path


@pytest.mark.parametrize(("layer", "pooling"), [(20, "avg"), ("standard", "max"), (3, "concat_avg_max")])
def test_round_trip(crops, network, tmp_path, layer, pooling):
    table, _ = network_features(crops, CropLook(mask="9", alpha=0.5), network, layer=layer, pooling=pooling)
    table.obsm["X_umap"] = np.arange(2.0 * len(table)).reshape(-1, 2)
    again = read_reference_csv(write_reference_csv(tmp_path, table))
    assert np.array_equal(again.X, table.X) and list(again.var_names) == list(table.var_names)
    assert list(again.obs_names) == list(table.obs_names) and again.obs_names.is_unique
    assert np.array_equal(again.obsm["X_umap"], table.obsm["X_umap"])
    places = [name for name in table.obs if name.startswith(("center", "side"))]
    assert len(places) == 9 and again.obs[places].to_numpy().tolist() == table.obs[places].to_numpy().tolist()
    assert again.uns["network"] == {"layer": str(layer), "pooling": pooling, "mask": "9", "alpha": 0.5}


def test_names_and_columns_are_those_of_the_reference(crops, network, tmp_path):
    table, _ = network_features(crops, CropLook(mask="9"), network)
    table = assemble({"vgg3d": table})
    table.obsm["X_umap"] = np.zeros((len(table), 2))
    path = write_reference_csv(tmp_path, table)
    stored = pd.read_csv(path)
    assert path.name == "features_layer20_avg_seg9_alpha1_0.csv"
    columns = list(stored.columns)
    assert columns[:3] == ["bbox", "Var1", "central_coord_1"]
    assert columns[-7 - 8 - 1 :][:2] == ["bbox_name", "layer20_feat_1"]
    assert columns[-5:] == ["segmentation_type", "alpha", "extraction_method", "layer_num", "pooling_method"]
    assert stored["central_coord_1"].tolist() == table.obs["center_x"].tolist(), "1, 2, 3 are x, y, z"
    assert stored.iloc[0][["segmentation_type", "alpha", "extraction_method", "layer_num", "pooling_method"]].tolist() == [
        9,
        1.0,
        "stage_specific",
        20,
        "avg",
    ]
    assert (stored["bbox"] == stored["bbox_name"]).all() and "layer20_feat_8" in columns


@pytest.mark.parametrize(
    ("name", "pooling"),
    [
        ("features_seg9_alpha0_5.csv", "avg"),
        ("features_max_seg9_alpha0_5.csv", "max"),
        ("updated_features_seg9_alpha0_5.csv", "avg"),
        ("clustered_features.csv", "avg"),
    ],
)
def test_older_names(tmp_path, name, pooling):
    table = read_reference_csv(old(tmp_path / name))
    assert table.uns["network"] == {"layer": "standard", "pooling": pooling, "mask": "9", "alpha": 0.5}
    assert list(table.obs_names) == ["sce/bbox1/a", "sce/bbox2/a"] and table.X.tolist() == [[1, 2], [3, 4]]


def test_older_layer_names_without_pooling(tmp_path):
    table = read_reference_csv(
        old(tmp_path / "features_layer20_seg11_alpha1.csv", "b,a,1.5,2\n", "bbox,Var1,layer20_feat_1,cluster\n{rows}")
    )
    assert table.uns["network"] == {"layer": "20", "pooling": "avg", "mask": "11", "alpha": 1.0}


def test_noise_is_minus_one(tmp_path):
    rows = "b,a,1,999\nb,c,2,0\nb,d,3,1\n"
    table = read_reference_csv(
        old(tmp_path / "features_seg9_alpha1_0.csv", rows, "bbox,Var1,feat_1,cluster\n{rows}"), dataset="x"
    )
    assert table.obs["cluster"].tolist() == ["-1", "0", "1"] and table.obs_names[0] == "x/b/a"


@pytest.mark.parametrize(
    ("rows", "header", "error", "said"),
    [
        ("b,a,1\nb,a,2\n", "bbox,Var1,feat_1\n{rows}", InputError, "several rows of sce/b/a"),
        ("b,a,1\nb,c,\n", "bbox,Var1,feat_1\n{rows}", FormatError, "no number for feat_1 in row 2"),
        ("b,a,1\nb,c,x\n", "bbox,Var1,feat_1\n{rows}", FormatError, "no numbers"),
        ("b,a,1\n", "bbox,Var1,f_1\n{rows}", FormatError, "bbox, Var1, f_1"),
        ("b,a,1\n", "bbox,Var1,layer3_feat_1\n{rows}", FormatError, "features of layers 3"),
        ("", "", FormatError, "is no table"),
    ],
)
def test_other_tables_are_refused(tmp_path, rows, header, error, said):
    with pytest.raises(error, match=said):
        read_reference_csv(old(tmp_path / "features_seg9_alpha1_0.csv", rows, header))


def test_what_the_reference_has_no_name_for(crops, network, tmp_path):
    with pytest.raises(InputError, match="stage:3"):
        reference_csv_name("stage:3", "avg", "9", 1.0)
    with pytest.raises(InputError, match="and a preset"):
        reference_csv_name(20, "avg", "cleft | pre", 1.0)
    with pytest.raises(MissingFileError, match="does not exist"):
        read_reference_csv(tmp_path / "features_seg1_alpha1.csv")
    with pytest.raises(FormatError, match="mask and alpha"):
        read_reference_csv(old(tmp_path / "mine.csv", "b,a,1\n", "bbox,Var1,feat_1\n{rows}"))
    table, _ = network_features(crops, CropLook(mask="9"), network)
    del table.uns["network"]
    with pytest.raises(InputError, match="without features of a network"):
        write_reference_csv(tmp_path, table)
