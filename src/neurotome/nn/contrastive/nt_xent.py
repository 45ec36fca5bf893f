"""NT-Xent: of two views of each thing, each shall find the other among all views (Sohn 2016; Chen et al. 2020, SimCLR)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from neurotome.core import ShapeError, ValueRangeError

__all__ = ["collapsed_loss", "nt_xent"]


def nt_xent(
    first: torch.Tensor,
    second: torch.Tensor,
    temperature: float = 0.5,
    *,
    alike: torch.Tensor | None = None,
    queue: torch.Tensor | None = None,
    queue_alike: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean over 2N views of log sum_k exp(s_ik) - s_i,pair(i), s = cosine / temperature, k over all other views.

    first, second: (n, d), two views of the same n things in the same order; need not have length 1. alike: (n, n) bool, pairs of
    things that are no negatives of each other (the same site, overlapping crops). queue: (q, d) further negatives, without
    gradient; queue_alike: (n, q) bool, those that are none of a thing's. In float32, with the largest term taken out.
    Raises ShapeError, ValueRangeError.

    >>> two = torch.eye(2)
    >>> round(float(nt_xent(two, two, 1.0)), 6), round(float(nt_xent(two, two.flip(0), 1.0)), 6)
    (0.551445, 1.551445)
    """
    if first.shape != second.shape or first.ndim != 2 or len(first) < 1:
        raise ShapeError(f"Views of shape {tuple(first.shape)} and {tuple(second.shape)}", "two equal (n, d)")
    if not temperature > 0:
        raise ValueRangeError(f"temperature {temperature}", "above 0", "take 0.5")
    n = len(first)
    # Half precision is too coarse for the sum: exp(1 / 0.07) is beyond a million.
    with torch.autocast(first.device.type, enabled=False):
        z = F.normalize(torch.cat([first, second]).float(), dim=1)
        likeness = z @ z.T / temperature
        unseen = torch.eye(2 * n, dtype=torch.bool, device=z.device)
        if alike is not None:
            others = alike.to(z.device) & ~torch.eye(n, dtype=torch.bool, device=z.device)
            unseen = unseen | others.repeat(2, 2)
        likeness = likeness.masked_fill(unseen, -math.inf)
        pair = torch.arange(2 * n, device=z.device).roll(n)
        positive = likeness.gather(1, pair[:, None])[:, 0]
        if queue is not None and len(queue):
            further = z @ F.normalize(queue.float(), dim=1).T / temperature
            if queue_alike is not None:
                further = further.masked_fill(queue_alike.to(z.device).repeat(2, 1), -math.inf)
            likeness = torch.cat([likeness, further], dim=1)
        return (torch.logsumexp(likeness, dim=1) - positive).mean()


def collapsed_loss(n: int) -> float:
    """NT-Xent of n pairs where all views are one point: ln(2n - 1).

    >>> round(collapsed_loss(2), 6), round(collapsed_loss(4), 6)
    (1.098612, 1.94591)
    """
    return math.log(2 * n - 1)
