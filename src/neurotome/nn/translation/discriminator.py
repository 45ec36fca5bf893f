"""The discriminator that judges an image patch by patch (PatchGAN, Isola et al. 2017)."""

from __future__ import annotations

import torch
from torch import nn

from neurotome.nn.translation.layers import convolution, norm_of

__all__ = ["PatchDiscriminator"]


class PatchDiscriminator(nn.Module):
    """Says for each patch of 70 x 70 pixels whether it is real: (b, channels, y, x) -> logits (b, 1, y / 8 - 2, x / 8 - 2).

    channels: of the image that is judged, and of the one it is shown together with, if any. legacy: see `layers.norm_of`.
    """

    def __init__(self, channels: int, width: int = 64, *, legacy: bool = False) -> None:
        super().__init__()
        widths = (width, 2 * width, 4 * width, 8 * width)
        layers: list[nn.Module] = [convolution(channels, width, 4, 2), nn.LeakyReLU(0.2)]  # (b, 64, y / 2, x / 2)
        for inputs, outputs, stride in zip(widths, widths[1:], (2, 2, 1), strict=False):
            # (b, 128, y / 4, x / 4), (b, 256, y / 8, x / 8), (b, 512, y / 8 - 1, x / 8 - 1)
            layers += [convolution(inputs, outputs, 4, stride), norm_of(outputs, legacy=legacy), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, convolution(widths[-1], 1, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)
