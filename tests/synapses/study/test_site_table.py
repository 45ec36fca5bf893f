import sys

import numpy as np
import pandas as pd
import pytest

from neurotome.core import FormatError, InputError, MissingExtraError, UnknownNameError, ValueRangeError
from neurotome.datasets import synapse_phantoms
from neurotome.synapses.study.site_table import COORDINATES, PRESETS, read_sites

SCE = PRESETS["sce"]


@pytest.fixture
def sites():
    return synapse_phantoms.p1().sites


def rows(n=3, **changes):
    """n sites in canonical columns, one number different in each cell."""
    table = pd.DataFrame({name: 10 * np.arange(n) + i for i, name in enumerate(COORDINATES)})
    table.insert(0, "synapse_id", [f"{i:03d}" for i in range(n)])
    table.insert(0, "volume", "v1")
    return table.assign(**changes)


def sce(table):
    return table.rename(columns=SCE)[[*SCE.values()]]


def write(table, path):
    (table.to_excel if path.suffix == ".xlsx" else table.to_csv)(path, index=False)
    return path


def test_canonical_columns_come_back_as_they_were(tmp_path, sites):
    path = write(sites.assign(note="a", pre_side=[1]), tmp_path / "sites.csv")
    read = read_sites(path)
    assert read.index.tolist() == ["phantom/bbox7/1"] and read.index.name == "key"
    assert read.columns.tolist() == [*sites.columns, "pre_side", "note"]
    assert read[sites.columns].equals(sites)


def test_ids_stay_text_and_the_data_set_is_given(tmp_path):
    large = 18446744073709551615
    read = read_sites(write(rows(side1_id=[large, 1, 2]), tmp_path / "s.csv"), dataset="d")
    assert read.index.tolist() == ["d/v1/000", "d/v1/001", "d/v1/002"]
    assert read["side1_id"].tolist() == [str(large), "1", "2"]
    assert (read[list(COORDINATES)].dtypes == np.int64).all()


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_folder_of_tables_in_the_reference_layout(tmp_path, suffix):
    for name in ("bbox10", "bbox2", "bbox1"):
        write(sce(rows()), tmp_path / f"{name}.{suffix}")
    (tmp_path / f"~$bbox1.{suffix}").write_text("open elsewhere")
    read = read_sites(tmp_path, columns="sce", dataset="d")
    assert read["volume"].unique().tolist() == ["bbox1", "bbox2", "bbox10"] and len(read) == 9
    # 1, 2, 3 are x, y, z.
    assert read.loc["d/bbox2/001", ["center_z", "center_y", "center_x"]].tolist() == [10, 11, 12]
    assert read_sites(tmp_path, columns="sce", volumes=["bbox2"])["volume"].tolist() == ["bbox2"] * 3
    assert read_sites(tmp_path / f"bbox2.{suffix}", columns="sce")["volume"].tolist() == ["bbox2"] * 3


def test_the_reference_columns_are_x_y_z_unless_the_order_says_otherwise(tmp_path, sites):
    path = write(sce(sites), tmp_path / "bbox7.xlsx")
    assert pd.read_excel(path)[["central_coord_1", "central_coord_2", "central_coord_3"]].to_numpy().tolist() == [[83, 65, 60]]
    read = read_sites(path, columns="sce", dataset="phantom")
    assert read[sites.columns].equals(sites)
    swapped = read_sites(path, columns="sce", order="zyx")
    assert swapped[["center_z", "center_y", "center_x"]].to_numpy().tolist() == [[83, 65, 60]]
    assert swapped.columns.tolist() == read.columns.tolist()


def test_one_table_with_a_volume_column_of_another_name_and_own_names(tmp_path):
    table = rows().rename(columns={"volume": "bbox_name", "center_z": "depth"})
    read = read_sites(write(table, tmp_path / "s.csv"), columns={"center_z": "depth"})
    assert read["volume"].tolist() == ["v1"] * 3 and read["center_z"].tolist() == [0, 10, 20]
    with pytest.raises(UnknownNameError, match="canonical column 'centre_z'"):
        read_sites(tmp_path / "s.csv", columns={"centre_z": "depth"})


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_a_byte_order_mark(tmp_path, separator):
    path = tmp_path / "s.csv"
    path.write_text("\ufeff" + rows().to_csv(index=False, sep=separator))
    assert len(read_sites(path)) == 3


