"""Losses on logits, with a mask of the voxels that count, or a weight of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from neurotome.core import InputError, UnknownNameError, ValueRangeError

__all__ = [
    "OCCUPANCY_LOSSES",
    "balanced_bce",
    "bce_dice",
    "ce_dice",
    "dice",
    "focal",
    "focal_dice",
    "occupancy_loss",
    "soft_cldice",
    "weighted_bce",
    "weighted_ce_dice",
]

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def bce_dice(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy plus Dice loss 1 - 2 sum(p t) / (sum p^2 + sum t^2), both over valid voxels.

    All of shape (b, c, ...). Finite for saturated logits, gradient included.
    """
    bce = F.binary_cross_entropy_with_logits(logits, target, weight=valid, reduction="sum") / valid.sum().clamp(min=1)
    p = torch.sigmoid(logits) * valid
    t = target * valid
    dice = 1 - (2 * (p * t).sum() + 1) / ((p * p).sum() + (t * t).sum() + 1)
    return bce + dice


def balanced_bce(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """One binary cross-entropy per channel, summed; inside a channel both classes weigh the same (Lee et al. 2017).

    w_pos = n_neg / n and w_neg = n_pos / n over the valid voxels of the batch, scaled by 2 so that balanced data weigh 1.
    All of shape (b, c, ...).
    """
    over = [0, *range(2, logits.ndim)]
    n = valid.sum(over, keepdim=True).clamp(min=1)
    positive = (target * valid).sum(over, keepdim=True) / n
    # A channel with one class only would get no weight at all; keep a tenth.
    positive = positive.clamp(0.1, 0.9)
    weight = valid * (target * (1 - positive) + (1 - target) * positive) * 2
    loss = F.binary_cross_entropy_with_logits(logits, target, weight=weight, reduction="none")
    return (loss.sum(over, keepdim=True) / n).mean()


def weighted_ce_dice(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Cross-entropy and Dice of two classes that exclude one another, the rarer one weighing more (DB-Enhance).

    With s the share of foreground in the batch, sum y / (n + 1e-5) + 1e-5, the weights of background and foreground are
    w = (s, 1 - s), and the loss is 0.5 CE_w + sum_c w_c (1 - (2 sum p_c y_c + 1) / (sum p_c + sum y_c + 1)); CE_w is divided by
    the voxels' sum of weights. logits (b, 2, ...), target and valid (b, 1, ...); sums are over the valid voxels of the batch.

    >>> y = torch.tensor([1.0, 1, 0, 0, 0, 0, 0, 0]).reshape(1, 1, 8)
    >>> round(float(weighted_ce_dice(torch.zeros(1, 2, 8), y, torch.ones_like(y))), 5)
    0.86605
    """
    share = (target * valid).sum() / (valid.sum() + 1e-5) + 1e-5
    weights = torch.stack([share, 1 - share])
    return 0.5 * _cross_entropy(logits, target, valid, weights) + (weights * _dice_losses(logits, target, valid)).sum()


def ce_dice(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Half the cross-entropy of two classes plus the Dice loss of the foreground: nothing weighted, for masks of true width.

    logits (b, 2, ...), target and valid (b, 1, ...).
    """
    even = _cross_entropy(logits, target, valid, torch.ones(2, device=logits.device))
    return 0.5 * even + _dice_losses(logits, target, valid)[1]


def _cross_entropy(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Of two classes, divided by the sum of the weights of the voxels' classes."""
    weight = valid * (weights[0] * (1 - target) + weights[1] * target)
    wrong = F.softplus((logits[:, :1] - logits[:, 1:]) * (2 * target - 1))
    return (weight * wrong).sum() / weight.sum()


def _dice_losses(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """One for background and one for foreground."""
    p = torch.softmax(logits, dim=1) * valid
    y = torch.cat([1 - target, target], dim=1) * valid
    over = [0, *range(2, logits.ndim)]
    return 1 - (2 * (p * y).sum(over) + 1) / (p.sum(over) + y.sum(over) + 1)


def focal(
    logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor, alpha: float = 0.65, gamma: float = 1.0
) -> torch.Tensor:
    """-a (1 - q)**gamma ln q, averaged with the weights `valid`; q = p and a = alpha where target is 1, else 1 - p and 1 - alpha.

    logits and target of one shape, valid of one that expands to it. A soft target counts as so much of either class.
    Finite for saturated logits. Source: Lin et al. 2017.

    >>> p, one = torch.tensor([0.9]), torch.ones(1)
    >>> round(float(focal(torch.logit(p), one, one)), 7)
    0.0068484
    """
    p = torch.sigmoid(logits)
    found = alpha * target * (1 - p) ** gamma * F.softplus(-logits)
    missed = (1 - alpha) * (1 - target) * p**gamma * F.softplus(logits)
    return _mean(found + missed, valid)


def weighted_bce(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor, positive: float = 10.0) -> torch.Tensor:
    """Binary cross-entropy in which an occupied voxel weighs `positive` times an empty one, averaged with the weights `valid`."""
    weight = torch.as_tensor(positive, dtype=logits.dtype, device=logits.device)
    return _mean(F.binary_cross_entropy_with_logits(logits, target, pos_weight=weight, reduction="none"), valid)


def dice(logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """1 - (2 sum(p t) + 1) / (sum(p) + sum(t) + 1) with sums over all voxels of the batch, each weighing `valid`."""
    p = torch.sigmoid(logits)
    return 1 - (2 * (valid * p * target).sum() + 1) / ((valid * (p + target)).sum() + 1)


def focal_dice(
    logits: torch.Tensor,
    target: torch.Tensor,
    valid: torch.Tensor,
    alpha: float = 0.65,
    gamma: float = 1.0,
    dice_weight: float = 0.1,
) -> torch.Tensor:
    """Focal loss plus `dice_weight` times Dice loss: the one for each voxel, the other for the whole."""
    return focal(logits, target, valid, alpha, gamma) + dice_weight * dice(logits, target, valid)


def soft_cldice(
    logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor, share: float = 0.5, rounds: int = 3
) -> torch.Tensor:
    """(1 - share) Dice + share clDice: whether the centre line of each lies within the other, so that thin neurites stay whole.

    Shapes (b, 1, z, y, x). rounds: of thinning, at least the largest radius in voxels. Source: Shit et al. 2021.
    """
    p = torch.sigmoid(logits)
    line, true_line = soft_centre_line(p, rounds), soft_centre_line(target, rounds)
    precision = ((valid * line * target).sum() + 1) / ((valid * line).sum() + 1)
    recall = ((valid * true_line * p).sum() + 1) / ((valid * true_line).sum() + 1)
    return (1 - share) * dice(logits, target, valid) + share * (1 - 2 * precision * recall / (precision + recall))


def soft_centre_line(shape: torch.Tensor, rounds: int) -> torch.Tensor:
    """What erosion by erosion an opening removes: the centre line of a soft mask (b, c, z, y, x), thinned by 6 neighbours."""
    line = F.relu(shape - _opened(shape))
    for _ in range(rounds):
        shape = _eroded(shape)
        more = F.relu(shape - _opened(shape))
        line = line + F.relu(more - line * more)
    return line


OCCUPANCY_LOSSES: Mapping[str, Callable[..., torch.Tensor]] = {
    "focal": focal,
    "weighted_bce": weighted_bce,
    "dice": dice,
    "focal_dice": focal_dice,
    "soft_cldice": soft_cldice,
}


def occupancy_loss(name: str, options: Mapping[str, Any] | None = None) -> Loss:
    """A loss for occupied voxels by name, with its options. Raises UnknownNameError, InputError, ValueRangeError."""
    if name not in OCCUPANCY_LOSSES:
        raise UnknownNameError("loss", name, OCCUPANCY_LOSSES)
    made = OCCUPANCY_LOSSES[name]
    given = dict(options or {})
    known = made.__code__.co_varnames[3 : made.__code__.co_argcount]
    if wrong := sorted(given.keys() - set(known)):
        raise InputError(f"Loss '{name}' has no option {wrong[0]}", f"options {', '.join(known) or 'none'}")
    if any(value < 0 for value in given.values()) or max(given.get("alpha", 0), given.get("share", 0)) > 1:
        raise ValueRangeError(f"Loss '{name}' with {given}", "0 or more, and alpha and share at most 1", "change it")
    return partial(made, **given)


def _mean(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Weighted; the sum of the weights is that of all voxels, however they are given."""
    return (values * valid).sum() / valid.expand_as(values).sum().clamp(min=1e-6)


def _eroded(x: torch.Tensor) -> torch.Tensor:
    lowest = [-F.max_pool3d(-x, size, 1, [n // 2 for n in size]) for size in ((3, 1, 1), (1, 3, 1), (1, 1, 3))]
    return torch.minimum(torch.minimum(lowest[0], lowest[1]), lowest[2])


def _opened(x: torch.Tensor) -> torch.Tensor:
    return F.max_pool3d(_eroded(x), 3, 1, 1)
