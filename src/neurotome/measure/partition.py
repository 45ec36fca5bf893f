"""How well a segmentation agrees with a truth, from their contingency table: adapted Rand, VOI, error counts.

n_ij: voxels with truth i and segment j. a_i sums over all j; b_j and c = sum n_i0 over the scored truth labels only; n = sum a_i;
N = all voxels of the support. Truth label 0 is not scored unless `truth_zero="object"`. Every function takes the whole table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neurotome.core import UnknownNameError
from neurotome.measure.contingency import Contingency, TruthZero

__all__ = [
    "RAND_CONVENTIONS",
    "AdaptedRand",
    "ErrorCounts",
    "Foreground",
    "Information",
    "adapted_rand",
    "adjusted_rand_index",
    "cremi_score",
    "foreground_overlap",
    "n_log_n",
    "split_merge_errors",
    "totals",
    "variation_of_information",
]

RAND_CONVENTIONS = ("isbi", "snemi", "cremi", "skimage")
PredictedZero = Literal["segment", "singletons"]


@dataclass(frozen=True)
class AdaptedRand:
    """error = 1 - F score; precision is low when objects are merged, recall when they are split."""

    error: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Information:
    """Variation of information in bits: split = H(segmentation | truth), merge = H(truth | segmentation)."""

    split: float
    merge: float

    @property
    def sum(self) -> float:
        return self.split + self.merge


@dataclass(frozen=True)
class ErrorCounts:
    """Pieces too many per truth object (splits) and objects too many per segment (merges)."""

    splits: int
    merges: int


@dataclass(frozen=True)
class Foreground:
    """Precision and recall of voxels above 0; blind to which object a voxel belongs to."""

    precision: float
    recall: float


def adapted_rand(table: Contingency, convention: str = "isbi", *, truth_zero: TruthZero = "ignore") -> AdaptedRand:
    """Adapted Rand error: 1 - 2 AB / (A + B), precision AB / B, recall AB / A.

    isbi (each scored voxel predicted 0 is a segment of its own): A = sum a_i^2, B = sum_{j>0} b_j^2 + c,
    AB = sum_{j>0} n_ij^2 + c. snemi = cremi: c / N in place of c, as their scorers compute it.
    skimage (predicted 0 is one ordinary segment, pairs of different voxels): sums of squares over all j, each minus n.

    Raises UnknownNameError for another convention. Sums are exact integers. Where no pair exists (skimage, objects of one voxel
    each), precision or recall is 1.
    Source: Arganda-Carreras et al. 2015; cremi/cremi_python; scikit-image.

    >>> from neurotome.measure.contingency import contingency
    >>> adapted_rand(contingency(np.array([1, 1, 1, 1]), np.array([1, 1, 2, 2])))
    AdaptedRand(error=0.33333333333333337, precision=1.0, recall=0.5)
    """
    if convention not in RAND_CONVENTIONS:
        raise UnknownNameError("convention", convention, RAND_CONVENTIONS)
    rows = table.scored(truth_zero)
    if convention == "skimage":
        n = int(rows.voxels.sum())
        truth, segments = (_sum_squares(totals(ids, rows.voxels)) - n for ids in (rows.truth, rows.segmentation))
        return _adapted_rand(truth, segments, _sum_squares(rows.voxels) - n)
    seen = rows.segmentation > 0
    zeros = int(rows.voxels[~seen].sum())
    alone = zeros if convention == "isbi" else zeros / rows.support
    truth_pairs = _sum_squares(totals(rows.truth, rows.voxels))
    segment_pairs = _sum_squares(totals(rows.segmentation[seen], rows.voxels[seen])) + alone
    return _adapted_rand(truth_pairs, segment_pairs, _sum_squares(rows.voxels[seen]) + alone)


def variation_of_information(
    table: Contingency, *, predicted_zero: PredictedZero = "segment", truth_zero: TruthZero = "ignore"
) -> Information:
    """Variation of information in bits, in its two parts.

    predicted_zero: "segment" counts the voxels predicted 0 as one segment (the CREMI way), "singletons" each as its own.
    Raises UnknownNameError for another name. Source: Meila 2007.

    >>> from neurotome.measure.contingency import contingency
    >>> variation_of_information(contingency(np.array([1, 1, 2, 2]), np.array([7, 7, 7, 7])))
    Information(split=0.0, merge=1.0)
    """
    if predicted_zero not in ("segment", "singletons"):
        raise UnknownNameError("treatment of predicted 0", predicted_zero, ("segment", "singletons"))
    rows = table.scored(truth_zero)
    n = int(rows.voxels.sum())
    if n == 0:
        return Information(0.0, 0.0)
    counted = rows.segmentation > 0 if predicted_zero == "singletons" else np.ones(len(rows), bool)
    both = math.fsum(n_log_n(rows.voxels[counted]))
    truth = math.fsum(n_log_n(totals(rows.truth, rows.voxels)))
    segments = math.fsum(n_log_n(totals(rows.segmentation[counted], rows.voxels[counted])))
    return Information(max(0.0, (truth - both) / n), max(0.0, (segments - both) / n))


def split_merge_errors(table: Contingency, *, discard: int = 10, truth_zero: TruthZero = "ignore") -> ErrorCounts:
    """Split errors: over truth objects, the segments j > 0 that share more than `discard` voxels with it, minus 1 (0 at least).

    Merge errors: the same with truth and segmentation exchanged. An overlap of exactly `discard` voxels does not count.

    >>> from neurotome.measure.contingency import contingency
    >>> split_merge_errors(contingency(np.array([1, 1, 1, 2]), np.array([1, 2, 2, 2])), discard=0)
    ErrorCounts(splits=1, merges=1)
    """
    rows = table.scored(truth_zero)
    large = (rows.voxels > discard) & (rows.segmentation > 0)
    pairs = int(large.sum())
    return ErrorCounts(pairs - len(np.unique(rows.truth[large])), pairs - len(np.unique(rows.segmentation[large])))


def adjusted_rand_index(table: Contingency, *, foreground: bool = False) -> float:
    """Adjusted Rand index, label 0 an ordinary cluster on both sides; `foreground` leaves out voxels with truth 0.

    (sum C(n_ij, 2) - E) / ((sum C(a_i, 2) + sum C(b_j, 2)) / 2 - E), E = sum C(a_i, 2) sum C(b_j, 2) / C(N, 2).
    1 where the denominator is 0: both sides are then the same trivial partition. Source: Hubert and Arabie 1985.

    >>> from neurotome.measure.contingency import contingency
    >>> adjusted_rand_index(contingency(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])))
    0.5714285714285714
    """
    rows = table.scored("ignore" if foreground else "object")
    n = int(rows.voxels.sum())
    both = _sum_squares(rows.voxels) - n
    truth = _sum_squares(totals(rows.truth, rows.voxels)) - n
    segments = _sum_squares(totals(rows.segmentation, rows.voxels)) - n
    all_pairs = n * (n - 1)
    # Python integers up to the one division: the differences of these sums would lose digits in float64.
    above = 2 * (both * all_pairs - truth * segments)
    below = (truth + segments) * all_pairs - 2 * truth * segments
    return above / below if below else 1.0


def foreground_overlap(table: Contingency) -> Foreground:
    """Precision TP / (TP + FP) and recall TP / (TP + FN) of "voxel above 0"; 0 where nothing is predicted, or nothing is true."""
    truth, predicted = table.truth > 0, table.segmentation > 0
    hits = int(table.voxels[truth & predicted].sum())
    claimed, real = int(table.voxels[predicted].sum()), int(table.voxels[truth].sum())
    return Foreground(hits / claimed if claimed else 0.0, hits / real if real else 0.0)


def cremi_score(table: Contingency, *, truth_zero: TruthZero = "ignore") -> float:
    """sqrt((VOI split + VOI merge) * adapted Rand error), both in the convention `cremi`."""
    error = adapted_rand(table, "cremi", truth_zero=truth_zero).error
    return math.sqrt(variation_of_information(table, truth_zero=truth_zero).sum * error)


def totals(ids: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """Voxels per id, in the order of ids: int64."""
    unique, inverse = np.unique(ids, return_inverse=True)
    sums = np.zeros(len(unique), np.int64)
    np.add.at(sums, inverse, voxels)
    return sums


def n_log_n(voxels: np.ndarray) -> np.ndarray:
    """n log2 n, 0 for n = 0: the building block of every entropy here."""
    n = voxels.astype(np.float64)
    return n * np.log2(np.maximum(n, 1.0))


def _adapted_rand(truth: float, segments: float, both: float) -> AdaptedRand:
    precision = both / segments if segments else 1.0
    recall = both / truth if truth else 1.0
    error = 1.0 - 2.0 * both / (truth + segments) if truth + segments else 0.0
    return AdaptedRand(error, precision, recall)


def _sum_squares(voxels: np.ndarray) -> int:
    # The squares add up to at most the square of the sum, so 2^31 voxels are safe in int64.
    if int(voxels.sum()) < 2**31:
        return int(np.dot(voxels, voxels))
    return sum(int(n) ** 2 for n in voxels)
