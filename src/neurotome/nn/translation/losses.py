"""The losses of tbullmann/imagetranslation-tensorflow, from logits, finite however saturated, gradient included.

A generator answers with the logit a of the probability p = sigmoid(a). The reference works on o = tanh(a / 2) = 2 p - 1 and on
targets t = 2 y - 1 in [-1, 1] (legacy); the corrected losses work on p and y in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
import torch.nn.functional as F

from neurotome.core import UnknownNameError

__all__ = ["CLASSIC", "GAN_LOSSES", "GENERATOR_LOSSES", "ClassicLoss", "classic_loss", "gan_discriminator", "gan_generator"]

EPSILON = 1e-7
"""What the reference adds inside its logarithm."""

GAN_LOSSES = ("log", "square")
GENERATOR_LOSSES = ("fake", "contra", "negative")

Tensor = torch.Tensor


class ClassicLoss(Protocol):
    """How far an answer is from its target: a mean over the voxels that are `valid`.

    output: logits. target: in [0, 1]. valid: 0 or 1. All (b, c, ...), or of shapes that broadcast to it.
    """

    def __call__(self, output: Tensor, target: Tensor, valid: Tensor, *, legacy: bool) -> Tensor: ...


def l1(output: Tensor, target: Tensor, valid: Tensor, *, legacy: bool) -> Tensor:
    """Mean of |t - o|."""
    values, wanted = _scaled(output, target, legacy=legacy)
    return _mean((wanted - values).abs(), valid)


def mse(output: Tensor, target: Tensor, valid: Tensor, *, legacy: bool) -> Tensor:
    """Mean of (t - o)^2."""
    values, wanted = _scaled(output, target, legacy=legacy)
    return _mean((wanted - values) ** 2, valid)


def dice(output: Tensor, target: Tensor, valid: Tensor, *, legacy: bool) -> Tensor:
    """1 - 2 sum(o t) / (sum o^2 + sum t^2); on the legacy scale this is no Dice coefficient. 1 where nothing is valid."""
    values, wanted = _scaled(output, target, legacy=legacy)
    both = (values * wanted * valid).sum()
    each = ((values**2 + wanted**2) * valid).sum()
    return 1 - 2 * both / each.clamp(min=EPSILON)


def bce(output: Tensor, target: Tensor, valid: Tensor, *, legacy: bool) -> Tensor:
    """-mean(y ln p + (1 - y) ln(1 - p)), exact from the logits, or as in the reference with EPSILON inside the logarithms."""
    if not legacy:
        return _mean(F.binary_cross_entropy_with_logits(output, target, reduction="none"), valid)
    p, q = torch.sigmoid(output), torch.sigmoid(-output)
    return -_mean(target * torch.log(p + EPSILON) + (1 - target) * torch.log(q + EPSILON), valid)


def taylor_bce(output: Tensor, target: Tensor, valid: Tensor, *, legacy: bool) -> Tensor:
    """`bce` with ln x replaced by (x - 1) - (x - 1)^2 / 2; the reference computes it on [0, 1], so that is both scales."""
    p, q = torch.sigmoid(output), torch.sigmoid(-output)
    # With q = 1 - p, (p - 1) - (p - 1)^2 / 2 = -q - q^2 / 2.
    return _mean(target * (q + q**2 / 2) + (1 - target) * (p + p**2 / 2), valid)


def softmax_ce(output: Tensor, target: Tensor, valid: Tensor, *, legacy: bool) -> Tensor:
    """-mean over pixels of sum_c t_c ln softmax(p)_c: values in [0, 1] taken for logits, as in the reference, on both scales.

    A pixel counts where all its channels do.
    """
    each = -(target * torch.log_softmax(torch.sigmoid(output), dim=1)).sum(1)
    return _mean(each, valid.expand_as(output).amin(1))


_BY_NAME: Mapping[str, ClassicLoss] = {
    "l1": l1,
    "mse": mse,
    "dice": dice,
    "bce": bce,
    "taylor_bce": taylor_bce,
    "softmax_ce": softmax_ce,
}

CLASSIC: dict[str, ClassicLoss] = {
    **_BY_NAME,
    "hinge": l1,
    "square": mse,
    "logistic": bce,
    "approx": taylor_bce,
    "softmax": softmax_ce,
}
"""The classic losses by name, and by the names they have in the reference."""


def classic_loss(name: str) -> ClassicLoss:
    """The classic loss of that name. Raises UnknownNameError."""
    if name not in CLASSIC:
        raise UnknownNameError("classic loss", name, CLASSIC)
    return CLASSIC[name]


def gan_discriminator(real: Tensor, fake: Tensor, kind: str) -> Tensor:
    """What a discriminator D with these logits for real and for fake images is to make small.

    log: -mean(ln D(real) + ln(1 - D(fake))). square: mean((D(real) - 1)^2 + D(fake)^2), Mao et al. 2017.
    Raises UnknownNameError.
    """
    return _taken_for_real(real, kind) + _taken_for_real(-fake, kind)


def gan_generator(real: Tensor, fake: Tensor, kind: str, how: str) -> Tensor:
    """What the generator of the fake images is to make small.

    fake: -ln D(fake) or (D(fake) - 1)^2. contra: the discriminator's loss with real and fake exchanged. negative: minus the
    discriminator's loss. Raises UnknownNameError.
    """
    if how == "fake":
        return _taken_for_real(fake, kind)
    if how == "contra":
        return gan_discriminator(fake, real, kind)
    if how == "negative":
        return -gan_discriminator(real, fake, kind)
    raise UnknownNameError("generator loss", how, GENERATOR_LOSSES)


def _taken_for_real(logits: Tensor, kind: str) -> Tensor:
    """How far from 1 the discriminator is; 1 - D has the logits of D, negated."""
    if kind == "log":
        return F.softplus(-logits).mean()
    if kind == "square":
        return (torch.sigmoid(-logits) ** 2).mean()
    raise UnknownNameError("GAN loss", kind, GAN_LOSSES)


def _scaled(output: Tensor, target: Tensor, *, legacy: bool) -> tuple[Tensor, Tensor]:
    return (torch.tanh(output / 2), 2 * target - 1) if legacy else (torch.sigmoid(output), target)


def _mean(values: Tensor, valid: Tensor) -> Tensor:
    weight = valid.expand_as(values)
    return (values * weight).sum() / weight.sum().clamp(min=1)
