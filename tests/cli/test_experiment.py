"""`neurotome experiment` as a user would call it."""

import yaml

from neurotome.io import open_labels

RECIPE = {
    "name": "one-network",
    "validate_on": "d",
    "validate_sections": 4,
    "test_on": "c",
    "stages": [
        {
            "name": "membrane",
            "path": "nn3",
            "train_on": ["a", "b"],
            "network": {"widths": [4, 8]},
            "crop": 32,
            "fit": {"steps": 100, "validate_every": 50, "batch": 2, "loggers": ["csv"]},
            "quick": {"fit": {"steps": 2}},
        }
    ],
    "segment": {"method": "agglomerate", "of": ["membrane"]},
}


def test_help_says_what_it_does(cli):
    code, out, _ = cli("experiment", "--help")
    assert code == 0 and "--budget" in out and "--minutes" in out and "--quick" in out


def test_from_two_stacks_to_a_table_of_scores(cli, files, tmp_path):
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(RECIPE))
    words = ("--image", files / "image.ome.tif", "--truth", files / "truth.ome.tif", "-o", tmp_path / "out")
    code, out, err = cli("experiment", tmp_path / "one.yaml", *words, "--quick", "--sections", "1:9", "--device", "cpu")
    assert code == 0, err
    for metric in ("adapted_rand_error", "split_errors", "ari_all_voxels", "foreground_recall"):
        assert metric in out
    assert open_labels(tmp_path / "out" / "neurons.ome.zarr").grid.shape == (8, 64, 64)
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_bad_recipe_is_one_line_and_writes_nothing(cli, files, tmp_path):
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump({**RECIPE, "test_on": "a"}))
    words = ("--image", files / "image.ome.tif", "--truth", files / "truth.ome.tif", "-o", tmp_path / "out")
    code, _, err = cli("experiment", tmp_path / "bad.yaml", *words)
    assert code == 2 and "trains on quadrant a, which is test_on" in err and "Traceback" not in err
    code, _, err = cli("experiment", tmp_path / "bad.yaml", *words, "--budget", 0.5, "--minutes", 3)
    assert code == 2 and "one of the two" in err
    assert not (tmp_path / "out").exists()
