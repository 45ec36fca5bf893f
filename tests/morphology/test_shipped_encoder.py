"""What comes with the package does on real neurons what its card says: bounds below which something is broken."""

import numpy as np
import pytest

from neurotome import cluster, morphology
from neurotome.datasets import data_root, named_collection

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not (data_root() / "swc" / "fly_medulla.zip").is_file(), reason="no archives of SWC files in the data folder"
    ),
]


@pytest.fixture(scope="module")
def encoder():
    return morphology.load_encoder()


def test_neurons_never_seen_come_back(encoder):
    fly = named_collection("fly_medulla")
    found = morphology.reconstruct([fly.load(name) for name in fly.files("test")[:12]], encoder)
    assert found.table["f1"].mean() > 0.88
    assert found.table["f1_1vox"].mean() > 0.99


@pytest.mark.exhaustive
def test_types_are_told_far_above_chance(encoder):
    fly = named_collection("fly_medulla")
    types = fly.labels["cell_type"]
    common = types.value_counts()
    kept = set(types.index[types.isin(common.index[common >= 9])])
    neurons = [fly.load(name) for name in fly.files() if name.rpartition("/")[2].removesuffix(".swc") in kept]
    table = morphology.embed(neurons, encoder)
    settings = cluster.ProbeSettings("knn", folds=9, seeds=(0,), permutations=2)
    found = cluster.probe(np.asarray(table.X), types.loc[list(table.obs_names)].to_numpy(), settings)
    assert found.value > 0.6 > 0.2 > found.chance
