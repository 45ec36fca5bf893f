"""boundary: where are the membranes?

Question: for each voxel, how likely does an object end here, or go on to a neighbour?
Takes: Image (and truth, to train). Gives: Probability with channels by name (membrane, affinity:dz,dy,dx, ...), model folders.
May import: nn, measure, datasets, io, core. Never another room beside it.
Read first: `targets.py` (what is learnt), then `predict.py` and `predict_block.py`, then `training/`.
"""

from neurotome.boundary.channel_volumes import combined, target_volume
from neurotome.boundary.consecutive import consecutive
from neurotome.boundary.image_file import ImageFile
from neurotome.boundary.predict import DEFAULT_MODEL, check_voxel_size, kept_channels, predict, predict_box, predictor
from neurotome.boundary.predict_block import PredictBlock, Prediction, predict_bytes, prepared
from neurotome.boundary.rescale import BringBack, labels_on_grid, resampled_grid, resampled_image, seen_voxel
from neurotome.boundary.score import inside_image, inside_map, score, score_classes
from neurotome.boundary.section_scales import SectionScales
from neurotome.boundary.targets import LONG12, NEAREST, affinity, class_of, cytoplasm, edges, offset_of, overlap, targets
from neurotome.boundary.training.from_files import FilePairs, recipe_from_files, recipe_text, require_said
from neurotome.boundary.training.pictures import EpochPictures
from neurotome.boundary.training.preview import PreviewPatch, preview_patches
from neurotome.boundary.training.recipe import (
    PATHS,
    PicturesConfig,
    RestoreConfig,
    TrainConfig,
    TranslationConfig,
    VolumeConfig,
    with_paths_from,
)
from neurotome.boundary.training.recipe_mistakes import fit_settings, recipe_mistakes
from neurotome.boundary.training.train import train

__all__ = [
    "DEFAULT_MODEL",
    "LONG12",
    "NEAREST",
    "PATHS",
    "BringBack",
    "EpochPictures",
    "FilePairs",
    "ImageFile",
    "PicturesConfig",
    "PredictBlock",
    "Prediction",
    "PreviewPatch",
    "RestoreConfig",
    "SectionScales",
    "TrainConfig",
    "TranslationConfig",
    "VolumeConfig",
    "affinity",
    "check_voxel_size",
    "class_of",
    "combined",
    "consecutive",
    "cytoplasm",
    "edges",
    "fit_settings",
    "inside_image",
    "inside_map",
    "kept_channels",
    "labels_on_grid",
    "offset_of",
    "overlap",
    "predict",
    "predict_box",
    "predict_bytes",
    "predictor",
    "prepared",
    "preview_patches",
    "recipe_from_files",
    "recipe_mistakes",
    "recipe_text",
    "require_said",
    "resampled_grid",
    "resampled_image",
    "score",
    "score_classes",
    "seen_voxel",
    "target_volume",
    "targets",
    "train",
    "with_paths_from",
]
