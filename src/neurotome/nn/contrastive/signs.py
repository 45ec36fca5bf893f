"""Signs of how a contrastive training goes, beside its loss: are pairs together, is the space used, does it fall into clumps?"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from neurotome.core import ShapeError

__all__ = ["alignment", "effective_rank", "hopkins", "retrieval", "uniformity"]


def alignment(first: torch.Tensor, second: torch.Tensor) -> float:
    """Mean squared distance of the two views of a thing on the unit sphere (Wang & Isola 2020); 0 is perfect."""
    return float((F.normalize(first.float(), dim=1) - F.normalize(second.float(), dim=1)).square().sum(1).mean())


def uniformity(z: torch.Tensor) -> float:
    """log of the mean of exp(-2 d^2) over all pairs on the unit sphere (Wang & Isola 2020); the lower, the more spread out."""
    distances = torch.pdist(F.normalize(z.float(), dim=1))
    return float(distances.square().mul(-2).exp().mean().log())


def effective_rank(z: torch.Tensor) -> float:
    """exp of the entropy of the singular values of the centred rows (Roy & Vetterli 2007): how many directions are in use.

    >>> round(effective_rank(torch.cat([torch.eye(4), -torch.eye(4)])), 3)
    4.0
    """
    values = torch.linalg.svdvals(z.float() - z.float().mean(0))
    shares = values / values.sum().clamp_min(1e-12)
    shares = shares[shares > 0]
    return float(torch.exp(-(shares * shares.log()).sum())) if len(shares) else 0.0


def retrieval(first: torch.Tensor, second: torch.Tensor) -> float:
    """Share of the views whose nearest other view, by cosine, is the other one of the same thing.

    >>> retrieval(torch.eye(3), torch.eye(3)), retrieval(torch.eye(3), torch.eye(3).roll(1, 0))
    (1.0, 0.0)
    """
    z = F.normalize(torch.cat([first, second]).float(), dim=1)
    likeness = (z @ z.T).fill_diagonal_(-torch.inf)
    pair = torch.arange(len(z)).roll(len(first))
    return float((likeness.argmax(1).cpu() == pair).float().mean())


def hopkins(z: torch.Tensor, *, seed: int = 0) -> float:
    """Hopkins statistic: 0.5 where rows lie evenly in their box, towards 1 where they form clumps (Hopkins & Skellam 1954).

    Distances to the nearest row, from places drawn evenly in the box and from rows themselves. Raises ShapeError below 4 rows.
    """
    if len(z) < 4:
        raise ShapeError(f"{len(z)} rows", "4 or more", "take more crops")
    z = z.float()
    generator = torch.Generator().manual_seed(seed)
    low, high = z.amin(0), z.amax(0)
    places = low + (high - low) * torch.rand(z.shape, generator=generator)
    rows = torch.cdist(z, z).fill_diagonal_(torch.inf).amin(1)
    from_places = torch.cdist(places, z).amin(1)
    return float(from_places.sum() / (from_places.sum() + rows.sum()).clamp_min(1e-12))
