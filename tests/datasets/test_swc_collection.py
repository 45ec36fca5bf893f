import zipfile

import numpy as np
import pytest

from neurotome.core import FormatError, InputError, MissingFileError, Skeleton, UnknownNameError
from neurotome.datasets import data_root
from neurotome.datasets.fluorescence import FluorescenceSpec, fluorescence
from neurotome.datasets.swc_collection import COLLECTIONS, PARTS, named_collection, part_of, swc_collection
from neurotome.io import write_swc

needs_archives = pytest.mark.skipif(
    not (data_root() / "swc" / "rat_cortex.zip").is_file(), reason="the archives of SWC files are not in the data folder"
)


@pytest.fixture
def folder(tmp_path):
    for name in ("a-b", "a", "c.CNG"):
        write_swc(tmp_path / "n" / f"{name}.swc", Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 2000]], [1, 1]))
    (tmp_path / "n" / "labels.csv").write_text("name,cell_type\nc.CNG,z\na,x\na-b,y\nother,w\n")
    return tmp_path / "n"


def test_a_folder_and_its_archive_hold_the_same(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "n.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    for collection in (swc_collection(folder), swc_collection(tmp_path / "n.zip")):
        assert collection.names == ("a-b", "a", "c.CNG")
        assert collection.files() == ("a-b.swc", "a.swc", "c.CNG.swc")
        assert collection.labels["cell_type"].tolist() == ["y", "x", "z"]
        assert collection.load("a").length_nm == 2000
        assert collection.load("c.CNG.swc").name == "c.CNG"
        with pytest.raises(UnknownNameError, match="neuron of n"):
            collection.load("nobody.swc")


def test_parts_make_up_the_whole(folder):
    collection = swc_collection(folder)
    parts = [collection.files(part) for part in PARTS]
    assert sorted(parts[0] + parts[1]) == sorted(collection.files())
    assert all(part_of(file) == part for part, files in zip(PARTS, parts, strict=True) for file in files)


def test_collections_without_neurons_or_labels_and_with_equal_names(folder, tmp_path):
    (folder / "labels.csv").unlink()
    with pytest.raises(MissingFileError, match=r"labels\.csv"):
        _ = swc_collection(folder).labels
    write_swc(folder / "sub" / "a.swc", swc_collection(folder).load("a"))
    with pytest.raises(InputError, match=r"'a\.swc' and 'sub/a\.swc'"):
        swc_collection(folder)
    (tmp_path / "none").mkdir()
    with pytest.raises(FormatError, match="holds no neurons"):
        swc_collection(tmp_path / "none")


def test_the_part_follows_from_the_name_and_seven_in_ten_are_for_training():
    parts = [part_of(f"{n}.swc") for n in range(2000)]
    assert parts.count("training") == pytest.approx(1400, abs=60)
    assert part_of("14.swc") == parts[14]


def test_unknown_names_and_missing_archives_are_said(folder, tmp_path):
    with pytest.raises(UnknownNameError, match="fly_medulla"):
        named_collection("fly_medula")
    with pytest.raises(UnknownNameError, match="training"):
        swc_collection(folder).files("train")
    with pytest.raises(MissingFileError, match="NEUROTOME_DATA"):
        named_collection("rat_cortex", root=tmp_path)


@pytest.mark.realdata
@needs_archives
def test_the_archives_hold_enough_neurons_of_both_parts():
    for name, total, types in (("fly_medulla", 379, 89), ("rat_cortex", 200, 2)):
        collection = named_collection(name)
        training, test = (collection.files(part) for part in PARTS)
        assert len(training) + len(test) == len(collection) == total
        assert len(test) >= 30
        assert not set(training) & set(test)
        assert collection.labels["cell_type"].nunique() == types
    assert COLLECTIONS == ("fly_medulla", "rat_cortex")


@pytest.mark.realdata
@needs_archives
def test_a_real_neuron_is_read_and_rendered():
    rat = named_collection("rat_cortex")
    tree = rat.load(rat.files("test")[0])
    assert len(tree.roots) == 1
    stack = fluorescence(FluorescenceSpec(source=tree, radius_vox=(1.0, 3.0), snr=7))
    assert 300 < stack.skeleton.length_nm / 500 <= 2000
    assert np.median(stack.skeleton.radii_nm) / 500 == pytest.approx(1.8, abs=0.7)
