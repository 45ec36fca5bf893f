"""Full definition of VGG3D, the reference network for synapses: 2,009,160 parameters before its classifier.

    stage   modules (convolution at)   pool   channels               from a cube of 80
    1       0-12  (0, 3, 6, 9)         12     1 -> 24 -> 24 -> 24 -> 24   24 x 40 x 40 x 40
    2       13-19 (13, 16)             19     24 -> 48 -> 48              48 x 20 x 20 x 20
    3       20-26 (20, 23)             26     48 -> 96 -> 96              96 x 10 x 10 x 10
    4       27-33 (27, 30)             33     96 -> 192 -> 192           192 x  5 x  5 x  5
    classifier   Linear 24,000 -> 4096, ReLU, Dropout, Linear 4096 -> 4096, ReLU, Dropout, Linear 4096 -> classes

Each convolution (3x3x3, with bias) is followed by a normalisation and a ReLU. The indices of the modules are those of the network
in funkelab/synistereq and alim98/SynapseClusterEM, so that their checkpoints fit and "layer 20" means the same.
Source: Simonyan & Zisserman 2014; Eckstein et al. 2024 for this shape of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

import torch
from torch import nn

from neurotome.core import InputError, ShapeError, ValueRangeError

__all__ = ["VGG3D", "VGG3DConfig"]

MODULES_OF_A_CONVOLUTION = 3


@dataclass(frozen=True)
class VGG3DConfig:
    """size: voxels along the cube a classifier reads; without one any multiple of 16 will do. widths, convs: of each stage.

    hidden: width of the classifier. classes: what it tells apart; None is the trunk alone, which answers with its last stage.
    out_channels: what a model's card names; the answer is one thing, however many numbers it has.
    """

    in_channels: int = 1
    size: int = 80
    widths: tuple[int, ...] = (24, 48, 96, 192)
    convs: tuple[int, ...] = (4, 2, 2, 2)
    hidden: int = 4096
    classes: int | None = None
    out_channels: int = 1

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.convs) or not self.widths:
            raise InputError(f"{len(self.widths)} widths for {len(self.convs)} stages", "one width and one count per stage")
        if min(*self.widths, *self.convs, self.in_channels, self.hidden) < 1 or self.out_channels != 1:
            raise ValueRangeError("A width or count below 1", "1 or more", "change it")
        if self.classes is not None and self.classes < 1:
            raise ValueRangeError(f"{self.classes} classes", "1 or more, or none for the trunk alone", "change it")
        if self.size < self.stride or self.size % self.stride:
            raise ValueRangeError(f"Cubes of {self.size} voxels", f"a multiple of {self.stride}", "take 80")

    @property
    def stride(self) -> int:
        """Voxels of the cube along a voxel of the last stage."""
        return int(2 ** len(self.widths))

    @property
    def pools(self) -> tuple[int, ...]:
        """The module that ends each stage."""
        return tuple(n - 1 for n in accumulate(MODULES_OF_A_CONVOLUTION * convs + 1 for convs in self.convs))

    def stage(self, module: int) -> int:
        """Which stage a module of `features` belongs to, from 1."""
        return 1 + sum(module > pool for pool in self.pools)

    def width(self, module: int) -> int:
        """Channels that a module of `features` puts out."""
        return self.widths[self.stage(module) - 1]


class VGG3D(nn.Module):
    """Cubes (b, in_channels, s, s, s) -> logits (b, classes), or of the trunk alone (b, widths[-1], s/16, s/16, s/16).

    Weights of convolutions are Kaiming-normal, so that what a network without training says depends on the cube. ReLU makes new
    arrays: hooks, gradients and attribution see what each module said. Raises ShapeError for other cubes.
    """

    ndim: ClassVar[int] = 3
    whole_sections: ClassVar[bool] = False

    def __init__(self, config: VGG3DConfig) -> None:
        super().__init__()
        self.config = config
        self.features = nn.Sequential(*_modules(config))
        self.classifier = None if config.classes is None else _classifier(config, config.classes)
        for part in self.features:
            # On the meta device there is nothing to draw, and asking for it imports a compiler.
            if isinstance(part, nn.Conv3d) and part.bias is not None and not part.weight.is_meta:
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                nn.init.zeros_(part.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.require_cubes(x)
        trunk: torch.Tensor = self.features(x)  # (b, widths[-1], s/16, s/16, s/16)
        return trunk if self.classifier is None else self.classifier(trunk.flatten(1))

    def require_cubes(self, x: torch.Tensor, *, trunk: bool = False) -> None:
        """Raises ShapeError for what the network, or its trunk alone, cannot read."""
        c, step = self.config, self.config.stride
        shape = tuple(x.shape)
        fits = x.ndim == 5 and shape[1] == c.in_channels and len(set(shape[2:])) == 1 and shape[2] % step == 0 and shape[2] > 0
        wants, remedy = f"(n, {c.in_channels}, s, s, s) with s a multiple of {step}", "cut crops of another size"
        if self.classifier is not None and not trunk:
            fits = fits and shape[2] == c.size
            wants, remedy = f"(n, {c.in_channels}, {c.size}, {c.size}, {c.size})", "take the trunk alone for other sizes"
        if not fits:
            raise ShapeError(f"Cubes of shape {shape}", wants, remedy)


def _modules(config: VGG3DConfig) -> Iterator[nn.Module]:
    before = config.in_channels
    for width, convs in zip(config.widths, config.convs, strict=True):
        for _ in range(convs):
            yield nn.Conv3d(before, width, 3, padding=1)
            yield nn.BatchNorm3d(width)
            yield nn.ReLU()
            before = width
        yield nn.MaxPool3d(2)


def _classifier(config: VGG3DConfig, classes: int) -> nn.Sequential:
    flat = config.widths[-1] * math.prod([config.size // config.stride] * 3)
    return nn.Sequential(
        nn.Linear(flat, config.hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(config.hidden, config.hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(config.hidden, classes),
    )
