"""All scores of one reconstructed neuron, and of many."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from neurotome.core import Score, Scores, ValueRangeError
from neurotome.core.scores import Better
from neurotome.measure.occupancy.centre_line import centre_line, centre_line_dice, component_count, share_in_largest
from neurotome.measure.occupancy.distances import voxel_chamfer
from neurotome.measure.occupancy.intervals import summarised
from neurotome.measure.occupancy.overlap import overlap, sets_of_voxels, tolerant_overlap

__all__ = ["OCCUPANCY_SCORES", "occupancy_scores", "occupancy_summary"]

OCCUPANCY_SCORES: Mapping[str, tuple[str, Better, str]] = {
    "f1": ("", "higher", "per neuron, empty against empty 1"),
    "iou": ("", "higher", "per neuron, empty against empty 1"),
    "precision": ("", "higher", "per neuron, empty against empty 1"),
    "recall": ("", "higher", "per neuron, empty against empty 1"),
    "f1_1vox": ("", "higher", "the other set dilated by 26 neighbours"),
    "chamfer_vm_vox2": ("voxels^2", "lower", "mean d^2 + mean d^2"),
    "chamfer_vox": ("voxels", "lower", "mean of the two mean d"),
    "chamfer_nm": ("nm", "lower", "mean of the two mean d"),
    "cldice": ("", "higher", "Lee thinning"),
    "volume_ratio": ("", "neither", "prediction / truth"),
    "components": ("", "lower", "26-connected, of the prediction"),
    "largest_share": ("", "higher", "of the true centre line, in the largest component"),
}
"""What each score is: its unit, which way is better, its convention."""


def occupancy_scores(prediction: np.ndarray, truth: np.ndarray, *, voxel_nm: float) -> dict[str, float]:
    """How well one grid agrees with another: a value for each name of OCCUPANCY_SCORES.

    prediction, truth: (z, y, x), bool or 0 and 1. voxel_nm: the side of a voxel. Where only one of the two is empty, distances
    are infinite, and so is the volume ratio where it is the truth; two empty grids agree in everything.

    Raises ShapeError, and ValueRangeError for other values or a voxel that is not above 0 nm.
    """
    if not voxel_nm > 0:
        raise ValueRangeError(f"voxel_nm={voxel_nm}", "a number above 0", "give the voxel_nm of the frame")
    prediction, truth = sets_of_voxels(prediction, truth)
    exact, apart = overlap(prediction, truth), voxel_chamfer(prediction, truth)
    return {
        "f1": exact.f1,
        "iou": exact.iou,
        "precision": exact.precision,
        "recall": exact.recall,
        "f1_1vox": tolerant_overlap(prediction, truth).f1,
        "chamfer_vm_vox2": apart.squared,
        "chamfer_vox": apart.symmetric,
        "chamfer_nm": apart.symmetric * voxel_nm,
        "cldice": centre_line_dice(prediction, truth),
        "volume_ratio": _ratio(int(prediction.sum()), int(truth.sum())),
        "components": float(component_count(prediction)),
        "largest_share": share_in_largest(prediction, centre_line(truth)),
    }


def occupancy_summary(table: pd.DataFrame) -> Scores:
    """The mean of each score over neurons (rows), for the columns that OCCUPANCY_SCORES names."""
    means = summarised(table[[name for name in OCCUPANCY_SCORES if name in table]])["mean"]
    return Scores(tuple(_score(str(name), float(value)) for name, value in means.items()))


def _score(name: str, value: float) -> Score:
    unit, better, convention = OCCUPANCY_SCORES[name]
    return Score(name, value, unit, better, convention)


def _ratio(predicted: int, true: int) -> float:
    if true:
        return predicted / true
    return float("inf") if predicted else 1.0
