"""What is fitted when a trunk learns without labels: two variants of a synapse shall be nearer than two synapses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn
from torch.utils.data import Dataset

from neurotome.core import RunFailedError
from neurotome.nn import FitSettings
from neurotome.nn.contrastive import (
    CropAugmentation,
    alignment,
    augment_crops,
    collapsed_loss,
    effective_rank,
    hopkins,
    nt_xent,
    retrieval,
    uniformity,
)
from neurotome.nn.task import Task, optimizer_of, running_average
from neurotome.nn.vgg3d import VGG3D
from neurotome.synapses.contrastive.cubes import Cubes, CubeSettings

__all__ = ["ContrastTask", "CubeStream", "embedded"]

_COLLAPSED = 0.01
"""A loss this near to that of a single point, after the warm-up, is a collapse."""


class CubeStream(Dataset[int]):
    """`length` numbers of cubes an epoch: all in random order, then in another one. Without a seed, all in their order."""

    def __init__(self, count: int, length: int | None = None, seed: int | None = None) -> None:
        self.count, self.length, self.seed = count, length or count, seed
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, item: int) -> int:
        if not 0 <= item < self.length:
            raise IndexError(item)
        if self.seed is None:
            return item % self.count
        turn, at = divmod(int(self.epoch) * self.length + item, self.count)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + turn)
        return int(torch.randperm(self.count, generator=generator)[at])


class ContrastTask(Task):
    """A VGG3D trunk, its mean over space, and a head that serves training only; batches are numbers of cubes.

    alike: (n, n) bool of all cubes, pairs that are no negatives of each other. Variants are drawn from seed and step, so that a
    training that was interrupted sees the same ones. queue: how many answers of earlier steps are further negatives.
    """

    measures: ClassVar[tuple[str, ...]] = ("val_alignment", "val_uniformity", "val_rank", "val_hopkins", "val_retrieval")

    def __init__(
        self,
        network: VGG3D,
        cubes: Mapping[str, Cubes],
        settings: FitSettings,
        *,
        seen: CubeSettings,
        how: CropAugmentation | None = None,
        temperature: float = 0.5,
        alike: torch.Tensor | None = None,
        queue: int = 0,
        head: tuple[int, int] = (256, 128),
    ) -> None:
        super().__init__()
        self.network, self.settings, self.cubes, self.seen = network, settings, cubes, seen
        self.how, self.temperature, self.alike, self.queued = how or CropAugmentation(), temperature, alike, queue
        width = network.config.widths[-1]
        self.head = nn.Sequential(nn.Linear(width, head[0]), nn.LayerNorm(head[0]), nn.ReLU(), nn.Linear(*head))
        self.average = running_average(network, settings.average) if settings.average else None
        self.register_buffer("queue", torch.zeros(0, head[1]), persistent=False)
        self.seen_in_validation: list[tuple[torch.Tensor, torch.Tensor]] = []

    def answering(self) -> nn.Module:
        return self.network if self.average is None else self.average.module

    def configure_optimizers(self) -> Any:
        optimizer = optimizer_of([*self.network.parameters(), *self.head.parameters()], self.settings)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self.settings.rate(step, self.clock.seconds))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_end(self, *_: Any) -> None:
        if self.average is not None:
            self.average.update_parameters(self.network)

    def training_step(self, numbers: torch.Tensor, _: int) -> torch.Tensor:
        views = [self._variant("train", numbers, view, step=self.clock.step) for view in (0, 1)]
        # Both views in one batch: normalisation must not tell them apart.
        first, second = self.head(embedded(self.network, torch.cat(views))).chunk(2)
        alike = None if self.alike is None else self.alike[numbers.cpu()][:, numbers.cpu()]
        value = nt_xent(first, second, self.temperature, alike=alike, queue=self.queue if self.queued else None)
        if self.queued:
            self.queue = torch.cat([second.detach().float(), self.queue])[: self.queued]
        self._require_no_collapse(float(value.detach()), len(numbers))
        self.log("train_loss", value, batch_size=len(numbers))
        return value

    def validation_step(self, numbers: torch.Tensor, _: int) -> None:
        network = self.answering()
        first, second = (embedded(network, self._variant("val", numbers, view, step=None)) for view in (0, 1))
        self.seen_in_validation.append((first.float().cpu(), second.float().cpu()))
        heads = self.head(first), self.head(second)
        self.log("val_loss", nt_xent(*heads, self.temperature), batch_size=len(numbers))

    def measured(self) -> dict[str, float]:
        if not self.seen_in_validation:
            return {}
        first, second = (torch.cat(part) for part in zip(*self.seen_in_validation, strict=True))
        self.seen_in_validation = []
        found = {
            "val_alignment": alignment(first, second),
            "val_uniformity": uniformity(first),
            "val_rank": effective_rank(first),
            "val_retrieval": retrieval(first, second),
        }
        return found | ({"val_hopkins": hopkins(first)} if len(first) >= 4 else {})

    def _variant(self, part: str, numbers: torch.Tensor, view: int, *, step: int | None) -> torch.Tensor:
        which = numbers.cpu().numpy()
        cubes = self.cubes[part]
        # Of validation crops the same variants in every epoch, so that epochs can be compared.
        place = int(which[0]) if step is None else 1_000_000 + step
        generator = torch.Generator().manual_seed(((self.settings.seed * 2 + view) * 100_000_007 + place) % 2**63)
        image = torch.from_numpy(cubes.image[which]).float() / 255
        mask = torch.from_numpy(cubes.mask[which])
        look = self.seen.look
        return augment_crops(image, mask, self.how, generator, alpha=look.alpha, grey=look.grey).to(numbers.device)

    def _require_no_collapse(self, value: float, pairs: int) -> None:
        worst = collapsed_loss(pairs)
        if (
            pairs > 1
            and self.clock.step > max(20, 2 * self.settings.warmup)
            and not self.queued
            and value > (1 - _COLLAPSED) * worst
        ):
            raise RunFailedError(
                f"The loss is {value:.3f}, that of answers which are all alike ({worst:.3f}): the training has collapsed",
                "a loss that falls",
                "lower the learning rate, raise the batch, or vary crops less",
            )


def embedded(network: nn.Module, cubes: torch.Tensor) -> torch.Tensor:
    """(n, 1, s, s, s) -> (n, d): mean over space of what the trunk puts out."""
    return network(cubes.contiguous(memory_format=torch.channels_last_3d)).mean((2, 3, 4))
