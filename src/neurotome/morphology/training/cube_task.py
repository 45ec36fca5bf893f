"""What is fitted when a cube autoencoder learns: shapes back from their codes and from z, and a z that knows a neuron again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from neurotome.core import ValueRangeError
from neurotome.nn import FitSettings
from neurotome.nn.occupancy.cube_autoencoder import CubeAutoencoder, Encoded
from neurotome.nn.task import Task, optimizer_of, running_average

__all__ = ["CubeLoss", "CubeTask", "contrast", "correlation", "mirrored"]

_LIKELY = 0.3
"""The probability above which a voxel is occupied while training; thresholds are chosen when it is over."""
_NATS = 50.0
"""What log-likelihoods are divided by, so that each part of the loss is of the order of 1."""


@dataclass(frozen=True)
class CubeLoss:
    """Weights of the parts of the loss; what has none is not computed. temperature: of the contrast.

    codes: voxels from the code of their cube. cubes_of_z, voxels_of_z: from the bottleneck. contrast: two variants of a neuron
    are to be nearer than two neurons. descriptors: hand-made measures of the neuron, standardised, are to follow from z.
    apart: no two of the steady numbers are to say the same. cubes: at most so many are decoded in a step.
    """

    codes: float = 1.0
    cubes_of_z: float = 1.0
    voxels_of_z: float = 1.0
    contrast: float = 1.0
    descriptors: float = 1.0
    apart: float = 1.0
    temperature: float = 0.2
    cubes: int = 1024

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ValueRangeError(f"temperature {self.temperature}", "above 0", "take 0.2")

    @property
    def of_bottleneck(self) -> bool:
        """Whether anything but the codes is learnt."""
        return any((self.cubes_of_z, self.voxels_of_z, self.contrast, self.descriptors, self.apart))


class CubeTask(Task):
    """A CubeAutoencoder on samples {grids (b, v, g, g, g), log_extent (b, v), row (b,)}; two views where there is a contrast.

    descriptors: (neurons, p) float, of the rows, standardised; not a number where unknown. The heads that read them from z, and
    what the contrast sees, serve training only.
    """

    measures: ClassVar[tuple[str, ...]] = ("val_f1_codes", "val_f1_z", "val_contrast", "val_descriptors")

    def __init__(
        self,
        network: CubeAutoencoder,
        settings: FitSettings,
        loss: CubeLoss | None = None,
        descriptors: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.network, self.settings, self.loss = network, settings, loss or CubeLoss()
        steady, width = network.config.steady, 2 * network.config.width
        self.to_contrast = nn.Sequential(nn.Linear(steady, width), nn.GELU(), nn.Linear(width, 64))
        known = torch.zeros(0, 0) if descriptors is None else torch.as_tensor(np.asarray(descriptors), dtype=torch.float32)
        self.register_buffer("known", known, persistent=False)
        self.to_descriptors = nn.Linear(steady, known.shape[1]) if known.shape[1] else None
        self.average = running_average(network, settings.average) if settings.average else None
        self.sums: dict[str, list[float]] = {}

    def answering(self) -> nn.Module:
        return self.network if self.average is None else self.average.module

    def configure_optimizers(self) -> Any:
        optimizer = optimizer_of(self.parameters(), self.settings)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self.settings.rate(step, self.clock.seconds))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_end(self, *_: Any) -> None:
        if self.average is not None:
            self.average.update_parameters(self.network)

    def training_step(self, batch: Mapping[str, torch.Tensor], _: int) -> torch.Tensor:
        value, _parts, _encoded = self.value(self.network, batch, turn=True)
        self.log("train_loss", value, batch_size=len(batch["row"]))
        return value

    def validation_step(self, batch: Mapping[str, torch.Tensor], _: int) -> None:
        network: Any = self.answering()
        value, parts, encoded = self.value(network, batch, turn=False)
        grids = batch["grids"].flatten(0, 1) > 0
        if self.loss.codes:
            parts["f1_codes"] = _f1(network.from_codes(encoded) >= _LIKELY, grids)
        if self.loss.of_bottleneck:
            parts["f1_z"] = _f1(network.from_bottleneck(encoded.z) >= _LIKELY, grids)
        for name, part in parts.items():
            self.sums.setdefault(f"val_{name}", []).append(float(part))
        self.log("val_loss", value, batch_size=len(batch["row"]))

    def measured(self) -> dict[str, float]:
        found = {name: float(np.mean(self.sums[name])) for name in self.measures if name in self.sums}
        self.sums = {}
        return found

    def value(
        self, network: Any, batch: Mapping[str, torch.Tensor], *, turn: bool
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor], Encoded]:
        """The loss of a batch, its parts by name, and what the views were encoded to, neuron after neuron."""
        grids = batch["grids"].flatten(0, 1)  # (b v, g, g, g)
        cubes = network.cubes(mirrored(grids) if turn else grids)
        parts = {}
        if self.loss.of_bottleneck:
            encoded = network.encode(cubes, batch["log_extent"].flatten())
            parts = self._of_bottleneck(network, encoded, batch)
        else:
            nothing = grids.new_zeros(0, dtype=torch.float32)
            encoded = Encoded(cubes, network.code.write(cubes.bits), nothing, nothing)
        if self.loss.codes:
            parts["codes"] = self._codes(network, encoded)
        return torch.stack([getattr(self.loss, name) * part for name, part in parts.items()]).sum(), parts, encoded

    def _of_bottleneck(self, network: Any, encoded: Encoded, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        views = batch["grids"].shape[1]
        steady = encoded.z[:, : network.config.steady]
        parts = {
            "cubes_of_z": _cubes(network, encoded),
            "voxels_of_z": self._voxels(network, encoded),
            "apart": correlation(steady),
        }
        if views == 2 and len(steady) > 2:
            parts["contrast"] = contrast(self.to_contrast(steady), self.loss.temperature)
        if self.to_descriptors is not None:
            wanted = self.known[batch["row"]].repeat_interleave(views, 0)
            there = torch.isfinite(wanted)
            parts["descriptors"] = F.smooth_l1_loss(self.to_descriptors(steady)[there], wanted[there])
        return parts

    def _codes(self, network: Any, encoded: Encoded) -> torch.Tensor:
        some = self._some(len(encoded.codes), encoded.codes.device)
        return _nats(network.decode_codes(encoded.codes[some]), encoded.cubes.bits[some])

    def _voxels(self, network: Any, encoded: Encoded) -> torch.Tensor:
        some = self._some(len(encoded.codes), encoded.codes.device)
        logits = network.decode_voxels(encoded.z[encoded.cubes.shape[some]], encoded.cubes.place[some])
        return _nats(logits, encoded.cubes.bits[some])

    def _some(self, count: int, device: torch.device) -> torch.Tensor:
        """Which cubes are decoded: a share of them, each as likely, so that the mean is that of all."""
        return torch.randperm(count, device=device)[: self.loss.cubes]


def contrast(features: torch.Tensor, temperature: float) -> torch.Tensor:
    """Normalised, temperature-scaled cross-entropy: which of the other rows is the other view of a neuron (Chen et al. 2020).

    features: (2 n, d), rows 2 i and 2 i + 1 of one neuron.

    >>> far = torch.eye(2).repeat_interleave(2, 0)
    >>> round(float(contrast(far, 0.1)), 4), round(float(contrast(torch.ones(4, 2), 0.1)), 4)
    (0.0001, 1.0986)
    """
    unit = F.normalize(features, dim=1)
    like = unit @ unit.T / temperature
    like = like.masked_fill(torch.eye(len(like), dtype=torch.bool, device=like.device), -torch.inf)
    return F.cross_entropy(like, torch.arange(len(like), device=like.device) ^ 1)


def correlation(features: torch.Tensor) -> torch.Tensor:
    """The sum of squared correlations of each column (n, d) with the others, on average over columns (Bardes et al. 2022).

    >>> round(float(correlation(torch.tensor([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]))), 3)
    1.0
    """
    centred = features - features.mean(0)
    unit = centred / centred.norm(dim=0).clamp(min=1e-6)
    squares = (unit.T @ unit) ** 2
    return (squares.sum() - squares.diagonal().sum()) / features.shape[1]


def mirrored(grids: torch.Tensor) -> torch.Tensor:
    """(n, g, g, g), each by its own draw mirrored along each axis and with y and x exchanged: turns about z are among these.

    Which way the axes of a neuron point, and which of two like ones comes first, is a matter of little branches.
    """
    out = torch.empty_like(grids)
    flips = torch.rand(len(grids), 4) < 0.5
    for row, (z, y, x, exchange) in enumerate(flips.tolist()):
        axes = [axis for axis, yes in enumerate((z, y, x)) if yes]
        turned = grids[row].flip(axes) if axes else grids[row]
        out[row] = turned.transpose(1, 2) if exchange else turned
    return out


def _cubes(network: Any, encoded: Encoded) -> torch.Tensor:
    logits = network.decode_cubes(encoded.z)
    wanted = torch.zeros_like(logits)
    wanted[encoded.cubes.shape, encoded.cubes.place] = 1.0
    return _nats(logits, wanted)


def _nats(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Minus the log-likelihood of a row, in parts of 50 nats; the mean of the rows."""
    return F.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="sum") / (_NATS * max(1, len(logits)))


def _f1(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The mean over shapes."""
    both = (found & truth).flatten(1).sum(1)
    return (2 * both / (found.flatten(1).sum(1) + truth.flatten(1).sum(1)).clamp(min=1)).float().mean()
