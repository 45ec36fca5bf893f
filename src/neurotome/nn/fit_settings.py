"""How a network is fitted: plain values, so that recipes can be checked without the training library."""

from __future__ import annotations

from dataclasses import dataclass, field

from neurotome.core import UnknownNameError, ValueRangeError

__all__ = ["FitSettings"]

LOGGERS = ("csv", "tensorboard", "wandb")
DEVICES = ("auto", "cpu", "gpu")


@dataclass(frozen=True)
class FitSettings:
    """How long, how fast, on what. `steps` counts optimiser steps exactly; an epoch ends every `validate_every` of them."""

    steps: int = 6000
    validate_every: int = 250
    batch: int = 4
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup: int = 100
    average: float = 0.999
    precision: str = "bf16-mixed"
    device: str = "auto"
    workers: int = 0
    patience: int = 0
    seed: int = 0
    loggers: tuple[str, ...] = field(default=("csv", "tensorboard"))

    def __post_init__(self) -> None:
        for logger in self.loggers:
            if logger not in LOGGERS:
                raise UnknownNameError("logger", logger, LOGGERS)
        if self.device not in DEVICES:
            raise UnknownNameError("device", self.device, DEVICES)
        if min(self.steps, self.validate_every, self.batch) < 1:
            raise ValueRangeError(
                f"steps {self.steps}, validate_every {self.validate_every}, batch {self.batch}", "1 or more", "raise it"
            )
