"""The training loop on a network of a few weights: exact steps, exact continuation, the right epoch kept."""

import csv

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from neurotome.core import RunFailedError, UnknownNameError, ValueRangeError
from neurotome.nn import FitSettings
from neurotome.nn.task import NetworkTask, Task, optimizer_of
from neurotome.nn.trainer import fit_task


class Points(Dataset):
    """Noise images whose target is where they are above 0; other ones in each epoch."""

    def __init__(self, count):
        self.count, self.epoch, self.asked = count, torch.zeros((), dtype=torch.int64), []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        self.asked.append((int(self.epoch), index))
        made = torch.Generator().manual_seed(1000 * int(self.epoch) + index)
        image = torch.randn(1, 8, 8, generator=made)
        return image, (image > 0).float(), torch.ones(1, 8, 8)


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Conv2d(4, 1, 1))


def settings(**changes):
    usual = {"steps": 7, "validate_every": 3, "batch": 2, "warmup": 2, "average": 0.9, "learning_rate": 0.05, "loggers": ("csv",)}
    return FitSettings(**{**usual, "precision": "32-true", "device": "cpu", **changes})


def bce(logits, target, valid):
    return nn.functional.binary_cross_entropy_with_logits(logits, target)


def history(folder):
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def fit(network, loss, training, validation, folder, how, **options):
    """The network with the weights of its best epoch."""
    task = NetworkTask(network, loss, how)
    fit_task(task, training, validation, folder, how, **options)
    return task.answering()


def trained(folder, how, **options):
    return fit(network(), bce, Points(how.batch * how.validate_every), Points(2), folder, how, **options)


def test_steps_are_exact_and_each_epoch_has_a_row(tmp_path):
    data = Points(6)
    fit(network(), bce, data, Points(2), tmp_path, settings())
    assert [(r["epoch"], r["step"]) for r in history(tmp_path)] == [("0", "3"), ("1", "6"), ("2", "7")]
    assert list(history(tmp_path)[0]) == [
        *("epoch", "step", "lr", "train_loss", "val_loss", "val_v_rand", "val_v_info", "val_threshold", "seconds")
    ]
    assert history(tmp_path)[0]["val_v_rand"] == ""
    assert data.asked[:6] == [(0, i) for i in range(6)] and data.asked[6:12] == [(1, i) for i in range(6)]


