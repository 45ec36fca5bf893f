"""Every partition metric of a segmentation, each with its convention and its support."""

from __future__ import annotations

from collections.abc import Iterable

from neurotome.core import Box, Labels, Progress, Score, Scores, UnknownNameError, silent
from neurotome.measure.box_count import TruthParts
from neurotome.measure.comparison import Comparison, compare
from neurotome.measure.contingency import TruthZero
from neurotome.measure.partition import (
    RAND_CONVENTIONS,
    adapted_rand,
    adjusted_rand_index,
    cremi_score,
    foreground_overlap,
    split_merge_errors,
    variation_of_information,
)

__all__ = ["CONVENTIONS", "METRICS", "comparison_scores", "label_scores"]

CONVENTIONS = (*RAND_CONVENTIONS, "singletons")
METRICS = (
    "adapted_rand_error",
    "adapted_rand_precision",
    "adapted_rand_recall",
    "voi_split",
    "voi_merge",
    "voi_sum",
    "split_errors",
    "merge_errors",
    "cremi_score",
    "ari_foreground",
    "ari_all_voxels",
    "foreground_precision",
    "foreground_recall",
)


def label_scores(
    segmentation: Labels,
    truth: Labels,
    *,
    conventions: Iterable[str] = ("isbi",),
    metrics: Iterable[str] | None = None,
    support: str | Box = "full",
    force: bool = False,
    truth_parts: TruthParts = "as given",
    border_nm: float | None = None,
    truth_zero: TruthZero = "ignore",
    progress: Progress = silent,
) -> Scores:
    """Score a segmentation against a truth: `compare`, then `comparison_scores`, which define the options and errors."""
    chosen = _known("convention", conventions, CONVENTIONS), _known("metric", METRICS if metrics is None else metrics, METRICS)
    comparison = compare(
        segmentation,
        truth,
        support=support,
        force=force,
        truth_parts=truth_parts,
        border_nm=border_nm,
        truth_zero=truth_zero,
        progress=progress,
    )
    return comparison_scores(comparison, conventions=chosen[0], metrics=chosen[1])


def comparison_scores(
    comparison: Comparison, *, conventions: Iterable[str] = ("isbi",), metrics: Iterable[str] | None = None
) -> Scores:
    """The metrics (default: all) of a comparison; asking by name gives the first convention listed.

    conventions: the adapted Rand scores come once in each of isbi, snemi, cremi, skimage that is named; "singletons" adds the
    variation of information with each voxel predicted 0 as its own segment, besides the usual one (convention "cremi": 0 is one
    segment).
    Raises UnknownNameError for an unknown convention or metric.
    """
    conventions = _known("convention", conventions, CONVENTIONS)
    wanted = set(_known("metric", METRICS if metrics is None else metrics, METRICS))
    scores = [*_rand_scores(comparison, conventions), *_information_scores(comparison, conventions), *_other_scores(comparison)]
    return Scores(tuple(s for s in scores if s.metric in wanted))


def _rand_scores(comparison: Comparison, conventions: tuple[str, ...]) -> list[Score]:
    scores = []
    for convention in (c for c in conventions if c in RAND_CONVENTIONS):
        rand = adapted_rand(comparison.table, convention, truth_zero=comparison.truth_zero)
        scores += [
            Score("adapted_rand_error", rand.error, "", "lower", convention, comparison.support),
            Score("adapted_rand_precision", rand.precision, "", "higher", convention, comparison.support),
            Score("adapted_rand_recall", rand.recall, "", "higher", convention, comparison.support),
        ]
    return scores


def _information_scores(comparison: Comparison, conventions: tuple[str, ...]) -> list[Score]:
    table, zero = comparison.table, comparison.truth_zero
    found = [("cremi", variation_of_information(table, truth_zero=zero))]
    if "singletons" in conventions:
        found.append(("singletons", variation_of_information(table, predicted_zero="singletons", truth_zero=zero)))
    return [
        Score(metric, value, "bits", "lower", convention, comparison.support)
        for convention, voi in found
        for metric, value in (("voi_split", voi.split), ("voi_merge", voi.merge), ("voi_sum", voi.sum))
    ]


def _other_scores(comparison: Comparison) -> list[Score]:
    table, zero, support = comparison.table, comparison.truth_zero, comparison.support
    errors = split_merge_errors(table, truth_zero=zero)
    foreground = foreground_overlap(table)
    return [
        Score("split_errors", errors.splits, "errors", "lower", "overlaps above 10 voxels", support),
        Score("merge_errors", errors.merges, "errors", "lower", "overlaps above 10 voxels", support),
        Score("cremi_score", cremi_score(table, truth_zero=zero), "", "lower", "cremi", support),
        Score("ari_foreground", adjusted_rand_index(table, foreground=True), "", "higher", "truth above 0", support),
        Score("ari_all_voxels", adjusted_rand_index(table), "", "higher", "0 is a cluster on both sides", support),
        Score("foreground_precision", foreground.precision, "", "higher", "voxels above 0", support),
        Score("foreground_recall", foreground.recall, "", "higher", "voxels above 0", support),
    ]


def _known(kind: str, names: Iterable[str], known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = (names,) if isinstance(names, str) else tuple(names)
    for name in chosen:
        if name not in known:
            raise UnknownNameError(kind, name, known)
    return chosen
