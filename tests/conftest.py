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


@pytest.fixture(scope="session")
def neuron_files(tmp_path_factory):
    """Fifteen grown neurons of three kinds, labels.csv, a neuron of two trees without soma or label, and a file that is none."""
    from neurotome.datasets.neuron_shapes import collection
    from neurotome.io import write_swc

    folder = tmp_path_factory.mktemp("neurons")
    neurons, table = collection(5, seed=0, kinds=("basket", "bipolar", "granule"))
    for neuron in neurons:
        write_swc(folder / f"{neuron.name}.swc", neuron)
    (folder / "labels.csv").write_text(table[["cell_type"]].assign(nodes=1).to_csv())
    (folder / "pieces.swc").write_text("# unit: um\n1 3 0 0 0 1 -1\n2 3 0 40 9 1 1\n3 3 60 0 0 1 -1\n4 3 60 50 0 1 3\n")
    (folder / "broken.swc").write_text("no neuron\n")
    return folder


@pytest.fixture(scope="session")
def embedded(neuron_files, tmp_path_factory):
    """The run of `morphology embed` on them, and what it told."""
    from neurotome.flows.shapes import EmbedJob, embed_shapes

    out = tmp_path_factory.mktemp("morphology") / "run"
    job = EmbedJob(shapes=(str(neuron_files),), clusters=3, skip_bad=True)
    return out, job, embed_shapes(job, out, colour=("cell_type",))
