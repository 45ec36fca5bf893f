"""translation: image-to-image networks and losses, as in tbullmann/imagetranslation-tensorflow, and corrected.

Question: how is one image turned into another, with or without an opponent that judges the result?
Takes: images of any size. Gives: generators and a discriminator, both answering in logits, and their losses.
May import: what `nn` may. Read first: `generators.py`, then `discriminator.py` and `losses.py`, then `task.py`.
"""

from neurotome.nn.translation.discriminator import PatchDiscriminator
from neurotome.nn.translation.generators import GENERATORS, Generator, GeneratorConfig
from neurotome.nn.translation.losses import CLASSIC, classic_loss, gan_discriminator, gan_generator
from neurotome.nn.translation.settings import TRANSLATION_MODELS, TranslationSettings

__all__ = [
    "CLASSIC",
    "GENERATORS",
    "TRANSLATION_MODELS",
    "Generator",
    "GeneratorConfig",
    "PatchDiscriminator",
    "TranslationSettings",
    "classic_loss",
    "gan_discriminator",
    "gan_generator",
]
