"""What is fitted when a reference network learns: all cubes of a grid, or a few, and what is counted of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from neurotome.core import ValueRangeError
from neurotome.io.run_folder import peak_memory_bytes
from neurotome.nn import FitSettings
from neurotome.nn.occupancy.cubes import ChosenCubes, blocks_at, choose_cubes, choose_cubes_legacy
from neurotome.nn.occupancy.residual import VoxelAutoencoder
from neurotome.nn.task import Loss, NetworkTask

__all__ = ["AutoencoderTask", "Decoding", "item_scores"]

HALF = 0.5
"""The probability above which a voxel is occupied while training; a threshold is chosen when it is over."""


@dataclass(frozen=True)
class Decoding:
    """What a training step decodes: all of a grid (cubes None), or so many of its cubes.

    legacy: the reference's choice of cubes. dense_pass: everything once more without gradient, as the reference does for its
    metrics; here it serves its running statistics alone.
    """

    cubes: int | None = None
    legacy: bool = False
    occupied_share: float = 0.5
    dense_pass: bool = False

    def chosen(self, target: torch.Tensor) -> ChosenCubes:
        """Cubes for grids (b, g, g, g)."""
        if self.cubes is None:
            raise ValueRangeError("A choice of no cubes", "a number of cubes", "decode the whole grid")
        if self.legacy:
            return choose_cubes_legacy(target, self.cubes)
        return choose_cubes(target, self.cubes, occupied_share=self.occupied_share)


class AutoencoderTask(NetworkTask):
    """A VoxelAutoencoder on samples {grids (b, v, g, g, g), ...}: every view is an item, and is to come out as it went in.

    Scores in training are of the voxels that were decoded for the loss; nothing is decoded for scores alone. Scores in
    validation are means over neurons.
    """

    measures: ClassVar[tuple[str, ...]] = (
        *("iteration", "learning_rate", "train_metric_f1", "train_metric_iou"),
        *("val_metric_f1", "val_metric_iou", "peak_memory_mb"),
    )
    best_by: ClassVar[str] = "val_metric_f1"

    def __init__(self, network: VoxelAutoencoder, loss: Loss, settings: FitSettings, decoding: Decoding | None = None) -> None:
        super().__init__(network.to(memory_format=torch.channels_last_3d), loss, settings)  # type: ignore[call-overload]
        self.decoding = decoding or Decoding()
        self.seen: dict[str, list[torch.Tensor]] = {"train": [], "val": []}

    def training_step(self, batch: Mapping[str, torch.Tensor], _: int) -> torch.Tensor:
        grids = batch["grids"].flatten(0, 1).float()  # (b, g, g, g)
        logits, target, weight = self.decoded(grids)
        value = self.loss(logits, target, weight)
        f1, iou = item_scores(logits.detach(), target)
        self.seen["train"].append(torch.stack([f1, iou], 1))
        self.log_dict({"train_loss": value, "train_metric_f1": f1.mean(), "train_metric_iou": iou.mean()}, batch_size=len(grids))
        self.log("learning_rate", self.optimizers().param_groups[0]["lr"])  # type: ignore[union-attr]
        return value

    def decoded(self, grids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits, target and weights of what a training step looks at, first axes (b, n): n cubes, or 1 whole grid."""
        x = _for_convolution(grids)
        if self.decoding.cubes is None:
            logits = self.network(x).float()
            return logits, x, torch.ones_like(logits)
        if self.decoding.dense_pass:
            with torch.no_grad():
                self.network(x)
        chosen = self.decoding.chosen(grids)
        network: Any = self.network
        logits = network.decode_cubes(network.encode(x), chosen.places).float()  # (b, n, r, r, r)
        weight = chosen.weights[..., None, None, None].expand_as(logits)
        return logits, blocks_at(grids, chosen.places), weight

    def validation_step(self, batch: Mapping[str, torch.Tensor], _: int) -> None:
        x = _for_convolution(batch["grids"].flatten(0, 1).float())
        logits = self.answering()(x).float()
        self.seen["val"].append(torch.stack(item_scores(logits, x), 1))
        self.log("val_loss", self.loss(logits, x, torch.ones_like(x)), batch_size=len(x))

    def measured(self) -> dict[str, float]:
        found: dict[str, float] = {"iteration": self.clock.step, "peak_memory_mb": _peak_memory_bytes(self.device) // 2**20}
        found["learning_rate"] = float(self.optimizers().param_groups[0]["lr"])  # type: ignore[union-attr]
        for part, values in self.seen.items():
            f1, iou = torch.cat(values).mean(0).tolist()
            found |= {f"{part}_metric_f1": f1, f"{part}_metric_iou": iou}
        self.seen = {"train": [], "val": []}
        return found


def item_scores(logits: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """F1 and IoU of voxels with a probability above a half, each (b,), of logits and targets (b, ...); 1 where both are empty.

    >>> logits = torch.tensor([[1.0, 1.0, -1.0], [-1.0, -1.0, -1.0]])
    >>> f1, iou = item_scores(logits, torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    >>> f1.tolist(), [round(value, 4) for value in iou.tolist()]
    ([0.5, 1.0], [0.3333, 1.0])
    """
    found, truth = logits.flatten(1) > 0, target.flatten(1) > HALF
    both = (found & truth).sum(1)
    either = (found | truth).sum(1)
    f1 = torch.where(either > 0, 2 * both / (both + either).clamp(min=1), 1.0)
    return f1, torch.where(either > 0, both / either.clamp(min=1), 1.0)


def _peak_memory_bytes(device: torch.device) -> int:
    """Of the process; on a graphics card, of what PyTorch had there."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory_bytes()


def _for_convolution(grids: torch.Tensor) -> torch.Tensor:
    """(b, g, g, g) -> (b, 1, g, g, g) in the layout in which convolutions take two thirds of the time on processors."""
    return grids[:, None].contiguous(memory_format=torch.channels_last_3d)
