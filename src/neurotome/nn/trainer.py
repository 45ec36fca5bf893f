"""The training loop. It may not know what the channels mean, where patches come from or what a membrane is.

It knows: a task (what is trained, and on which loss), two streams of patches, a folder to write to.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from neurotome.core import MissingExtraError, Progress, silent
from neurotome.nn.epochs import EpochEnd, Judge, LastState, Picture, TrainingClock
from neurotome.nn.fit_settings import FitSettings
from neurotome.nn.task import Task

__all__ = ["Fitted", "fit_task"]


@dataclass(frozen=True)
class Fitted:
    """How a training went: batches and seconds in all, the step whose state is kept, and its val_v_rand or val_loss."""

    steps: int
    seconds: float
    kept_step: int
    value: float | None


def fit_task(
    task: Task,
    training: Dataset[Any],
    validation: Dataset[Any],
    folder: Path,
    settings: FitSettings,
    *,
    judge: Judge | None = None,
    picture: Picture | None = None,
    progress: Progress = silent,
) -> Fitted:
    """Train, or go on where the last call in this folder stopped; the task ends with the state of its best epoch.

    judge and picture get the answering network at the end of each epoch, in evaluation mode. The best epoch is that of the
    highest val_v_rand where a judge gives it, else of the highest of what the task is best by, else of the lowest val_loss.
    Writes into `folder`: checkpoints/last.ckpt and best.ckpt, history.csv, logs of the chosen loggers.
    Raises RunFailedError when a loss stops being finite (the last checkpoint stays).
    """
    checkpoints = folder / "checkpoints"
    last, best = checkpoints / "last.ckpt", checkpoints / "best.ckpt"
    task.clock = TrainingClock(settings, training, progress)
    highest = "val_v_rand" if judge else task.best_by
    keep, *stop = _choosing(checkpoints, settings, highest or "val_loss", "max" if highest else "min")
    row = EpochEnd(folder / "history.csv", task.clock, judge, picture, task.measures)
    callbacks = [task.clock, row, *stop, keep, LastState(last, task.clock)]
    folder.mkdir(parents=True, exist_ok=True)
    with _quiet():
        lightning.seed_everything(settings.seed, workers=True, verbose=False)
        trainer = _trainer(folder, settings, callbacks, clip=task.automatic_optimization)
        try:
            trainer.fit(
                task,
                _loader(training, settings),
                _loader(validation, settings),
                ckpt_path=last if last.is_file() else None,
                weights_only=False,
            )
        except SystemExit as end:
            # Lightning turns Ctrl-C into an exit; who called decides what an interruption means.
            if isinstance(end.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise
    kept = torch.load(best if best.is_file() else last, map_location="cpu", weights_only=False)
    task.cpu().load_state_dict(kept["state_dict"])
    clock, value = task.clock, keep.best_model_score
    return Fitted(clock.step, clock.seconds, clock.step_in(kept), None if value is None else float(value))


def _choosing(checkpoints: Path, settings: FitSettings, monitor: str, mode: str) -> tuple[ModelCheckpoint, *tuple[Callback, ...]]:
    """What keeps the best epoch, and what ends a training that gets no better."""
    keep = ModelCheckpoint(
        checkpoints,
        "best",
        monitor=monitor,
        mode=mode,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    if not settings.patience:
        return (keep,)
    # Going on from a checkpoint, there is nothing to look at when Lightning ends the finished epoch once more.
    return keep, EarlyStopping(monitor, patience=settings.patience, mode=mode, strict=False)


def _trainer(folder: Path, settings: FitSettings, callbacks: list[Callback], *, clip: bool) -> lightning.Trainer:
    return lightning.Trainer(
        # The clock ends it.
        max_epochs=-1,
        limit_train_batches=settings.validate_every,
        precision=settings.precision,  # type: ignore[arg-type]
        accelerator=settings.device,
        devices=1,
        gradient_clip_val=settings.clip if clip and settings.clip else None,
        accumulate_grad_batches=settings.accumulate if clip else 1,
        callbacks=callbacks,
        logger=_loggers(folder, settings.loggers),
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=min(50, settings.validate_every),
    )


def _loader(patches: Dataset[Any], settings: FitSettings) -> DataLoader[Any]:
    return DataLoader(patches, settings.batch, num_workers=settings.workers, persistent_workers=settings.workers > 0)


def _loggers(folder: Path, names: tuple[str, ...]) -> list[Logger]:
    """The CSV is history.csv, always written: Lightning's own would forget what came before an interruption."""
    makers = {"tensorboard": _tensorboard, "wandb": _wandb}
    return [makers[n](folder) for n in names if n != "csv"]


def _tensorboard(folder: Path) -> Logger:
    return TensorBoardLogger(folder, name="logs", version="tensorboard")


def _wandb(folder: Path) -> Logger:
    """Offline: nothing leaves the machine until the user runs `wandb sync`."""
    try:
        from lightning.pytorch.loggers import WandbLogger

        return WandbLogger(save_dir=folder, offline=True, project="neurotome")
    except (ImportError, ModuleNotFoundError) as error:
        raise MissingExtraError("wandb", "wandb") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning greets, advertises and warns about worker counts; none of it concerns a biologist."""
    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators.cuda", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for pattern in (
            "does not have many workers",
            "Checkpoint directory.*exists",
            "LeafSpec",
            "could not find the monitored key",
        ):
            warnings.filterwarnings("ignore", f".*{pattern}")
        yield
