"""All sites -> crops on disk: complete, the same whichever way they were made, and gone on with after an interruption."""

import json
import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from neurotome.core import (
    CropRecipe,
    FormatError,
    Grid,
    Image,
    InputError,
    Labels,
    MissingFileError,
    RunFolderError,
    UnknownNameError,
    ValueRangeError,
)
from neurotome.datasets.synapse_phantoms import p1, p2
from neurotome.io import open_image, open_labels, save_sections
from neurotome.synapses.crops import CropSet, cut_crop, make_crops

RECIPE = CropRecipe(size=16, centring="site")


@pytest.fixture(scope="module")
def volumes():
    first, second = p1().volume, p2().volume
    # Another type of grey values, another legend, and single vesicles.
    image = Image(second.image.data.astype(np.uint16) * 200, second.image.grid)
    structures = {**second.structures, "psd": (1,)}
    return {"bbox7": first, "p2": replace(second, image=image, structures=structures, instances=second.organelles)}


@pytest.fixture(scope="module")
def sites():
    """Ten sites in two volumes, in no order, one of them outside and one at the border."""
    rows = []
    for k, (fixture, shift) in enumerate([(p1(), 0), (p2(), 0), (p1(), 5), (p2(), -3), (p1(), -7), (p1(), 300), (p1(), -60)]):
        row = fixture.sites.iloc[0].to_dict()
        rows.append({**row, "synapse_id": f"s{k}", "center_z": row["center_z"] + shift, "note": "a, b" if k % 2 else ""})
    table = pd.DataFrame(rows)
    return table.set_index(pd.Index(table.dataset + "/" + table.volume + "/" + table.synapse_id, name="key"))


@pytest.fixture(scope="module")
def made(volumes, sites, tmp_path_factory):
    return make_crops(volumes, sites, RECIPE, tmp_path_factory.mktemp("made") / "crops.zarr")


def test_every_site_is_kept_or_discarded(made, sites):
    crops, discarded = made
    assert len(crops) == 6
    assert discarded.to_dict("records") == [
        {"key": "phantom/bbox7/s5", "step": "crops", "reason": "outside_volume", "value": pytest.approx(np.nan, nan_ok=True)}
        | {"threshold": pytest.approx(np.nan, nan_ok=True)}
    ]
    assert sorted([*crops.sites.index, *discarded["key"]]) == sorted(sites.index)
    # In the order they were given, though they were made in another.
    assert list(crops.sites.index) == [key for key in sites.index if key != "phantom/bbox7/s5"]


def test_crops_are_those_of_one_site_alone(made, volumes, sites):
    crops, _ = made
    for row, key in enumerate(crops.sites.index):
        site = sites.loc[key]
        alone = cut_crop(volumes[site["volume"]], site, RECIPE, names=crops.names)
        assert np.array_equal(crops[row].bits, alone.crop.bits)
        assert np.array_equal(crops[row].image, alone.crop.image)
        assert crops[row].key == key
        assert crops[row].levels == alone.crop.levels
        told = crops.sites.loc[key]
        assert all(told[name] == value or value != value for name, value in alone.facts.items())


def test_names_types_and_instances_are_those_of_the_study(made):
    crops, _ = made
    assert crops.names[-1] == "psd"
    assert [crops[r].image.dtype for r in (0, 1)] == [np.uint16, np.uint16]
    assert crops[0].instances is None
    assert np.array_equal(crops[1].instances > 0, crops[1].operand("all_vesicles") | crops[1].operand("all_cleft"))
    assert not crops[0].operand("psd").any()
    assert crops.volumes["p2"].structures["psd"] == (1,)
    assert crops.recipe == RECIPE


def test_the_table_comes_back_with_its_types(made, sites):
    crops, _ = made
    assert crops.sites["note"].tolist() == [n for k, n in enumerate(sites["note"]) if k != 5]
    assert crops.sites["synapse_id"].tolist() == ["s0", "s1", "s2", "s3", "s4", "s6"]
    types = {"pre_label": "uint64", "center_z": "int64", "border": "bool", "margin": "float64"}
    assert {name: str(crops.sites[name].dtype) for name in types} == types
    assert crops.sites["border"].tolist() == [False] * 5 + [True]
    assert crops.sites["valid_fraction"].iloc[-1] == 8 / 16
    assert np.isnan(crops.sites["cleft2_distance_nm"].iloc[1])


def test_rows_are_found_by_key(made):
    crops, _ = made
    assert crops.row("phantom/p2/s3") == 3
    assert crops[-1].key == crops[5].key
    with pytest.raises(IndexError):
        crops[6]
    with pytest.raises(InputError, match="outside_volume"):
        crops.row("phantom/bbox7/s5")
    with pytest.raises(UnknownNameError, match="s3"):
        crops.row("phantom/p2/s33")


def test_a_set_can_be_handed_to_another_process(made):
    crops, _ = made
    assert crops[0].has("cleft")
    assert np.array_equal(pickle.loads(pickle.dumps(crops))[0].bits, crops[0].bits)


def test_all_sites_may_be_discarded(volumes, sites, tmp_path):
    crops, discarded = make_crops(volumes, sites.iloc[[5]], RECIPE, tmp_path / "crops.zarr")
    assert (len(crops), len(crops.sites), discarded["key"].tolist()) == (0, 0, ["phantom/bbox7/s5"])
    assert CropSet.open(crops.path).discarded["step"].tolist() == ["crops"]


def test_what_is_there_is_not_made_again(made, volumes, sites):
    crops, _ = made
    calls = []
    before = (crops.path / "sites.csv").stat().st_mtime_ns
    again, discarded = make_crops(volumes, sites, RECIPE, crops.path, progress=lambda *told: calls.append(told))
    assert (len(again), len(discarded), calls) == (6, 1, [])
    assert (crops.path / "sites.csv").stat().st_mtime_ns == before


