"""Full definition of VoxResNet (Chen et al. 2018) in this file, as DB-Enhance has it: 1,714,688 parameters.

          full size            1/2                 1/4                 1/8
    conv1, conv2 = x1 -> conv3, res2, res3 -> conv4, res5, res6 -> conv5, res8, res9
            |                    |                   |                   |
         deconv1              deconv2             deconv3             deconv4        one answer per level, at full size
          clc1                 clc2                clc3                clc4
            +--------------------+---------+---------+-------------------+
                                        logits

The names of the layers are those of GTreeSoftware/DB-Enhance, so that its checkpoints fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
from torch import nn

from neurotome.core import ShapeError, UnknownNameError

__all__ = ["FROZEN_PARTS", "VoxResNet", "VoxResNetConfig"]

STRIDE = 8

STAGES = (("conv1", "bn_act1", "conv2"), ("bn_act2", "conv3", "res2", "res3"))
HEADS = tuple(f"{layer}{k}" for k in range(1, 5) for layer in ("deconv", "clc"))
FROZEN_PARTS = ("none", "stage1", "stages1-2", "all_but_heads")
"""How much of the network can be kept as it is in a transfer, from its input on."""

LEVEL_WEIGHTS = (0.5, 0.25, 0.125)
"""What the answers of levels 2 to 4 by themselves weigh in the loss, beside 1 for their sum."""


@dataclass(frozen=True)
class VoxResNetConfig:
    """Classes out, and the widths at full size and below it.

    deep_supervision: in training each coarser level is also asked by itself. auto_context: a second network sees the image and
    what a first one says of it.
    """

    out_channels: int = 2
    widths: tuple[int, int] = (32, 64)
    deep_supervision: bool = False
    auto_context: bool = False

    @property
    def full_size_width(self) -> int:
        """Channels of the arrays that have the size of the image."""
        return self.widths[0]


class VoxResNet(nn.Module):
    """Residual network for volumes whose levels answer together.

    Input (b, 1, z, y, x), sides multiples of 8, output logits (b, out_channels, z, y, x); probabilities are their softmax.
    Weights are Kaiming-normal, those of the transposed convolutions as PyTorch has them. Raises ShapeError for other sides.
    """

    ndim: ClassVar[int] = 3
    whole_sections: ClassVar[bool] = False
    activation: ClassVar[str] = "softmax"
    stride: ClassVar[tuple[int, int, int]] = (STRIDE, STRIDE, STRIDE)

    def __init__(self, config: VoxResNetConfig) -> None:
        super().__init__()
        (w, d), c = config.widths, config.out_channels
        self.config = config
        self.exclude = nn.Softmax(dim=1)
        self.first = VoxResNet(replace(config, auto_context=False)) if config.auto_context else None
        self.conv1 = nn.Conv3d(1 + (c - 1 if config.auto_context else 0), w, 5, padding=2)
        self.bn_act1 = _Active(w)
        self.conv2 = nn.Conv3d(w, w, 3, padding=1)
        self.deconv1, self.clc1 = nn.Conv3d(w, c, 3, padding=1), nn.Conv3d(c, c, 1)
        self.bn_act2, self.conv3 = _Active(w), nn.Conv3d(w, d, 3, stride=2, padding=1)
        self.res2, self.res3 = _Residual(d), _Residual(d)
        self.deconv2, self.clc2 = nn.ConvTranspose3d(d, c, 2, stride=2), nn.Conv3d(c, c, 1)
        self.bn_act3, self.conv4 = _Active(d), nn.Conv3d(d, d, 3, stride=2, padding=1)
        self.res5, self.res6 = _Residual(d), _Residual(d)
        self.deconv3, self.clc3 = nn.ConvTranspose3d(d, c, 4, stride=4), nn.Conv3d(c, c, 1)
        self.bn_act4, self.conv5 = _Active(d), nn.Conv3d(d, d, 3, stride=2, padding=1)
        self.res8, self.res9 = _Residual(d), _Residual(d)
        self.deconv4, self.clc4 = nn.ConvTranspose3d(d, c, 8, stride=8), nn.Conv3d(c, c, 1)
        for part in self.modules():
            if isinstance(part, nn.Conv3d):
                nn.init.kaiming_normal_(part.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return sum(self.levels(self._with_context(x)))  # type: ignore[return-value]

    def levels(self, x: torch.Tensor) -> Iterator[torch.Tensor]:
        """What each level says, finest first, all (b, out_channels, z, y, x)."""
        x = self.conv2(self.bn_act1(self.conv1(x)))  # (b, w, z, y, x)
        yield self.clc1(self.deconv1(x))
        x = self.res3(self.res2(self.conv3(self.bn_act2(x))))  # (b, d, z/2, y/2, x/2)
        yield self.clc2(self.deconv2(x))
        x = self.res6(self.res5(self.conv4(self.bn_act3(x))))  # (b, d, z/4, y/4, x/4)
        yield self.clc3(self.deconv3(x))
        x = self.res9(self.res8(self.conv5(self.bn_act4(x))))  # (b, d, z/8, y/8, x/8)
        yield self.clc4(self.deconv4(x))

    def supervised(self, x: torch.Tensor) -> list[tuple[float, torch.Tensor]]:
        """What the loss looks at in training, with what it weighs there; the answer itself comes first."""
        levels = list(self.levels(self._with_context(x)))
        found = [(1.0, sum(levels))]
        if self.config.deep_supervision:
            found += zip(LEVEL_WEIGHTS, levels[1:], strict=True)
        return [*found, *(self.first.supervised(x) if self.first is not None else ())]  # type: ignore[list-item]

    def kept_in(self, freeze: str) -> list[nn.Module]:
        """The layers that a transfer leaves as they are. Raises UnknownNameError for `freeze`."""
        if freeze not in FROZEN_PARTS:
            raise UnknownNameError("part to freeze", freeze, FROZEN_PARTS)
        if freeze == "all_but_heads":
            return [part for name, part in self.named_children() if name not in HEADS]
        names = [name for stage in STAGES[: FROZEN_PARTS.index(freeze)] for name in stage]
        # With auto-context, the first network is as far from the answer as the stem of the second.
        return [getattr(self, name) for name in (*names, *(("first",) if names and self.first is not None else ()))]

    def probe(self) -> Self:
        """The same paths from input to output, one channel wide; nothing excludes anything."""
        narrow = type(self)(replace(self.config, widths=(1, 1)))
        for part in narrow.modules():
            if isinstance(part, VoxResNet):
                part.exclude = nn.Identity()
        return narrow

    def _with_context(self, x: torch.Tensor) -> torch.Tensor:
        if any(n % STRIDE for n in x.shape[2:]):
            legal = tuple(-(-n // STRIDE) * STRIDE for n in x.shape[2:])
            raise ShapeError(f"Volume of {tuple(x.shape[2:])} voxels", f"multiples of {STRIDE}, such as {legal}", "pad it")
        if self.first is None:
            return x
        # The first network learns from the truth, not from what the second makes of its answer.
        context = self.exclude(self.first(x))[:, 1:]
        return torch.cat([x, context if isinstance(self.exclude, nn.Identity) else context.detach()], dim=1)


class _Active(nn.Module):
    """Normalisation and ReLU; `conv` is what its parameters are called in the checkpoints there are."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.BatchNorm3d(width), nn.ReLU(inplace=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class _Residual(nn.Module):
    """Two convolutions that learn what to add; each is normalised before it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.BatchNorm3d(width), nn.ReLU(inplace=True), nn.Conv3d(width, width, 3, padding=1)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x)
