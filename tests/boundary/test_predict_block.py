"""Prediction in blocks gives the bytes of prediction in one piece, whoever does it."""

import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from neurotome import boundary
from neurotome.blocks import Engine, Step, blocks_of, make_executor
from neurotome.core import Box, FormatError, Grid, Image, InputError, UnitError, UnknownNameError, ValueRangeError
from neurotome.io import ome_zarr, open_probability, save
from neurotome.nn import load_card

TILE = 64
CHANNELS = ("affinity:1,0,0", "affinity:0,0,9")


@pytest.fixture(scope="module", params=["phantom", "snemi3d"])
def stack(request, small_phantom, tmp_path_factory):
    """A small image on disk, and its probabilities in one piece."""
    whole = small_phantom.image if request.param == "phantom" else request.getfixturevalue("snemi3d").image
    image = whole.crop(Box((4, 9, 11), (6, 99, 121)))
    path = tmp_path_factory.mktemp("stack") / "image.ome.zarr"
    save(image, path)
    ready = boundary.predictor(image, channels=CHANNELS, tile=TILE)
    return boundary.ImageFile(str(path)), boundary.predict_box(ready, image.grid.box)


@pytest.fixture(scope="module", params=[1, 2])
def executor(request):
    with make_executor(workers=request.param) as executor:
        yield executor


def test_any_blocks_on_any_workers_give_the_same_bytes(stack, executor, rng, tmp_path):
    source, expected = stack
    ready = boundary.prepared(source, boundary.DEFAULT_MODEL, channels=CHANNELS)
    for k in range(2):
        shape = tuple(int(rng.integers(max(1, n // 3), n + 1)) for n in ready.image.grid.shape)
        out = tmp_path / f"{k}.ome.zarr"
        ome_zarr.create(
            out, shape=expected.shape, dtype="uint8", grid=ready.image.grid, channels=CHANNELS, chunk=shape, shard=shape
        )
        work = replace(ready.work(out, tmp_path / "scales.npz"), tile=TILE)
        blocks = blocks_of(ready.image.grid, shape)
        (tmp_path / f"{k}").mkdir()
        Engine(tmp_path / f"{k}", key="k", executor=executor).run(Step("predict", blocks, work))
        assert np.array_equal(open_probability(out).read(), expected)


def test_a_block_names_the_shards_it_has_written(stack, tmp_path):
    source, _ = stack
    ready = boundary.prepared(source, boundary.DEFAULT_MODEL, channels=CHANNELS)
    out = tmp_path / "out.ome.zarr"
    ready.create(out)
    work = pickle.loads(pickle.dumps(ready.work(out, tmp_path / "scales.npz")))
    written = work(blocks_of(ready.image.grid, ready.image.grid.shape)[0])
    assert sorted(written) == sorted(p for p in (out / "0" / "c").rglob("*") if p.is_file())
    before = [p.read_bytes() for p in written]
    assert [p.read_bytes() for p in work(blocks_of(ready.image.grid, ready.image.grid.shape)[0])] == before


def test_an_image_that_is_resampled_is_opened_so(small_phantom, tmp_path):
    fine = Image(small_phantom.image.read(), Grid(small_phantom.image.grid.shape, (30, 3, 3)))
    save(fine, tmp_path / "fine.ome.zarr")
    source = boundary.ImageFile(str(tmp_path / "fine.ome.zarr"), resample_nm=(30, 6, 6))
    assert np.array_equal(source.open().read(), boundary.resampled_image(fine, (30, 6, 6)).read())
    with pytest.raises(UnitError, match="--rescale"):
        boundary.prepared(replace(source, resample_nm=None), boundary.DEFAULT_MODEL)


def test_what_can_be_wrong_is_found_before_anything_is_written(stack, tmp_path):
    source, _ = stack
    with pytest.raises(UnknownNameError, match="affinity:0,0,9"):
        boundary.prepared(source, boundary.DEFAULT_MODEL, channels=("affinity:0,0,8",))
    with pytest.raises(InputError, match="Averaging over 3 variants"):
        boundary.prepared(source, boundary.DEFAULT_MODEL, averaging=3)
    save(Image(np.full((3, 64, 64), 9, np.uint8), Grid((3, 64, 64), (30, 6, 6))), tmp_path / "flat.ome.zarr")
    with pytest.raises(ValueRangeError, match="constant"):
        boundary.prepared(boundary.ImageFile(str(tmp_path / "flat.ome.zarr")), boundary.DEFAULT_MODEL)


def test_the_grey_values_of_a_large_image_are_left_for_later(stack, tmp_path, monkeypatch):
    source, _ = stack
    scales = boundary.prepared(source, boundary.DEFAULT_MODEL).scales
    assert boundary.prepared(source, boundary.DEFAULT_MODEL, grey_values=False).scales is None
    monkeypatch.setattr("neurotome.boundary.predict_block.SCALED_AT_START", 100)
    ready, path = boundary.prepared(source, boundary.DEFAULT_MODEL), tmp_path / "scales.npz"
    assert not ready.knows_scales(path)
    work = ready.scaling(tmp_path / "parts")
    blocks = blocks_of(ready.image.grid, work.shape())
    for block in blocks:
        work(block)
    ready.keep_scales(path, work, blocks)
    assert ready.knows_scales(path) and np.array_equal(np.load(path)["scales"], scales)
    path.write_bytes(path.read_bytes()[:-30])
    assert not ready.knows_scales(path)


def test_a_model_that_is_trained_on_meanwhile_is_noticed(stack, tmp_path):
    source, _ = stack
    model = tmp_path / "model"
    shutil.copytree(load_card(boundary.DEFAULT_MODEL)[1], model)
    ready = boundary.prepared(source, model, channels=CHANNELS)
    ready.create(tmp_path / "out.ome.zarr")
    work = ready.work(tmp_path / "out.ome.zarr", tmp_path / "scales.npz")
    card = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps({**card, "weights_sha256": "0" * 64}))
    with pytest.raises(FormatError, match="weights"):
        work(blocks_of(ready.image.grid, ready.image.grid.shape)[0])


MEASURED = r"""
import re
from pathlib import Path
from neurotome import boundary
from neurotome.blocks import blocks_of
ready = boundary.prepared(boundary.ImageFile("image.ome.zarr"), boundary.DEFAULT_MODEL)
ready.create(path := Path("out.ome.zarr"))
work = ready.work(path, path.with_name("scales.npz"))
work(blocks_of(ready.image.grid, ready.image.grid.shape)[0])
# Of this program alone: ru_maxrss also counts the process that started it.
print(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="has no /proc")
def test_a_process_needs_no_more_memory_than_planned(tmp_path, rng):
    shape = (1, 1024, 1024)
    save(Image(rng.integers(0, 255, shape).astype(np.uint8), Grid(shape, (30, 6, 6))), tmp_path / "image.ome.zarr")
    said = subprocess.run([sys.executable, "-c", MEASURED], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    card = load_card(boundary.DEFAULT_MODEL)[0]
    planned = boundary.predict_bytes(card, shape, len(card.channels))
    assert planned / 3 < int(said) * 1024 < planned
    assert boundary.predict_bytes(card, (32, 1024, 1024), len(card.channels)) < 4e9
