"""Which places of the latent grid a training step decodes: neurons fill a few cubes of a grid, and most others teach nothing.

A cube is a place (z, y, x) of the 8 x 8 x 8 latent grid, and the block of r**3 voxels it decodes to; it is occupied when any
of these voxels is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from neurotome.core import ValueRangeError
from neurotome.nn.occupancy.residual import LATENT

__all__ = ["ChosenCubes", "blocks_at", "choose_cubes", "choose_cubes_legacy", "occupied_cubes"]

CUBES = LATENT**3


@dataclass(frozen=True, eq=False)
class ChosenCubes:
    """places: (b, n, 3) int64, z, y, x. weights: (b, n) float32, 1 / (512 times the chance of being chosen) of each.

    The sum over the chosen cubes of weight x mean loss in the cube estimates the mean loss of the whole grid without bias.
    """

    places: torch.Tensor
    weights: torch.Tensor


def occupied_cubes(target: torch.Tensor) -> torch.Tensor:
    """(b, 8, 8, 8) bool, which cubes of grids (b, g, g, g) hold anything above 0."""
    return F.max_pool3d(target[:, None].float(), target.shape[-1] // LATENT)[:, 0] > 0


def choose_cubes(
    target: torch.Tensor, count: int, *, occupied_share: float = 0.5, generator: torch.Generator | None = None
) -> ChosenCubes:
    """For each grid of (b, g, g, g) its own `count` different cubes: of the occupied ones a share, of the empty ones the rest.

    Among them is at least one of either kind, wherever there is one, so that every cube has a chance and the weights are right.
    Each kind is drawn uniformly. Raises ValueRangeError for fewer than 2 cubes or more than there are.
    """
    if not 0 <= occupied_share <= 1:
        raise ValueRangeError(f"occupied_share {occupied_share}", "0 to 1")
    _require_count(count, least=2)
    occupied = occupied_cubes(target).flatten(1)  # (b, 512)
    full = occupied.sum(1, keepdim=True)
    empty = CUBES - full
    wanted = torch.full_like(full, round(occupied_share * count)).clamp(1, count - 1)
    of_full = torch.minimum(torch.maximum(wanted, count - empty), full)
    of_full = torch.where(empty == 0, count, of_full)
    draw = torch.rand(occupied.shape, generator=generator, device=target.device)
    taken = occupied & (_rank(draw, occupied) < of_full) | ~occupied & (_rank(draw, ~occupied) < count - of_full)
    chance = torch.where(occupied, of_full / full.clamp(min=1), (count - of_full) / empty.clamp(min=1))
    cubes = taken.nonzero()[:, 1].reshape(len(target), count)
    return ChosenCubes(_places(cubes), 1 / (CUBES * chance.gather(1, cubes)))


def choose_cubes_legacy(target: torch.Tensor, count: int, *, generator: torch.Generator | None = None) -> ChosenCubes:
    """The reference's choice: the same cubes for every grid of a batch (b, g, g, g), all of the same weight, 1 / count.

    Of the list of the occupied cubes of all grids, in which a cube stands as often as grids fill it, half of `count` rows are
    drawn, so that a cube may come twice; the others are drawn from the cubes not chosen yet. A single cube is an occupied one
    by half a chance. Source: lucas-mohrhagen/VoxelMorph.
    """
    _require_count(count, least=1)
    rows = occupied_cubes(target).flatten(1).nonzero()[:, 1]
    most = count // 2 if count > 1 else int(torch.rand((), generator=generator) < 0.5)
    drawn = rows[torch.randperm(len(rows), generator=generator)[:most].to(rows.device)]
    left = torch.ones(CUBES, dtype=torch.bool, device=target.device)
    left[drawn] = False
    others = left.nonzero()[:, 0]
    others = others[torch.randperm(len(others), generator=generator)[: count - len(drawn)].to(rows.device)]
    cubes = torch.cat([drawn, others]).expand(len(target), count)
    return ChosenCubes(_places(cubes), torch.full(cubes.shape, 1 / count, device=target.device))


def blocks_at(grids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The blocks (b, n, r, r, r) of grids (b, g, g, g) at places (b, n, 3): what the decoded cubes are compared to."""
    b, r = len(grids), grids.shape[-1] // LATENT
    blocks = grids.reshape(b, LATENT, r, LATENT, r, LATENT, r).permute(0, 1, 3, 5, 2, 4, 6)
    item = torch.arange(b, device=grids.device)[:, None].expand(places.shape[:2])
    return blocks[item, places[..., 0], places[..., 1], places[..., 2]]


def _rank(draw: torch.Tensor, among: torch.Tensor) -> torch.Tensor:
    """(b, 512) the rank of each drawn number among those of its kind in its row, the lowest 0; others come after them."""
    return draw.masked_fill(~among, 2.0).argsort(1).argsort(1)


def _places(cubes: torch.Tensor) -> torch.Tensor:
    return torch.stack([cubes // LATENT**2, cubes // LATENT % LATENT, cubes % LATENT], dim=-1)


def _require_count(count: int, least: int) -> None:
    if not least <= count <= CUBES:
        raise ValueRangeError(f"{count} cubes of a grid of {CUBES}", f"{least} to {CUBES}", "change it")
