"""From stacks on disk to a model folder, interrupted, gone on with, and taken over by the next training."""

import csv
from pathlib import Path

import pytest
import torch
import yaml

from neurotome.core import InputError, UnknownNameError
from neurotome.datasets.fluorescence import FluorescenceSpec, fluorescence
from neurotome.flows.train_tracing import read_neurite_recipe
from neurotome.io import save
from neurotome.nn import load_model, save_model
from neurotome.tracing.training import NeuriteRecipe, recipe_of_folders, train
from neurotome.tracing.training.recipe import InitConfig, fit_settings
from neurotome.tracing.training.train import best_so_far

RECIPES = Path(__file__).parents[3] / "recipes"
FIT = {
    "steps": 8,
    "validate_every": 4,
    "batch": 2,
    "learning_rate": 0.05,
    "precision": "32-true",
    "device": "cpu",
    "loggers": ["csv"],
}


def recipe(folders, **options):
    source = {"image": folders / "images", "labels": folders / "labels"}
    usual = {"network": {"widths": [4, 6]}, "patch": (16, 24, 24), "patches_per_image": 4, "fit": FIT, "validate": 0.4}
    return NeuriteRecipe(name="lines", images=(source,), **{**usual, **options})


@pytest.fixture(scope="module")
def trained(folders, tmp_path_factory):
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("trained") / "model"
    return train(recipe(folders, fit={**FIT, "steps": 24, "validate_every": 8}), out), out


def rows(folder, name="history.csv"):
    with (folder / name).open() as file:
        return list(csv.DictReader(file))


def test_a_training_leaves_what_it_promises(trained):
    card, out = trained
    losses = [float(r["train_loss"]) for r in rows(out)]
    assert losses[-1] < losses[0] and 0 <= float(rows(out)[-1]["val_dice"]) <= 1
    assert {"lr", "train_dice", "train_recall", "val_loss", "val_recall", "val_precision", "seconds"} <= rows(out)[0].keys()
    for name in ("run.json", "recipe.yaml", "frames/patch0_epoch0002.png", "progress_patch0.gif", "checkpoints/last.ckpt"):
        assert (out / name).stat().st_size > 0
    patches = rows(out, "patches.csv")
    by_set = {name: {r["image"] for r in patches if r["set"] == name} for name in ("training", "validation")}
    assert len(by_set["training"]) == 3 and not by_set["training"] & by_set["validation"]
    assert min(int(r["foreground"]) for r in patches) >= 5
    network, again = load_model(out)
    assert again == card or again.weights_sha256 == card.weights_sha256
    assert card.channels == ("background", "neurite") and card.halo_vox == (72, 72, 72) and network.activation == "softmax"
    assert card.training["anisotropy"] == [1.5, 1.5] and card.training["radius_vox"] == [2.0, 2.0]


def test_patches_may_also_lie_anywhere(folders, tmp_path):
    train(
        recipe(folders, patch=16, least_foreground=100, anywhere=0.5, fit={**FIT, "steps": 1, "validate_every": 1}),
        tmp_path / "out",
    )
    patches = rows(tmp_path / "out", "patches.csv")
    counts = [int(r["foreground"]) for r in patches if r["set"] == "training"]
    assert len(counts) == 3 * (4 + 2) and min(counts) < 100 <= sorted(counts)[6]
    assert min(int(r["foreground"]) for r in patches if r["set"] == "validation") >= 100


def test_an_interrupted_training_ends_with_the_same_weights_to_the_bit(folders, tmp_path):
    whole = train(recipe(folders), tmp_path / "whole")

    class StopError(Exception):
        pass

    def stop(what, done, total):
        if (what, done) == ("training steps", 6):
            raise StopError

    with pytest.raises(StopError):
        train(recipe(folders), tmp_path / "halted", progress=stop)
    network, card = best_so_far(recipe(folders), tmp_path / "halted")
    assert card.training["kept_step"] == 4 and not network.training
    assert train(recipe(folders), tmp_path / "halted").weights_sha256 == whole.weights_sha256
    assert [r["train_loss"] for r in rows(tmp_path / "halted")] == [r["train_loss"] for r in rows(tmp_path / "whole")]


