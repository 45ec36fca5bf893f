"""One image in, its probabilities out: on any workers, and going on after an interruption."""

import json

import numpy as np
import pytest

from neurotome import boundary
from neurotome.core import Grid, Image, RunFailedError, ValueRangeError
from neurotome.flows import Workforce, predict_file
from neurotome.io import open_probability, save


@pytest.fixture(scope="module")
def image(small_phantom, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "image.ome.tif"
    save(small_phantom.image, path)
    return str(path)


@pytest.fixture
def small_shards(monkeypatch):
    """Makes a small volume in four blocks."""
    create = boundary.predict_block.ome_zarr.create

    def small(path, **options):
        return create(path, **{**options, "chunk": (5, 64, 128), "shard": (5, 64, 128)})

    monkeypatch.setattr("neurotome.boundary.predict_block.ome_zarr.create", small)


def test_two_workers_give_what_one_gives(image, small_phantom, small_shards, tmp_path):
    one, two = (predict_file(image, tmp_path / str(n), averaging=1, workforce=Workforce(n)) for n in (1, 2))
    whole = boundary.predict(small_phantom.image).read()
    assert np.array_equal(open_probability(one).read(), whole) and np.array_equal(open_probability(two).read(), whole)
    assert json.loads((tmp_path / "2" / "run.json").read_text())["status"] == "done"


def test_finished_blocks_are_kept(image, small_shards, tmp_path, monkeypatch):
    done, whole = [], boundary.PredictBlock.__call__

    def third_fails(self, block):
        if len(done) == 2:
            raise OSError("the disk is gone")
        done.append(block)
        return whole(self, block)

    monkeypatch.setattr("neurotome.boundary.PredictBlock.__call__", third_fails)
    with pytest.raises(RunFailedError, match=r"2 of 4 blocks of predict failed.*disk is gone"):
        predict_file(image, tmp_path / "out", averaging=1)
    monkeypatch.setattr("neurotome.boundary.PredictBlock.__call__", lambda self, block: done.append(block) or whole(self, block))
    volume = open_probability(predict_file(image, tmp_path / "out", averaging=1))
    assert len(done) == len(set(done)) == 4 and all(volume.read(box=block.write).any() for block in done)
    predict_file(image, tmp_path / "out", averaging=1)
    assert len(done) == 4


def test_another_run_in_the_folder_starts_anew(image, tmp_path):
    first = open_probability(predict_file(image, tmp_path / "out", averaging=1)).read()
    again = open_probability(predict_file(image, tmp_path / "out", averaging=2, overwrite=True)).read()
    assert not np.array_equal(first, again)


@pytest.fixture
def large(monkeypatch):
    """Makes any image one whose grey values are not looked at before the run, and its sections come in parts."""
    monkeypatch.setattr("neurotome.boundary.predict_block.SCALED_AT_START", 0)
    monkeypatch.setattr("neurotome.boundary.section_scales.BLOCK_VOXELS", 20_000)


def test_a_large_image_gives_what_a_small_one_gives(image, tmp_path, large, monkeypatch):
    first = predict_file(image, tmp_path / "large", averaging=1)
    monkeypatch.setattr("neurotome.boundary.predict_block.SCALED_AT_START", 10**9)
    second = predict_file(image, tmp_path / "small", averaging=1)
    assert np.array_equal(open_probability(first).read(), open_probability(second).read())
    assert (first.parent / "grey_scales.npz").read_bytes() == (second.parent / "grey_scales.npz").read_bytes()
    assert not (first.parent / "grey-scales").exists()


def test_grey_scales_are_found_once(image, tmp_path, large, small_shards, monkeypatch):
    scaled, scale, predict = [], boundary.SectionScales.__call__, boundary.PredictBlock.__call__

    def fails(self, block):
        raise OSError("the disk is gone")

    monkeypatch.setattr(
        "neurotome.boundary.SectionScales.__call__", lambda self, block: scaled.append(block) or scale(self, block)
    )
    monkeypatch.setattr("neurotome.boundary.PredictBlock.__call__", fails)
    with pytest.raises(RunFailedError, match="disk is gone"):
        predict_file(image, tmp_path / "out", averaging=1)
    monkeypatch.setattr("neurotome.boundary.PredictBlock.__call__", predict)
    predict_file(image, tmp_path / "out", averaging=1)
    assert len(scaled) == len(set(scaled)) > 1


def test_a_large_image_without_contrast_is_named_as_a_small_one_is(tmp_path, large):
    path = tmp_path / "flat.ome.tif"
    save(Image(np.full((3, 64, 64), 9, np.uint8), Grid((3, 64, 64), (30, 6, 6))), path)
    with pytest.raises(ValueRangeError, match="Every section of the image is constant"):
        predict_file(str(path), tmp_path / "out", averaging=1)
    assert not (tmp_path / "out" / "boundary.ome.zarr").exists()
