"""Neurite probabilities: exact where that is promised, the same bytes for any cut, and refused where they would mean nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurotome.core import (
    Block,
    Box,
    FormatError,
    Grid,
    Image,
    InputError,
    ModelCard,
    UnitError,
    UnknownNameError,
    ValueRangeError,
)
from neurotome.io import open_probability, save
from neurotome.nn import Predictor, build, load_card, load_model, save_model
from neurotome.tracing import predict
from neurotome.tracing.on_blocks.predict_block import StackFile, prepared_neurites
from neurotome.tracing.predict import NeuritePredictor, neurite_network, neurite_probability, neurite_scale

CONFIG = {"out_channels": 2, "widths": (2, 3)}
CARD = ModelCard(
    "toy",
    "voxresnet",
    CONFIG,
    ("background", "neurite"),
    (400.0, 200.0, 200.0),
    "volume_percentile",
    (72, 72, 72),
    training={"anisotropy": [1.0, 4.0]},
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model") / "toy"
    save_model(folder, build("voxresnet", CONFIG), CARD, half=False)
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    """One thread, as float32 rounds differently on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stack(shape=(20, 45, 150), voxel_nm=(400.0, 200.0, 200.0), dtype=np.uint8):
    rng = np.random.default_rng(1)
    grey = rng.normal(60, 10, shape)
    grey[shape[0] // 2, shape[1] // 2, :] += 100
    return Image(grey.astype(dtype), Grid(shape, voxel_nm, (5.0, 6.0, 7.0)), "stack")


def test_spacing_is_kept_and_probabilities_are_bytes(model):
    image = stack()
    answer = neurite_probability(image, model)
    assert answer.grid == image.grid and answer.channels == ("neurite",) and answer.data.shape == (1, *image.grid.shape)
    assert answer.data.dtype == np.uint8 and np.array_equal(answer.data, neurite_probability(image, model).data)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 30), (3, 8, 17)])
def test_small_stacks_are_answered(model, shape):
    image = Image(np.arange(1, 1 + np.prod(shape), dtype=np.uint16).reshape(shape), Grid(shape, (200.0, 200.0, 200.0)))
    if image.grid.size == 1:
        with pytest.raises(ValueRangeError, match="All 1 voxels of the image are 1"):
            neurite_probability(image, model)
    else:
        assert neurite_probability(image, model).data.shape == (1, *shape)


def test_blocks_written_by_anybody_are_the_whole(model, tmp_path):
    image = stack((20, 60, 300))
    save(image, tmp_path / "stack.ome.tif")
    source = StackFile(str(tmp_path / "stack.ome.tif"))
    whole = neurite_probability(image, model).read()
    ready = prepared_neurites(source, model)
    ready.create(tmp_path / "out.ome.zarr")
    step = ready.work(tmp_path / "out.ome.zarr")
    for write in image.grid.box.tiles((20, 60, 110)):
        assert all(path.is_file() for path in step(Block(write, write)))
    written = open_probability(tmp_path / "out.ome.zarr")
    assert np.array_equal(written.read(), whole) and written.grid.voxel_nm == image.grid.voxel_nm
    assert written.channels == ("neurite",) and ready.block_shape() == (480, 480, 480)


def test_a_model_that_changed_meanwhile_is_refused(model, tmp_path):
    save(stack((8, 16, 16)), tmp_path / "stack.ome.tif")
    ready = prepared_neurites(StackFile(str(tmp_path / "stack.ome.tif")), model)
    ready.create(tmp_path / "out.ome.zarr")
    step = replace(ready.work(tmp_path / "out.ome.zarr"), weights_sha256="0" * 64)
    with pytest.raises(FormatError, match="000000000000, with which this prediction began"):
        step(Block(Box((0, 0, 0), (8, 16, 16)), Box((0, 0, 0), (8, 16, 16))))


def test_exact_mode_is_one_pass_in_pieces(model, monkeypatch):
    """Pieces of 40 voxels with a halo of 72 say what one piece says, float32, to 1e-6; and blocks do not matter at all."""
    monkeypatch.setattr(predict, "EXACT_TILE", 40)
    image, (network, card) = stack((8, 8, 80)), neurite_network(model)
    ready = NeuritePredictor(image, network, card, neurite_scale(image, card), mode="exact")
    ready.exact.bf16 = False
    pieces = ready.exact(image.grid.box)
    once = Predictor(
        network,
        card,
        ready.exact.read,
        image.grid.shape,
        ready.exact.scales,
        offsets=[None, None],
        keep=[1],
        bf16=False,
        tile=1024,
        depth=1024,
    )(image.grid.box)
    assert np.abs(pieces - once).max() < 1e-6 and pieces.std() > 1e-3
    box = Box((3, 2, 7), (8, 8, 31))
    assert np.array_equal(ready.exact(box), pieces[(slice(None), *box.slices)])
    assert np.array_equal(ready.bytes_of(box), np.floor(pieces[0] * 255 + 0.5).astype(np.uint8)[box.slices])


def test_dark_parts_of_a_thresholded_stack_are_not_asked_about(model):
    grey = np.zeros((8, 8, 400), np.uint8)
    grey[4, 4, :30] = 90
    image, (network, card) = Image(grey, Grid(grey.shape, (200.0, 200.0, 200.0))), neurite_network(model)
    ready = NeuritePredictor(image, network, card, neurite_scale(image, card))
    out = ready.bytes_of(image.grid.box)
    assert len(ready.skipped) == 3 and not out[..., 140:].any() and out[..., :90].any()


def test_voxels_must_be_like_those_of_the_training(model):
    neurite_probability(stack((8, 16, 16), (990.0, 200.0, 200.0)), model)
    with pytest.raises(UnitError, match=r"6 times as high as wide.*trained on 1 to 4"):
        neurite_probability(stack((8, 16, 16), (1200.0, 200.0, 200.0)), model)
    with pytest.raises(UnitError, match=r"900 x 200 nm in the section"):
        neurite_probability(stack((8, 16, 16), (900.0, 900.0, 200.0)), model)


def test_what_is_no_neurite_network_is_refused(model, tmp_path):
    with pytest.raises(UnknownNameError, match="mode of prediction 'fast'"):
        neurite_probability(stack((8, 16, 16)), model, mode="fast")
    with pytest.raises(UnknownNameError, match="channel of model 'em-affinity-25d' 'neurite'"):
        neurite_probability(stack((8, 16, 16)), "em-affinity-25d")
    network, card = load_model(model)
    save_model(tmp_path / "m", network, replace(card, normalization="section_zscore"))
    with pytest.raises(InputError, match="wants each section normalised"):
        neurite_probability(stack((8, 16, 16)), tmp_path / "m")
    assert load_card(model)[0].name == "toy"