def test_a_folder_of_something_else_is_refused(made, volumes, sites, tmp_path):
    crops, _ = made
    with pytest.raises(InputError, match=r"size=16, weight=0\.7\. Expected: size=18, weight=0\.5"):
        make_crops(volumes, sites, replace(RECIPE, size=18, weight=0.5), crops.path)
    with pytest.raises(InputError, match="other sites"):
        make_crops(volumes, sites.iloc[:3], RECIPE, crops.path)
    darker = {**volumes, "bbox7": replace(volumes["bbox7"], image=Image(p1().volume.image.data // 2, p1().volume.image.grid))}
    with pytest.raises(InputError, match="other volumes"):
        make_crops(darker, sites, RECIPE, crops.path)
    with pytest.raises(InputError, match="centring"):
        CropSet.open(crops.path, CropRecipe(size=16))
    with pytest.raises(MissingFileError, match="no set of crops"):
        CropSet.open(tmp_path)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        make_crops(volumes, sites, RECIPE, tmp_path)
    (tmp_path / "zarr.json").write_text("{}")
    with pytest.raises(FormatError, match="another Zarr folder"):
        CropSet.open(tmp_path)


def test_unusable_tables_are_refused(volumes, sites, tmp_path):
    for bad, told in (
        (sites.iloc[:0], "without rows"),
        (sites.drop(columns="side2_x"), "side2_x"),
        (sites.iloc[[0, 0]], "phantom/bbox7/s0"),
        (sites.assign(volume="bbox8"), "did you mean 'bbox7'"),
    ):
        with pytest.raises(InputError, match=told):
            make_crops(volumes, bad, RECIPE, tmp_path / "crops.zarr")
    with pytest.raises(ValueRangeError, match="0 workers"):
        make_crops(volumes, sites, RECIPE, tmp_path / "crops.zarr", workers=0)
    assert not (tmp_path / "crops.zarr").exists()


def test_an_interrupted_run_goes_on_where_it_was(made, volumes, sites, tmp_path):
    path = tmp_path / "crops.zarr"

    def stop(what, done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_crops(volumes, sites, RECIPE, path, progress=stop)
    with pytest.raises(RunFolderError, match="not all made"):
        CropSet.open(path)
    # Killed in the middle of a line.
    journal = path / "journal" / "00000.jsonl"
    lines = journal.read_text()
    journal.write_text(lines + json.dumps({"place": 5})[:6])
    counts = []
    crops, discarded = make_crops(volumes, sites, RECIPE, path, progress=lambda what, done, total: counts.append(done))
    assert counts == [3, 4, 5, 6, 7]
    assert (len(crops), len(discarded)) == (6, 1)
    assert not (path / "journal").exists()
    assert_same(crops, made[0])


def assert_same(found, expected):
    pd.testing.assert_frame_equal(found.sites, expected.sites)
    for row in range(len(expected)):
        assert np.array_equal(found[row].image, expected[row].image)
        assert np.array_equal(found[row].bits, expected[row].bits)


@pytest.fixture(scope="module")
def stored(volumes, tmp_path_factory):
    """The same volumes as stacks of pictures."""
    folder = tmp_path_factory.mktemp("stored")
    found = {}
    for name, volume in volumes.items():
        parts = {}
        for what in ("image", "neurons", "organelles"):
            given = getattr(volume, what)
            data = given.data.astype(np.uint8) if what == "neurons" else given.data
            kind = Image if what == "image" else Labels
            save_sections(kind(data, given.grid), folder / name / what, "tif")
            opened = open_image if what == "image" else open_labels
            parts[what] = opened(folder / name / what, voxel_nm=given.grid.voxel_nm)
        found[name] = replace(volume, **parts)
    return found


def test_processes_and_stacks_of_pictures_give_the_same(made, stored, sites, tmp_path):
    calls = []
    crops, discarded = make_crops(
        stored, sites, RECIPE, tmp_path / "crops.zarr", workers=2, progress=lambda *told: calls.append(told)
    )
    assert_same(crops, made[0])
    assert len(discarded) == 1
    assert calls[-1] == ("crops", 7, 7)
    assert all(a[1] <= b[1] for a, b in pairwise(call for call in calls if call[0] == "crops"))


def test_a_damaged_picture_costs_only_its_sites(stored, sites, tmp_path):
    alone = sites.iloc[[0, 2]].assign(center_z=[20, 90])
    folder = tmp_path / "neurons"
    save_sections(Labels(stored["bbox7"].neurons.read(), Grid((120, 140, 160), (8, 8, 8))), folder, "tif")
    volume = replace(stored["bbox7"], neurons=open_labels(folder, voxel_nm=(8, 8, 8)))
    (folder / "090.tif").write_bytes(b"nothing")
    crops, discarded = make_crops({"bbox7": volume}, alone, RECIPE, tmp_path / "crops.zarr")
    assert crops.sites.index.tolist() == ["phantom/bbox7/s0"]
    assert discarded[["key", "reason"]].to_numpy().tolist() == [["phantom/bbox7/s2", "unreadable"]]


def test_volumes_that_cannot_be_handed_over_are_told(volumes, sites, tmp_path):
    class Held:
        shape, dtype = p1().volume.image.data.shape, np.dtype(np.uint8)

        def __init__(self):
            self.read = lambda key: p1().volume.image.data[key]

        def __getitem__(self, key):
            return self.read(key)

    held = {**volumes, "bbox7": replace(volumes["bbox7"], image=Image(Held(), volumes["bbox7"].image.grid))}
    with pytest.raises(InputError, match="take one worker"):
        make_crops(held, sites, RECIPE, tmp_path / "crops.zarr", workers=2)
