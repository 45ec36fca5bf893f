"""Full definition of a sparse autoencoder of shapes: it looks only at cubes of 8**3 voxels that something lies in.

A shape on a grid of 64 has 512 cubes, of which a neuron occupies 30 to 120. Each occupied cube is a token. From a shape come

    codes       `code` numbers for each occupied cube, of what lies in it alone; which cubes are occupied and their codes give the
                shape back almost without loss
    bottleneck  z, `bottleneck` numbers for the whole shape, from attention among its cubes and the size of its frame; the first
                `steady` of them are meant to stay when a shape is turned about its first axis, mirrored or trimmed

and z is decoded to the probability that a cube is occupied, times, in each cube, the probability of each voxel given that it is:
an exact factorisation, so that voxels are learnt in occupied cubes alone and empty ones cost one number each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from neurotome.core import CUBE, InputError, ShapeError, ValueRangeError

__all__ = ["CubeAutoencoder", "CubeAutoencoderConfig", "Cubes", "Encoded"]

VOXELS = CUBE**3
_WAVES = 5
_WIDEST_NORM = 1e-3


@dataclass(frozen=True)
class CubeAutoencoderConfig:
    """grid: side in voxels. width, depth, heads: of the attention. code: numbers a cube. bottleneck, steady: numbers a shape.

    hidden: width of the small networks that read cubes and write them from z; bent: of those between a cube and its code.
    dropout: of what attention and its networks add.
    """

    grid: int = 64
    width: int = 128
    depth: int = 4
    heads: int = 4
    hidden: int = 256
    code: int = 64
    bent: int = 1024
    bottleneck: int = 256
    steady: int = 128
    dropout: float = 0.0
    out_channels: int = 1

    def __post_init__(self) -> None:
        if self.grid < CUBE or self.grid % CUBE:
            raise ValueRangeError(f"A grid of {self.grid} voxels", f"a multiple of {CUBE}", "take 64 or 128")
        if self.width % self.heads:
            raise InputError(f"Width {self.width} with {self.heads} heads", "a width that the heads divide")
        if not 0 < self.steady <= self.bottleneck:
            raise ValueRangeError(f"{self.steady} steady of {self.bottleneck} numbers", f"1 to {self.bottleneck}")

    @property
    def lattice(self) -> int:
        """Cubes along the side of the grid."""
        return self.grid // CUBE


class Cubes(NamedTuple):
    """The t occupied cubes of a batch, shape after shape. bits: (t, 512) float. shape: (t,). place: (t,), z major."""

    bits: torch.Tensor
    shape: torch.Tensor
    place: torch.Tensor
    batch: int


class Encoded(NamedTuple):
    """cubes: t occupied ones. codes: (t, code). tokens: (t, width), after attention. z: (b, bottleneck)."""

    cubes: Cubes
    codes: torch.Tensor
    tokens: torch.Tensor
    z: torch.Tensor


class CubeAutoencoder(nn.Module):
    """(b, g, g, g) 0/1 and (b,) log extent -> `Encoded`, and back from its codes or from z. Shapes of a batch never meet."""

    def __init__(self, config: CubeAutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        width, hidden = config.width, config.hidden
        self.read = nn.Sequential(nn.Linear(VOXELS, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
        self.code = _LocalCode(config)
        self.to_token = nn.Linear(hidden, width)
        self.locate = nn.Linear(6 * _WAVES + 3, width)
        self.size = nn.Sequential(nn.Linear(2, width), nn.GELU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(_Block(width, config.heads, config.dropout) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width)
        self.attend = nn.Linear(width, config.heads)
        self.to_z = nn.Sequential(nn.Linear(3 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, config.bottleneck))
        # Numbers of equal spread, whatever the shapes: distances between neurons then weigh all of them.
        self.spread = nn.BatchNorm1d(config.bottleneck, eps=_WIDEST_NORM, affine=False)
        self.from_z = _FromBottleneck(config)
        self.register_buffer("centres", _place_code(config.lattice), persistent=False)

    def forward(self, grids: torch.Tensor, log_extent: torch.Tensor) -> Encoded:
        """grids: (b, g, g, g), above 0 where occupied. log_extent: (b,), the natural logarithm of half the frame's side in um."""
        return self.encode(self.cubes(grids), log_extent)

    def cubes(self, grids: torch.Tensor) -> Cubes:
        """Raises ShapeError for another grid than that of the network."""
        side, n = self.config.grid, self.config.lattice
        if grids.shape[1:] != (side,) * 3:
            raise ShapeError(f"Grids of shape {tuple(grids.shape)}", f"(n, {side}, {side}, {side}) as the network was built for")
        parts = (grids > 0).view(-1, n, CUBE, n, CUBE, n, CUBE).permute(0, 1, 3, 5, 2, 4, 6).reshape(-1, n**3, VOXELS)
        shape, place = parts.any(2).nonzero(as_tuple=True)  # (t,), (t,)
        return Cubes(parts[shape, place].float(), shape, place, len(grids))

    def encode(self, cubes: Cubes, log_extent: torch.Tensor) -> Encoded:
        """From cubes that are cut out already."""
        read = self.read(cubes.bits)  # (t, hidden)
        tokens = self.to_token(read) + self.locate(self.centres[cubes.place])  # (t, width)
        filled, held = _padded(tokens, cubes)  # (b, m, width), (b, m)
        ones = held.new_ones(len(held), 1)
        counts = held.sum(1, keepdim=True).float()
        whole = self.size(torch.cat((log_extent.float().view(-1, 1) - 4.0, torch.log1p(counts) - 4.0), 1))  # (b, width)
        x = torch.cat((whole[:, None], filled), 1)  # (b, 1 + m, width)
        seen = torch.cat((ones, held), 1)  # (b, 1 + m)
        for block in self.blocks:
            x = block(x, seen[:, None, None])
        x = self.norm(x)
        z = self.spread(self.to_z(torch.cat((x[:, 0], self._pooled(x, seen)), 1)))  # (b, bottleneck)
        return Encoded(cubes, self.code.write(cubes.bits), x[:, 1:][held], z)

    def _pooled(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """(b, m, width) -> (b, 2 width): each head's own mean of its share of the width, and the maximum."""
        share = self.attend(x).masked_fill(~seen[..., None], -torch.inf).softmax(1)  # (b, m, heads)
        mean = torch.einsum("bmh,bmhw->bhw", share, x.unflatten(2, (self.config.heads, -1))).flatten(1)
        return torch.cat((mean, x.masked_fill(~seen[..., None], -torch.inf).amax(1)), 1)

    def decode_codes(self, codes: torch.Tensor) -> torch.Tensor:
        """(t, code) -> logits (t, 512) of the voxels of these cubes."""
        out: torch.Tensor = self.code.read(codes)
        return out

    def decode_cubes(self, z: torch.Tensor) -> torch.Tensor:
        """(b, bottleneck) -> logits (b, lattice**3): is the cube occupied?"""
        return self.from_z.occupied(z, self.centres)

    def decode_voxels(self, z: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """(t, bottleneck) and (t,) places -> logits (t, 512) of the voxels, given that these cubes are occupied."""
        out: torch.Tensor = self.from_z.voxels(self.from_z(z, self.centres[place]))
        return out

    def from_codes(self, encoded: Encoded) -> torch.Tensor:
        """(b, g, g, g) probability: what the codes of the occupied cubes tell. Cubes without code are empty."""
        n = self.config.lattice
        parts = encoded.codes.new_zeros(encoded.cubes.batch, n**3, VOXELS)
        parts[encoded.cubes.shape, encoded.cubes.place] = torch.sigmoid(self.decode_codes(encoded.codes))
        return _joined(parts, n)

    def from_bottleneck(self, z: torch.Tensor) -> torch.Tensor:
        """(b, bottleneck) -> (b, g, g, g) probability: what z alone tells."""
        n = self.config.lattice
        hidden = self.from_z(z[:, None], self.centres[None])  # (b, n**3, hidden)
        occupied = torch.sigmoid(self.from_z.occupied(z, self.centres))
        return _joined(occupied[..., None] * torch.sigmoid(self.from_z.voxels(hidden)), n)


class _LocalCode(nn.Module):
    """512 voxels -> `code` numbers -> 512 logits; a straight line each way, which is learnt fast, and a bend added to it."""

    def __init__(self, config: CubeAutoencoderConfig) -> None:
        super().__init__()
        bent, code = config.bent, config.code
        self.line_in, self.line_out = nn.Linear(VOXELS, code), nn.Linear(code, VOXELS)
        self.bend_in = nn.Sequential(nn.Linear(VOXELS, bent), nn.GELU(), nn.Linear(bent, code))
        self.bend_out = nn.Sequential(nn.Linear(code, bent), nn.GELU(), nn.Linear(bent, VOXELS))

    def write(self, bits: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.line_in(bits) + self.bend_in(bits)
        return out

    def read(self, codes: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.line_out(codes) + self.bend_out(codes)
        return out


class _FromBottleneck(nn.Module):
    """z and a place -> what lies there: z weighs functions of space, as many as `hidden`, which are learnt too."""

    def __init__(self, config: CubeAutoencoderConfig) -> None:
        super().__init__()
        hidden, place = config.hidden, 6 * _WAVES + 3
        self.weights, self.shift = nn.Linear(config.bottleneck, hidden), nn.Linear(config.bottleneck, hidden)
        self.space = nn.Sequential(nn.Linear(place, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.mix = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.GELU())
        self.voxels = nn.Linear(hidden, VOXELS)
        # There are many more places than occupied ones: whether one is, is a mere product.
        self.weights_of_cubes = nn.Sequential(nn.Linear(config.bottleneck, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.space_of_cubes = nn.Sequential(nn.Linear(place, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.usual = nn.Linear(place, 1)

    def forward(self, z: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.mix(self.weights(z) * self.space(centre) + self.shift(z))
        return out

    def occupied(self, z: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
        """(b, bottleneck) and (n, place) -> logits (b, n)."""
        out: torch.Tensor = self.weights_of_cubes(z) @ self.space_of_cubes(centres).T / 4 + self.usual(centres).T
        return out


class _Block(nn.Module):
    """Attention among the tokens of a shape, then a small network for each; both added to what was there."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        q, k, v = (
            self.qkv(self.before(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        )  # (b, heads, m, width / heads)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen).transpose(1, 2).flatten(2)  # (b, m, width)
        x = x + self.drop(self.out(mixed))
        return x + self.drop(self.mlp(self.between(x)))


def _padded(tokens: torch.Tensor, cubes: Cubes) -> tuple[torch.Tensor, torch.Tensor]:
    """(t, width) -> (b, m, width) with m the most tokens of a shape, and (b, m) bool, where a token is."""
    counts = torch.bincount(cubes.shape, minlength=cubes.batch)
    held = torch.arange(int(counts.max()) if len(tokens) else 0, device=tokens.device) < counts[:, None]
    filled = tokens.new_zeros(*held.shape, tokens.shape[1])
    filled[held] = tokens
    return filled, held


def _joined(parts: torch.Tensor, n: int) -> torch.Tensor:
    """(b, n**3, 512) -> (b, 8n, 8n, 8n)."""
    return parts.view(-1, n, n, n, CUBE, CUBE, CUBE).permute(0, 1, 4, 2, 5, 3, 6).reshape(-1, n * CUBE, n * CUBE, n * CUBE)


def _place_code(lattice: int) -> torch.Tensor:
    """(lattice**3, 6 waves + 3): where the centre of each cube is, z, y, x from -1 to 1, and waves of it."""
    along = (torch.arange(lattice) + 0.5) * (2 / lattice) - 1
    centre = torch.cartesian_prod(along, along, along)  # (lattice**3, 3)
    phase = (centre[..., None] * (torch.pi / 2 * 2.0 ** torch.arange(_WAVES))).flatten(1)
    return torch.cat((centre, phase.sin(), phase.cos()), 1)
