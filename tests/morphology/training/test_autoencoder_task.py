"""What a step of a reference network decodes, learns and logs."""

import csv

import pytest
import torch

from neurotome.core import ValueRangeError
from neurotome.morphology.occupancy import GridSettings
from neurotome.morphology.training import ShapeStream
from neurotome.morphology.training.autoencoder_task import AutoencoderTask, Decoding
from neurotome.nn import FitSettings, build, fit_task
from neurotome.nn.losses import occupancy_loss

NLAT = {"decoder_norm": "group", "position_code": True}


def settings(**changes):
    usual = {"batch": 4, "schedule": "onecycle", "average": 0.0, "precision": "32-true", "device": "cpu", "clip": 0.0}
    return FitSettings(**{**usual, "loggers": ("csv",), **changes})


def task_with(how, decoding=None, **options):
    torch.manual_seed(0)
    network = build("voxel_autoencoder", {"grid": 16, "width": 8, **options})
    return AutoencoderTask(network, occupancy_loss("focal"), how, decoding)


def overfitted(trees, folder, decoding, steps, size=16, **options):
    """Rows of the history of a training on four neurons that are also validated on."""
    how = settings(steps=steps, validate_every=steps // 2, learning_rate=1e-2, warmup=steps // 20)
    grid = GridSettings(size=size)
    training = ShapeStream(trees[:4], grid, length=how.batch * how.validate_every, shuffled=True)
    task = task_with(how, decoding, grid=size, **options)
    fit_task(task, training, ShapeStream(trees[:4], grid), folder, how)
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def test_four_neurons_are_learnt_by_heart(trees, tmp_path):
    rows = overfitted(trees, tmp_path, Decoding(), 140)
    assert float(rows[-1]["val_metric_f1"]) > 0.95
    assert [row["iteration"] for row in rows] == ["70", "140"]
    last = {name: float(value) for name, value in rows[-1].items()}
    assert last["val_metric_f1"] == pytest.approx(2 * last["val_metric_iou"] / (1 + last["val_metric_iou"]), abs=0.01)
    assert 0.5 < last["train_metric_f1"] < 1 and last["learning_rate"] < 1e-7 and last["peak_memory_mb"] > 100


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("decoding", "options", "steps"),
    [(Decoding(), {}, 100), (Decoding(10), NLAT, 300), (Decoding(10, legacy=True, dense_pass=True), {}, 300)],
)
def test_four_neurons_are_learnt_by_heart_at_full_width(trees, tmp_path, decoding, options, steps):
    rows = overfitted(trees, tmp_path, decoding, steps, size=32, width=32, **options)
    assert float(rows[-1]["val_metric_f1"]) > (0.95 if not decoding.legacy else 0.8)


@pytest.mark.parametrize("decoding", [Decoding(), Decoding(10), Decoding(10, legacy=True), Decoding(10, dense_pass=True)])
def test_a_step_decodes_what_it_says_and_nothing_else(trees, decoding):
    task = task_with(settings(), decoding)
    decoded = []
    task.network.out.register_forward_hook(lambda _module, _inputs, output: decoded.append(output.numel()))
    grids = torch.stack([ShapeStream(trees, GridSettings(size=16))[row]["grids"][0] for row in range(3)]).float()
    logits, target, weight = task.decoded(grids)
    assert logits.shape == target.shape == weight.shape
    voxels = 16**3 if decoding.cubes is None else 10 * 2**3
    assert decoded == [*([3 * 16**3] if decoding.dense_pass else []), 3 * voxels]
    assert float(target.sum()) > 0 and set(target.unique().tolist()) == {0.0, 1.0}
    task.loss(logits, target, weight).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in task.network.parameters())


def test_no_cubes_are_no_choice():
    with pytest.raises(ValueRangeError, match="number of cubes"):
        Decoding().chosen(torch.zeros(1, 16, 16, 16))
