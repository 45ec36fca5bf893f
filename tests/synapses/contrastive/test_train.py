from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from neurotome.core import InputError, RunFailedError, RunFolderError, UnknownNameError, ValueRangeError
from neurotome.nn import load_model
from neurotome.nn.vgg3d import VGG3D
from neurotome.synapses.contrastive import (
    CubeSettings,
    contrastive_features,
    cubes_of,
    load_trunk,
    split_by_volume,
    train_trunk,
)

UNDETERMINED, FILES = 3, ("card.json", "weights.safetensors")


def _weights(folder):
    return {name: value.clone() for name, value in load_model(folder)[0].state_dict().items()}


def _equal(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def trained(crops, recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("trunk") / "out"
    return out, train_trunk(crops, out, recipe)


def test_a_training_leaves_a_model_folder_that_says_what_it_saw(trained, settings):
    out, card = trained
    history = pd.read_csv(out / "history.csv")
    assert history["step"].tolist() == [3, 6]
    judged = ["train_loss", "val_loss", "val_alignment", "val_uniformity", "val_rank", "val_hopkins", "val_retrieval"]
    assert np.isfinite(history[judged].to_numpy()).all()
    assert card.trained_on == ("a",) and card.validated_on == ("b",) and card.voxel_nm == (16.0, 16.0, 16.0)
    assert card.training["crops"] == 9 and card.training["steps"] == 6 and card.training["discarded"] == 1
    assert card.frame == settings.to_json() and all((out / name).is_file() for name in FILES)


def test_the_seed_decides_weights(trained, crops, recipe, tmp_path):
    train_trunk(crops, tmp_path / "again", recipe)
    assert _equal(_weights(trained[0]), _weights(tmp_path / "again"))
    train_trunk(crops, tmp_path / "other", replace(recipe, fit=replace(recipe.fit, seed=1)))
    assert not _equal(_weights(trained[0]), _weights(tmp_path / "other"))


def test_an_interrupted_training_ends_with_the_same_weights(trained, crops, recipe, tmp_path):
    def stop(what, done, _):
        if what == "training steps" and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_trunk(crops, tmp_path, recipe, progress=stop)
    assert not (tmp_path / "weights.safetensors").exists()
    # The queue of the first three steps is part of the state that is gone on with.
    train_trunk(crops, tmp_path, recipe)
    assert _equal(_weights(trained[0]), _weights(tmp_path))
    assert pd.read_csv(tmp_path / "history.csv")["step"].tolist() == [3, 6]


def test_a_finished_training_is_not_done_again_and_no_other_goes_on_in_its_folder(trained, crops, recipe):
    out, card = trained
    seen = []
    assert train_trunk(crops, out, recipe, progress=lambda what, *_: seen.append(what)).weights_sha256 == card.weights_sha256
    assert "training steps" not in seen
    with pytest.raises(RunFolderError):
        train_trunk(crops, out, replace(recipe, temperature=0.1))


def test_a_collapse_ends_the_run(crops, recipe, tmp_path):
    # At this temperature all pairs are alike.
    with pytest.raises(RunFailedError, match=r"100\.0% of that of answers which are all alike"):
        train_trunk(crops, tmp_path, replace(recipe, temperature=1e5, fit=replace(recipe.fit, warmup=1)))
    assert not (tmp_path / "weights.safetensors").exists()


def test_features_are_rows_of_the_crops_that_are_shown(trained, crops, settings):
    trunk = load_trunk(trained[0])
    table, discarded = contrastive_features(crops, trunk)
    assert table.shape == (15, 8) and list(table.var_names[:2]) == ["clr_1", "clr_2"]
    assert discarded["key"].tolist() == [crops[UNDETERMINED].key]
    assert list(table.obs_names) == [key for key in crops.sites.index if key != crops[UNDETERMINED].key]
    cubes = cubes_of(crops, settings).take(np.array([7]))
    alone, _ = contrastive_features(crops, trunk, cubes=cubes)
    np.testing.assert_allclose(alone.X[0], table[cubes.keys[0]].X[0], rtol=1e-5, atol=1e-6)


def test_only_trunks_of_this_kind_are_loaded(trained, tmp_path):
    from neurotome.nn import load_card, save_model

    card = load_card(trained[0])[0]
    network = load_model(trained[0])[0]
    assert isinstance(network, VGG3D)
    save_model(tmp_path, network, replace(card, frame={}))
    with pytest.raises(InputError, match="no trunk that was trained by contrast"):
        load_trunk(tmp_path)
    with pytest.raises(UnknownNameError):
        load_trunk("synapse-trunc")


def test_volumes_are_not_torn_apart():
    volumes = np.array(["b", "a", "c", "a"])
    found = split_by_volume(volumes)
    assert found["val"].tolist() == [False, False, True, False] and (found["train"] != found["val"]).all()
    assert split_by_volume(volumes, ("a", "c"))["train"].tolist() == [True, False, False, False]
    with pytest.raises(UnknownNameError, match="volume to validate on"):
        split_by_volume(volumes, ("d",))
    with pytest.raises(InputError, match="the only volume 'a'"):
        split_by_volume(np.array(["a", "a"]))
    with pytest.raises(InputError, match="All volumes validate"):
        split_by_volume(volumes, ("a", "b", "c"))


def test_too_little_to_tell_apart_is_refused(crops, recipe, tmp_path):
    with pytest.raises(UnknownNameError, match="relation of synapses of one neuron"):
        replace(recipe, same_neuron="positive")
    with pytest.raises(ValueRangeError, match="batches of 2 crops"):
        replace(recipe, fit=replace(recipe.fit, batch=2))
    few = replace(crops, sites=crops.sites.assign(pre_side=[1] * 10 + [1, 1, 0, 0, 0, 0]))
    with pytest.raises(InputError, match="2 crops to validate on"):
        train_trunk(few, tmp_path, recipe)


def test_the_trunk_of_the_zoo_sees_what_is_usual():
    trunk = load_trunk()
    assert trunk.seen == CubeSettings() and trunk.card.training["crops"] == 480
    cube = np.full((1, 32, 32, 32), 0.6, np.float32)
    cube[:, 12:20, 12:20, 12:20] = 0.2
    assert trunk.embed(cube).shape == (1, 128) and np.ptp(trunk.embed(cube)) > 0
