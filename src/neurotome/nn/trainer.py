"""The training loop. It may not know what the channels mean, where patches come from or what a membrane is.

It knows: a network, a loss on (logits, target, valid), two streams of patches, a folder to write to.
"""

from __future__ import annotations

import csv
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader, Dataset

from neurotome.core import MissingExtraError, Progress, RunFailedError, silent
from neurotome.nn.fit_settings import FitSettings

__all__ = ["fit"]

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
Picture = Callable[[nn.Module, int], None]


def fit(
    network: nn.Module,
    loss: Loss,
    training: Dataset[Any],
    validation: Dataset[Any],
    folder: Path,
    settings: FitSettings,
    *,
    picture: Picture | None = None,
    progress: Progress = silent,
) -> nn.Module:
    """Train, or go on where the last call in this folder stopped; returns the averaged network with the lowest validation loss.

    Writes into `folder`: checkpoints/last.ckpt and best.ckpt, history.csv, logs of the chosen loggers.
    Raises RunFailedError when the loss stops being finite (the last checkpoint stays).
    """
    checkpoints = folder / "checkpoints"
    last = checkpoints / "last.ckpt"
    best = ModelCheckpoint(
        checkpoints, "best", monitor="val_loss", save_last=True, enable_version_counter=False, save_on_train_epoch_end=True
    )
    callbacks: list[Callback] = [best, _History(folder / "history.csv", progress, settings, picture)]
    if settings.patience:
        callbacks.append(EarlyStopping("val_loss", patience=settings.patience))
    with _quiet():
        lightning.seed_everything(settings.seed, workers=True, verbose=False)
        trainer = _trainer(folder, settings, callbacks)
        try:
            trainer.fit(
                _Task(network, loss, settings),
                _loader(training, settings),
                _loader(validation, settings),
                ckpt_path=last if last.is_file() else None,
                weights_only=False,
            )
        except SystemExit:
            # Lightning turns Ctrl-C into an exit; who called decides what an interruption means.
            raise KeyboardInterrupt from None
    state = torch.load(best.best_model_path or last, map_location="cpu", weights_only=False)["state_dict"]
    averaged = {k.removeprefix("average.module."): v for k, v in state.items() if k.startswith("average.module.")}
    network.load_state_dict(averaged)
    return network.cpu().eval()


def _trainer(folder: Path, settings: FitSettings, callbacks: list[Callback]) -> lightning.Trainer:
    return lightning.Trainer(
        max_epochs=-1,
        max_steps=settings.steps,
        limit_train_batches=settings.validate_every,
        precision=settings.precision,  # type: ignore[arg-type]
        accelerator=settings.device,
        devices=1,
        gradient_clip_val=1.0,
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


class _Task(lightning.LightningModule):
    """AdamW, linear warm-up then cosine decay; validates an exponential average of the weights."""

    def __init__(self, network: nn.Module, loss: Loss, settings: FitSettings) -> None:
        super().__init__()
        self.network, self.loss, self.settings = network, loss, settings
        decay = settings.average
        # A young average remembers only what it has seen: the usual warm-up of the decay.
        self.average = torch.optim.swa_utils.AveragedModel(
            network, avg_fn=lambda old, new, n: old + (new - old) * max(1 - decay, 1 / (10 + n)), use_buffers=True
        )

    def configure_optimizers(self) -> Any:
        s = self.settings
        optimizer = torch.optim.AdamW(self.network.parameters(), s.learning_rate, weight_decay=s.weight_decay)

        def rate(step: int) -> float:
            warm = min(1.0, (step + 1) / max(1, s.warmup))
            return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, s.steps)))))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        data = self.trainer.train_dataloader.dataset  # type: ignore[union-attr]
        if hasattr(data, "epoch"):
            # Counted in steps: Lightning's own count jumps when it goes on from a checkpoint.
            data.epoch.fill_(self.global_step // self.settings.validate_every)

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        image, target, valid = batch
        if image.ndim == 4:
            image = image.contiguous(memory_format=torch.channels_last)
        value = self.loss(self.network(image).float(), target, valid)
        if not torch.isfinite(value):
            raise RunFailedError(
                f"The loss is {value.item()} at step {self.global_step}", "a finite loss", "lower the learning rate"
            )
        self.log("train_loss", value, prog_bar=False)
        return value

    def on_train_batch_end(self, *_: Any) -> None:
        self.average.update_parameters(self.network)

    def validation_step(self, batch: Any, _: int) -> None:
        image, target, valid = batch
        self.log("val_loss", self.loss(self.average(image).float(), target, valid), batch_size=len(image))


class _History(Callback):
    """One row per epoch in history.csv, a picture of the same patch, and word to whoever watches."""

    columns = ("epoch", "step", "lr", "train_loss", "val_loss", "seconds")

    def __init__(self, path: Path, progress: Progress, settings: FitSettings, picture: Picture | None) -> None:
        self.path, self.progress, self.settings, self.picture = path, progress, settings, picture
        self.start = perf_counter()

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        self.progress("training steps", trainer.global_step, self.settings.steps)

    def on_train_epoch_start(self, *_: Any) -> None:
        self.start = perf_counter()

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        values = trainer.callback_metrics
        if "val_loss" not in values:
            return  # going on from a checkpoint, Lightning ends the finished epoch once more
        epoch = math.ceil(trainer.global_step / self.settings.validate_every) - 1
        row = (
            epoch,
            trainer.global_step,
            f"{trainer.optimizers[0].param_groups[0]['lr']:.3g}",
            f"{float(values.get('train_loss', math.nan)):.5f}",
            f"{float(values.get('val_loss', math.nan)):.5f}",
            f"{perf_counter() - self.start:.1f}",
        )
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([self.columns, row] if new else [row])
        if self.picture:
            was_training = module.average.training
            self.picture(module.average.module.eval(), epoch)
            module.average.train(was_training)


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
