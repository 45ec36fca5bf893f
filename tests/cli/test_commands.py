"""Every command does its job once, on small files, as a user would call it."""

import json

import numpy as np
import pytest

from neurotome.io import open_image, open_labels, open_probability
from neurotome.report import read_results

COMMANDS = (
    ("demo",), ("reconstruct",), ("view",), ("score",), ("convert",), ("export",), ("info",),
    ("boundary", "train"), ("boundary", "predict"),
    ("boundary", "score"), ("boundary", "preview"), ("boundary", "submission"), ("boundary", "onnx"),
    ("neurons", "segment"), ("neurons", "tune"), ("neurons", "score"),
    ("neurons", "cut"), ("data", "list"), ("data", "fetch"),
    ("data", "phantom"),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_says_what_it_does(cli, command):
    code, out, _ = cli(*command, "--help")
    assert code == 0 and "Usage" in out and len(out.split()) > 20


def test_version(cli):
    from neurotome import __version__

    assert __version__ in cli("--version")[1]


def test_info_and_convert_keep_units(cli, files, tmp_path):
    code, out, _ = cli("info", files / "image.ome.tif")
    assert code == 0 and "30, 6, 6" in out and "10, 128, 128" in out
    for name in ("a.ome.zarr", "b.h5", "c.tif"):
        assert cli("convert", files / "image.ome.tif", tmp_path / name)[0] == 0
        copy = open_image(tmp_path / name)
        assert copy.grid.voxel_nm == (30, 6, 6)
        assert np.array_equal(copy.read(), open_image(files / "image.ome.tif").read())
    assert cli("convert", files / "image.ome.tif", tmp_path / "c.tif")[0] == 2


def test_export_for_neuroglancer(cli, files, tmp_path):
    code, out, err = cli("export", files / "truth.ome.tif", "-o", tmp_path / "t.precomputed", "--mesh-level", 0)
    assert code == 0 and "precomputed://ADDRESS/labels" in out.replace("\n", ""), err
    folder = tmp_path / "t.precomputed" / "labels"
    truth = open_labels(files / "truth.ome.tif").read()
    assert np.array_equal(open_labels(folder).read(), truth)
    assert len(list((folder / "mesh").glob("*:0"))) == len(np.unique(truth[truth > 0]))
    assert cli("export", files / "truth.ome.tif", "-o", tmp_path / "t.precomputed", "--no-meshes")[0] == 2


def test_data_list_names_every_set(cli):
    out = cli("data", "list")[1]
    assert all(name in out for name in ("isbi2012", "snemi3d", "drosophila", "phantom"))


def test_data_phantom(cli, tmp_path):
    code, _, err = cli("data", "phantom", "-o", tmp_path / "p", "--shape", 8, 96, 96, "--seed", 2)
    assert code == 0, err
    assert open_image(tmp_path / "p" / "image.ome.tif").grid.shape == (8, 96, 96)
    assert (tmp_path / "p" / "synapses.csv").read_text().startswith("id,z_nm,y_nm,x_nm,pre,post")


def test_score_of_the_truth_itself_is_perfect(cli, files, tmp_path):
    code, out, _ = cli(
        "score", files / "truth.ome.tif", files / "truth.ome.tif", "-o", tmp_path / "s.json", "--convention", "cremi"
    )
    assert code == 0 and "adapted_rand_error" in out
    scores = {s["metric"]: s for s in json.loads((tmp_path / "s.json").read_text())}
    assert scores["adapted_rand_error"]["value"] == 0 and scores["adapted_rand_error"]["convention"] == "cremi"
    assert (tmp_path / "errors.csv").read_text().count("\n") == 1


def test_from_prediction_to_neurons_in_single_steps(cli, files, tmp_path):
    code, _, err = cli("boundary", "predict", files / "image.ome.tif", "-o", tmp_path / "p")
    assert code == 0, err
    probability = tmp_path / "p" / "boundary.ome.zarr"
    assert open_probability(probability).grid.shape == (10, 128, 128)
    assert (
        cli("boundary", "score", probability, files / "truth.ome.tif", "--truth-is", "instances", "-o", tmp_path / "b.json")[0]
        == 0
    )
    assert {s["metric"] for s in json.loads((tmp_path / "b.json").read_text())} >= {"v_rand", "v_info"}
    code, out, err = cli("neurons", "tune", probability, files / "truth.ome.tif", "-o", tmp_path / "curve.csv")
    assert code == 0 and "--threshold" in out, err
    for method in ("agglomerate", "components", "link"):
        assert cli("neurons", "segment", probability, "-o", tmp_path / method, "--method", method)[0] == 0
        labels = open_labels(tmp_path / method / "neurons.ome.zarr").read()
        table = (tmp_path / method / "neurons.csv").read_text().splitlines()
        assert labels.dtype == np.uint64 and len(table) - 1 == labels.max() > 1


def test_the_merge_tree_is_cut_without_segmenting_again(cli, files, tmp_path):
    assert cli("boundary", "predict", files / "image.ome.tif", "-o", tmp_path / "p", "--averaging", 1)[0] == 0
    probability = tmp_path / "p" / "boundary.ome.zarr"
    for threshold in (0.2, 0.8):
        run = tmp_path / f"run{threshold}"
        assert cli("neurons", "segment", probability, "-o", run, "--threshold", threshold, "--set", "fill_holes=50")[0] == 0
    code, _, err = cli("neurons", "cut", tmp_path / "run0.2", "--threshold", 0.8, "-o", tmp_path / "cut")
    assert code == 0, err
    assert cli("neurons", "cut", tmp_path / "run0.2", "--threshold", 1.5, "-o", tmp_path / "no")[0] == 2
    again, fresh = (open_labels(tmp_path / name / "neurons.ome.zarr").read() for name in ("cut", "run0.8"))
    assert again.max() > open_labels(tmp_path / "run0.2" / "neurons.ome.zarr").read().max()
    assert np.array_equal(again, fresh)


def test_a_colour_picture_of_grey_is_converted_and_it_says_so(cli, files, tmp_path, caplog):
    code, _, err = cli("convert", files / "grey-rgb.tif", tmp_path / "grey.ome.zarr", "--voxel-nm", 30, 6, 6)
    assert code == 0, err
    assert "read as grey values" in caplog.text


def test_a_run_is_found_again_from_another_folder(cli, files, tmp_path, monkeypatch):
    monkeypatch.chdir(files)
    assert cli("reconstruct", "image.ome.tif", "-o", tmp_path / "out", "--averaging", 1)[0] == 0
    monkeypatch.chdir(tmp_path)
    assert read_results(tmp_path / "out").image is not None
    assert cli("reconstruct", files / "image.ome.tif", "-o", tmp_path / "out", "--averaging", 1)[0] == 0
