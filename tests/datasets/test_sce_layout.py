import numpy as np
import pandas as pd
import pytest

from neurotome.core import FormatError, InputError, MissingFileError, ShapeError, UnknownNameError, ValueRangeError
from neurotome.datasets.sce_layout import sce_volumes, write_sce_layout
from neurotome.datasets.synapse_phantoms import p1
from neurotome.io import open_image, open_labels

VOXEL_NM = (8.0, 8.0, 8.0)


@pytest.fixture(scope="module")
def fixture():
    """P1 without most of its sections: enough for 9 and 10 to be told apart."""
    made = p1()
    volume, box = made.volume, type(made.volume.image.grid.box)((50, 0, 0), (62, 140, 160))
    parts = {what: getattr(volume, what).crop(box) for what in ("image", "neurons", "organelles")}
    return type(volume)(volume.name, **parts, structures=volume.structures), made.sites


@pytest.mark.parametrize("rgb", [False, True])
def test_what_is_written_is_read(fixture, tmp_path, rgb):
    volume, sites = fixture
    top = write_sce_layout(tmp_path / "sce", [volume], sites, rgb=rgb)
    found = sce_volumes(top / "raw", top / "seg", top / "mask")
    assert list(found) == ["bbox7"]
    assert found["bbox7"].mask == top / "mask" / "bbox_7"
    assert found["bbox7"].sections == 12
    assert (top / "raw" / "bbox7" / "slice_0.tif").is_file()
    for where, opened, what in (
        ("raw", open_image, "image"),
        ("seg", open_labels, "neurons"),
        ("mask", open_labels, "organelles"),
    ):
        stored = opened(getattr(found["bbox7"], where), voxel_nm=VOXEL_NM)
        assert np.array_equal(stored.read(), getattr(volume, what).read())


@pytest.mark.parametrize(("tables", "path"), [("xlsx", "excel/bbox7.xlsx"), ("csv", "excel/bbox7.csv"), ("one", "sites.csv")])
def test_tables_have_the_columns_of_the_reference(fixture, tmp_path, tables, path):
    volume, sites = fixture
    top = write_sce_layout(tmp_path / "sce", [volume], sites, tables=tables)
    table = (pd.read_excel if tables == "xlsx" else pd.read_csv)(top / path)
    row = table.iloc[0]
    assert [int(row[f"central_coord_{i}"]) for i in (1, 2, 3)] == [83, 65, 60]
    assert [int(row[f"side_1_coord_{i}"]) for i in (1, 2, 3)] == [60, 65, 60]
    assert [int(row[f"side_2_coord_{i}"]) for i in (1, 2, 3)] == [100, 65, 60]
    assert str(row["Var1"]) == "1"
    assert ("bbox_name" in table) == (tables == "one")


def _fill(folder, count):
    folder.mkdir(parents=True)
    for z in range(count):
        (folder / f"slice_{z}.tif").touch()


def test_sections_that_are_missing_are_named_with_their_folders(tmp_path):
    for folder, count in (("raw/bbox2", 12), ("seg/bbox2", 12), ("mask/bbox_2", 11)):
        _fill(tmp_path / folder, count)
    with pytest.raises(ShapeError) as error:
        sce_volumes(tmp_path / "raw", tmp_path / "seg", tmp_path / "mask")
    for said in ("raw/bbox2' 12", "seg/bbox2' 12", "mask/bbox_2' 11"):
        assert said in str(error.value)


def test_volumes_are_in_natural_order(tmp_path):
    for name in ("bbox10", "bbox2", "cortex"):
        for folder in (f"raw/{name}", f"seg/{name}", f"mask/{name.replace('bbox', 'bbox_')}"):
            _fill(tmp_path / folder, 1)
    assert list(sce_volumes(tmp_path / "raw", tmp_path / "seg", tmp_path / "mask")) == ["bbox2", "bbox10", "cortex"]


def test_folders_that_are_missing_or_empty_are_named(tmp_path):
    _fill(tmp_path / "raw/bbox1", 2)
    with pytest.raises(MissingFileError, match="seg/bbox1"):
        sce_volumes(tmp_path / "raw", tmp_path / "seg", tmp_path / "mask")
    _fill(tmp_path / "seg/bbox1", 0)
    _fill(tmp_path / "mask/bbox_1", 2)
    with pytest.raises(FormatError, match="seg/bbox1' 0"):
        sce_volumes(tmp_path / "raw", tmp_path / "seg", tmp_path / "mask")
    (tmp_path / "none").mkdir()
    with pytest.raises(FormatError, match="holds no volumes"):
        sce_volumes(tmp_path / "none", tmp_path / "seg", tmp_path / "mask")


def test_refuses_what_cannot_be_written(fixture, tmp_path):
    volume, sites = fixture
    with pytest.raises(UnknownNameError, match="xlsx"):
        write_sce_layout(tmp_path / "a", [volume], sites, tables="ods")
    with pytest.raises(InputError, match="no sites"):
        write_sce_layout(tmp_path / "b", [volume], sites.iloc[:0])
    ids = type(volume.neurons)(volume.neurons.read() + np.uint64(2**33), volume.neurons.grid)
    large = type(volume)(volume.name, volume.image, ids, volume.organelles, volume.structures)
    with pytest.raises(ValueRangeError, match="uint64"):
        write_sce_layout(tmp_path / "c", [large], sites, rgb=True)
    assert not (tmp_path / "c").exists()
