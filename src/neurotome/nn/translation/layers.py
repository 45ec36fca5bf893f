"""The layers that generators and discriminator are made of: no biases, weights N(0, 0.02), normalisation with scale N(1, 0.02).

Kernels, paddings and initial values are those of tbullmann/imagetranslation-tensorflow.
"""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["BatchStatistics", "convolution", "doubling", "norm_of"]

SPREAD, EPSILON = 0.02, 1e-5


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """(b, inputs, y, x) -> (b, outputs, y / stride, x / stride); for kernel 4 and stride 1, a pixel less on each side."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2, bias=False)
    nn.init.normal_(layer.weight, 0.0, SPREAD)
    return layer


def doubling(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Transposed 4 x 4 convolution, (b, inputs, y, x) -> (b, outputs, 2 y, 2 x)."""
    layer = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    nn.init.normal_(layer.weight, 0.0, SPREAD)
    return layer


class BatchStatistics(nn.Module):
    """Batch normalisation that takes mean and variance from what it is given, also at prediction, as the reference does.

    What it answers at a pixel depends on all pixels. A channel of one value becomes its offset.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # The function beneath F.batch_norm, which would refuse a channel of one value.
        return torch.batch_norm(x, self.weight, self.bias, None, None, True, 0.0, EPSILON, torch.backends.cudnn.enabled)


def norm_of(channels: int, *, legacy: bool, offset: float = 0.0) -> nn.Module:
    """Normalisation with batch statistics always (legacy) or in training only; `offset` is where its offset starts."""
    layer = BatchStatistics(channels) if legacy else nn.BatchNorm2d(channels, eps=EPSILON)
    nn.init.normal_(layer.weight, 1.0, SPREAD)
    nn.init.constant_(layer.bias, offset)
    return layer
