"""Where the real data sets are, the toy pairs of the metric definitions, and labels made of small boxes."""

import os
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Grid, Labels


@pytest.fixture(scope="session")
def real_data() -> Path:
    root = Path(os.environ.get("NEUROTOME_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
    if not (root / "isbi2012").is_dir():
        pytest.skip(f"real data sets are not at {root}; set NEUROTOME_DATA")
    return root


@pytest.fixture
def as_labels():
    def make(array, voxel_nm=(30.0, 6.0, 6.0), name="labels") -> Labels:
        volume = np.array(array, ndmin=3)
        return Labels(volume, Grid(volume.shape, voxel_nm), name=name)

    return make


def rows_of_forty() -> np.ndarray:
    return np.repeat(np.arange(1, 11), 40).reshape(10, 40)


@pytest.fixture
def toy():
    """Truth and segmentation of the cases T1 to T7."""
    whole, halves = np.ones((20, 20), int), np.ones((20, 20), int)
    halves[:, 10:] = 2
    ten = rows_of_forty()
    short = ten.copy()
    short[:, -8:] = 0
    half_truth = np.ones((20, 20), int)
    half_truth[10:] = 0
    extra = np.ones((20, 20), int)
    extra[10:] = 2
    line = np.where(np.arange(60) <= 30, 1, 2)
    pieces = np.select([np.arange(60) < 20, np.arange(60) <= 30, np.arange(60) <= 40], [1, 2, 1], 3)
    return {
        "T1": (whole, halves),
        "T2": (halves, whole),
        "T3": (ten, short),
        "T4": (ten, np.ones_like(ten)),
        "T5": (half_truth, extra),
        "T6": (ten, np.zeros_like(ten)),
        "T7": (line, pieces),
    }
