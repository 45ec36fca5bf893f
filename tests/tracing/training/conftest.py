import numpy as np
import pytest
import torch

from neurotome.core import Grid, Image, Labels
from neurotome.io import save


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Five small stacks with a bright line each, and their labels."""
    root = tmp_path_factory.mktemp("stacks")
    grid = Grid((16, 32, 32), (300.0, 200.0, 200.0))
    for k in range(5):
        rng = np.random.default_rng(k)
        labels = np.zeros(grid.shape, np.uint8)
        labels[6:9, 8 + 3 * k : 11 + 3 * k, :] = 1
        grey = rng.normal(100, 10, grid.shape) + 120 * labels
        save(Image(grey.astype(np.uint8), grid), root / "images" / f"line{k}.ome.tif")
        save(Labels(labels, grid), root / "labels" / f"line{k}.ome.tif")
    return root
