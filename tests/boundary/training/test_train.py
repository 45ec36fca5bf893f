"""Training for real, in small: it learns, it goes on where it stopped, and it leaves what it promises."""

import csv
import hashlib
import json

import numpy as np
import pytest
import torch

from neurotome import boundary
from neurotome.core import Grid, Image, InputError, Labels, RunFolderError, UnknownNameError
from neurotome.io import save
from neurotome.nn import build


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Discs of two grey values: dark membranes around light cells, six sections."""
    folder = tmp_path_factory.mktemp("stack")
    y, x = np.mgrid[:128, :128]
    labels = (y // 24 * 6 + x // 24 + 1).astype(np.uint16)
    wall = (y % 24 < 3) | (x % 24 < 3)
    rng = np.random.default_rng(0)
    image = np.where(wall, 60, 180) + rng.normal(0, 12, (6, 128, 128))
    grid = Grid((6, 128, 128), (30, 6, 6))
    save(Image(image.clip(0, 255).astype(np.uint8), grid), folder / "image.tif")
    save(Labels(np.repeat(np.where(wall, 0, labels)[None], 6, 0), grid), folder / "truth.tif")
    return folder


def config(stack, **changes):
    volume = {
        "image": stack / "image.tif",
        "truth": stack / "truth.tif",
        "truth_is": "instances",
        "train": "0:4",
        "validate_on": "4:6",
    }
    defaults = {
        "name": "toy",
        "volumes": [volume],
        "channels": ["affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1", "membrane"],
        "network": {"sections": 3, "widths": [8, 16]},
        "crop": 64,
        "augmentation": {"shade": 0},  # sixty steps are too few to learn that light may be uneven
        "fit": {"steps": 60, "validate_every": 20, "batch": 2, "warmup": 5, "average": 0.9, "learning_rate": 5e-3},
    }
    return boundary.TrainConfig(**{**defaults, **changes})


@pytest.fixture(scope="module")
def trained(stack, tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "toy"
    return boundary.train(config(stack), out), out


def rows(out):
    with (out / "history.csv").open() as file:
        return list(csv.DictReader(file))


def test_it_learns_and_leaves_what_it_promises(trained, stack):
    card, out = trained
    history = rows(out)
    assert [int(r["step"]) for r in history] == [20, 40, 60]
    # The running average is already good after the first epoch, so less is left to learn.
    assert float(history[-1]["val_loss"]) < 0.75 * float(history[0]["val_loss"])
    assert float(history[-1]["val_v_rand"]) > 0.9 and 0 <= float(history[-1]["val_threshold"]) <= 1
    frames = [f"section{z:03d}_epoch{e:04d}.png" for z in (4, 5) for e in range(3)]
    assert sorted(p.name for p in (out / "frames").iterdir()) == frames
    assert sorted(p.name for p in out.glob("*.gif")) == ["progress_section004.gif", "progress_section005.gif"]
    assert (out / "logs" / "tensorboard").is_dir() and (out / "checkpoints" / "last.ckpt").is_file()
    assert card.trained_on == ("image.tif sections 0:4",) and card.validated_on == ("image.tif sections 4:6",)
    from neurotome.io import open_image

    probability = boundary.predict(open_image(stack / "image.tif"), out)
    membrane = probability.read(("membrane",))[0, 5]
    wall = np.arange(128) % 24 < 3
    assert membrane[12, wall].mean() > 1.3 * membrane[12, ~wall].mean()


def test_the_record_and_the_card_say_what_was_done(trained, stack):
    card, out = trained
    record = json.loads((out / "run.json").read_text())
    assert (record["command"], record["status"], record["seed"], record["device"]) == ("boundary train", "done", 0, "cpu")
    assert {"neurotome", "torch", "lightning", "numpy"} <= record["versions"].keys()
    assert record["inputs"] == {
        str(stack / name): hashlib.sha256((stack / name).read_bytes()).hexdigest() for name in ("image.tif", "truth.tif")
    }
    assert record["config"]["crop"] == 64 and record["seconds"]["train"] > 0
    said = card.training
    assert (said["steps"], said["optimizer"], said["schedule"], said["loss"]) == (60, "adamw", "cosine", "bce_dice")
    assert said["parameters"] == 6276 and 0 < said["minutes"] < 10
    best = max(rows(out), key=lambda row: float(row["val_v_rand"]))
    assert said["kept_step"] == int(best["step"]) and said["kept"].startswith("highest V_rand of 2 whole validation sections, ")
    assert said["kept"].endswith("; running average of the weights, 0.9")
    assert record["facts"] == {k: said[k] for k in record["facts"]}
    before = (out / "run.json").read_text(), (out / "history.csv").read_text()
    assert boundary.train(config(stack), out).to_json() == json.loads((out / "card.json").read_text()) | card.to_json()
    assert json.loads(before[0])["seconds"] == json.loads((out / "run.json").read_text())["seconds"]
    assert before[1] == (out / "history.csv").read_text()


def test_an_interrupted_training_goes_on(stack, tmp_path):
    fit = {**config(stack).fit, "steps": 6, "validate_every": 2, "loggers": ["csv"]}
    boundary.train(config(stack, fit=fit), tmp_path / "n")  # never interrupted

    class StopError(Exception):
        pass

    def stop(what, done, total):
        if what == "training steps" and done == 3:
            raise StopError

    with pytest.raises(StopError):
        boundary.train(config(stack, fit=fit), tmp_path / "o", progress=stop)
    assert json.loads((tmp_path / "o" / "run.json").read_text())["status"] == "failed"
    boundary.train(config(stack, fit=fit), tmp_path / "o")
    assert [r["step"] for r in rows(tmp_path / "o")] == ["2", "4", "6"]
    assert len({rows(tmp_path / f)[-1]["val_loss"] for f in "no"}) == 1
    assert (tmp_path / "n" / "weights.safetensors").read_bytes() == (tmp_path / "o" / "weights.safetensors").read_bytes()
    for name in ("progress_section004.gif", "progress_section005.gif"):
        assert (tmp_path / "n" / name).read_bytes() == (tmp_path / "o" / name).read_bytes()


def test_ctrl_c_is_an_interruption_and_not_an_exit(stack, tmp_path):
    def ctrl_c(what, done, total):
        if what == "training steps" and done == 3:
            raise KeyboardInterrupt

    fit = {**config(stack).fit, "validate_every": 2, "loggers": ["csv"]}
    with pytest.raises(KeyboardInterrupt):
        boundary.train(config(stack, fit=fit), tmp_path / "m", progress=ctrl_c)
    assert json.loads((tmp_path / "m" / "run.json").read_text())["status"] == "interrupted"
    assert (tmp_path / "m" / "checkpoints" / "last.ckpt").is_file() and not (tmp_path / "m" / "card.json").exists()


def test_another_config_in_the_same_folder_is_refused(trained, stack):
    with pytest.raises(RunFolderError, match=r"config\.crop is 64 there and 32 now"):
        boundary.train(config(stack, crop=32), trained[1])


def test_three_dimensional_network_trains_too(stack, tmp_path):
    changes = {"family": "rsunet3d", "network": {"widths": [4, 6]}, "depth": 4, "crop": 32, "loss": "balanced_bce"}
    card = boundary.train(
        config(stack, **changes, fit={"steps": 2, "validate_every": 2, "batch": 1, "loggers": ["csv"]}), tmp_path / "m"
    )
    assert card.halo_vox[0] > 0


def test_mistakes_are_found_before_anything_is_written(stack, tmp_path):
    out = tmp_path / "m"
    for changes, error, words in (
        ({"channels": ["membran"]}, UnknownNameError, "did you mean 'membrane'"),
        ({"family": "unet"}, UnknownNameError, "unet2d"),
        ({"crop": 63}, InputError, "a multiple of 2"),
        ({"volumes": [{**config(stack).volumes[0].model_dump(), "validate_on": "3:6"}]}, InputError, "overlap"),
        ({"volumes": [{**config(stack).volumes[0].model_dump(), "train": "all"}]}, InputError, "first:last"),
        ({"fit": {"steps": 1, "loggers": ["tensorbord"]}}, UnknownNameError, "did you mean 'tensorboard'"),
        ({"fit": {"step": 1}}, UnknownNameError, "did you mean 'steps'"),
        ({"loss": "bce_dize"}, UnknownNameError, "did you mean 'bce_dice'"),
        ({"loss": "softmax_ce", "channels": ["membrane"]}, InputError, "two channels"),
        ({"depth": 9}, InputError, "3D networks only"),
        ({"shrink": 1, "channels": ["membrane"]}, InputError, "affinities only"),
        ({"pictures": {"sections": [1]}}, InputError, "sections 4 to 5"),
    ):
        with pytest.raises(error, match=words):
            boundary.train(config(stack, **changes), out)
        assert not out.exists(), changes


def test_every_loss_of_the_translation_models_trains_a_plain_network(stack, tmp_path):
    changes = {"channels": ["membrane"], "loss": "mse", "fit": {"steps": 2, "validate_every": 2, "batch": 1, "loggers": ["csv"]}}
    card = boundary.train(config(stack, **changes), tmp_path / "m")
    assert card.training["loss"] == "mse" and 0 < float(rows(tmp_path / "m")[0]["val_loss"]) < 1


def test_two_sections_are_learnt_by_heart(tmp_path):
    """The same two sections twice, so that what is learnt of the first pair is judged on the second."""
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 128, (2, 40, 2))
    y, x = np.mgrid[:128, :128]
    near = np.sort(
        np.hypot(y[None, ..., None] - points[:, None, None, :, 0], x[None, ..., None] - points[:, None, None, :, 1]), -1
    )
    wall = near[..., 1] - near[..., 0] < 4
    grey = np.where(wall, 90, 150) + rng.normal(0, 60, wall.shape)
    grid = Grid((4, 128, 128), (50, 4, 4))
    save(Image(np.tile(grey.clip(0, 255).astype(np.uint8), (2, 1, 1)), grid), tmp_path / "image.tif")
    save(Labels(np.tile(np.where(wall, 0, 255).astype(np.uint8), (2, 1, 1)), grid), tmp_path / "truth.tif")
    volume = {"image": tmp_path / "image.tif", "truth": tmp_path / "truth.tif", "truth_is": "inside"}
    recipe = boundary.TrainConfig(
        name="by-heart",
        volumes=[{**volume, "train": "0:2", "validate_on": "2:4"}],
        channels=["inside"],
        network={"widths": [12, 24, 36]},
        crop=64,
        loss="bce",
        augmentation={"elastic": 0, "grey": 0, "noise": 0, "blur": 0, "defect": 0},
        fit={"steps": 20, "validate_every": 10, "batch": 4, "warmup": 0, "average": 0, "learning_rate": 5e-3, "loggers": ["csv"]},
    )
    card = boundary.train(recipe, tmp_path / "m")
    history = rows(tmp_path / "m")
    assert [r["step"] for r in history] == ["10", "20"] and card.training["steps"] == 20
    assert max(float(r["val_v_rand"]) for r in history) > 0.95


def test_dropout_is_on_in_training_and_off_in_evaluation():
    network = build("unet_zambare", {"out_channels": 1})
    image = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.train()
        assert not torch.equal(network(image), network(image))
        network.eval()
        assert torch.equal(network(image), network(image))
