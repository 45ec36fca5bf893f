import anndata
import numpy as np
import pandas as pd
import pytest

from neurotome.core import FormatError, InputError, MissingFileError, UnknownNameError
from neurotome.io.feature_table import read_feature_table, write_feature_csv, write_feature_table


def table(names=("n1", "n2")):
    obs = pd.DataFrame(
        {"kind": ["skeleton", "points"], "length_um": [12.5, np.nan], "cell_type": pd.Categorical(["Tm3", "T4"])},
        index=list(names),
    )
    made = anndata.AnnData(np.arange(6, dtype=np.float32).reshape(2, 3) / 4, obs, pd.DataFrame(index=["e0", "e1", "e2"]))
    made.obsm["X_umap"] = np.array([[0.5, 1.0], [2.0, 3.0]], np.float32)
    made.uns["morphology"] = {"model": "m", "settings": "{}", "version": "1"}
    made.uns["frames"] = np.array(['{"grid": 64}', "{}"], object)
    made.uns["scores"] = pd.DataFrame({"features": ["X"], "value": [0.75], "n": [2]})
    return made


def test_what_is_written_is_read_back_and_two_writes_give_the_same_bytes(tmp_path):
    one, two = tmp_path / "a.h5ad", tmp_path / "b.h5ad"
    write_feature_table(one, table())
    write_feature_table(two, table())
    assert one.read_bytes() == two.read_bytes()
    found = read_feature_table(one)
    assert found.X.dtype == np.float32
    assert found.X.tolist() == table().X.tolist()
    assert list(found.obs_names) == ["n1", "n2"]
    assert list(found.obs["cell_type"].cat.categories) == ["T4", "Tm3"]
    assert np.isnan(found.obs["length_um"].iloc[1])
    assert list(found.uns["frames"]) == ['{"grid": 64}', "{}"]
    assert found.uns["scores"]["value"].tolist() == [0.75]
    assert found.uns["morphology"]["model"] == "m"


def test_the_table_that_was_written_is_not_changed(tmp_path):
    given = table()
    write_feature_table(tmp_path / "a.h5ad", given)
    assert given.obs["kind"].dtype != "category"


def test_a_value_that_cannot_be_stored_is_an_error_and_the_old_file_stays(tmp_path):
    path = tmp_path / "a.h5ad"
    write_feature_table(path, table())
    before = path.read_bytes()
    bad = table()
    bad.uns["what"] = object()
    with pytest.raises(InputError, match="object"):
        write_feature_table(path, bad)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5ad"]


def test_files_that_are_no_tables_are_said_to_be_none(tmp_path):
    with pytest.raises(MissingFileError):
        read_feature_table(tmp_path / "no.h5ad")
    (tmp_path / "text.h5ad").write_text("hello")
    with pytest.raises(FormatError, match=r"text\.h5ad' is no table"):
        read_feature_table(tmp_path / "text.h5ad")
    (tmp_path / "a.csv").write_text("hello")
    with pytest.raises(FormatError, match=r"ends in \.h5ad"):
        read_feature_table(tmp_path / "a.csv")
    with pytest.raises(InputError, match="two rows 'n1'"), pytest.warns(UserWarning, match="not unique"):
        write_feature_table(tmp_path / "a.h5ad", table(("n1", "n1")))


def test_csv_has_labels_features_and_the_maps_asked_for(tmp_path):
    path = tmp_path / "features.csv"
    write_feature_csv(path, table(), maps=["X_umap"])
    lines = path.read_text().splitlines()
    assert lines[0] == "neuron_id,kind,length_um,cell_type,e0,e1,e2,umap_0,umap_1"
    assert lines[2] == "n2,points,,T4,0.75,1.0,1.25,2.0,3.0"
    with pytest.raises(UnknownNameError, match="X_umap"):
        write_feature_csv(path, table(), maps=["X_umpa"])
