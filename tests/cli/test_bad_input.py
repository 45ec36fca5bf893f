"""Bad input: one clear line that says what to do, exit code 2, and nothing half-written."""

import json
import shutil

import pytest


def complain(result, *words):
    code, _, err = result
    assert code == 2, err
    line = err.strip()
    assert line.startswith("neurotome: ") and "\n" not in line, err
    for word in words:
        assert word in line, line


@pytest.mark.parametrize(
    ("image", "options", "words"),
    [
        ("nowhere.tif", (), ("nowhere.tif", "does not exist")),
        ("no-units.npy", (), ("does not state its voxel size", "--voxel-nm")),
        ("image.ome.tif", ("--voxel-nm", 30, 5, 5), ("30, 6, 6", "30, 5, 5")),
        ("constant.ome.tif", (), ("constant",)),
        ("empty.npy", ("--voxel-nm", 30, 6, 6), ("at least one",)),
        ("coarse.ome.tif", (), ("30, 60, 60", "--rescale")),
        ("damaged.ome.tif", (), ("damaged.ome.tif", "page")),
        ("image.ome.tif", ("--model", "em-afinity-25d"), ("Unknown model", "did you mean 'em-affinity-25d'?")),
        ("image.ome.tif", ("--method", "aglomerate"), ("did you mean 'agglomerate'?", "components, link")),
        ("image.ome.tif", ("--threshold", 1.5), ("1.5", "[0, 1]")),
        ("image.ome.tif", ("--averaging", 3), ("1, 2, 4, 8",)),
        ("image.ome.tif", ("--truth", "truth-short.ome.tif"), ("(5, 128, 128)", "(10, 128, 128)")),
        ("rgb.tif", ("--voxel-nm", 30, 6, 6), ("rgb.tif", "--channel")),
        ("gap", ("--voxel-nm", 30, 6, 6), ("gap", "3")),
        ("sizes", ("--voxel-nm", 30, 6, 6), ("s2.png", "100")),
        ("image.ome.tif", ("--truth", "float-labels.h5"), ("float32", "whole numbers")),
        ("image.ome.tif", ("--truth", "truth-other-voxel.ome.tif"), ("voxel size", "40, 4, 4")),
    ],
)
def test_reconstruct_refuses(cli, files, tmp_path, monkeypatch, image, options, words):
    monkeypatch.chdir(files)
    out = tmp_path / "out"
    complain(cli("reconstruct", image, "-o", out, *options), *words)
    assert not out.exists()


def test_output_folder_of_another_run(cli, files, tmp_path):
    out = tmp_path / "out"
    assert cli("neurons", "segment", *affinities(files), "-o", out)[0] == 0
    before = json.loads((out / "run.json").read_text())
    complain(
        cli("neurons", "segment", *affinities(files), "-o", out, "--threshold", 0.7), "another run", "threshold", "--overwrite"
    )
    assert json.loads((out / "run.json").read_text()) == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("dear")
    complain(cli("neurons", "segment", *affinities(files), "-o", tmp_path / "full", "--overwrite"), "thesis.tex")
    assert (tmp_path / "full" / "thesis.tex").read_text() == "dear"


def affinities(files):
    """A probability volume made once from the truth."""
    from neurotome.boundary import NEAREST, targets
    from neurotome.core import Probability
    from neurotome.io import open_labels, save

    path = files / "affinities.ome.zarr"
    if not path.exists():
        truth = open_labels(files / "truth.ome.tif")
        save(Probability(targets(truth.read(), NEAREST)[0].astype("uint8") * 255, truth.grid, NEAREST), path)
    return (path,)


def test_probabilities_outside_0_and_1(cli, files, tmp_path):
    complain(cli("neurons", "segment", files / "too-bright.h5", "-o", tmp_path / "out", "--channel", "membrane"), "[0, 1]")
    assert not (tmp_path / "out" / "neurons.ome.zarr").exists()


