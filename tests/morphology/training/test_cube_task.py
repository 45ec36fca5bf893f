"""Fitting the cube autoencoder: the parts of its loss by closed form, and a training that gets better."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurotome.core import ValueRangeError
from neurotome.morphology.training.cube_task import CubeLoss, CubeTask, contrast, correlation, mirrored
from neurotome.nn import FitSettings
from neurotome.nn.occupancy.cube_autoencoder import CubeAutoencoder, CubeAutoencoderConfig

SMALL = {"grid": 16, "width": 16, "depth": 1, "heads": 2, "hidden": 32, "code": 32, "bent": 64, "bottleneck": 24, "steady": 12}
OFF = {"cubes_of_z": 0.0, "voxels_of_z": 0.0, "contrast": 0.0, "descriptors": 0.0, "apart": 0.0}


def task(loss: CubeLoss | None = None, descriptors: np.ndarray | None = None) -> CubeTask:
    torch.manual_seed(0)
    return CubeTask(CubeAutoencoder(CubeAutoencoderConfig(**SMALL)), FitSettings(average=0.0), loss, descriptors)


def batch(count: int = 8, views: int = 2) -> dict[str, torch.Tensor]:
    drawn = np.random.default_rng(0).random((count, 1, 16, 16, 16)) < 0.005
    grids = torch.from_numpy(np.repeat(drawn, views, axis=1).astype(np.uint8))
    return {"grids": grids, "log_extent": torch.full((count, views), 4.0), "row": torch.arange(count)}


def fit(made: CubeTask, samples: dict[str, torch.Tensor], steps: int) -> tuple[float, float]:
    optimizer = torch.optim.AdamW(made.parameters(), 3e-3)
    values = []
    for _ in range(steps):
        value, _parts, _encoded = made.value(made.network, samples, turn=False)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(float(value.detach()))
    return values[0], values[-1]


def test_contrast_of_equal_features_is_chance():
    assert float(contrast(torch.ones(6, 3), 0.2)) == pytest.approx(np.log(5))
    assert float(contrast(torch.eye(3).repeat_interleave(2, 0), 0.05)) < 1e-6
    with pytest.raises(ValueRangeError, match="temperature"):
        CubeLoss(temperature=0)


def test_correlation_of_independent_columns_is_nothing():
    assert float(correlation(torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]]))) == pytest.approx(0, abs=1e-6)


def test_mirrors_are_symmetries_of_the_first_axis():
    grid = torch.zeros(64, 8, 8, 8, dtype=torch.uint8)
    grid[:, 1, 2, 4] = 1
    places = {tuple(row[1:]) for row in mirrored(grid).nonzero().tolist()}
    assert places <= {(z, *p) for z in (1, 6) for p in ((2, 4), (2, 3), (5, 4), (5, 3), (4, 2), (3, 2), (4, 5), (3, 5))}
    assert len(places) > 8


def test_codes_alone_are_learnt_without_the_rest():
    made, samples = task(CubeLoss(**OFF)), batch(views=1)
    before, after = fit(made, samples, 60)
    assert after < before / 4
    assert set(made.value(made.network, samples, turn=False)[1]) == {"codes"}
    assert all(p.grad is None for p in made.network.blocks.parameters())


def test_all_parts_get_better_together():
    known = np.random.default_rng(1).normal(size=(8, 3))
    known[0, 0] = np.nan
    made, samples = task(CubeLoss(cubes=64), known), batch()
    parts = made.value(made.network, samples, turn=False)[1]
    assert set(parts) == {"codes", "cubes_of_z", "voxels_of_z", "contrast", "apart", "descriptors"}
    assert all(torch.isfinite(part) for part in parts.values())
    before, after = fit(made, samples, 25)
    assert after < 0.8 * before
