"""nn: networks, losses, augmentation, the training loop, tiled prediction, model folders.

Question: how is a network built, trained, kept and applied, whatever its channels mean?
Takes: arrays and patches. Gives: networks with cards, logits, probabilities.
May import: io and core below; PyTorch and Lightning. Never another engine.
Read first: `unet.py` (the networks), then `trainer.py`, then `tiles.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurotome.nn.augment import Augmentation, Draw, augment, dihedral, jittered_corners
from neurotome.nn.blended_tiles import BLEND_OVERLAP, BLEND_TILE, BlendedTiles, channel_answer
from neurotome.nn.fit_settings import FitSettings
from neurotome.nn.losses import balanced_bce, bce_dice, ce_dice, weighted_ce_dice
from neurotome.nn.models import FAMILIES, build, load_card, load_model, probabilities, receptive_halo, save_model, zoo_names
from neurotome.nn.normalize import NORMALIZATIONS, normalize, section_scale
from neurotome.nn.restore import freeze, restore
from neurotome.nn.tiles import AVERAGING, TILE, Predictor, section_scales, tile_bytes
from neurotome.nn.unet import RSUNet3D, RSUNet3DConfig, UNet2D, UNet2DConfig
from neurotome.nn.unet_zambare import UNetZambare, UNetZambareConfig
from neurotome.nn.volume_scale import VOLUME_NORMALIZATIONS, VolumeScale, volume_scale
from neurotome.nn.voxresnet import VoxResNet, VoxResNetConfig

if TYPE_CHECKING:
    from neurotome.nn.trainer import fit_task

__all__ = [
    "AVERAGING",
    "BLEND_OVERLAP",
    "BLEND_TILE",
    "FAMILIES",
    "NORMALIZATIONS",
    "TILE",
    "VOLUME_NORMALIZATIONS",
    "Augmentation",
    "BlendedTiles",
    "Draw",
    "FitSettings",
    "Predictor",
    "RSUNet3D",
    "RSUNet3DConfig",
    "UNet2D",
    "UNet2DConfig",
    "UNetZambare",
    "UNetZambareConfig",
    "VolumeScale",
    "VoxResNet",
    "VoxResNetConfig",
    "augment",
    "balanced_bce",
    "bce_dice",
    "build",
    "ce_dice",
    "channel_answer",
    "dihedral",
    "fit_task",
    "freeze",
    "jittered_corners",
    "load_card",
    "load_model",
    "normalize",
    "probabilities",
    "receptive_halo",
    "restore",
    "save_model",
    "section_scale",
    "section_scales",
    "tile_bytes",
    "volume_scale",
    "weighted_ce_dice",
    "zoo_names",
]


def __getattr__(name: str) -> Any:
    """What trains, on demand: the training library takes seconds to import, and only training needs it."""
    if name != "fit_task":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from neurotome.nn.trainer import fit_task

    return fit_task
