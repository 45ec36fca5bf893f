"""V_rand and V_info after border thinning: the scores of the ISBI-2012 challenge, section by section and by threshold."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neurotome.core import InputError, Progress, Score, Scores, ShapeError, ValueRangeError, silent
from neurotome.measure.contingency import Contingency, contingency
from neurotome.measure.flooding import regions_4, thin_border
from neurotome.measure.partition import adapted_rand, n_log_n, totals

__all__ = ["IsbiScores", "SectionScore", "isbi_scores", "isbi_thresholds", "section_agreement"]


@dataclass(frozen=True)
class Agreement:
    """V_rand and V_info of one section, with precision (low when merged) and recall (low when split) of each."""

    v_rand: float
    rand_precision: float
    rand_recall: float
    v_info: float
    info_precision: float
    info_recall: float


@dataclass(frozen=True)
class SectionScore:
    """One section at one threshold."""

    section: int
    threshold: float
    v_rand: float
    rand_precision: float
    rand_recall: float
    v_info: float
    info_precision: float
    info_recall: float


@dataclass(frozen=True, eq=False)
class IsbiScores:
    """Scores of a stack. thresholds: (11,) float64; rows: every section at every threshold, thresholds slowest."""

    thresholds: np.ndarray
    rows: tuple[SectionScore, ...]

    def means(self, measure: str) -> np.ndarray:
        """Mean over sections of one column of the rows ("v_rand", "info_recall", ...), per threshold."""
        values = np.array([getattr(row, measure) for row in self.rows])
        return np.asarray(values.reshape(len(self.thresholds), -1).mean(axis=1))

    @property
    def v_rand(self) -> float:
        """The largest mean over the thresholds: one threshold for the whole stack."""
        return float(self.means("v_rand").max())

    @property
    def v_info(self) -> float:
        return float(self.means("v_info").max())

    def best_threshold(self, measure: str = "v_rand") -> float:
        """The threshold with the largest mean; the lowest of equals."""
        return float(self.thresholds[self.means(measure).argmax()])

    def to_rows(self) -> list[dict[str, Any]]:
        """Every section at the best threshold of V_rand and, where it differs, of V_info."""
        best = {self.best_threshold("v_rand"), self.best_threshold("v_info")}
        return [asdict(row) for row in self.rows if row.threshold in best]

    def to_scores(self, support: str = "full") -> Scores:
        """v_rand, v_info, their precision and recall and their threshold, all at the best threshold of the one they belong to."""
        scores = []
        for name in ("rand", "info"):
            best = int(self.means(f"v_{name}").argmax())
            for metric, column in (("", f"v_{name}"), ("_precision", f"{name}_precision"), ("_recall", f"{name}_recall")):
                value = float(self.means(column)[best])
                scores.append(Score(f"v_{name}{metric}", value, "", "higher", "isbi2012, thinned", support))
            threshold = float(self.thresholds[best])
            scores.append(Score(f"v_{name}_threshold", threshold, "", "neither", "isbi2012, thinned", support))
        return Scores(tuple(scores))


def isbi_scores(inside: np.ndarray, truth_inside: np.ndarray, *, progress: Progress = silent) -> IsbiScores:
    """Score a map of P(inside) as the ISBI-2012 challenge does.

    inside: (z, y, x) float in [0, 1], or uint8 with 255 = 1. truth_inside: (z, y, x) of 0 and 1, 1 inside a cell.
    For each of the 11 thresholds and each section: threshold, thin the border by flooding, compare with the 4-connected truth
    regions over the truth's inside pixels. The score of the stack is the maximum over thresholds of the mean over sections.

    Raises ShapeError where shapes differ, ValueRangeError for values outside the ranges above, InputError for a section of the
    truth that is constant (naming it). Source: Arganda-Carreras et al. 2015.
    """
    probability, truth = _checked(inside, truth_inside)
    thresholds = isbi_thresholds()
    regions = [regions_4(section) for section in truth]
    rows = []
    for t, threshold in enumerate(thresholds):
        for section, (p, region) in enumerate(zip(probability, regions, strict=True)):
            agreement = section_agreement(region, thin_border(p > threshold))
            rows.append(SectionScore(section, float(threshold), **asdict(agreement)))
        progress("score thresholds", t + 1, len(thresholds))
    return IsbiScores(thresholds, tuple(rows))


def isbi_thresholds() -> np.ndarray:
    """0.0, then 0.1 more in double precision while at most 1.0: 11 levels, the last just below 1.

    >>> len(isbi_thresholds()), float(isbi_thresholds()[-1])
    (11, 0.9999999999999999)
    """
    levels, t = [], 0.0
    while t <= 1.0:
        levels.append(t)
        t += 0.1
    return np.array(levels, np.float64)


def section_agreement(truth: np.ndarray, proposal: np.ndarray) -> Agreement:
    """V_rand and V_info of one section of labels, over the pixels with truth > 0; each such pixel with proposal 0 is its own
    region.

    V_rand = 2 S_AB / (S_A + S_B) and V_info = 2 I / (H_A + H_B), 0 where the truth or the proposal has no information.

    >>> section_agreement(np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]]))
    Agreement(v_rand=0.6666666666666666, rand_precision=1.0, rand_recall=0.5, v_info=0.0, info_precision=0.0, info_recall=0.0)
    """
    table = contingency(truth, proposal)
    rand = adapted_rand(table, "isbi")
    truth_bits, proposal_bits, shared = _entropies(table.scored())
    if truth_bits <= 0 or proposal_bits <= 0:
        return Agreement(1 - rand.error, rand.precision, rand.recall, 0.0, 0.0, 0.0)
    v_info = 2 * shared / (truth_bits + proposal_bits)
    return Agreement(1 - rand.error, rand.precision, rand.recall, v_info, shared / truth_bits, shared / proposal_bits)


def _entropies(rows: Contingency) -> tuple[float, float, float]:
    """Entropy of truth and of proposal, and the information they share, times the number of pixels."""
    n = int(rows.voxels.sum())
    seen = rows.segmentation > 0
    everything = n * math.log2(n)
    truth = everything - math.fsum(n_log_n(totals(rows.truth, rows.voxels)))
    proposal = everything - math.fsum(n_log_n(totals(rows.segmentation[seen], rows.voxels[seen])))
    both = everything - math.fsum(n_log_n(rows.voxels[seen]))
    # A difference of large sums: what is below their rounding error is nothing.
    noise = 1e-12 * everything
    truth, proposal = (h if h > noise else 0.0 for h in (truth, proposal))
    shared = truth + proposal - both
    return truth, proposal, shared if shared > noise else 0.0


def _checked(inside: np.ndarray, truth_inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if inside.shape != truth_inside.shape or inside.ndim != 3:
        raise ShapeError(
            f"P(inside) has shape {inside.shape}, truth has {truth_inside.shape}", "one shape (z, y, x)", "crop one of them first"
        )
    if inside.dtype != np.uint8 and inside.dtype.kind != "f":
        raise ValueRangeError(
            f"P(inside) has type {inside.dtype}", "float in [0, 1] or uint8 (255 = 1)", "divide by the largest value"
        )
    # float64 throughout: in float32 the last threshold becomes 1.0 and selects nothing.
    probability = inside.astype(np.float64) / (255.0 if inside.dtype == np.uint8 else 1.0)
    low, high = float(probability.min()), float(probability.max())
    if not (low >= 0.0 and high <= 1.0):
        raise ValueRangeError(f"P(inside) has values from {low:g} to {high:g}", "values in [0, 1]", "divide by the largest value")
    values = np.unique(truth_inside)
    if not np.isin(values, (0, 1)).all():
        shown = ", ".join(f"{v:g}" for v in values[:10])
        raise ValueRangeError(
            f"Truth has the values {shown}", "0 (membrane) and 1 (inside)", "give the truth as a comparison, as in truth > 0"
        )
    truth = truth_inside.astype(np.bool_)
    for section, mask in enumerate(truth):
        if mask.all() or not mask.any():
            raise InputError(
                f"Truth section {section} is constant ({int(mask[0, 0])} everywhere)",
                "inside and membrane pixels in each section",
                "leave the section out, or check which value means inside",
            )
    return probability, truth
