"""How a network is fitted: plain values, so that recipes can be checked without the training library."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from neurotome.core import UnknownNameError, ValueRangeError

__all__ = ["FitSettings"]

LOGGERS = ("csv", "tensorboard", "wandb")
DEVICES = ("auto", "cpu", "gpu")
OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULES = ("cosine", "constant", "halving", "onecycle")
ONE_CYCLE_START, ONE_CYCLE_END = 1 / 25, 1 / 25 / 1e4
"""Of the learning rate, before the first step and at the last one."""


@dataclass(frozen=True)
class FitSettings:
    """How long, how fast, on what. A step is one training batch, whatever is done with it; an epoch is `validate_every` of them.

    minutes: above 0, training also ends after that much wall time, interruptions left out. weight_decay: None stands for the
    optimiser's usual one. beta1: of adam and adamw; momentum: of sgd. schedule: "halving" halves the learning rate in each epoch,
    "onecycle" lets it rise from 1/25 along a cosine and fall along another to 1/250,000 (Smith & Topin 2018), whatever last_rate.
    accumulate: batches whose gradients are averaged for one step of the optimiser.
    warmup: steps in which the learning rate rises to its value. last_rate: what the cosine leaves of it. clip: the longest
    gradient there may be, 0 for any. average: how much of the running average of the weights is kept in a step; 0 keeps no
    average. patience: after how many epochs without a better one it ends, 0 never.
    """

    steps: int = 6000
    validate_every: int = 250
    minutes: float = 0.0
    batch: int = 4
    accumulate: int = 1
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    momentum: float = 0.9
    weight_decay: float | None = None
    schedule: str = "cosine"
    warmup: int = 100
    last_rate: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    precision: str = "bf16-mixed"
    device: str = "auto"
    workers: int = 0
    patience: int = 0
    seed: int = 0
    loggers: tuple[str, ...] = field(default=("csv", "tensorboard"))

    def __post_init__(self) -> None:
        for kind, names, known in (
            ("logger", self.loggers, LOGGERS),
            ("device", (self.device,), DEVICES),
            ("optimizer", (self.optimizer,), OPTIMIZERS),
            ("schedule", (self.schedule,), SCHEDULES),
        ):
            for name in names:
                if name not in known:
                    raise UnknownNameError(kind, name, known)
        if min(self.steps, self.validate_every, self.batch) < 1:
            raise ValueRangeError(
                f"steps {self.steps}, validate_every {self.validate_every}, batch {self.batch}", "1 or more", "raise it"
            )
        if self.accumulate < 1 or self.validate_every % self.accumulate:
            raise ValueRangeError(
                f"accumulate {self.accumulate}", f"a divisor of validate_every, {self.validate_every}", "change either"
            )
        if self.minutes < 0:
            raise ValueRangeError(f"minutes {self.minutes}", "0 (no limit) or more", "raise it")
        for name in ("average", "beta1", "momentum", "last_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueRangeError(f"{name} {getattr(self, name)}", "at least 0 and below 1", "change it")
        if self.clip < 0:
            raise ValueRangeError(f"clip {self.clip}", "0 (no limit) or more", "raise it")

    @property
    def decay(self) -> float:
        """The weight decay that is used: 0.01 with adamw, none with adam and sgd, where it would be another thing."""
        usual = 0.01 if self.optimizer == "adamw" else 0.0
        return usual if self.weight_decay is None else self.weight_decay

    def fraction(self, step: int, seconds: float) -> float:
        """How much of the training is over, by steps or by time, whichever is further: 0 to 1."""
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(step / self.steps, by_time))

    def rate(self, step: int, seconds: float) -> float:
        """The share of the learning rate that is used in a step: a linear rise, then the schedule.

        >>> settings = FitSettings(steps=100, warmup=10)
        >>> [round(settings.rate(step, 0), 3) for step in (0, 9, 50, 100)]
        [0.1, 0.98, 0.505, 0.01]
        >>> halving = FitSettings(schedule="halving", validate_every=10, warmup=0)
        >>> [halving.rate(step, 0) for step in (0, 9, 10, 90)]
        [1.0, 1.0, 0.5, 0.001953125]
        >>> once = FitSettings(steps=100, warmup=10, schedule="onecycle")
        >>> [round(once.rate(step, 0), 6) for step in (0, 9, 54, 99)]
        [0.04, 1.0, 0.500002, 4e-06]
        """
        if self.schedule == "onecycle":
            return self._one_cycle(step, seconds)
        warm = min(1.0, (step + 1) / max(1, self.warmup))
        if self.schedule == "constant":
            return warm
        if self.schedule == "halving":
            return float(warm * 0.5 ** (step // self.validate_every))
        left = 0.5 * (1 + math.cos(math.pi * self.fraction(step, seconds)))
        return warm * (self.last_rate + (1 - self.last_rate) * left)

    def _one_cycle(self, step: int, seconds: float) -> float:
        """Two half cosines: highest in the last step of the warm-up, lowest in the last step of all."""
        last, top = self.steps - 1, max(0, self.warmup - 1)
        by_time = self.fraction(0, seconds) * last
        at = min(max(float(step), by_time), float(last))
        if at < top:
            return _half_cosine(ONE_CYCLE_START, 1.0, at / top)
        return _half_cosine(1.0, ONE_CYCLE_END, (at - top) / max(1, last - top))


def _half_cosine(first: float, last: float, part: float) -> float:
    """From `first` (part 0) to `last` (part 1), level at both ends."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * part))
