"""Fixtures for every room: real data where they are, or a skip that says so."""

import numpy as np
import pytest
from scipy import ndimage

from neurotome import datasets


def _load(name: str, part: str = "train"):
    if not datasets.local(name):
        pytest.skip(
            f"data set '{name}' is not in {datasets.data_root()} (set NEUROTOME_DATA, or run `neurotome data fetch {name}`)"
        )
    return datasets.load(name, part)


@pytest.fixture(scope="session")
def snemi3d():
    return _load("snemi3d", "labelled")


@pytest.fixture(scope="session")
def isbi2012():
    return _load("isbi2012", "labelled")


@pytest.fixture(scope="session")
def small_phantom():
    from neurotome.datasets import phantom

    return phantom.make(phantom.PhantomSpec(shape=(10, 128, 128), seed=3))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def neurite_files(tmp_path_factory):
    """A folder with a stack of two neurites, stack.ome.tif, a probability map with a dim section, map.ome.tif, and truth.swc."""
    from neurotome.core import Image
    from neurotome.datasets.fluorescence import FluorescenceSpec, fluorescence
    from neurotome.io import save, write_swc

    folder = tmp_path_factory.mktemp("neurites")
    phantom = fluorescence(FluorescenceSpec(shape=(40, 112, 96), cable_vox=400, gaps=1, snr=6, seed=3))
    inside = ndimage.gaussian_filter((phantom.mask.read() > 0).astype(np.float32), (0.5, 0.8, 0.8))
    inside[:, 60:62] *= 0.4
    save(phantom.image, folder / "stack.ome.tif")
    save(Image(np.rint(255 * np.clip(1.6 * inside, 0, 1)).astype(np.uint8), phantom.image.grid), folder / "map.ome.tif")
    write_swc(folder / "truth.swc", phantom.neurites)
    return folder
