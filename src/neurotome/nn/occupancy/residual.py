"""Full definition of the residual voxel autoencoder, the reference network for shapes: 4,354,145 parameters at grid 64.

    grid           grid/2                       8
    incoming RB -> pool, RB -> ... -> pool, RB = latent (c, 8, 8, 8)        RB k3, channels double at each pooling
                                         |
    out 1x1x1  <-  RB, up   <- ... <- RB, up                                RB k1, channels halve at each step up

RB(x) = [conv, norm, ReLU, conv, norm, ReLU](x) + skip(x), without activation after the sum; skip is a 1x1x1 convolution where
channels change. Nothing on the way up looks at a neighbour, so each of the 8 x 8 x 8 places of the latent grid, a cube, is
decoded by itself: "Dense" decodes all of them in a training step, "nLat" a few. Architecture: lucas-mohrhagen/VoxelMorph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from neurotome.core import CUBE, ShapeError, UnknownNameError, ValueRangeError

__all__ = ["LATENT", "LEGAL_GRIDS", "VoxelAutoencoder", "VoxelAutoencoderConfig"]

LATENT = CUBE
"""Places along each side of the latent grid."""

LEGAL_GRIDS = tuple(LATENT * 2**levels for levels in range(1, 6))
NORMS = ("batch", "group")

Part = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class VoxelAutoencoderConfig:
    """grid: voxels a side. width: channels at full size, doubled at each pooling.

    decoder_norm: "batch" as in the reference, "group" normalises each decoded cube by itself, so that cubes chosen for a
    training step decode as they do later among all of them. position_code: the decoder is told where in the grid a cube lies.
    """

    out_channels: int = 1
    grid: int = 64
    width: int = 32
    decoder_norm: str = "batch"
    position_code: bool = False

    def __post_init__(self) -> None:
        if self.grid not in LEGAL_GRIDS:
            raise ValueRangeError(f"A network for a grid of {self.grid}", f"one of {', '.join(map(str, LEGAL_GRIDS))}")
        if self.decoder_norm not in NORMS:
            raise UnknownNameError("normalisation of a decoder", self.decoder_norm, NORMS)
        if self.width < 1 or self.out_channels != 1:
            raise ValueRangeError(f"width {self.width}, out_channels {self.out_channels}", "a width above 0, one channel out")

    @property
    def levels(self) -> int:
        """How often the grid is halved: B, with grid = 8 * 2**B."""
        return int(math.log2(self.grid // LATENT))

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each level, full size first."""
        return tuple(self.width * 2**level for level in range(self.levels + 1))

    @property
    def block(self) -> int:
        """Voxels along the side of the block that a latent place decodes to."""
        return self.grid // LATENT


