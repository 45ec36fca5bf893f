"""What happens between batches and epochs, whatever is trained: steps and seconds are counted, epochs get a row and pictures."""

from __future__ import annotations

import copy
import csv
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback, Checkpoint, EarlyStopping
from torch import nn

from neurotome.core import Progress, RunFailedError
from neurotome.io import atomic_target
from neurotome.nn.fit_settings import FitSettings

__all__ = ["EpochEnd", "Judge", "LastState", "Picture", "TrainingClock"]

Judge = Callable[[nn.Module], Mapping[str, float]]
Picture = Callable[[nn.Module, int], None]
SEED_APART = 2**32
"""More steps than any training has."""
JUDGED = ("val_v_rand", "val_v_info", "val_threshold")


class TrainingClock(Callback):
    """Counts training batches and seconds over all parts of an interrupted training, and ends it exactly when it should end.

    Lightning's own count is one of optimiser steps, of which a task may take several a batch. Each batch has a
    random state of its own, and the data are told the number of the epoch, so that an epoch that is done again is the same one.
    """

    def __init__(self, settings: FitSettings, data: Any, progress: Progress) -> None:
        self.settings, self.data, self.progress = settings, data, progress
        self.step, self.before = 0, 0.0
        self.start: float | None = None
        self.losses: list[float] = []

    @property
    def seconds(self) -> float:
        """Wall time spent on this training, by earlier calls too as far as their checkpoints go."""
        return self.before + (0.0 if self.start is None else perf_counter() - self.start)

    @property
    def epoch(self) -> int:
        """Epochs that are complete."""
        return self.step // self.settings.validate_every

    @property
    def over(self) -> bool:
        return self.settings.fraction(self.step, self.seconds) >= 1

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.step, self.before = state_dict["step"], state_dict["seconds"]
        # Workers begin to read before the first epoch is announced.
        self._announce()

    def step_in(self, checkpoint: Mapping[str, Any]) -> int:
        """The step at which a checkpoint was written."""
        return int(checkpoint["callbacks"][self.state_key]["step"])

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        self.start = perf_counter()
        waited = any(c.wait_count >= c.patience for c in trainer.callbacks if isinstance(c, EarlyStopping))
        trainer.should_stop = trainer.should_stop or waited or self.over

    def on_train_epoch_start(self, *_: Any) -> None:
        self._announce()
        self.losses = []

    def on_train_batch_start(self, *_: Any) -> None:
        torch.manual_seed(self.settings.seed * SEED_APART + self.step)

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        loss = float(trainer.callback_metrics["train_loss"])
        require_finite("The loss", loss, self.step)
        self.losses.append(loss)
        self.step += 1
        trainer.should_stop = trainer.should_stop or self.over
        self.progress("training steps", self.step, self.settings.steps)

    def on_train_end(self, *_: Any) -> None:
        self.before, self.start = self.seconds, None

    def _announce(self) -> None:
        if hasattr(self.data, "epoch"):
            self.data.epoch.fill_(self.epoch)


class EpochEnd(Callback):
    """Judges what answers, adds a row to history.csv and has the pictures taken, at the end of each epoch.

    measures: columns of the task's own, which then stand in place of the judge's.
    """

    def __init__(
        self, path: Path, clock: TrainingClock, judge: Judge | None, picture: Picture | None, measures: tuple[str, ...] = ()
    ) -> None:
        self.path, self.clock, self.judge, self.picture = path, clock, judge, picture
        self.judged = measures or JUDGED
        self.columns = ("epoch", "step", "lr", "train_loss", "val_loss", *self.judged, "seconds")
        self.begun = 0.0

    def on_train_start(self, *_: Any) -> None:
        """Rows later than the checkpoint belong to an epoch that is done again."""
        self.begun = self.clock.before
        if self.path.is_file():
            with self.path.open(newline="") as file:
                kept = [row for row in csv.DictReader(file) if int(row["step"]) <= self.clock.step]
            self._write("w", [self.columns, *([row[c] for c in self.columns] for row in kept)])

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        values = trainer.callback_metrics
        if not self.clock.losses or "val_loss" not in values:
            return  # going on from a checkpoint, Lightning ends the finished epoch once more
        require_finite("The validation loss", float(values["val_loss"]), self.clock.step)
        epoch = math.ceil(self.clock.step / self.clock.settings.validate_every) - 1
        # A copy may be moved and put into evaluation mode, and training is none the wiser.
        network = copy.deepcopy(module.answering()).eval()
        judged = {**module.measured(), **(self.judge(network) if self.judge else {})}
        module.log_dict({name: float(value) for name, value in judged.items()})
        if self.picture:
            self.picture(network, epoch)
        seconds = self.clock.seconds
        row = (
            epoch,
            self.clock.step,
            f"{trainer.optimizers[0].param_groups[0]['lr']:.3g}",
            f"{sum(self.clock.losses) / len(self.clock.losses):.5f}",
            f"{float(values['val_loss']):.5f}",
            *(_told(judged[name]) if name in judged else "" for name in self.judged),
            f"{seconds - self.begun:.1f}",
        )
        self.begun = seconds
        self._write("a", [row] if self.path.exists() else [self.columns, row])

    def _write(self, mode: str, rows: list[Any]) -> None:
        with self.path.open(mode, newline="") as file:
            csv.writer(file).writerows(rows)


def _told(value: float) -> str:
    """Five decimals; of small numbers three digits, of counts none."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.5f}" if value == 0 or not abs(value) < 0.01 else f"{value:.3g}"


class LastState(Checkpoint):
    """Keeps the state after the last epoch, better or not, to go on from; Lightning's own would keep that of the best one."""

    def __init__(self, path: Path, clock: TrainingClock) -> None:
        self.path, self.clock = path, clock

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        if self.clock.losses:
            with atomic_target(self.path) as temporary:
                trainer.save_checkpoint(temporary)


def require_finite(what: str, value: float, step: int) -> None:
    if not math.isfinite(value):
        raise RunFailedError(
            f"{what} is {value} at step {step}", "a finite loss", "lower the learning rate; the last checkpoint is kept"
        )