def test_a_renamed_column_names_the_closest_and_what_is_there(tmp_path):
    table = sce(rows()).rename(columns={"central_coord_1": "central_coordinate_1"}).drop(columns="side_2_coord_3")
    with pytest.raises(FormatError) as error:
        read_sites(write(table, tmp_path / "bbox1.csv"), columns="sce")
    for said in (
        "central_coord_1 (closest: central_coordinate_1)",
        "side_2_coord_3",
        "it has Var1",
        "columns Var1, central_coord_3",
    ):
        assert said in str(error.value)
    with pytest.raises(FormatError, match="columns: sce"):
        read_sites(tmp_path / "bbox1.csv")


def test_empty_columns_and_cells(tmp_path):
    with pytest.raises(FormatError, match="nothing in column side1_y in every row"):
        read_sites(write(rows(side1_y=np.nan), tmp_path / "s.csv"))
    with pytest.raises(FormatError, match="nothing in column synapse_id in row 3"):
        read_sites(write(rows(synapse_id=["a", " ", "c"]), tmp_path / "s.csv"))
    with pytest.raises(FormatError, match="no sites"):
        read_sites(write(rows().head(0), tmp_path / "s.csv"))
    with pytest.raises(FormatError, match=r"center_x: 'far' in row 4"):
        read_sites(write(rows(center_x=[1, 2, "far"]), tmp_path / "s.csv"))


def test_fractions_are_an_error_unless_rounding_is_given(tmp_path):
    path = write(rows(center_y=[1.0, 2.5, 3.4]), tmp_path / "s.csv")
    with pytest.raises(ValueRangeError, match=r"center_y: 2.5 in rows 3, 4.*rounding: nearest"):
        read_sites(path)
    assert read_sites(path, rounding="nearest")["center_y"].tolist() == [1, 3, 3]
    with pytest.raises(UnknownNameError, match="rounding"):
        read_sites(path, rounding="floor")


def test_negative_coordinates_name_their_rows(tmp_path):
    with pytest.raises(ValueRangeError, match=r"side2_x: -4 in row 3.*origin"):
        read_sites(write(rows(side2_x=[1, -4, 3]), tmp_path / "s.csv"))


def test_duplicate_keys_name_the_first_five_with_their_rows(tmp_path):
    table = pd.concat([rows(7), rows(7), rows(1)])
    with pytest.raises(InputError) as error:
        read_sites(write(table, tmp_path / "s.csv"), dataset="d")
    assert "7 keys more than once: d/v1/000 in rows 2, 9, 16; d/v1/001 in rows 3, 10" in str(error.value)
    assert "d/v1/004" in str(error.value) and "d/v1/005" not in str(error.value)
    # The same id in two volumes is no duplicate.
    read = read_sites(write(pd.concat([rows(), rows(volume="v2")]), tmp_path / "s.csv"))
    assert read.index.is_unique and len(read) == 6


def test_the_presynaptic_side_is_one_two_or_nothing(tmp_path):
    assert read_sites(write(rows(pre_side=[1, 2, np.nan]), tmp_path / "s.csv"))["pre_side"].tolist() == [1, 2, 0]
    with pytest.raises(ValueRangeError, match="pre_side in row 4"):
        read_sites(write(rows(pre_side=[1, 2, 3]), tmp_path / "s.csv"))


def test_a_file_that_says_another_volume_than_its_name(tmp_path):
    write(rows(), tmp_path / "v1.csv")
    assert len(read_sites(tmp_path)) == 3
    write(rows(), tmp_path / "v2.csv")
    with pytest.raises(FormatError, match=r"says volume 'v1' in row 2"):
        read_sites(tmp_path)


def test_what_is_no_table(tmp_path, monkeypatch):
    (tmp_path / "s.xlsx").write_text("no workbook")
    with pytest.raises(FormatError, match="is no table"):
        read_sites(tmp_path / "s.xlsx")
    (tmp_path / "s.pdf").write_text("")
    with pytest.raises(FormatError, match="no known format"):
        read_sites(tmp_path / "s.pdf")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="holds no tables"):
        read_sites(tmp_path / "empty")
    (tmp_path / "s.parquet").write_bytes(b"PAR1")
    for package, file in (("pyarrow", "s.parquet"), ("openpyxl", "s.xlsx")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtraError, match=f"pip install {package}"):
            read_sites(tmp_path / file)


def test_unknown_names(tmp_path):
    path = write(rows(), tmp_path / "s.csv")
    with pytest.raises(UnknownNameError, match="did you mean 'sce'"):
        read_sites(path, columns="sec")
    with pytest.raises(UnknownNameError, match="order of axes"):
        read_sites(path, order="yxz")
    with pytest.raises(UnknownNameError, match=r"volume of the sites 'v3'.*v1"):
        read_sites(path, volumes=["v3"])
    with pytest.raises(ValueRangeError, match="a / in synapse_id in row 2"):
        read_sites(write(rows(1, synapse_id="a/b"), tmp_path / "t.csv"))
