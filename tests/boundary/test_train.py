"""Training for real, in small: it learns, it goes on where it stopped, and it leaves what it promises."""

import csv

import numpy as np
import pytest

from neurotome import boundary
from neurotome.core import Grid, Image, InputError, Labels, RunFolderError, UnknownNameError
from neurotome.io import save


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
    assert float(history[-1]["val_loss"]) < 0.7 * float(history[0]["val_loss"])
    assert sorted(p.name for p in (out / "frames").iterdir()) == [f"epoch{e:04d}.png" for e in range(3)]
    assert (out / "logs" / "tensorboard").is_dir() and (out / "checkpoints" / "last.ckpt").is_file()
    assert card.trained_on == ("image.tif sections 0:4",) and card.validated_on == ("image.tif sections 4:6",)
    from neurotome.io import open_image

    probability = boundary.predict(open_image(stack / "image.tif"), out)
    membrane = probability.read(("membrane",))[0, 5]
    wall = np.arange(128) % 24 < 3
    assert membrane[12, wall].mean() > 1.3 * membrane[12, ~wall].mean()


def test_a_finished_or_interrupted_training_goes_on(stack, tmp_path):
    boundary.train(config(stack), tmp_path / "n")  # never interrupted

    class StopError(Exception):
        pass

    def stop(what, done, total):
        if done == 30:
            raise StopError

    with pytest.raises(StopError):
        boundary.train(config(stack), tmp_path / "o", progress=stop)
    boundary.train(config(stack), tmp_path / "o")
    assert [r["step"] for r in rows(tmp_path / "o")] == ["20", "40", "60"]
    ends = [float(rows(tmp_path / f)[-1]["val_loss"]) for f in "no"]
    assert ends[0] == pytest.approx(ends[1], rel=0.02)


def test_ctrl_c_is_an_interruption_and_not_an_exit(stack, tmp_path):
    def ctrl_c(what, done, total):
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        boundary.train(config(stack), tmp_path / "m", progress=ctrl_c)
    assert (tmp_path / "m" / "checkpoints" / "last.ckpt").is_file() and not (tmp_path / "m" / "card.json").exists()


def test_training_stops_early_when_nothing_gets_better(stack, tmp_path):
    fit = {**config(stack).fit, "steps": 400, "validate_every": 10, "learning_rate": 1e-12, "patience": 2, "loggers": ["csv"]}
    boundary.train(config(stack, fit=fit), tmp_path / "m")
    assert int(rows(tmp_path / "m")[-1]["step"]) < 400


def test_another_config_in_the_same_folder_is_refused(trained, stack):
    with pytest.raises(RunFolderError, match="crop = 64, not 32"):
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
    ):
        with pytest.raises(error, match=words):
            boundary.train(config(stack, **changes), out)
        assert not out.exists(), changes
