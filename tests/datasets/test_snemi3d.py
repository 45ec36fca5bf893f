import io
import zipfile

import numpy as np
import pytest
import tifffile

from neurotome.core import ShapeError
from neurotome.datasets import data_root, snemi3d
from neurotome.datasets.folder import is_local

needs_data = pytest.mark.skipif(not is_local(snemi3d.FACTS), reason=f"SNEMI3D is not in {data_root()}")


def official_zip(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, array in members.items():
            page = io.BytesIO()
            tifffile.imwrite(page, array, photometric="minisblack")
            file.writestr(name, page.getvalue())
    return buffer.getvalue()


def test_fetched_archive_loads(server, tmp_path):
    rng = np.random.default_rng(0)
    image, labels = rng.integers(0, 256, (70, 8, 8), np.uint8), rng.integers(0, 400, (70, 8, 8)).astype(np.uint16)
    url = server.offer("snemi.zip", official_zip({"image/train-input.tif": image, "seg/train-labels.tif": labels}))
    got = snemi3d.fetch(tmp_path / "snemi3d", url=url, checksum="")
    assert not got.verified
    part = snemi3d.load("validation", root=tmp_path)
    np.testing.assert_array_equal(part.image.read(), image[60:70])
    np.testing.assert_array_equal(part.labels.read(), labels[60:70])
    assert part.image.grid.voxel_nm == (30.0, 6.0, 6.0)
    with pytest.raises(ShapeError, match="sections 70 to 99"):
        snemi3d.load("kept_back", root=tmp_path)


def test_splits_are_blocks_of_sections_that_do_not_meet():
    assert range(60) == snemi3d.TRAIN
    assert range(60, 70) == snemi3d.VALIDATION


@needs_data
@pytest.mark.realdata
def test_facts_of_the_real_volume():
    whole = snemi3d.load("labelled")
    assert whole.labels_are == "neurons"
    assert whole.image.grid.shape == whole.labels.grid.shape == (70, 1024, 1024)
    assert whole.image.grid.voxel_nm == whole.labels.grid.voxel_nm == (30.0, 6.0, 6.0)
    labels = whole.labels.read()
    assert np.count_nonzero(np.bincount(labels.ravel())[1:]) == 333
    assert round(100 * float((labels == 0).mean()), 2) == 13.31
    means = whole.image.read().mean((1, 2))
    assert (round(float(means.min())), round(float(means.max()))) == (99, 197)


@needs_data
@pytest.mark.realdata
def test_parts_of_the_real_volume_tile_it():
    train, validation = snemi3d.load("train"), snemi3d.load("validation")
    assert train.image.grid.shape == (60, 1024, 1024)
    assert validation.image.grid.shape == (10, 1024, 1024)
    assert validation.image.grid.origin_nm == (60 * 30.0, 0.0, 0.0)
