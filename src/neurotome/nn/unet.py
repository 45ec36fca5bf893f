"""Two U-Nets, each in full in this file: `UNet2D` for single or neighbouring sections, `RSUNet3D` for anisotropic volumes.

Neither layer takes statistics from the tile at prediction (BatchNorm uses its running ones), so the answer at a voxel depends on
its receptive field only, never on how the volume was tiled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["RSUNet3D", "RSUNet3DConfig", "UNet2D", "UNet2DConfig"]


@dataclass(frozen=True)
class UNet2DConfig:
    """Sections in, channels out, and the width of each level."""

    out_channels: int
    sections: int = 1
    widths: tuple[int, ...] = (24, 48, 96, 144, 192)

    @property
    def full_size_width(self) -> int:
        """Channels of the arrays that have the size of the image."""
        return self.widths[0]


class UNet2D(nn.Module):
    """U-Net on one section (`sections=1`, 2D) or on 2k + 1 neighbouring ones as channels (2.5D), answering for the middle one.

    Input (b, sections, y, x), output logits (b, out_channels, y, x); y and x multiples of `stride`.
    After Ronneberger et al. 2015, with BatchNorm, centred 3 x 3 kernels and nearest-neighbour up-sampling.
    """

    ndim: ClassVar[int] = 2
    whole_sections: ClassVar[bool] = False

    def __init__(self, config: UNet2DConfig) -> None:
        super().__init__()
        widths = tuple(config.widths)
        self.config = config
        self.stride = (1, 2 ** (len(widths) - 1), 2 ** (len(widths) - 1))
        self.pool = F.max_pool2d
        self.down = nn.ModuleList(_pair(i, o) for i, o in zip((config.sections, *widths), widths, strict=False))
        self.narrow = nn.ModuleList(nn.Conv2d(i, o, 1) for i, o in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(_pair(2 * o, o) for o in widths[-2::-1])
        self.head = nn.Conv2d(widths[0], config.out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips: list[torch.Tensor] = []
        for block in self.down:  # level l: (b, widths[l], y / 2^l, x / 2^l)
            x = block(self.pool(x, 2) if skips else x)
            skips.append(x)
        skips.pop()
        for narrow, block in zip(self.narrow, self.up, strict=True):
            x = F.interpolate(narrow(x), scale_factor=2.0, mode="nearest")  # (b, widths[l], y / 2^l, x / 2^l)
            x = block(torch.cat([x, skips.pop()], dim=1))
        return self.head(x)  # (b, out_channels, y, x)

    def probe(self) -> Self:
        """The same paths from input to output, one channel wide, with averages instead of maxima."""
        narrow = type(self)(replace(self.config, widths=(1,) * len(self.config.widths)))
        narrow.pool = F.avg_pool2d
        return narrow


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in (inputs, outputs):
        layers += [nn.Conv2d(i, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class RSUNet3DConfig:
    """Channels out, the width of each level, and whether voxels are near cubes."""

    out_channels: int
    widths: tuple[int, ...] = (18, 36, 48, 64, 80)
    isotropic: bool = False

    @property
    def full_size_width(self) -> int:
        """Channels of the arrays that have the size of the image."""
        return self.widths[0]


class RSUNet3D(nn.Module):
    """Residual symmetric 3D U-Net for anisotropic (default) or isotropic volumes.

    Input (b, 1, z, y, x), output logits (b, out_channels, z, y, x). Anisotropic: the first level looks inside the section only,
    every level halves y and x but never z. After Lee et al. 2017.
    """

    ndim: ClassVar[int] = 3
    whole_sections: ClassVar[bool] = False

    def __init__(self, config: RSUNet3DConfig) -> None:
        super().__init__()
        widths = tuple(config.widths)
        factor = (2, 2, 2) if config.isotropic else (1, 2, 2)
        self.config = config
        self.factor = factor
        depth = len(widths) - 1
        self.stride = (factor[0] ** depth, factor[1] ** depth, factor[2] ** depth)
        ends = (5, 5, 5) if config.isotropic else (1, 5, 5)
        flat = (3, 3, 3) if config.isotropic else (1, 3, 3)
        kernels = [flat, *[(3, 3, 3)] * depth]
        self.pool = F.max_pool3d
        self.first = _conv(1, widths[0], ends)
        self.down = nn.ModuleList(_Residual(i, o, k) for i, o, k in zip((widths[0], *widths), widths, kernels, strict=False))
        self.narrow = nn.ModuleList(nn.Conv3d(i, o, 1) for i, o in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(_Residual(o, o, k) for o, k in zip(widths[-2::-1], kernels[-2::-1], strict=True))
        self.last = nn.Conv3d(widths[0], config.out_channels, ends, padding=tuple(k // 2 for k in ends))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        skips: list[torch.Tensor] = []
        for block in self.down:  # level l: (b, widths[l], z, y / 2^l, x / 2^l)
            x = block(self.pool(x, self.factor) if skips else x)
            skips.append(x)
        skips.pop()
        scale = tuple(float(f) for f in self.factor)
        for narrow, block in zip(self.narrow, self.up, strict=True):
            x = F.interpolate(narrow(x), scale_factor=scale, mode="nearest")  # (b, widths[l], z, y / 2^l, x / 2^l)
            x = block(x + skips.pop())
        return self.last(x)  # (b, out_channels, z, y, x)

    def probe(self) -> Self:
        """The same paths from input to output, one channel wide, with averages instead of maxima."""
        narrow = type(self)(replace(self.config, widths=(1,) * len(self.config.widths)))
        narrow.pool = F.avg_pool3d
        return narrow


def _conv(inputs: int, outputs: int, kernel: tuple[int, int, int]) -> nn.Sequential:
    padding = tuple(k // 2 for k in kernel)
    return nn.Sequential(nn.Conv3d(inputs, outputs, kernel, padding=padding, bias=False), nn.BatchNorm3d(outputs), nn.ELU())


class _Residual(nn.Module):
    """Three convolutions; the last two learn what to add to the first."""

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int, int]) -> None:
        super().__init__()
        self.enter = _conv(inputs, outputs, kernel)
        self.change = nn.Sequential(_conv(outputs, outputs, kernel), _conv(outputs, outputs, kernel))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        return x + self.change(x)
