import io
import zipfile

import numpy as np
import pytest
import tifffile

from neurotome.core import FormatError
from neurotome.datasets import data_root, isbi2012
from neurotome.datasets.folder import is_local

needs_data = pytest.mark.skipif(not is_local(isbi2012.FACTS), reason=f"ISBI-2012 is not in {data_root()}")


def official_zip(**volumes):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, array in volumes.items():
            page = io.BytesIO()
            tifffile.imwrite(page, array, photometric="minisblack")
            file.writestr(f"ISBI-2012-challenge/{name.replace('_', '-')}.tif", page.getvalue())
    return buffer.getvalue()


def test_fetched_archive_loads(server, tmp_path, caplog):
    rng = np.random.default_rng(0)
    image, labels, test = (rng.integers(0, 256, (30, 8, 8), np.uint8) for _ in range(3))
    labels = np.where(labels > 99, 255, 0).astype(np.uint8)
    url = server.offer("i.zip", official_zip(train_volume=image, train_labels=labels, test_volume=test))
    assert not isbi2012.fetch(tmp_path / "isbi2012", url=url).verified
    assert "No official checksum is known" in caplog.text
    part = isbi2012.load("validation", root=tmp_path)
    np.testing.assert_array_equal(part.image.read(), image[18:24])
    np.testing.assert_array_equal(part.labels.read(), labels[18:24])
    unlabelled = isbi2012.load("test", root=tmp_path)
    np.testing.assert_array_equal(unlabelled.image.read(), test)
    assert (unlabelled.labels, unlabelled.labels_are) == (None, "nothing")


def test_archive_without_labels_is_refused_and_not_half_local(server, tmp_path):
    url = server.offer("i.zip", official_zip(train_volume=np.zeros((2, 4, 4), np.uint8)))
    with pytest.raises(FormatError, match=r"holds no 'train-labels.tif'"):
        isbi2012.fetch(tmp_path / "isbi2012", url=url)
    assert not is_local(isbi2012.FACTS, tmp_path)


def test_splits_are_blocks_of_sections_that_do_not_meet():
    assert range(18) == isbi2012.TRAIN
    assert range(18, 24) == isbi2012.VALIDATION


@needs_data
@pytest.mark.realdata
def test_facts_of_the_real_stack():
    part = isbi2012.load("labelled")
    assert part.labels_are == "inside"
    assert part.image.grid.shape == part.labels.grid.shape == (24, 512, 512)
    assert part.image.grid.voxel_nm == (50.0, 4.0, 4.0)
    labels = part.labels.read()
    assert np.unique(labels).tolist() == [0, 255]
    assert round(100 * float((labels == 255).mean()), 2) == 77.46
    image = part.image.read()
    # Polarity: membranes are dark.
    assert image[labels == 0].mean() < image[labels == 255].mean() - 30
    close = [np.corrcoef(image[z].ravel(), image[z + 1].ravel())[0, 1] for z in (9, 10)]
    assert 0.04 < min(close) <= max(close) < 0.13


@needs_data
@pytest.mark.realdata
def test_real_test_stack_has_no_labels():
    part = isbi2012.load("test")
    assert part.image.grid.shape == (30, 512, 512)
    assert part.labels is None
