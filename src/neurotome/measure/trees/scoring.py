"""Every metric of a tree comparison as scores, in voxels first and then in um."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from neurotome.core import Score, Scores
from neurotome.core.scores import Better
from neurotome.measure.trees.branching import TreeCounts
from neurotome.measure.trees.comparison import TreeComparison, UnitComparison
from neurotome.measure.trees.distances import FAR, Agreement, Apart

__all__ = ["tree_scores", "worst_tree_scores"]

_UNITS = {"voxel": "voxels", "um": "um"}


def tree_scores(comparison: TreeComparison) -> Scores:
    """All scores; asking by name gives the one in voxels, by length.

    Conventions: "2 voxels" and "2 um" by length, with that tolerance; "vaa3d" by the points of Vaa3D's neuron distance;
    "rivuletpy_compat" by nodes, only for checking published numbers. Scores that do not exist for these trees (distances of
    matched tips where none match, radii where there are none) are left out.
    """
    scores: list[Score] = []
    for found in (comparison.voxel, comparison.um):
        scores += [*_by_length(found), *_by_nodes(found), *_by_topology(found)]
    scores += [*_counts("test", comparison.test_counts), *_counts("gold", comparison.gold_counts), *_differences(comparison)]
    scores += _agreement(comparison.voxel.rivuletpy_compat(), "rivuletpy_compat, 4 voxels", "rivuletpy_compat_")
    return Scores(tuple(score for score in scores if not math.isnan(score.value)))


def worst_tree_scores(tau_voxels: float = FAR, tau_um: float = FAR) -> Scores:
    """What a missing or empty test tree scores in a benchmark: nothing found, everything far. Distances have no worst value."""
    scores: list[Score] = []
    for convention in (f"{tau_voxels:g} voxels", f"{tau_um:g} um"):
        scores += _agreement(Agreement(0.0, 0.0), convention)
        scores.append(Score("pds", 1.0, "", "lower", convention))
    return Scores(tuple(scores))


def _by_length(found: UnitComparison) -> Iterator[Score]:
    convention = _convention(found)
    yield from _agreement(found.agreement, convention)
    yield from _apart(found.apart, found, convention)
    yield from _apart(found.vaa3d, found, f"vaa3d, {FAR:g} {_UNITS[found.unit]}")
    for metric, value in zip(("netmets_false_positive", "netmets_false_negative"), found.netmets, strict=True):
        yield Score(metric, value, "", "lower", f"sigma {FAR:g} {_UNITS[found.unit]}")
    yield Score("radius_error", found.radius.mean_absolute, _UNITS[found.unit], "lower", convention)
    yield Score("radius_bias", found.radius.bias, _UNITS[found.unit], "neither", convention)


def _by_nodes(found: UnitComparison) -> Iterator[Score]:
    convention = _convention(found)
    for kind, matched in found.critical.items():
        yield Score(f"{kind}_precision", matched.precision, "", "higher", convention)
        yield Score(f"{kind}_recall", matched.recall, "", "higher", convention)
        yield Score(f"{kind}_f1", matched.f1, "", "higher", convention)
        yield Score(f"{kind}_distance", matched.mean_distance, _UNITS[found.unit], "lower", convention)
    yield Score("diadem_like", found.diadem.score, "", "higher", f"xy 2, z 1 {_UNITS[found.unit]}, path 5 %, weight tips")


def _by_topology(found: UnitComparison) -> Iterator[Score]:
    convention, covering = _convention(found), found.topology
    yield Score("splits", covering.splits, "errors", "lower", convention)
    yield Score("omits", covering.omits, "pieces", "lower", convention)
    yield Score("omitted", covering.omitted, "", "lower", convention)
    yield Score("merges", covering.merges, "errors", "lower", f"{convention}, 5 um of each tree")
    yield Score("edge_accuracy", covering.edge_accuracy, "", "higher", convention)
    yield Score("expected_run_length", covering.erl, _UNITS[found.unit], "higher", convention)
    yield Score("expected_run_length_share", covering.erl_share, "", "higher", f"{convention}, of the best possible")


def _agreement(found: Agreement, convention: str, prefix: str = "") -> Iterator[Score]:
    for metric in ("precision", "recall", "f1"):
        yield Score(prefix + metric, getattr(found, metric), "", "higher", convention)


def _apart(apart: Apart, found: UnitComparison, convention: str) -> Iterator[Score]:
    for metric in ("esa", "dsa", "pds", "ssd", "dist_max", "hausdorff"):
        yield Score(metric, getattr(apart, metric), "" if metric == "pds" else _UNITS[found.unit], "lower", convention)


def _counts(side: str, counts: TreeCounts) -> Iterator[Score]:
    for metric in ("nodes", "roots", "stems", "bifurcations", "tips", "highest_order"):
        yield Score(f"{side}_{metric}", getattr(counts, metric), "", "neither", "root not a tip" if metric == "tips" else "")
    for metric in ("length_um", "longest_path_um", "furthest_um"):
        yield Score(f"{side}_{metric.removesuffix('_um')}", getattr(counts, metric), "um")


def _differences(comparison: TreeComparison) -> Iterator[Score]:
    test, gold = comparison.test_counts, comparison.gold_counts
    shells = max(len(test.sholl), len(gold.sholl))
    a, b = (np.pad(counts.sholl, (0, shells - len(counts.sholl))) for counts in (test, gold))
    better: Better = "lower"
    total = int((a + b).sum())
    yield Score("length_error", abs(test.length_um / gold.length_um - 1), "", better, "share of gold, um")
    yield Score("sholl_error", float(np.abs(a - b).sum() / total) if total else 0.0, "", better, "10 um, about the roots")


def _convention(found: UnitComparison) -> str:
    return f"{found.tau:g} {_UNITS[found.unit]}"
