"""measure.occupancy: how well does a grid of occupied voxels agree with a believed one?

Question: how good is the reconstruction of a neuron, and at which probability is a voxel occupied?
Takes and gives: bool grid and bool grid -> scores by name; probabilities and truths -> a table of thresholds.
Scores are per neuron; a mean over neurons carries a bootstrap interval. Thresholds are chosen on validation neurons.
Read first: `overlap.py` (what is counted), then `scores.py` (all scores), `thresholds.py`.
"""

from neurotome.measure.occupancy.centre_line import centre_line, centre_line_dice, component_count, share_in_largest
from neurotome.measure.occupancy.distances import Chamfer, chamfer, normal_consistency, voxel_chamfer
from neurotome.measure.occupancy.intervals import bootstrap_interval, summarised
from neurotome.measure.occupancy.overlap import Overlap, occupied, overlap, tolerant_overlap
from neurotome.measure.occupancy.scores import OCCUPANCY_SCORES, occupancy_scores, occupancy_summary
from neurotome.measure.occupancy.thresholds import (
    THRESHOLDS,
    best_threshold,
    mean_histogram,
    mean_sweep,
    probability_histogram,
    threshold_sweep,
)

__all__ = [
    "OCCUPANCY_SCORES",
    "THRESHOLDS",
    "Chamfer",
    "Overlap",
    "best_threshold",
    "bootstrap_interval",
    "centre_line",
    "centre_line_dice",
    "chamfer",
    "component_count",
    "mean_histogram",
    "mean_sweep",
    "normal_consistency",
    "occupancy_scores",
    "occupancy_summary",
    "occupied",
    "overlap",
    "probability_histogram",
    "share_in_largest",
    "summarised",
    "threshold_sweep",
    "tolerant_overlap",
    "voxel_chamfer",
]