def test_a_transfer_begins_where_the_other_network_ended(trained, folders, tmp_path):
    card, out = trained
    float_model = tmp_path / "whole"
    save_model(float_model, load_model(out)[0], card, half=False)
    init = {"model": str(float_model), "freeze": "all_but_heads", "freeze_bn": True}
    moved = train(recipe(folders, init=init), tmp_path / "moved")
    best = max(float(r["val_dice"]) for r in rows(out))
    assert moved.training["began_with"] == str(float_model) and moved.training["learning_rate"] == pytest.approx(0.005)
    assert moved.training["dice_before"] == pytest.approx(best, abs=1e-4)
    ours, theirs = load_model(tmp_path / "moved")[0].state_dict(), load_model(float_model)[0].state_dict()
    half = {k: v.half().float() if v.is_floating_point() and "running" not in k else v for k, v in theirs.items()}
    changed = {k.split(".")[0] for k, v in ours.items() if not torch.equal(v, half[k])}
    assert changed and changed <= {f"{n}{k}" for n in ("deconv", "clc") for k in range(1, 5)}


def test_the_rate_is_what_the_recipe_says(folders):
    usual = fit_settings(recipe(folders, fit={}))
    assert (usual.optimizer, usual.learning_rate, usual.momentum, usual.decay, usual.patience) == ("sgd", 0.01, 0.9, 3e-4, 15)
    assert usual.warmup == 0.05 * usual.steps and usual.rate(usual.steps, 0) == 0
    parity = read_neurite_recipe(RECIPES / "neurite_dbenhance.yaml").fit
    settings = fit_settings(recipe(folders, fit=parity))
    each = settings.validate_every
    assert [0.01 * settings.rate(e * each, 0) for e in (0, 9, 99)] == pytest.approx([0.01, 1.95e-5, 1.58e-32], rel=0.01)
    assert settings.batch == 3 and settings.clip == 0 and settings.steps == 100 * each == 100 * 5000
    with pytest.raises(UnknownNameError, match="epochs"):
        fit_settings(recipe(folders, fit={"epochs": 3}))


def test_recipes_are_checked_whole(folders, tmp_path):
    (tmp_path / "r.yaml").write_text(yaml.safe_dump({"name": "a", "images": [{"image": "x.tif"}], "patch": 20, "colour": 1}))
    with pytest.raises(InputError, match=r"give image and labels, or phantoms.*colour"):
        read_neurite_recipe(tmp_path / "r.yaml")
    (tmp_path / "r.yaml").write_text(yaml.safe_dump({"name": "a", "images": [{"phantoms": {}}], "patch": 20}))
    with pytest.raises(InputError, match="multiples of 8, not 20"):
        read_neurite_recipe(tmp_path / "r.yaml")
    with pytest.raises(UnknownNameError, match="noise"):
        train(recipe(folders, augmentation={"noise": 1}), tmp_path / "out")
    for name in ("neurite_voxresnet.yaml", "neurite_dbenhance.yaml"):
        assert fit_settings(read_neurite_recipe(RECIPES / name)).steps > 0


def test_folders_alone_make_a_recipe(trained, folders):
    _, out = trained
    made = recipe_of_folders(folders / "images", folders / "labels", init=InitConfig(model=str(out)), patch=16)
    assert made.network == {"widths": [4, 6]} and made.patch_shape == (16, 16, 16)
    with pytest.raises(InputError, match="multiples of 8"):
        recipe_of_folders(folders / "images", folders / "labels", patch=17)


@pytest.mark.slow
def test_one_phantom_can_be_learnt_by_heart(tmp_path):
    """Trained and judged on one and the same phantom, as a check of network, loss and data together."""
    spec = FluorescenceSpec(shape=(24, 40, 40), voxel_nm=(400.0, 400.0, 400.0), seed=3, snr=8, neighbours=0, specks=0, gaps=0)
    phantom = fluorescence(spec)
    for part, volume in (("images", phantom.image), ("labels", phantom.mask)):
        for name in "ab":
            save(volume, tmp_path / part / f"{name}.ome.tif")
    fit = {
        **FIT,
        "precision": "bf16-mixed",
        "steps": 120,
        "validate_every": 60,
        "optimizer": "adamw",
        "learning_rate": 0.01,
        "batch": 1,
    }
    still = {"chance": 0.0}
    card = train(
        recipe(tmp_path, network={"widths": [8, 16]}, patch=(24, 40, 40), patches_per_image=1, fit=fit, augmentation=still),
        tmp_path / "model",
    )
    assert card.training["kept_step"] == 120 and max(float(r["val_dice"]) for r in rows(tmp_path / "model")) > 0.95
