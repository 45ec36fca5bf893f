"""Which image-to-image model is trained, and with which losses: plain values, checked without the training library."""

from __future__ import annotations

from dataclasses import dataclass

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.nn.translation.losses import GAN_LOSSES, GENERATOR_LOSSES, classic_loss

__all__ = ["TRANSLATION_MODELS", "TranslationSettings"]

TRANSLATION_MODELS = ("pix2pix", "pix2pix2", "cyclegan")
DISCRIMINATORS = ("paired", "unpaired")


@dataclass(frozen=True)
class TranslationSettings:
    """The model, its losses and their weights.

    pix2pix (Isola et al. 2017): G brings X to Y, judged by `loss` and a discriminator. pix2pix2: the same and, independently of
    it, F brings Y to X, judged by `loss_x`. cyclegan (Zhu et al. 2017): X and Y do not belong together, so what counts is that F
    brings G(X) back to X (`loss_x`) and G brings F(Y) back to Y (`loss`).
    gan_weight 0: no discriminator. discriminator: "paired" sees the input too (in cyclegan: the fake of the other domain);
    None: unpaired for cyclegan, else paired. identity: weight of F(X) = X and G(Y) = Y. buffer: how many old fakes the
    discriminators are shown. decay_from: the share of the training after which the learning rate falls to 0.
    Raises UnknownNameError, ValueRangeError, and InputError for an option that this model has no use for.
    """

    model: str
    loss: str = "l1"
    loss_x: str = "l1"
    gan_loss: str = "log"
    generator_loss: str = "fake"
    gan_weight: float = 1.0
    classic_weight: float = 100.0
    discriminator: str | None = None
    discriminator_width: int = 64
    identity: float = 0.0
    buffer: int = 0
    decay_from: float = 1.0

    def __post_init__(self) -> None:
        for kind, name, known in (
            ("translation model", self.model, TRANSLATION_MODELS),
            ("GAN loss", self.gan_loss, GAN_LOSSES),
            ("generator loss", self.generator_loss, GENERATOR_LOSSES),
            ("discriminator", self.discriminator or "paired", DISCRIMINATORS),
        ):
            if name not in known:
                raise UnknownNameError(kind, name, known)
        classic_loss(self.loss)
        classic_loss(self.loss_x)
        if min(self.gan_weight, self.classic_weight, self.identity, self.buffer) < 0 or self.discriminator_width < 1:
            raise ValueRangeError("A negative weight or size of the translation", "0 or more", "correct it")
        self._refuse_what_has_no_effect()

    def _refuse_what_has_no_effect(self) -> None:
        used_by_cyclegan = {"identity": self.identity, "buffer": self.buffer}
        for name, value in used_by_cyclegan.items():
            if value and self.model != "cyclegan":
                raise InputError(f"{name} {value} for model '{self.model}'", f"{name} with cyclegan only", f"leave {name} out")
        if self.loss_x != "l1" and not self.two_ways:
            raise InputError(f"loss_x '{self.loss_x}' for model '{self.model}', which brings nothing back to X", "loss only")
        if not self.gan_weight and (self.buffer or self.discriminator):
            raise InputError("A buffer or a kind of discriminator with gan_weight 0, which has none", "gan_weight above 0")
        if not self.gan_weight and not self.classic_weight:
            raise InputError("gan_weight 0 and classic_weight 0", "something to learn from", "raise one of them")

    @property
    def two_ways(self) -> bool:
        """Whether there is a generator from Y back to X."""
        return self.model != "pix2pix"

    @property
    def paired(self) -> bool:
        """Whether discriminators see two images."""
        return (self.discriminator or ("unpaired" if self.model == "cyclegan" else "paired")) == "paired"
