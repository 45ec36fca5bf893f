import numpy as np
import pandas as pd
import pytest
from PIL import Image as Picture

from neurotome.core import Grid, Image, InputError, Labels, MissingFileError, ShapeError, UnitError
from neurotome.flows.select_images import select_images
from neurotome.io import save

VOXEL = (300.0, 300.0, 300.0)


@pytest.fixture
def stacks(tmp_path):
    """Six stacks of growing noise with a fibre each, as TIFF and OME-Zarr, and their labels; the label of e is empty."""
    rng = np.random.default_rng(2)
    for k, name in enumerate(["a.tif", "b.ome.zarr", "c.tif", "d.tif", "e.tif", "f.tif"]):
        mask = np.zeros((24, 24, 40), np.uint8)
        mask[11:14, 11:14] = 1
        values = rng.normal(100, 2 + k, mask.shape) + 20 * mask
        grid = Grid(mask.shape, VOXEL)
        save(Image(values.round().astype(np.uint16), grid), tmp_path / "images" / name)
        save(Labels(mask * (name != "e.tif"), grid), tmp_path / "labels" / name)
    return tmp_path


def test_with_labels_by_the_dhpr_rule(stacks):
    table = select_images(stacks / "images", stacks / "out", labels=stacks / "labels", count=1)
    assert table["name"].tolist() == ["a.tif", "b.ome.zarr", "c.tif", "d.tif", "e.tif", "f.tif"]
    assert table["kept"].tolist() == [False, False, False, True, False, True]
    assert (stacks / "out" / "selected.txt").read_text() == "f.tif\n"
    written = pd.read_csv(stacks / "out" / "selection.csv", keep_default_na=False, na_values={"d": "", "n": "", "h": "", "r": ""})
    assert list(written.columns) == ["name", "d", "n", "h", "r", "kept", "selected", "note"]
    assert written["note"].tolist() == ["", "", "", "", "The labels are empty", ""] and written["n"].isna().sum() == 1
    picture = np.asarray(Picture.open(stacks / "out" / "selection.png"))
    assert picture.shape[2] == 3 and picture.min() == 0 and picture.shape[0] > 180


def test_without_labels(stacks):
    table = select_images(stacks / "images", stacks / "out", count=3)
    assert table["selected"].sum() == 3 and {"u", "p50", "p99"} <= set(table)
    assert len((stacks / "out" / "selected.txt").read_text().split()) == 3
    again = select_images(stacks / "images", stacks / "again", count=3)
    pd.testing.assert_frame_equal(table, again)
    for name in ("selection.csv", "selected.txt", "selection.png"):
        assert (stacks / "out" / name).read_bytes() == (stacks / "again" / name).read_bytes()


def test_a_network_that_doubts_is_heard(stacks):
    for path in (stacks / "images").iterdir():
        doubt = np.full((24, 24, 40), 0.5 if path.name == "a.tif" else 0.0, np.float32)
        save(Image(doubt, Grid(doubt.shape, VOXEL)), stacks / "probability" / path.name)
    table = select_images(stacks / "images", stacks / "out", probability=stacks / "probability", count=6)
    assert table["u"].tolist() == [1, 0, 0, 0, 0, 0]


def test_bad_folders(stacks):
    with pytest.raises(MissingFileError, match="does not exist"):
        select_images(stacks / "image", stacks / "out")
    with pytest.raises(InputError, match="is one image"):
        select_images(stacks / "images" / "b.ome.zarr", stacks / "out")
    with pytest.raises(InputError, match="Both labels and probability"):
        select_images(stacks / "images", stacks / "out", labels=stacks / "labels", probability=stacks / "labels")
    (stacks / "none").mkdir()
    with pytest.raises(InputError, match="is empty"):
        select_images(stacks / "none", stacks / "out")
    (stacks / "labels" / "c.tif").rename(stacks / "labels" / "cc.tif")
    with pytest.raises(InputError, match=r"labels' has no 'c.tif'. Expected: a file of the same name"):
        select_images(stacks / "images", stacks / "out", labels=stacks / "labels")


def test_bad_files(stacks, tmp_path):
    save(Labels(np.ones((24, 24, 30), np.uint8), Grid((24, 24, 30), VOXEL)), stacks / "labels" / "c.tif", overwrite=True)
    with pytest.raises(ShapeError, match=r"Image 'c.tif' has shape \(24, 24, 40\), '.*c.tif' has \(24, 24, 30\)"):
        select_images(stacks / "images", stacks / "out", labels=stacks / "labels")
    (tmp_path / "bare").mkdir()
    np.save(tmp_path / "bare" / "a.npy", np.zeros((8, 8, 8), np.uint8))
    with pytest.raises(UnitError):
        select_images(tmp_path / "bare", tmp_path / "out2")
    with pytest.raises(InputError, match=r"None of 1 images can be scored \(Nothing is brighter"):
        select_images(tmp_path / "bare", tmp_path / "out3", voxel_nm=VOXEL)
    one = tmp_path / "one"
    for part in ("images", "labels"):
        (one / part).mkdir(parents=True)
        (stacks / part / "a.tif").rename(one / part / "a.tif")
    with pytest.raises(InputError, match=r"None of 1 images has more noise than their median.*leave out --labels"):
        select_images(one / "images", tmp_path / "out4", labels=one / "labels")
