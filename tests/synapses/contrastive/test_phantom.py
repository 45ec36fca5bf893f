"""A short training on phantom synapses: does it learn what kinds there are, though nobody tells it?"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from neurotome.cluster import ProbeSettings, probe
from neurotome.core import CropRecipe
from neurotome.datasets.synapse_phantoms import StudySpec, make_study
from neurotome.nn import FitSettings
from neurotome.nn.vgg3d import VGG3D
from neurotome.synapses.contrastive import ContrastRecipe, Trunk, cubes_of, load_trunk, train_trunk
from neurotome.synapses.crops import make_crops

SEEDS, STEPS = (0, 1, 2), 100


def _crops(folder, **spec):
    study = make_study(StudySpec(**spec))
    crops, lost = make_crops({v.name: v for v in study.volumes}, study.sites, CropRecipe(), folder)
    assert not len(lost)
    return crops, study.truth.loc[list(crops.sites.index)]


def _accuracy(trunk, cubes, truth):
    known = truth.loc[list(cubes.keys)]
    settings = ProbeSettings(permutations=0, draws=0, seeds=(0, 1, 2))
    values = trunk.embed(cubes.shown(trunk.seen.look))
    return probe(values, known["kind"].to_numpy(), settings, groups=known["pre_id"].to_numpy()).value


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_a_short_training_lowers_the_loss_and_knows_types_better_than_no_training(tmp_path):
    crops, _ = _crops(tmp_path / "train.zarr", n_per_type=12, volumes=3, seed=21)
    other, truth = _crops(tmp_path / "other.zarr", n_per_type=17, volumes=2, seed=22)
    gained = []
    for seed in SEEDS:
        fit = FitSettings(steps=STEPS, validate_every=20, batch=24, learning_rate=2e-3, warmup=15, average=0.98, seed=seed)
        recipe = ContrastRecipe(fit=replace(fit, precision="32-true", device="cpu", loggers=("csv",)))
        train_trunk(crops, tmp_path / str(seed), recipe)
        history = pd.read_csv(tmp_path / str(seed) / "history.csv")
        assert history["train_loss"].iloc[-1] < 0.9 * history["train_loss"].iloc[0]
        assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
        trained = load_trunk(tmp_path / str(seed))
        torch.manual_seed(seed)
        untrained = Trunk(VGG3D(trained.network.config), trained.card, trained.seen)
        cubes = cubes_of(other, trained.seen)
        gained.append((_accuracy(trained, cubes, truth), _accuracy(untrained, cubes, truth)))
    after, before = np.mean(gained, axis=0)
    assert after > before + 0.03, gained
