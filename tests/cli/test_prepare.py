"""The preparation steps as commands: files in, files out."""

import imageio.v3 as imageio
import numpy as np
import pytest

from neurotome.core import Grid, Image, Probability
from neurotome.io import open_image, open_labels, open_probability, save

COMMANDS = ("quadrants", "targets", "consecutive", "clean-overlap")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_it_does(cli, command):
    code, out, _ = cli("prepare", command, "--help")
    assert code == 0 and "Usage" in out and len(out.split()) > 20


@pytest.mark.parametrize(("file_format", "suffix"), [("tif", ".ome.tif"), ("zarr", ".ome.zarr")])
def test_quadrants_of_image_and_labels(cli, files, tmp_path, file_format, suffix):
    for what, opener in (("image", open_image), ("truth", open_labels)):
        whole = opener(files / f"{what}.ome.tif")
        code, out, err = cli("prepare", "quadrants", files / f"{what}.ome.tif", "-o", tmp_path / what, "--format", file_format)
        assert code == 0 and f"a{suffix}" in out, err
        parts = {name: opener(tmp_path / what / f"{name}{suffix}") for name in "abcd"}
        assert np.array_equal(parts["a"].read(), whole.read()[:, 64:, 64:])
        assert np.array_equal(parts["b"].read(), whole.read()[:, :64, 64:])
        assert np.array_equal(parts["c"].read(), whole.read()[:, :64, :64])
        assert np.array_equal(parts["d"].read(), whole.read()[:, 64:, :64])
        assert parts["a"].grid.origin_nm == (0, 64 * 6, 64 * 6) and parts["a"].grid.voxel_nm == (30, 6, 6)
    assert cli("prepare", "quadrants", files / "image.ome.tif", "-o", tmp_path / "image", "--format", file_format)[0] == 2


def test_quadrants_of_odd_sections_and_unknown_formats(cli, files, tmp_path):
    save(Image(np.zeros((2, 5, 6), np.uint8), Grid((2, 5, 6), (30, 6, 6))), tmp_path / "odd.ome.tif")
    code, _, err = cli("prepare", "quadrants", tmp_path / "odd.ome.tif", "-o", tmp_path / "q")
    assert code == 2 and "5 x 6 pixels" in err and "even height and width" in err
    code, _, err = cli("prepare", "quadrants", files / "image.ome.tif", "-o", tmp_path / "q", "--format", "bmp")
    assert code == 2 and "bmp" in err and "zarr" in err
    assert not (tmp_path / "q").exists()


def test_targets_and_the_cleaning_of_their_overlap(cli, files, tmp_path):
    out = tmp_path / "maps.ome.zarr"
    words = ("--channel", "membrane", "--channel", "cytoplasm", "--channel", "overlap")
    code, said, err = cli("prepare", "targets", files / "truth.ome.tif", "-o", out, *words)
    assert code == 0 and "membrane, cytoplasm, overlap" in said, err
    maps = open_probability(out)
    assert maps.channels == ("membrane", "cytoplasm", "overlap") and maps.grid.shape == (10, 128, 128)
    assert set(np.unique(maps.read())) == {0, 255} and not maps.read(("overlap",))[0, -1].any()
    code, _, err = cli("prepare", "clean-overlap", out, "-o", tmp_path / "clean.ome.zarr", "--erosions", 3)
    assert code == 0, err
    cleaned = open_probability(tmp_path / "clean.ome.zarr")
    assert np.array_equal(cleaned.read(("cytoplasm",)), maps.read(("cytoplasm",)))
    assert 0 < cleaned.read(("overlap",)).astype(bool).sum() < maps.read(("overlap",)).astype(bool).sum()
    code, _, err = cli("neurons", "segment", out, "-o", tmp_path / "run", "--method", "link", "--set", "evidence=cytoplasm")
    assert code == 0, err


def test_targets_with_one_plane_less(cli, files, tmp_path):
    code, _, err = cli(
        "prepare", "targets", files / "truth.ome.tif", "-o", tmp_path / "o.ome.zarr", "--channel", "overlap", "--drop-last"
    )
    assert code == 0 and open_probability(tmp_path / "o.ome.zarr").grid.shape == (9, 128, 128), err
    assert cli("prepare", "targets", files / "truth.ome.tif", "-o", tmp_path / "p.ome.zarr", "--channel", "overlop")[0] == 2


def test_pictures_of_consecutive_sections(cli, files, tmp_path):
    code, out, err = cli("prepare", "consecutive", files / "image.ome.tif", "-o", tmp_path / "pairs")
    assert code == 0 and "9 pictures" in out, err
    pixels = open_image(files / "image.ome.tif").read()
    found = [imageio.imread(path) for path in sorted((tmp_path / "pairs").iterdir())]
    assert len(found) == 9
    for z, picture in enumerate(found):
        assert np.array_equal(picture, np.stack([pixels[z], pixels[z + 1], 0 * pixels[z]], -1))


def test_of_several_channels_the_first_is_taken(cli, tmp_path, rng):
    data = rng.integers(0, 255, (2, 3, 8, 8), np.uint8)
    save(Probability(data, Grid((3, 8, 8), (30, 6, 6)), ("membrane", "overlap")), tmp_path / "p.ome.zarr")
    code, _, err = cli("prepare", "consecutive", tmp_path / "p.ome.zarr", "-o", tmp_path / "pairs", "--format", "tif")
    assert code == 0, err
    assert np.array_equal(imageio.imread(tmp_path / "pairs" / "000.tif")[..., :2], np.moveaxis(data[0, :2], 0, -1))


@pytest.mark.parametrize("file_format", ["png", "tif"])
def test_convert_to_sections_and_back(cli, files, tmp_path, file_format):
    code, _, err = cli("convert", files / "image.ome.tif", tmp_path / "s", "--sections", file_format)
    assert code == 0 and len(list((tmp_path / "s").glob(f"*.{file_format}"))) == 10, err
    voxel = ("--voxel-nm", 30, 6, 6) if file_format == "png" else ()
    assert cli("convert", tmp_path / "s", tmp_path / "back.ome.tif", *voxel)[0] == 0
    again, first = open_image(tmp_path / "back.ome.tif"), open_image(files / "image.ome.tif")
    assert np.array_equal(again.read(), first.read()) and again.grid == first.grid