def test_an_interrupted_training_ends_with_the_same_weights_to_the_bit(tmp_path):
    whole = trained(tmp_path / "whole", settings())

    class StopError(Exception):
        pass

    def stop(what, done, total):
        assert (what, total) == ("training steps", 7)
        if done == 5:
            raise StopError

    with pytest.raises(StopError):
        trained(tmp_path / "halted", settings(), progress=stop)
    # As if it had been killed between the row and the checkpoint of its second epoch.
    with (tmp_path / "halted" / "history.csv").open("a") as file:
        file.write("1,6,0,0,0,,,,0\n")
    again = trained(tmp_path / "halted", settings())
    assert [r["step"] for r in history(tmp_path / "halted")] == ["3", "6", "7"]
    for (name, a), b in zip(whole.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    for column in ("lr", "train_loss", "val_loss"):
        assert [r[column] for r in history(tmp_path / "whole")] == [r[column] for r in history(tmp_path / "halted")]


def test_time_ends_a_training_and_the_schedule_with_it(tmp_path):
    how = settings(steps=10**6, validate_every=20, minutes=0.01, warmup=0)
    data = Points(40)
    done = fit_task(NetworkTask(network(), bce, how), data, Points(2), tmp_path, how)
    rows = history(tmp_path)
    assert done.seconds >= 0.6 and done.steps == int(rows[-1]["step"]) < 10**5
    assert float(rows[-1]["lr"]) < 0.05 * 0.05
    asked = len(data.asked)
    again = fit_task(NetworkTask(network(), bce, how), data, Points(2), tmp_path, how)
    # Workers aside, a loader reads its first batch before anybody can say that time is up.
    assert again.steps == done.steps and len(data.asked) <= asked + how.batch and history(tmp_path) == rows


class TwoOptimisers(Task):
    """Two networks, each stepped in every batch, by hand."""

    def __init__(self, how):
        super().__init__()
        self.automatic_optimization = False
        self.first, self.second, self.how, self.seen = network(), network(), how, []

    def answering(self):
        return self.first

    def configure_optimizers(self):
        return [optimizer_of(n.parameters(), self.how) for n in (self.first, self.second)]

    def training_step(self, batch, _):
        self.seen.append((self.clock.step, self.trainer.global_step))
        for one, optimizer in zip((self.first, self.second), self.optimizers(), strict=True):
            optimizer.zero_grad()
            loss = bce(one(batch[0]), batch[1], batch[2])
            self.manual_backward(loss)
            optimizer.step()
        self.log("train_loss", loss)

    def validation_step(self, batch, _):
        self.log("val_loss", bce(self.first(batch[0]), batch[1], batch[2]))


def test_a_step_is_a_batch_however_many_optimisers_there_are(tmp_path):
    task = TwoOptimisers(settings())
    done = fit_task(task, Points(6), Points(2), tmp_path, settings())
    assert task.seen == [(i, 2 * i) for i in range(7)] and done.steps == 7
    assert [r["step"] for r in history(tmp_path)] == ["3", "6", "7"]


def test_the_judge_decides_which_epoch_is_kept(tmp_path):
    values, kept, pictured = [0.1, 0.9, 0.5], [], []

    def judge(answering):
        assert not any(part.training for part in answering.modules())
        kept.append({k: v.clone() for k, v in answering.state_dict().items()})
        return {"val_v_rand": values[len(kept) - 1], "val_v_info": 0.25, "val_threshold": 0.5}

    def picture(answering, epoch):
        assert not answering.training
        pictured.append(epoch)

    task = NetworkTask(network(), bce, settings())
    done = fit_task(task, Points(6), Points(2), tmp_path, settings(), judge=judge, picture=picture)
    assert [(r["val_v_rand"], r["val_v_info"], r["val_threshold"]) for r in history(tmp_path)] == [
        (f"{v:.5f}", "0.25000", "0.50000") for v in values
    ]
    assert pictured == [0, 1, 2] and (done.kept_step, done.value) == (6, pytest.approx(0.9))
    assert all(torch.equal(v, kept[1][k]) for k, v in task.answering().state_dict().items())


def test_without_an_average_the_weights_themselves_answer(tmp_path):
    task = NetworkTask(network(), bce, settings(average=0))
    assert task.answering() is task.network
    best = fit_task(task, Points(6), Points(2), tmp_path, settings(average=0))
    losses = [float(r["val_loss"]) for r in history(tmp_path)]
    assert best.value == pytest.approx(min(losses), abs=1e-5)


def test_a_loss_that_is_not_finite_ends_it_and_keeps_the_checkpoint(tmp_path):
    calls = []

    def spoilt(logits, target, valid):
        calls.append(1)
        return bce(logits, target, valid) * (float("nan") if len(calls) == 6 else 1)

    with pytest.raises(RunFailedError, match="nan at step 4"):
        fit(network(), spoilt, Points(6), Points(2), tmp_path, settings())
    state = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=False)
    assert state["callbacks"]["TrainingClock"]["step"] == 3
    assert all(v.isfinite().all() for v in state["state_dict"].values())


def test_a_training_that_stopped_early_stays_stopped(tmp_path):
    how = settings(steps=300, learning_rate=1e-12, patience=2, average=0)
    trained(tmp_path, how)
    rows = history(tmp_path)
    assert len(rows) < 20
    trained(tmp_path, how)
    assert history(tmp_path) == rows


