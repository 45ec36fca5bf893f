"""A training from neurons to a model folder: files, interruption, other data, what the card says."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
import torch

from neurotome.core import InputError, RunFolderError
from neurotome.morphology.training import ShapeRecipe, shape_recipe, train_shapes
from neurotome.nn import load_model

PARTS = {"n0": "train", "n1": "train", "n2": "train", "n3": "train", "n4": "val", "n5": "val", "n6": "test", "n7": "test"}


def recipe(**changes):
    fit = {"steps": 6, "validate_every": 2, "batch": 2, "precision": "32-true", "device": "cpu", "loggers": ("csv",)}
    usual = {"network": "nlat", "options": {"width": 2, "decoder_norm": "group", "position_code": True}, "grid": {"size": 16}}
    return ShapeRecipe(**{**usual, "recomputed": 1, "half": False, "fit": fit, **changes})


@pytest.fixture(scope="module")
def trained(trees, tmp_path_factory):
    out = tmp_path_factory.mktemp("shapes") / "model"
    return out, train_shapes(recipe(), trees, out, parts=PARTS)


def history(out):
    with (out / "history.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_folder_holds_a_model_and_how_it_came_about(trained):
    out, card = trained
    assert {path.name for path in out.iterdir()} >= {
        *("run.json", "card.json", "weights.safetensors", "recipe.yaml", "split.csv"),
        *("history.csv", "thresholds.csv", "scores.csv", "checkpoints"),
    }
    assert {"train_loss", "val_loss", "train_metric_f1", "val_metric_f1", "learning_rate", "iteration"} <= set(history(out)[0])
    assert [row["step"] for row in history(out)] == ["2", "4", "6"]
    network, loaded = load_model(out)
    assert loaded.family == "voxel_autoencoder" and loaded.voxel_nm == (0, 0, 0) and loaded.channels == ("occupied",)
    assert loaded.frame["size"] == 16 and loaded.trained_on == ("n0", "n1", "n2", "n3") and loaded.validated_on == ("n4", "n5")
    assert loaded.training["parameters"] == sum(p.numel() for p in network.parameters())
    assert (
        loaded.training["peak_memory_mb"] > 100 and loaded.training["steps"] == 6 and card.weights_sha256 == loaded.weights_sha256
    )


def test_the_threshold_is_chosen_on_validation_and_reported_on_test(trained):
    out, card = trained
    sweep = pd.read_csv(out / "thresholds.csv")
    assert card.segmentation == {"threshold": float(sweep.threshold[int(np.argmax(sweep.f1))])}
    assert (len(sweep), sweep.threshold.iloc[0], sweep.threshold.iloc[-1], sweep.n.iloc[0]) == (18, 0.1, 0.95, 2)
    scores = pd.read_csv(out / "scores.csv")
    assert scores.name.tolist() == ["n4", "n5", "n6", "n7"] and scores.part.tolist() == ["val", "val", "test", "test"]
    told = {row["part"]: row for row in card.scores if row["metric"] == "f1"}
    assert told["val"]["value"] == pytest.approx(sweep.f1.max(), abs=1e-4)
    assert told["test"]["value"] == pytest.approx(scores.f1[2:].mean(), abs=1e-4)
    assert told["test"]["low"] <= told["test"]["value"] <= told["test"]["high"] and told["test"]["neurons"] == 2


def test_an_interrupted_training_takes_the_same_next_step_to_the_bit(trees, trained, tmp_path):
    class StopError(Exception):
        pass

    def stop(what, done, total):
        if what == "training steps" and done == 3:
            raise StopError

    out = tmp_path / "model"
    with pytest.raises(StopError):
        train_shapes(recipe(), trees, out, parts=PARTS, progress=stop)
    assert len(history(out)) == 1 and not (out / "card.json").exists()
    train_shapes(recipe(), trees, out, parts=PARTS)
    whole, again = (torch.load(of / "checkpoints" / "last.ckpt", weights_only=False) for of in (trained[0], out))
    assert all(torch.equal(whole["state_dict"][key], again["state_dict"][key]) for key in whole["state_dict"])
    moments = [kept["optimizer_states"][0]["state"][0] for kept in (whole, again)]
    assert all(torch.equal(moments[0][key], moments[1][key]) for key in ("step", "exp_avg", "exp_avg_sq"))
    for row, other in zip(history(trained[0]), history(out), strict=True):
        assert all(row[key] == other[key] for key in row if key not in ("seconds", "peak_memory_mb"))
    assert load_model(out)[1].weights_sha256 == trained[1].weights_sha256


def test_a_finished_training_is_not_done_again_and_another_one_is_refused(trees, trained, tmp_path):
    out, card = trained
    before = (out / "card.json").stat().st_mtime_ns
    assert train_shapes(recipe(), trees, out, parts=PARTS).weights_sha256 == card.weights_sha256
    assert (out / "card.json").stat().st_mtime_ns == before
    moved = [*trees[:7], trees[7].take(np.arange(30))]
    with pytest.raises(RunFolderError, match="shapes_sha256"):
        train_shapes(recipe(), moved, out, parts=PARTS)
    with pytest.raises(RunFolderError, match="split_sha256"):
        train_shapes(recipe(), trees, out, parts={**PARTS, "n3": "val"})
    with pytest.raises(RunFolderError, match="choice"):
        train_shapes(recipe(choice="legacy"), trees, out, parts=PARTS)


def test_neurons_without_part_and_empty_parts_are_refused(trees, tmp_path):
    with pytest.raises(InputError, match="n7"):
        train_shapes(recipe(), trees, tmp_path / "a", parts={k: v for k, v in PARTS.items() if k != "n7"})
    with pytest.raises(InputError, match="is in val"):
        train_shapes(recipe(), trees, tmp_path / "b", parts=dict.fromkeys(PARTS, "train"))


def test_without_a_split_names_decide_and_tensorboard_listens(trees, tmp_path):
    fit = {**recipe().fit, "steps": 2, "accumulate": 2, "loggers": ("tensorboard",), "patience": 1}
    card = train_shapes(recipe(network="dense", options={"width": 2}, validate=0.3, test=0.0, fit=fit), trees, tmp_path)
    with (tmp_path / "split.csv").open() as file:
        split = {row["neuron_id"]: row["split"] for row in csv.DictReader(file)}
    assert sorted(split) == [f"n{k}" for k in range(8)] and set(split.values()) == {"train", "val"}
    assert list((tmp_path / "logs").rglob("events*")) and {row["part"] for row in card.scores} == {"val"}
    facts = json.loads((tmp_path / "run.json").read_text())["facts"]
    assert facts["threshold"] == card.segmentation["threshold"] and facts["accumulate"] == 2


def test_our_network_is_trained_from_a_recipe_too(trees, tmp_path):
    usual = shape_recipe("cubes", 16, options={"width": 16, "depth": 1, "bottleneck": 16, "steady": 8}, descriptors=("sholl",))
    fit = {**usual.fit, "steps": 4, "validate_every": 2, "batch": 2, "precision": "32-true", "loggers": ("csv",)}
    card = train_shapes(usual.model_copy(update={"fit": fit}), trees, tmp_path, parts=PARTS)
    assert card.family == "cube_autoencoder" and set(card.segmentation) == {"threshold", "threshold_bottleneck"}
    assert {(row["part"], row["source"]) for row in card.scores} == {
        (p, s) for p in ("val", "test") for s in ("codes", "bottleneck")
    }
    assert card.frame["orientation"] == "principal" and len(history(tmp_path)) == 2
