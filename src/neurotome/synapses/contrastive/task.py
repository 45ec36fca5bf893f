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
    effective_rank,
    hopkins,
    nt_xent,
    retrieval,
    uniformity,
)
from neurotome.nn.task import Task, optimizer_of, running_average, scheduled
from neurotome.nn.vgg3d import VGG3D
from neurotome.synapses.contrastive.cubes import Cubes, CubeSettings

__all__ = ["ContrastTask", "CubeStream", "embedded"]

_COLLAPSED = 0.01
"""A loss this near to that of a single point, after the warm-up, is a collapse."""
_NOBODY = -1
_TRAINING_SEEDS = 1_000_000
"""Seeds of variants below are those of validation."""
_VIEW_SEEDS = 100_000_007


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


class _Projected(nn.Module):
    """A trunk, its mean over space, and the head that the loss looks at; averaged together, since each is made for the other."""

    def __init__(self, trunk: VGG3D, hidden: int, width: int) -> None:
        super().__init__()
        # Convolutions of few channels are a third faster so.
        self.trunk = trunk.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self.head = nn.Sequential(
            nn.Linear(trunk.config.widths[-1], hidden), nn.LayerNorm(hidden), nn.ReLU(), nn.Linear(hidden, width)
        )


class ContrastTask(Task):
    """A VGG3D trunk and a head that serves training only; batches are numbers of cubes.

    alike: of "train" and "val" (n, n) bool of all cubes, pairs that are no negatives of each other. Variants are drawn from seed
    and step, so that a training that was interrupted sees the same ones. queue: how many answers of earlier steps are further
    negatives. partners: for each training cube a number, cubes with equal ones may stand in for each other as the second view
    (Shetty & Huang 2025: synapses of one presynaptic neuron). head: its hidden width and that of its answer.
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
        alike: Mapping[str, torch.Tensor] | None = None,
        queue: int = 0,
        partners: torch.Tensor | None = None,
        head: tuple[int, int] = (256, 128),
    ) -> None:
        super().__init__()
        self.settings, self.cubes, self.seen = settings, cubes, seen
        self.how, self.temperature, self.alike = how or CropAugmentation(), temperature, alike or {}
        self.partners = partners
        self.fitted = _Projected(network, *head)
        self.average = running_average(self.fitted, settings.average) if settings.average else None
        self.register_buffer("queue", torch.zeros(queue, head[1]))
        self.register_buffer("queued", torch.full((queue,), _NOBODY))
        self.seen_in_validation: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.of_a_collapse: list[float] = []

    def answering(self) -> VGG3D:
        trunk: VGG3D = self.judged.trunk
        return trunk

    @property
    def judged(self) -> Any:
        """Trunk and head whose answers count: the running averages."""
        return self.fitted if self.average is None else self.average.module

    def configure_optimizers(self) -> Any:
        return scheduled(optimizer_of(self.fitted.parameters(), self.settings), self)

    def on_train_epoch_start(self) -> None:
        self.of_a_collapse = []

    def training_step(self, numbers: torch.Tensor, _: int) -> torch.Tensor:
        shown = (numbers, self.second_view_of(numbers, step=self.clock.step))
        views = [self._variant("train", some, view, step=self.clock.step) for view, some in enumerate(shown)]
        # Both views in one batch: normalisation must not tell them apart.
        first, second = self.fitted.head(embedded(self.fitted.trunk, torch.cat(views))).chunk(2)
        others = self._others("train", numbers)
        value = nt_xent(first, second, self.temperature, **others)
        self.of_a_collapse.append(float(value.detach()) / collapsed(len(numbers), **others))
        self._remember(numbers, second)
        self.log("train_loss", value, batch_size=len(numbers))
        return value

    def second_view_of(self, numbers: torch.Tensor, *, step: int) -> torch.Tensor:
        """The cubes that second views are of: the same ones, or any of their partners."""
        if self.partners is None:
            return numbers
        may = self.partners[numbers.cpu()][:, None] == self.partners[None]
        generator = torch.Generator().manual_seed(self.settings.seed * _VIEW_SEEDS + step)
        return torch.multinomial(may.float(), 1, generator=generator)[:, 0].to(numbers.device)

    def on_train_batch_end(self, *_: Any) -> None:
        if self.average is not None:
            self.average.update_parameters(self.fitted)

    def on_train_epoch_end(self) -> None:
        """Raises RunFailedError where the mean loss since the last epoch is that of answers which are all alike."""
        shares = self.of_a_collapse
        if shares and self.clock.step > 2 * self.settings.warmup and sum(shares) / len(shares) > 1 - _COLLAPSED:
            raise RunFailedError(
                f"The loss is {sum(shares) / len(shares):.1%} of that of answers which are all alike: the training has collapsed",
                "a loss that falls",
                "lower the learning rate or the temperature, raise the batch, or vary crops less",
            )

    def validation_step(self, numbers: torch.Tensor, _: int) -> None:
        judged = self.judged
        first, second = (embedded(judged.trunk, self._variant("val", numbers, view, step=None)) for view in (0, 1))
        self.seen_in_validation.append((first.float().cpu(), second.float().cpu()))
        value = nt_xent(judged.head(first), judged.head(second), self.temperature, alike=self._alike("val", numbers))
        self.log("val_loss", value, batch_size=len(numbers))

    def measured(self) -> dict[str, float]:
        if not self.seen_in_validation:
            return {}
        first, second = (torch.cat(part) for part in zip(*self.seen_in_validation, strict=True))
        self.seen_in_validation = []
        return {
            "val_alignment": alignment(first, second),
            "val_uniformity": uniformity(first),
            "val_rank": effective_rank(first),
            "val_hopkins": hopkins(first),
            "val_retrieval": retrieval(first, second),
        }

    def _variant(self, part: str, numbers: torch.Tensor, view: int, *, step: int | None) -> torch.Tensor:
        which = numbers.cpu().numpy()
        cubes = self.cubes[part]
        # Of validation crops the same variants in every epoch, so that epochs can be compared.
        place = int(which[0]) if step is None else _TRAINING_SEEDS + step
        generator = torch.Generator().manual_seed(((self.settings.seed * 2 + view) * _VIEW_SEEDS + place) % 2**63)
        image = torch.from_numpy(cubes.image[which]).float() / 255
        mask = torch.from_numpy(cubes.mask[which])
        look = self.seen.look
        return augment_crops(image, mask, self.how, generator, alpha=look.alpha, grey=look.grey).to(numbers.device)

    def _alike(self, part: str, numbers: torch.Tensor, others: torch.Tensor | None = None) -> torch.Tensor | None:
        if part not in self.alike:
            return None
        rows = self.alike[part][numbers.cpu()]
        return rows[:, (numbers if others is None else others).cpu()]

    def _others(self, part: str, numbers: torch.Tensor) -> dict[str, Any]:
        """What `nt_xent` compares with beside the batch, and what of all it leaves out."""
        filled = self.queued != _NOBODY
        if not bool(filled.any()):
            return {"alike": self._alike(part, numbers)}
        queued = self.queued[filled]
        return {
            "alike": self._alike(part, numbers),
            "queue": self.queue[filled],
            "queue_alike": self._alike(part, numbers, queued),
        }

    def _remember(self, numbers: torch.Tensor, answers: torch.Tensor) -> None:
        """The newest answers first; the oldest are forgotten."""
        length = len(self.queued)
        if length:
            self.queue = torch.cat([answers.detach().float(), self.queue])[:length]
            self.queued = torch.cat([numbers, self.queued])[:length]


def embedded(network: nn.Module, cubes: torch.Tensor) -> torch.Tensor:
    """(n, 1, s, s, s) -> (n, d): mean over space of what the trunk puts out."""
    found: torch.Tensor = network(cubes.contiguous(memory_format=torch.channels_last_3d)).mean((2, 3, 4))
    return found


def collapsed(pairs: int, **others: Any) -> float:
    """The loss where all answers are one point, which depends only on how many are compared.

    >>> round(collapsed(2), 6)
    1.098612
    """
    if others.get("queue") is not None:
        others = {**others, "queue": torch.ones(len(others["queue"]), 1)}
    return float(nt_xent(torch.ones(pairs, 1), torch.ones(pairs, 1), **others))