def test_settings_are_checked_and_do_what_they_say():
    for changes in ({"optimizer": "rmsprop"}, {"schedule": "linear"}, {"device": "tpu"}):
        with pytest.raises(UnknownNameError):
            FitSettings(**changes)
    for changes in ({"steps": 0}, {"minutes": -1}, {"average": 1.0}):
        with pytest.raises(ValueRangeError):
            FitSettings(**changes)
    adam = optimizer_of(network().parameters(), settings(optimizer="adam", beta1=0.5))
    assert type(adam) is torch.optim.Adam and adam.defaults["betas"] == (0.5, 0.999) and adam.defaults["weight_decay"] == 0
    assert optimizer_of(network().parameters(), settings()).defaults["weight_decay"] == 0.01
    constant = FitSettings(schedule="constant", warmup=4)
    assert [constant.rate(step, 0) for step in (0, 3, 5999)] == [0.25, 1, 1]
    timed = FitSettings(steps=100, minutes=1)
    assert (timed.fraction(10, 30), timed.fraction(60, 30), timed.fraction(0, 90)) == (0.5, 0.6, 1)


def test_sgd_and_its_schedules():
    how = settings(optimizer="sgd", learning_rate=0.01, momentum=0.8, weight_decay=3e-4)
    sgd = optimizer_of(network().parameters(), how)
    assert type(sgd) is torch.optim.SGD and sgd.defaults["momentum"] == 0.8 and sgd.defaults["weight_decay"] == 3e-4
    halving = FitSettings(schedule="halving", validate_every=5, warmup=0)
    assert [0.01 * halving.rate(5 * epoch, 0) for epoch in (0, 9, 99)] == pytest.approx([0.01, 1.95e-5, 1.58e-32], rel=0.01)
    to_nothing = FitSettings(steps=100, warmup=5, last_rate=0)
    assert to_nothing.rate(0, 0) == pytest.approx(0.2) and to_nothing.rate(100, 0) == 0
    for changes in ({"clip": -1}, {"momentum": 1.0}, {"last_rate": 1.5}):
        with pytest.raises(ValueRangeError):
            FitSettings(**changes)


def test_a_gradient_is_as_long_as_the_settings_allow(tmp_path):
    lengths = {}
    for clip in (0.0, 1e-3):
        task = NetworkTask(network(), lambda a, b, c: 100 * bce(a, b, c), settings(steps=1, clip=clip, optimizer="sgd", warmup=0))
        before = [p.detach().clone() for p in task.network.parameters()]
        fit_task(task, Points(6), Points(2), tmp_path / str(clip), task.settings)
        lengths[clip] = sum(
            float((p - b).detach().square().sum()) for p, b in zip(task.network.parameters(), before, strict=True)
        )
    assert lengths[1e-3] ** 0.5 == pytest.approx(0.05 * 1e-3, rel=0.01) and lengths[0.0] > 100 * lengths[1e-3]


class Measuring(NetworkTask):
    """Counts its epochs, and is best in the second."""

    measures, best_by = ("val_dice", "epochs"), "val_dice"

    def __init__(self, *given):
        super().__init__(*given)
        self.asked = 0

    def measured(self):
        self.asked += 1
        return {"val_dice": [0.2, 0.7, 0.4][self.asked - 1], "epochs": float(self.asked)}


def test_a_task_that_measures_itself_decides_which_epoch_is_kept(tmp_path):
    task = Measuring(network(), bce, settings())
    done = fit_task(task, Points(6), Points(2), tmp_path, settings())
    assert [(r["val_dice"], r["epochs"]) for r in history(tmp_path)] == [
        ("0.20000", "1.00000"),
        ("0.70000", "2.00000"),
        ("0.40000", "3.00000"),
    ]
    assert (done.kept_step, done.value) == (6, pytest.approx(0.7)) and "val_v_rand" not in history(tmp_path)[0]


def test_gathered_gradients_make_one_step_of_one_large_batch(tmp_path):
    """Without statistics of a batch, two batches of 2 that are gathered are one of 4."""

    def plain():
        torch.manual_seed(3)
        return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))

    usual = {"average": 0.0, "clip": 0.0, "optimizer": "sgd", "schedule": "constant", "warmup": 0}
    small = settings(steps=8, validate_every=4, accumulate=2, batch=2, **usual)
    large = settings(steps=4, validate_every=2, batch=4, **usual)
    one = fit(plain(), bce, Points(8), Points(2), tmp_path / "gathered", small)
    two = fit(plain(), bce, Points(8), Points(2), tmp_path / "large", large)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b)
