"""Encoders: poolings of both families, rows that do not depend on the batch, grids that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neurotome.core import InputError, ModelCard, ShapeError, UnknownNameError
from neurotome.morphology.encoders import ShapeEncoder, load_encoder
from neurotome.morphology.occupancy import GridSettings
from neurotome.nn import build, save_model

CUBES = {"grid": 16, "width": 16, "depth": 1, "heads": 2, "hidden": 16, "code": 8, "bottleneck": 12, "steady": 8}
VOXELS = {"grid": 16, "width": 4}


def model(folder: Path, family: str = "cube_autoencoder", **changes: object) -> Path:
    torch.manual_seed(0)
    config = {**(CUBES if family == "cube_autoencoder" else VOXELS), "out_channels": 1}
    card = {
        "name": "small",
        "family": family,
        "config": config,
        "channels": ("occupied",),
        "voxel_nm": (0.0, 0.0, 0.0),
        "normalization": "none",
        "halo_vox": (0, 0, 0),
        "frame": GridSettings(size=16, centring="mean").to_json(),
        **changes,
    }
    save_model(folder, build(family, config), ModelCard(**card))
    return folder


@pytest.fixture
def grids() -> np.ndarray:
    return (np.random.default_rng(0).random((5, 16, 16, 16)) < 0.01).astype(np.uint8)


EXTENTS = np.linspace(2, 5, 5, dtype=np.float32)


def test_poolings_of_cubes(tmp_path, grids):
    encoder = load_encoder(model(tmp_path))
    sizes = {pooling: encoder.embed(grids, EXTENTS, pooling).shape[1] for pooling in encoder.poolings}
    assert sizes == {"bottleneck": 12, "steady": 8, "mean": 16, "max": 16}
    whole = encoder.embed(grids, EXTENTS)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole[:, :8], encoder.embed(grids, EXTENTS, "steady"))
    np.testing.assert_array_equal(whole[3:4], encoder.embed(grids[3:4], EXTENTS[3:4]))
    assert encoder.embed(grids[:0], EXTENTS[:0]).shape == (0, 12)


def test_poolings_of_the_reference_network(tmp_path, grids):
    encoder = load_encoder(model(tmp_path, "voxel_autoencoder"))
    with torch.inference_mode():
        latent = encoder.network.encode(torch.from_numpy(grids[:1, None]).float())[0].flatten(1).numpy()  # (8, 512)
    wanted = {
        "mean+max": np.concatenate([latent.mean(1), latent.max(1)]),
        "mean": latent.mean(1),
        "max": latent.max(1),
        "legacy_channel_max": latent.max(0),
    }
    assert encoder.poolings == tuple(wanted)
    for pooling, row in wanted.items():
        np.testing.assert_allclose(encoder.embed(grids[:1], EXTENTS[:1], pooling)[0], row, atol=1e-6)


@pytest.mark.parametrize(
    ("family", "sources"), [("cube_autoencoder", ("codes", "bottleneck")), ("voxel_autoencoder", ("latent",))]
)
def test_reconstructions_are_probabilities(tmp_path, grids, family, sources):
    encoder = load_encoder(model(tmp_path, family, segmentation={"threshold": 0.45, "threshold_bottleneck": 0.3}))
    assert encoder.reconstructions == sources
    assert [encoder.threshold(source) for source in sources] == [0.45, 0.3][: len(sources)]
    for source in sources:
        found = encoder.reconstruct(grids, EXTENTS, source)
        assert found.shape == grids.shape and found.dtype == np.float32 and 0 <= found.min() < found.max() <= 1


def test_models_that_do_not_fit_are_refused(tmp_path, grids):
    folder = model(tmp_path / "m")
    with pytest.raises(InputError, match=r"size 64.*size 16"):
        load_encoder(folder, asked={"size": 64})
    with pytest.raises(InputError, match=r"orientation principal.*orientation given"):
        load_encoder(folder, asked=GridSettings(size=16, centring="mean", orientation="principal"))
    assert isinstance(load_encoder(folder, asked={"size": 16}), ShapeEncoder)
    with pytest.raises(InputError, match="encodes no shapes"):
        load_encoder("neurite-voxresnet")
    with pytest.raises(InputError, match="how shapes were put"):
        load_encoder(model(tmp_path / "n", frame={}))
    encoder = load_encoder(folder)
    with pytest.raises(ShapeError, match="16"):
        encoder.embed(np.zeros((1, 64, 64, 64), np.uint8), np.zeros(1))
    with pytest.raises(UnknownNameError, match="median"):
        encoder.embed(grids, EXTENTS, "median")
