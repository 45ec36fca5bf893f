"""nn: networks, losses, augmentation, the training loop, tiled prediction, model folders.

Question: how is a network built, trained, kept and applied, whatever its channels mean?
Takes: arrays and patches. Gives: networks with cards, logits, probabilities.
May import: io and core below; PyTorch and Lightning. Never another engine.
Read first: `unet.py` (the networks), then `trainer.py`, then `tiles.py`.
"""

from neurotome.nn.augment import Augmentation, augment, dihedral, jittered_corners
from neurotome.nn.losses import balanced_bce, bce_dice
from neurotome.nn.models import FAMILIES, build, load_card, load_model, receptive_halo, save_model, zoo_names
from neurotome.nn.normalize import NORMALIZATIONS, normalize, section_scale
from neurotome.nn.tiles import AVERAGING, TILE, Predictor, section_scales, tile_bytes
from neurotome.nn.trainer import FitSettings, fit
from neurotome.nn.unet import RSUNet3D, RSUNet3DConfig, UNet2D, UNet2DConfig

__all__ = [
    "AVERAGING",
    "FAMILIES",
    "NORMALIZATIONS",
    "TILE",
    "Augmentation",
    "FitSettings",
    "Predictor",
    "RSUNet3D",
    "RSUNet3DConfig",
    "UNet2D",
    "UNet2DConfig",
    "augment",
    "balanced_bce",
    "bce_dice",
    "build",
    "dihedral",
    "fit",
    "jittered_corners",
    "load_card",
    "load_model",
    "normalize",
    "receptive_halo",
    "save_model",
    "section_scale",
    "section_scales",
    "tile_bytes",
    "zoo_names",
]
