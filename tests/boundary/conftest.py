"""A network that answers what it is given: what it should say is known without training."""

from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from neurotome.boundary.training.annotated import AnnotatedVolume
from neurotome.core import Grid, Image, Labels, ModelCard


class Echo(nn.Module):
    """Logit = 4 x the normalised grey value."""

    ndim, stride, whole_sections = 2, (1, 1, 1), False

    def __init__(self, channels=1):
        super().__init__()
        self.config = SimpleNamespace(sections=1, out_channels=channels)
        self.nothing = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        return 4 * x.expand(-1, self.config.out_channels, -1, -1)


def echo_card(*channels):
    return ModelCard("echo", "unet2d", {}, channels, (30, 6, 6), "section_zscore", (0, 0, 0))


def stack(sections=6, size=40, *, seed=0):
    """Cells of 10 x 10 px with dark walls of 2, noise, other walls in each section: image and labels with 0 in the walls."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:sections, :size, :size]
    y, x = y + z, x + 2 * z
    wall = (y % 10 < 2) | (x % 10 < 2)
    labels = np.where(wall, 0, 1 + (y // 10) * 16 + x // 10).astype(np.uint16)
    grey = np.where(wall, 90, 150) + rng.normal(0, 25, wall.shape)
    grid = Grid(wall.shape, (30, 6, 6))
    return Image(grey.clip(0, 255).astype(np.uint8), grid, "image"), Labels(labels, grid)


def block(first=0, last=6, **options):
    image, labels = stack(max(6, last))
    return AnnotatedVolume.load(image, labels, (first, last), normalization="section_zscore", **options)


@pytest.fixture
def echo():
    """The network, its card for named channels, a stack of image and labels, and a block of it."""
    return SimpleNamespace(network=Echo, card=echo_card, stack=stack, block=block)
