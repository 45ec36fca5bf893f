"""Losses on logits, with a mask of the voxels that count."""

import torch
import torch.nn.functional as F

__all__ = ["balanced_bce", "bce_dice", "ce_dice", "weighted_ce_dice"]


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
