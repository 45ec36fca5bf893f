"""What is fitted: a network of two classes on its weighted loss, and what is counted of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from neurotome.nn import FitSettings, ce_dice, weighted_ce_dice
from neurotome.nn.task import Loss, NetworkTask

__all__ = ["LOSSES", "NeuriteTask", "VoxelCounts"]

LOSSES: Mapping[str, Loss] = {"weighted_ce_dice": weighted_ce_dice, "ce_dice": ce_dice}


class VoxelCounts:
    """One confusion matrix of all voxels that were ever added, in whole numbers: (truth, answer), int64.

    A score whose denominator is 0 is not a number.

    >>> counts = VoxelCounts()
    >>> counts.matrix += torch.tensor([[4, 1], [2, 3]])
    >>> {name: round(value, 4) for name, value in counts.scores().items()}
    {'dice': 0.6667, 'recall': 0.6, 'precision': 0.75, 'iou': 0.5, 'accuracy': 0.7}
    """

    def __init__(self) -> None:
        self.matrix = torch.zeros(2, 2, dtype=torch.int64)

    def add(self, answer: torch.Tensor, truth: torch.Tensor) -> None:
        """Two masks of the same shape."""
        code = 2 * truth.reshape(-1).long() + answer.reshape(-1).long()
        self.matrix += torch.bincount(code, minlength=4).reshape(2, 2).cpu()

    def scores(self) -> dict[str, float]:
        """Of the foreground; accuracy of both classes."""
        (tn, fp), (fn, tp) = self.matrix.tolist()
        return {
            "dice": _share(2 * tp, 2 * tp + fp + fn),
            "recall": _share(tp, tp + fn),
            "precision": _share(tp, tp + fp),
            "iou": _share(tp, tp + fp + fn),
            "accuracy": _share(tp + tn, tp + tn + fp + fn),
        }


class NeuriteTask(NetworkTask):
    """A VoxResNet, its loss (summed over what the network wants supervised), and the scores of each epoch."""

    measures: ClassVar[tuple[str, ...]] = (
        *("train_dice", "train_recall", "train_precision"),
        *("val_dice", "val_recall", "val_precision", "val_iou", "val_accuracy"),
    )
    best_by: ClassVar[str] = "val_dice"

    def __init__(self, network: nn.Module, loss: Loss, settings: FitSettings) -> None:
        super().__init__(network, loss, settings)
        self.counts = {"train": VoxelCounts(), "val": VoxelCounts()}

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        image, target, valid = batch
        # On processors, convolutions in three dimensions take two thirds of the time in this layout.
        image = image.contiguous(memory_format=torch.channels_last_3d)
        asked = [(weight, logits.float()) for weight, logits in self.network.supervised(image)]
        value = torch.stack([weight * self.loss(logits, target, valid) for weight, logits in asked]).sum()
        self.counts["train"].add(_foreground(asked[0][1].detach()), target > 0)
        self.log("train_loss", value, batch_size=len(image))
        return value

    def validation_step(self, batch: Any, _: int) -> None:
        image, target, valid = batch
        logits = self.answering()(image.contiguous(memory_format=torch.channels_last_3d)).float()
        self.counts["val"].add(_foreground(logits), target > 0)
        self.log("val_loss", self.loss(logits, target, valid), batch_size=len(image))

    def measured(self) -> dict[str, float]:
        found = {f"{part}_{name}": value for part, counts in self.counts.items() for name, value in counts.scores().items()}
        self.counts = {"train": VoxelCounts(), "val": VoxelCounts()}
        return {name: found[name] for name in self.measures}


def _foreground(logits: torch.Tensor) -> torch.Tensor:
    return logits[:, 1:] > logits[:, :1]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
