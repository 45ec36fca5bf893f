"""Losses on logits, with a mask of the voxels that count."""

import torch
import torch.nn.functional as F

__all__ = ["balanced_bce", "bce_dice"]


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
