"""What is trained: a task for Lightning. `Task` is what the training loop needs of any, `NetworkTask` one network, one loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import lightning
import torch
from torch import nn

from neurotome.nn.fit_settings import FitSettings

if TYPE_CHECKING:
    from neurotome.nn.epochs import TrainingClock

__all__ = ["Loss", "NetworkTask", "Task", "optimizer_of", "running_average", "scheduled"]

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Task(lightning.LightningModule):
    """A LightningModule that logs "train_loss" in each training step and "val_loss" in validation, as means over the batch.

    clock: given by the training loop before it starts; how many batches and seconds the training has had, in all its parts.
    A task with several optimisers sets automatic_optimization to False and clips its own gradients.
    measures: names of what it measures itself. best_by: which of these is highest in the best epoch; "" leaves that to the loss.
    """

    clock: TrainingClock
    measures: ClassVar[tuple[str, ...]] = ()
    best_by: ClassVar[str] = ""

    def answering(self) -> nn.Module:
        """The network that is judged, pictured and kept."""
        raise NotImplementedError

    def measured(self) -> Mapping[str, float]:
        """The `measures` of the epoch that ends; asked once, after training and validation."""
        return {}


class NetworkTask(Task):
    """One network and a loss on (logits, target, valid); what answers is a running average of its weights."""

    def __init__(self, network: nn.Module, loss: Loss, settings: FitSettings) -> None:
        super().__init__()
        self.network, self.loss, self.settings = network, loss, settings
        self.average = running_average(network, settings.average) if settings.average else None

    def answering(self) -> nn.Module:
        return self.network if self.average is None else self.average.module

    def configure_optimizers(self) -> Any:
        return scheduled(optimizer_of(self.network.parameters(), self.settings), self)

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        image, target, valid = batch
        if image.ndim == 4:
            image = image.contiguous(memory_format=torch.channels_last)
        value = self.loss(self.network(image).float(), target, valid)
        self.log("train_loss", value, batch_size=len(image))
        return value

    def on_train_batch_end(self, *_: Any) -> None:
        if self.average is not None:
            self.average.update_parameters(self.network)

    def validation_step(self, batch: Any, _: int) -> None:
        image, target, valid = batch
        self.log("val_loss", self.loss(self.answering()(image).float(), target, valid), batch_size=len(image))


def optimizer_of(parameters: Iterable[nn.Parameter], settings: FitSettings) -> torch.optim.Optimizer:
    """The optimiser that the settings name, for the parameters that are not frozen."""
    free = [p for p in parameters if p.requires_grad]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(free, settings.learning_rate, momentum=settings.momentum, weight_decay=settings.decay)
    kind: Any = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[settings.optimizer]
    made: torch.optim.Optimizer = kind(free, settings.learning_rate, betas=(settings.beta1, 0.999), weight_decay=settings.decay)
    return made


def scheduled(optimizer: torch.optim.Optimizer, task: Any) -> dict[str, Any]:
    """The optimiser with the learning rates of `task.settings`, as Lightning wants to be told."""
    settings = task.settings
    # Time is asked again in every step, because the limit may be one of time.
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: settings.rate(step * settings.accumulate, task.clock.seconds)
    )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def running_average(network: nn.Module, decay: float) -> torch.optim.swa_utils.AveragedModel:
    """The exponential average of a network's weights and statistics, of which a step keeps the share `decay`."""
    # A young average looks back over a ninth of its life only: a short training would end as the mean of its beginnings.
    return torch.optim.swa_utils.AveragedModel(
        network, avg_fn=lambda old, new, n: old + (new - old) * max(1 - decay, 9 / (10 + n)), use_buffers=True
    )
