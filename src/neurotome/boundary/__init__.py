"""boundary: where are the membranes?

Question: for each voxel, how likely does an object end here, or go on to a neighbour?
Takes: Image (and truth, to train). Gives: Probability with channels by name (membrane, affinity:dz,dy,dx, ...), model folders.
May import: nn, measure, datasets, io, core. Never another room beside it.
Read first: `targets.py` (what is learnt), then `predict.py` and `predict_block.py`, then `train.py`.
"""

from neurotome.boundary.image_file import ImageFile
from neurotome.boundary.predict import DEFAULT_MODEL, check_voxel_size, kept_channels, predict, predict_box, predictor
from neurotome.boundary.predict_block import PredictBlock, Prediction, predict_bytes, prepared
from neurotome.boundary.rescale import BringBack, labels_on_grid, resampled_grid, resampled_image
from neurotome.boundary.score import inside_map, score
from neurotome.boundary.section_scales import SectionScales
from neurotome.boundary.targets import LONG12, NEAREST, affinity, cytoplasm, edges, offset_of, overlap, targets
from neurotome.boundary.train import TrainConfig, VolumeConfig, train, with_paths_from

__all__ = [
    "DEFAULT_MODEL",
    "LONG12",
    "NEAREST",
    "BringBack",
    "ImageFile",
    "PredictBlock",
    "Prediction",
    "SectionScales",
    "TrainConfig",
    "VolumeConfig",
    "affinity",
    "check_voxel_size",
    "cytoplasm",
    "edges",
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
    "resampled_grid",
    "resampled_image",
    "score",
    "targets",
    "train",
    "with_paths_from",
]
