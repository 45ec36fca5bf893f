"""Full definition of the U-Net of sarangzambare/segmentation (26,070,593 parameters), in this file: the measure for our own.

Re-implemented from its published layer table. What is peculiar about it is kept: no normalisation, 2 x 2 kernels in the decoder
that look down and to the right only, decoder levels of uneven width, and a third convolution at the last level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import nn

from neurotome.nn.reflected import reflected_to_multiple

__all__ = ["UNetZambare", "UNetZambareConfig"]

WIDTH = 64


@dataclass(frozen=True)
class UNetZambareConfig:
    """Channels out, sections in, and the share of values that training drops at the two deepest levels."""

    out_channels: int = 1
    sections: int = 1
    dropout: float = 0.5

    @property
    def full_size_width(self) -> int:
        """Channels of the arrays that have the size of the image."""
        return WIDTH


class UNetZambare(nn.Module):
    """U-Net after Ronneberger et al. 2015, as in sarangzambare/segmentation; logits instead of its last sigmoid.

    Input (b, sections, y, x), output logits (b, out_channels, y, x), of any y and x. Weights are He-normal, biases 0.
    width: channels of the first level; other than the reference's only for tests and `probe`.
    """

    ndim: ClassVar[int] = 2
    whole_sections: ClassVar[bool] = False
    stride: ClassVar[tuple[int, int, int]] = (1, 16, 16)

    def __init__(self, config: UNetZambareConfig, width: int = WIDTH) -> None:
        super().__init__()
        w = width
        self.config = config
        self.pool = F.max_pool2d
        self.dropout = nn.Dropout(config.dropout)
        widths = (w, 2 * w, 4 * w, 8 * w, 16 * w)
        self.down = nn.ModuleList(_centred(i, o) for i, o in zip((config.sections, *widths), widths, strict=False))
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(i, o, 2, stride=2) for i, o in ((16 * w, 8 * w), (8 * w, 4 * w), (4 * w, 4 * w), (2 * w, 2 * w))
        )
        self.up = nn.ModuleList(
            (
                _off_centre(16 * w, 8 * w, 8 * w),
                _off_centre(8 * w, 4 * w, 4 * w),
                _off_centre(6 * w, 2 * w, 2 * w),
                _off_centre(3 * w, w, w, w),
            )
        )
        self.head = nn.Conv2d(w, config.out_channels, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[-2:]
        x = reflected_to_multiple(x, self.stride[1])
        skips: list[torch.Tensor] = []
        for level, block in enumerate(self.down):  # (b, 64 * 2^level, y / 2^level, x / 2^level)
            x = block(self.pool(x, 2) if skips else x)
            skips.append(x := self.dropout(x) if level >= 3 else x)
        x = skips.pop()
        for enlarge, block in zip(self.enlarge, self.up, strict=True):
            x = F.relu(enlarge(x))  # (b, 512 | 256 | 256 | 128, y / 2^level, x / 2^level)
            x = block(torch.cat([skips.pop(), x], dim=1))  # (b, 512 | 256 | 128 | 64, ...)
        return self.head(x)[..., :height, :width]  # (b, out_channels, y, x)

    def probe(self) -> Self:
        """The same paths from input to output, one channel wide, with averages instead of maxima."""
        narrow = type(self)(self.config, width=1)
        narrow.pool = F.avg_pool2d
        return narrow


def _centred(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU()
    )


def _off_centre(inputs: int, *outputs: int) -> nn.Sequential:
    """2 x 2 convolutions that keep the size: the pixel itself and those right of and below it."""
    layers: list[nn.Module] = []
    for i, o in zip((inputs, *outputs), outputs, strict=False):
        layers += [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(i, o, 2), nn.ReLU()]
    return nn.Sequential(*layers)
