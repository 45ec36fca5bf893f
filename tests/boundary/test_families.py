"""Networks of every family predict from their folder: in memory, and in blocks on disk."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurotome import boundary
from neurotome.blocks import blocks_of
from neurotome.core import Box, Grid, Image, InputError, ModelCard
from neurotome.io import ome_zarr, open_probability, save
from neurotome.nn import build, receptive_halo, save_model

GRID = Grid((2, 24, 40), (30.0, 6.0, 6.0))
FAMILIES = {
    "unet2d": ("unet2d", {"widths": (4, 8)}),
    "rsunet3d": ("rsunet3d", {"widths": (3, 4)}),
    "unet_zambare": ("unet_zambare", {}),
    **{
        kind: ("generator", {"kind": kind, "width": 4, **({"depth": 4} if kind == "unet" else {"blocks": 2})})
        for kind in ("unet", "resnet", "highway", "dense")
    },
    "pair": ("generator", {"sections": 2, "width": 4, "blocks": 1}),
    "legacy": ("generator", {"legacy": True, "sections": 2, "width": 4, "blocks": 1}),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    pixels = np.random.default_rng(0).integers(0, 255, GRID.shape).astype(np.uint8)
    path = tmp_path_factory.mktemp("families") / "image.ome.zarr"
    save(Image(pixels, GRID), path)
    return boundary.ImageFile(str(path))


def model_folder(name: str, folder):
    family, config = FAMILIES[name]
    torch.manual_seed(0)
    config = {"out_channels": 1, **config}
    network = build(family, config)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(module.weight)  # probabilities that are not all 1/2
    channels = ("overlap" if config.get("sections") == 2 else "membrane",)
    card = ModelCard(name, family, config, channels, GRID.voxel_nm, "signed_unit", receptive_halo(network))
    save_model(folder, network, card)
    return folder


@pytest.mark.parametrize("name", FAMILIES)
def test_blocks_give_the_bytes_of_one_piece(name, stack, tmp_path):
    model = model_folder(name, tmp_path / "model")
    whole = boundary.predict(stack.open(), model)
    ready = boundary.prepared(stack, model)
    shape = (1, 24, 32)
    out = tmp_path / "out.ome.zarr"
    ome_zarr.create(out, shape=(1, *GRID.shape), dtype="uint8", grid=GRID, channels=whole.channels, chunk=shape, shard=shape)
    work = ready.work(out, tmp_path / "scales.npz")
    for block in blocks_of(GRID, shape):
        work(block)
    assert np.array_equal(open_probability(out).read(), whole.read())
    assert whole.read().std() > 0
    if whole.channels == ("overlap",):
        assert not whole.read()[0, -1].any() and whole.read()[0, :-1].any()
    assert boundary.predict_bytes(ready.card, shape, 1, GRID.shape[1:]) > 5e8


def test_whole_sections_are_not_cut_into_tiles(stack, tmp_path):
    model = model_folder("legacy", tmp_path / "model")
    with pytest.raises(InputError, match=r"whole section.*corrected variant"):
        boundary.predictor(stack.open(), model, tile=32)
    work = boundary.prepared(stack, model).work(tmp_path / "out.ome.zarr", tmp_path / "scales.npz")
    ome_zarr.create(tmp_path / "out.ome.zarr", shape=(1, *GRID.shape), dtype="uint8", grid=GRID, channels=("overlap",))
    (block,) = blocks_of(GRID, GRID.shape)
    with pytest.raises(InputError, match="legacy: false"):
        replace(work, tile=32)(block)


def test_a_legacy_box_has_the_statistics_of_its_section(stack, tmp_path):
    ready = boundary.predictor(stack.open(), model_folder("legacy", tmp_path / "model"))
    box = Box((0, 5, 7), (1, 20, 30))
    assert np.array_equal(ready(box), ready(GRID.box)[(slice(None), *box.slices)])
