"""Rows of features: of the crops they belong to, one after the other or all at once, and no crop without a word."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from neurotome.core import CropLook, UnknownNameError, ValueRangeError
from neurotome.nn.vgg3d import layer_output
from neurotome.synapses.features import network_features
from neurotome.synapses.views import view

LOOK = CropLook(mask="9")


@pytest.fixture(scope="module")
def found(crops, network):
    return network_features(crops, LOOK, network)


def test_a_row_is_the_average_of_layer_20_of_the_view(crops, network):
    table, _ = network_features(crops, LOOK, network, precision="float32")
    shown = view(crops[3], LOOK)
    with torch.inference_mode():
        expected = layer_output(network.network, torch.from_numpy(shown.values[None, None]), 20).mean((2, 3, 4))[0].numpy()
    assert np.abs(table["phantom/v2/3"].X[0] - expected).max() < 1e-5
    assert table.X.dtype == np.float32 and list(table.var_names) == [f"layer20_feat_{k}" for k in range(1, 9)]


def test_every_site_is_kept_or_discarded(crops, network, found):
    table, discarded = found
    assert discarded.values.tolist() == [["phantom/v1/2", "view", "no_vesicles", 0.0, 1.0]]
    assert list(table.obs_names) == [key for key in crops.sites.index if key != "phantom/v1/2"]
    assert table.obs["center_x"].tolist() == crops.sites.loc[table.obs_names, "center_x"].tolist()
    by_side, discarded = network_features(crops, CropLook(mask="11"), network)
    assert discarded["reason"].tolist() == ["undetermined_side"] and discarded["value"].tolist() == [0.1]
    assert len(by_side) + len(discarded) == len(crops)


def test_the_table_says_what_it_is(found):
    table, _ = found
    about = table.uns["network"]
    assert (about["model"], about["layer"], about["pooling"], about["random"]) == ("toy", "20", "avg", False)
    assert json.loads(about["look"])["mask"] == "9" and json.loads(about["recipe"])["size"] == 16
    assert "'percentile' where it learnt from 'synister'" in about["notice"] and "8 x 8 x 8 nm" in about["notice"]
    assert table.var["formula"].unique().tolist() == ["avg of layer 20 of toy"] and set(table.var["family"]) == {"vgg3d"}


def test_a_row_depends_on_its_own_crop_alone(crops, network, found):
    again, discarded = network_features(crops, LOOK, network, batch=1)
    assert (
        np.array_equal(again.X, found[0].X) and discarded.equals(found[1]) and list(again.obs_names) == list(found[0].obs_names)
    )


def test_it_goes_on_where_it_stopped(crops, network, found, tmp_path):
    counted = replace(crops, reads=[])

    def stopped(what, done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network_features(counted, LOOK, network, batch=2, keep=tmp_path, progress=stopped)
    assert counted.reads == [0, 0, 1, 2, 3], "the first also for its voxel size"
    table, discarded = network_features(counted, LOOK, network, batch=2, keep=tmp_path)
    assert counted.reads[5:] == [0, 4, 5]
    assert np.array_equal(table.X, found[0].X) and discarded.equals(found[1])
    network_features(counted, LOOK.with_(alpha=0.5), network, batch=2, keep=tmp_path)
    assert counted.reads[8:] == [0, *range(6)], "another look must not take these rows"


def test_alpha_and_the_mask_decide_what_is_seen(crops, network, found):
    raw, _ = network_features(crops, LOOK.with_(alpha=0.0), network)
    all_of_it, _ = network_features(crops, CropLook(mask="0"), network)
    assert np.array_equal(raw.X, all_of_it[raw.obs_names].X) and not np.allclose(raw.X, found[0].X, rtol=0.05)
    inside, _ = network_features(crops, LOOK, network, layer=2, pooling="mask_avg")
    assert inside.shape == (5, 4) and np.isfinite(inside.X).all()


def test_layers_and_poolings_have_their_columns(crops, network):
    assert network_features(crops, LOOK, network, layer="all_stages", pooling="concat_avg_max")[0].shape == (5, 72)
    standard, _ = network_features(crops, LOOK, network, layer="standard", pooling="spp")
    assert standard.shape == (5, 16 * 73) and standard.var_names[0] == "feat_1"


def test_no_crop_left_is_an_empty_table(crops, network):
    table, discarded = network_features(crops, CropLook(mask="12"), network)
    assert table.shape == (0, 8) and len(discarded) == len(crops) and "center_x" in table.obs


@pytest.mark.parametrize(
    ("options", "error"),
    [({"layer": 34}, ValueRangeError), ({"pooling": "mean"}, UnknownNameError), ({"precision": "double"}, UnknownNameError)],
)
def test_bad_settings_are_refused_before_anything_runs(crops, network, options, error, tmp_path):
    with pytest.raises(error):
        network_features(crops, LOOK, network, keep=tmp_path, **options)
    assert not list(tmp_path.iterdir())
