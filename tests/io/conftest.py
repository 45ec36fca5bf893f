"""Small volumes with a shape, voxel size and origin that differ on every axis, so that a swap of axes cannot hide."""

import logging

import numpy as np
import pytest

from neurotome.core import Grid, Image, Labels, Legend, Probability

GRID = Grid((5, 40, 50), (30.0, 6.0, 4.0), (60.0, 12.0, 20.0))


@pytest.fixture
def image() -> Image:
    return Image(np.random.default_rng(0).integers(0, 255, GRID.shape, np.uint8), GRID)


@pytest.fixture
def labels() -> Labels:
    ids = np.random.default_rng(1).integers(0, 200, GRID.shape).astype(np.uint64)
    return Labels(ids, GRID, Legend({3: "axon", 7: "soma"}))


@pytest.fixture
def probability() -> Probability:
    values = np.random.default_rng(2).random((2, *GRID.shape), np.float32)
    return Probability(values, GRID, ("membrane", "affinity:1,0,0"))


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "neurotome")
    return caplog
