"""Full definition of the four image-to-image generators of tbullmann/imagetranslation-tensorflow, legacy and corrected.

    unet     4x4 stride 2, `depth` times down and up again, with skips                       pads to multiples of 2^depth
    resnet   7x7, two 3x3 stride 2 | blocks of two 3x3 | two 4x4 stride 1/2, 7x7             pads to multiples of 4
    highway  same ends             | blocks that choose, by a gate, how much to change      |
    dense    same ends             | blocks whose layers see all earlier ones of the block  |

Legacy reproduces the reference: three planes in and three out, values in [-1, 1], batch statistics at prediction too. The
corrected variants take `sections` images, answer in `out_channels`, and differ where a comment says "corrected".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import nn

from neurotome.core import InputError, UnknownNameError
from neurotome.nn.reflected import reflected_to_multiple
from neurotome.nn.translation.layers import convolution, doubling, norm_of

__all__ = ["GENERATORS", "Generator", "GeneratorConfig", "three_planes"]

PLANES = 3
"""Channels of every image in the reference: red, green and blue."""

BLACK = -1.0
"""An empty plane on the scale of the reference."""

DEPTH, LAYERS = 8, 5
"""Levels of `unet`; layers of a block of `dense`."""


@dataclass(frozen=True)
class GeneratorConfig:
    """Channels out, which generator, sections in, and its size. width, blocks: 0 for those of the reference.

    depth is for `unet` only, blocks for the others. Raises UnknownNameError for the kind, InputError for options that it lacks.
    """

    out_channels: int
    kind: str = "resnet"
    sections: int = 1
    legacy: bool = False
    width: int = 0
    depth: int = DEPTH
    blocks: int = 0

    def __post_init__(self) -> None:
        if self.kind not in GENERATORS:
            raise UnknownNameError("generator", self.kind, GENERATORS)
        option = "blocks" if self.kind == "unet" else "depth"
        if (self.blocks != 0) if self.kind == "unet" else (self.depth != DEPTH):
            raise InputError(f"Generator '{self.kind}' has no option {option}", f"{option} left out")
        if self.depth < 2:
            raise InputError(f"Generator 'unet' of depth {self.depth}", "at least 2 levels")
        if self.legacy and max(self.sections, self.out_channels) > PLANES:
            raise InputError(
                f"Legacy generator of {self.sections} sections and {self.out_channels} channels",
                f"at most {PLANES} of each, as in an RGB image",
                "use the corrected variant: legacy: false",
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each level on the way down."""
        first = self.width or (64 if self.kind == "unet" else 32)
        if self.kind != "unet":
            return first, 2 * first, 4 * first
        # Corrected: the reference begins with the width of its second level.
        return (2 * first if self.legacy else first, *(first * min(2**level, 8) for level in range(1, self.depth)))

    @property
    def planes(self) -> tuple[int, int]:
        """Channels that really go in and come out."""
        return (PLANES, PLANES) if self.legacy else (self.sections, self.out_channels)

    @property
    def full_size_width(self) -> int:
        """Channels of the arrays that have the size of the image; `unet` has its first arrays at a quarter of the pixels."""
        return -(-self.widths[0] // 4) if self.kind == "unet" else self.widths[0]


class Generator(nn.Module):
    """An image-to-image network: (b, sections, y, x) -> logits (b, out_channels, y, x), of any y and x.

    The reference ends in o = tanh(a); since (o + 1) / 2 = sigmoid(2 a), the logits are 2 a. Legacy: images in [-1, 1]; one
    channel out is the mean of the three planes.
    """

    ndim: ClassVar[int] = 2

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        side = 2**config.depth if config.kind == "unet" else 4
        self.config, self.stride = config, (1, side, side)
        self.body = GENERATORS[config.kind](config)

    @property
    def whole_sections(self) -> bool:
        """Whether an answer depends on the whole section, so that it cannot be tiled."""
        return self.config.legacy

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        planes = self.planes(x)
        if planes.shape[1] == self.config.out_channels:
            return planes
        return planes.mean(1, keepdim=True) if self.config.out_channels == 1 else planes[:, : self.config.out_channels]

    def planes(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of all planes (b, 3 if legacy else out_channels, y, x)."""
        height, width = x.shape[-2:]
        x = three_planes(x) if self.config.legacy else x
        return 2 * self.body(reflected_to_multiple(x, self.stride[1]))[..., :height, :width]

    def core_parameters(self) -> Iterator[nn.Parameter]:
        """The weights between the encoder's and the decoder's end. Raises InputError for `unet`, which has no such part."""
        if self.config.kind == "unet":
            raise InputError(
                "Generator 'unet' has no core between its ends",
                "one of dense, highway, resnet",
                "train all of it: freeze: nothing",
            )
        return self.body.core.parameters()

    def probe(self) -> Self:
        """The same paths from input to output with few channels, and no statistics."""
        return type(self)(replace(self.config, width=1, legacy=False))


def three_planes(x: torch.Tensor) -> torch.Tensor:
    """Images as the reference has them, (b, 3, y, x): grey is copied, two become red and green, three stay as they are."""
    if x.shape[1] == 2:
        return torch.cat([x, torch.full_like(x[:, :1], BLACK)], dim=1)
    return x if x.shape[1] == PLANES else x.expand(-1, PLANES, -1, -1)


class _UNet(nn.Module):
    """Down to 2^-depth and up again; each level up also sees what the level down had of its size."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        planes_in, planes_out = config.planes
        widths, legacy = config.widths, config.legacy
        self.legacy = legacy
        self.down = nn.ModuleList([convolution(planes_in, widths[0], 4, 2)])
        for level, (i, o) in enumerate(pairwise(widths), 2):
            layers = [nn.LeakyReLU(0.2), convolution(i, o, 4, 2)]
            # Corrected: the innermost level has a single pixel for a crop of 2^depth, whose variance would be 0.
            if legacy or level < config.depth:
                layers.append(norm_of(o, legacy=legacy))
            self.down.append(nn.Sequential(*layers))
        self.up = nn.ModuleList()
        for level in range(config.depth, 1, -1):
            # Corrected: the reference's innermost level sees its own input twice.
            beside = widths[level] if level < config.depth else widths[-1] if legacy else 0
            layers = [nn.ReLU(), doubling(beside + widths[level - 1], widths[level - 1])]
            layers.append(norm_of(widths[level - 1], legacy=legacy))
            self.up.append(nn.Sequential(*layers, *([_Dropout(always=legacy)] if level > 5 else [])))
        self.last = nn.Sequential(nn.ReLU(), doubling(widths[1] + widths[0], planes_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Level l = 1..depth: (b, widths[l - 1], y / 2^l, x / 2^l)
        skips = [x := block(x) for block in self.down]
        x = skips[-1] if self.legacy else x[:, :0]
        for block in self.up:  # (b, widths[l - 1], y / 2^(l - 1), x / 2^(l - 1))
            x = block(torch.cat([x, skips.pop()], dim=1))
        return self.last(torch.cat([x, skips.pop()], dim=1))  # (b, planes, y, x)


class _Dropout(nn.Module):
    """Half of the values are 0, the others doubled. always: at prediction too, where the same ones are 0 every time.

    The reference draws anew for every answer; a section that is read in several boxes must have one answer only.
    """

    def __init__(self, *, always: bool) -> None:
        super().__init__()
        self.always = always

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training or not self.always:
            return F.dropout(x, 0.5, self.training)
        draw = torch.rand(x.shape[1:], generator=torch.Generator().manual_seed(0))
        return x * (2.0 * (draw < 0.5)).to(x)


class _EndsAndCore(nn.Module):
    """Down to a quarter of the size in `enter`, the `core` there, and up again in `leave`."""

    def __init__(self, config: GeneratorConfig, core: nn.Sequential) -> None:
        super().__init__()
        (planes_in, planes_out), (full, half, quarter), legacy = config.planes, config.widths, config.legacy
        # Corrected: the reference has neither normalisation nor ReLU on the way down.
        activated = _bare if legacy else _activated
        self.enter = nn.Sequential(
            activated(convolution(planes_in, full, 7), full),  # (b, 32, y, x)
            activated(convolution(full, half, 3, 2), half),  # (b, 64, y / 2, x / 2)
            activated(convolution(half, quarter, 3, 2), quarter),  # (b, 128, y / 4, x / 4)
        )
        self.core = core  # (b, 128, y / 4, x / 4)
        self.leave = nn.Sequential(
            _activated(doubling(quarter, half), half, legacy=legacy),  # (b, 64, y / 2, x / 2)
            _activated(doubling(half, full), full, legacy=legacy),  # (b, 32, y, x)
            convolution(full, planes_out, 7),  # (b, planes, y, x)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.leave(self.core(self.enter(x)))


def _bare(layer: nn.Module, channels: int) -> nn.Module:
    return layer


def _activated(layer: nn.Module, channels: int, *, legacy: bool = False) -> nn.Sequential:
    return nn.Sequential(layer, norm_of(channels, legacy=legacy), nn.ReLU())


def _same(inputs: int, outputs: int, *, legacy: bool) -> nn.Sequential:
    """3 x 3, normalisation, ReLU."""
    return _activated(convolution(inputs, outputs, 3), outputs, legacy=legacy)


def _resnet(config: GeneratorConfig) -> nn.Module:
    width = config.widths[-1]
    return _EndsAndCore(config, nn.Sequential(*(_Residual(width, legacy=config.legacy) for _ in range(config.blocks or 9))))


class _Residual(nn.Module):
    """Two convolutions learn what to add."""

    def __init__(self, width: int, *, legacy: bool) -> None:
        super().__init__()
        change = [*_same(width, width, legacy=legacy), *_same(width, width, legacy=legacy)]
        # Corrected: in the reference a block can only add, since its last layer is a ReLU.
        self.change = nn.Sequential(*(change if legacy else change[:-1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.change(x)


def _highway(config: GeneratorConfig) -> nn.Module:
    width = config.widths[-1]
    return _EndsAndCore(config, nn.Sequential(*(_Highway(width, legacy=config.legacy) for _ in range(config.blocks or 9))))


class _Highway(nn.Module):
    """x (1 - g) + T(x) g, with a gate g for every value (Srivastava et al. 2015)."""

    def __init__(self, width: int, *, legacy: bool) -> None:
        super().__init__()
        self.legacy = legacy
        self.change = nn.Sequential(_same(width, width, legacy=legacy), _same(width, width, legacy=legacy))
        self.choose = nn.Sequential(convolution(width, width, 3), norm_of(width, legacy=legacy, offset=-10.0 if legacy else -2.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.gate(x)
        return x * (1 - gate) + self.change(x) * gate

    def gate(self, x: torch.Tensor) -> torch.Tensor:
        """How much of the change is taken. Corrected: the reference's gate cannot close, it lies in [0.5, 1]."""
        gate = torch.sigmoid(self.choose(x))
        return (gate + 1) / 2 if self.legacy else gate


def _dense(config: GeneratorConfig) -> nn.Module:
    width = config.widths[-1]
    return _EndsAndCore(config, nn.Sequential(*(_Dense(width, legacy=config.legacy) for _ in range(config.blocks or 5))))


class _Dense(nn.Module):
    """Each layer sees the input and all earlier layers (Huang et al. 2017)."""

    def __init__(self, width: int, *, legacy: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_same(width * n, width, legacy=legacy) for n in range(1, LAYERS + 1))
        # Corrected: the reference hands on its last layer only.
        self.join = None if legacy else convolution(width * (LAYERS + 1), width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        nodes = [x]
        for layer in self.layers:  # (b, 128, y / 4, x / 4), from 128 n channels
            nodes.append(layer(torch.cat(nodes, dim=1)))
        return nodes[-1] if self.join is None else self.join(torch.cat(nodes, dim=1))


GENERATORS: Mapping[str, Callable[[GeneratorConfig], nn.Module]] = {
    "unet": _UNet,
    "resnet": _resnet,
    "highway": _highway,
    "dense": _dense,
}
"""How the network of each kind is made from its config."""