def test_a_full_disk(cli, files, tmp_path, monkeypatch):
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9 - 1000, 1000))
    complain(cli("reconstruct", files / "image.ome.tif", "-o", tmp_path / "out", "--averaging", 1), "No room", "free")
    complain(cli("convert", files / "image.ome.tif", tmp_path / "copy.ome.zarr"), "No room", "free")
    assert not (tmp_path / "copy.ome.zarr").exists() and not (tmp_path / "out").exists()


def test_scores_of_things_that_do_not_fit(cli, files, tmp_path):
    out = tmp_path / "scores.json"
    complain(cli("score", files / "truth.ome.tif", files / "truth-short.ome.tif", "-o", out), "(10, 128, 128)", "(5, 128, 128)")
    complain(
        cli("score", files / "truth.ome.tif", files / "truth.ome.tif", "--convention", "snemy", "-o", out),
        "did you mean 'snemi'?",
    )
    assert not out.exists()


def test_unknown_names_show_the_known_ones(cli, tmp_path):
    complain(cli("data", "fetch", "isbi2021", "-o", tmp_path / "d"), "did you mean 'isbi2012'?", "snemi3d")


def test_recipe_mistakes_are_all_reported(cli, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: x\nchanels: [membrane]\ncrop: large\nvolumes: []\n")
    complain(cli("boundary", "train", recipe, "-o", tmp_path / "m"), "chanels", "crop", "volumes")
    recipe.write_text("name: [")
    complain(cli("boundary", "train", recipe, "-o", tmp_path / "m"), "not YAML")
    complain(cli("boundary", "train", tmp_path / "no.yaml", "-o", tmp_path / "m"), "does not exist")
    assert not (tmp_path / "m").exists()


def test_unknown_option_exits_2(cli, files):
    assert cli("info", files / "image.ome.tif", "--thresold", 1)[0] == 2


def test_debug_shows_the_traceback(cli):
    from neurotome.core import MissingFileError

    with pytest.raises(MissingFileError):
        cli("--debug", "info", "nowhere.tif")


def test_a_path_that_cannot_be_made(cli, files, tmp_path):
    (tmp_path / "file").write_text("")
    complain(cli("convert", files / "image.ome.tif", tmp_path / "file" / "copy.tif"), "file")


def test_scores_do_not_land_on_a_volume(cli, files, tmp_path):
    before = (files / "truth.ome.tif").read_bytes()
    complain(cli("score", files / "truth.ome.tif", files / "truth.ome.tif", "-o", files / "truth.ome.tif"), ".json")
    assert (files / "truth.ome.tif").read_bytes() == before


def test_settings_by_name(cli, files, tmp_path):
    complain(
        cli("neurons", "segment", *affinities(files), "-o", tmp_path / "o", "--set", "fill_hole=5"), "did you mean 'fill_holes'?"
    )
    complain(cli("neurons", "segment", *affinities(files), "-o", tmp_path / "o", "--set", "grow"), "NAME=VALUE")
    complain(
        cli("neurons", "segment", *affinities(files), "-o", tmp_path / "o", "--method", "link", "--threshold", 3), "3", "[0, 1]"
    )
    assert not (tmp_path / "o").exists()


def test_workers_are_asked_for_in_words_that_exist(cli, files, tmp_path):
    predict = ("boundary", "predict", files / "image.ome.tif", "-o", tmp_path / "out", "--averaging", 1)
    complain(cli(*predict, "--workers", 0), "--workers 1 or more")
    complain(cli(*predict, "--slurm", "cpu"), "--slurm partition=cpu")
    complain(cli(*predict, "--slurm", "partition=cpu", "--scheduler", "tcp://localhost:1"), "one of them")
    assert not (tmp_path / "out").exists()


def test_ctrl_c_says_how_to_go_on(cli, files, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("neurotome.boundary.PredictBlock.__call__", interrupted)
    code, _, err = cli("reconstruct", files / "image.ome.tif", "-o", tmp_path / "out", "--averaging", 1)
    assert code == 130 and "run the same command again" in err