class VoxelAutoencoder(nn.Module):
    """Occupancy (b, 1, g, g, g) in, logits of the same shape out. Raises ShapeError for another grid.

    recomputed: of how many encoder stages, from full size on, activations are made again on the way back instead of kept: less
    memory for the same gradient. Not a part of the network: set it for a training.
    """

    ndim: ClassVar[int] = 3
    whole_sections: ClassVar[bool] = False

    def __init__(self, config: VoxelAutoencoderConfig) -> None:
        super().__init__()
        self.config, self.recomputed = config, 0
        channels = config.channels
        self.encoder = nn.ModuleList(ResidualBlock(a, b, 3, "batch") for a, b in zip((1, *channels), channels, strict=False))
        self.pool = nn.MaxPool3d(2)
        self.place = nn.Linear(9, channels[-1]) if config.position_code else None
        self.decoder = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose3d(c, c, 2, stride=2), ResidualBlock(c, c // 2, 1, config.decoder_norm))
            for c in channels[:0:-1]
        )
        self.out = nn.Conv3d(config.width, config.out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        latent = self.placed(self.encode(x))
        if self.config.decoder_norm == "batch":
            return self.decode(latent)
        cubes = latent.flatten(2).transpose(1, 2).reshape(-1, latent.shape[1], 1, 1, 1)  # (b * 512, c, 1, 1, 1)
        return _assembled(self.decode(cubes), len(x))

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """(b, 1, g, g, g) -> latent (b, c, 8, 8, 8)."""
        side = self.config.grid
        if x.ndim != 5 or tuple(x.shape[1:]) != (1, side, side, side):
            raise ShapeError(
                f"Grids of shape {tuple(x.shape)}", f"(n, 1, {side}, {side}, {side})", "take a network for this grid"
            )
        last = len(self.encoder) - 1
        for level, block in enumerate(self.encoder):
            end = block.joined if level == last else partial(self._pooled, block)
            if level < self.recomputed and self.training and torch.is_grad_enabled():
                x = _again(block, end, _again(block, block.inner, x), x)
            else:
                x = end(block.inner(x), x)
        return x

    def _pooled(self, block: ResidualBlock, inner: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.pool(block.joined(inner, x))
        return pooled

    def placed(self, latent: torch.Tensor) -> torch.Tensor:
        """The latent grid with the code of each place added, where the network has one."""
        return latent if self.place is None else latent + self.place(_place_features(latent)).permute(3, 0, 1, 2)

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        """Any block of places of the latent grid, (b, c, z, y, x) -> its logits (b, 1, z r, y r, x r), r = grid / 8."""
        x = latent
        for step in self.decoder:
            x = step(x)
        return self.out(x)

    def decode_cubes(self, latent: torch.Tensor, cubes: torch.Tensor) -> torch.Tensor:
        """Logits (b, n, r, r, r) of some places of the latent grid: cubes (b, n, 3) int64, z, y, x, of each item its own."""
        placed = self.placed(latent)
        item = torch.arange(len(cubes), device=cubes.device)[:, None].expand(cubes.shape[:2])
        picked = placed[item, :, cubes[..., 0], cubes[..., 1], cubes[..., 2]]  # (b, n, c)
        r = self.config.block
        return self.decode(picked.flatten(0, 1)[..., None, None, None]).reshape(*cubes.shape[:2], r, r, r)


class ResidualBlock(nn.Module):
    """[conv, norm, ReLU, conv, norm, ReLU](x) + skip(x), in two halves between which only one array need be kept."""

    def __init__(self, before: int, after: int, kernel: int, norm: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(before, after, kernel, padding=kernel // 2, bias=False)
        self.norm1 = _norm(norm, after)
        self.conv2 = nn.Conv3d(after, after, kernel, padding=kernel // 2, bias=False)
        self.norm2 = _norm(norm, after)
        self.skip = nn.Identity() if before == after else nn.Conv3d(before, after, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.joined(self.inner(x), x)

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(torch.relu_(self.norm1(self.conv1(x))))

    def joined(self, inner: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return torch.relu_(self.norm2(inner)) + self.skip(x)


def _norm(kind: str, channels: int) -> nn.Module:
    # One group: in the small blocks of a cube, several would be a channel each and forget how strong it was.
    return nn.BatchNorm3d(channels) if kind == "batch" else nn.GroupNorm(1, channels)


def _place_features(latent: torch.Tensor) -> torch.Tensor:
    """(8, 8, 8, 9): z, y, x from -1 to 1 with their sines and cosines, so that middle and border are easily told apart."""
    along = [torch.linspace(-1, 1, n, device=latent.device, dtype=latent.dtype) for n in latent.shape[2:]]
    places = torch.stack(torch.meshgrid(*along, indexing="ij"), dim=-1)
    return torch.cat([places, (math.pi * places).sin(), (math.pi * places).cos()], dim=-1)


def _assembled(cubes: torch.Tensor, items: int) -> torch.Tensor:
    """(b * 512, 1, r, r, r), cubes of an item in the order z, y, x -> (b, 1, 8 r, 8 r, 8 r)."""
    r, n = cubes.shape[-1], LATENT
    return cubes.reshape(items, n, n, n, r, r, r).permute(0, 1, 4, 2, 5, 3, 6).reshape(items, 1, n * r, n * r, n * r)


def _again(block: ResidualBlock, part: Part, *inputs: torch.Tensor) -> torch.Tensor:
    """The same as part(*inputs), keeping the inputs only; what lies between is computed once more on the way back."""
    made: torch.Tensor = checkpoint(
        part, *inputs, use_reentrant=False, preserve_rng_state=False, context_fn=lambda: (nullcontext(), _statistics_kept(block))
    )
    return made


@contextmanager
def _statistics_kept(block: nn.Module) -> Iterator[None]:
    """Batch normalisation has counted this batch already; seen a second time it must not move the running statistics again."""
    norms = [part for part in block.modules() if isinstance(part, nn.BatchNorm3d)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, tracked) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, tracked
