"""A test tracing against a gold tracing: everything that scores and error tables are made of, in voxels and in um."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from neurotome.core import Grid, InputError, Skeleton, ValueRangeError
from neurotome.core.geometry import Nm3
from neurotome.measure.trees.branching import TreeCounts, tree_counts
from neurotome.measure.trees.critical import Matched, bifurcations, match_points, tips
from neurotome.measure.trees.diadem import Diadem, DiademSettings, diadem
from neurotome.measure.trees.distances import FAR, Agreement, Apart, agreement, apart, false_rate, is_near
from neurotome.measure.trees.nearest import Nearest, nearest_segments
from neurotome.measure.trees.rivuletpy_compat import rivuletpy_compat
from neurotome.measure.trees.sampling import Samples, edge_samples, samples_above, vaa3d_points
from neurotome.measure.trees.topology import OMITTED, Topology, topology

__all__ = ["NM_PER_UM", "RadiusError", "TreeComparison", "UnitComparison", "compare_trees"]

Unit = Literal["voxel", "um"]

NM_PER_UM = 1000.0
SAMPLE_STEP = {"voxel": 0.5, "um": 0.25}
"""Edges are cut into pieces of at most this length, in the unit."""

FINER = 8
"""Pieces in which the tolerance may be crossed are cut into so many."""

MERGE_UM = 5.0
"""A test tree that covers so much of each of two gold trees merges them."""


@dataclass(frozen=True)
class RadiusError:
    """Test radius minus gold radius, at gold samples near the test tree where both are known; samples: how many. NaN if none."""

    mean_absolute: float
    bias: float
    samples: int


@dataclass(frozen=True, eq=False)
class UnitComparison:
    """Two tracings in one unit. to_test, to_gold: from the samples of the *other* tree, so `to_test` belongs to `gold_samples`.

    tau: what counts as near; also the distance from which something is missed. radius_scale: this unit per nm of radius.
    """

    unit: Unit
    test: Skeleton
    gold: Skeleton
    test_points: np.ndarray
    gold_points: np.ndarray
    test_samples: Samples
    gold_samples: Samples
    to_test: Nearest
    to_gold: Nearest
    radius_scale: float
    tau: float

    @cached_property
    def agreement(self) -> Agreement:
        """Precision, recall and F1 by length at tau."""
        test, gold = (self.test_samples, self.test_points, self.test), (self.gold_samples, self.gold_points, self.gold)
        return agreement(
            _near_share(*test, self.to_gold.distance, _segments(self.gold_points, self.gold), self.tau),
            _near_share(*gold, self.to_test.distance, _segments(self.test_points, self.test), self.tau),
            self.test_samples.weights,
            self.gold_samples.weights,
        )

    @cached_property
    def apart(self) -> Apart:
        """ESA, DSA, PDS, SSD, largest distances."""
        return apart(self.to_gold.distance, self.to_test.distance, self.test_samples.weights, self.gold_samples.weights, self.tau)

    @cached_property
    def vaa3d(self) -> Apart:
        """The same by the rules of Vaa3D's neuron distance, see `vaa3d_points`; its threshold is always 2."""
        test = vaa3d_points(self.test_points, self.test.parent_rows)
        gold = vaa3d_points(self.gold_points, self.gold.parent_rows)
        to_gold = nearest_segments(test, *_segments(self.gold_points, self.gold)).distance
        to_test = nearest_segments(gold, *_segments(self.test_points, self.test)).distance
        return apart(to_gold, to_test, np.ones(len(to_gold)), np.ones(len(to_test)))

    @cached_property
    def netmets(self) -> tuple[float, float]:
        """Geometric false positive and false negative rate."""
        return (
            false_rate(self.to_gold.distance, self.test_samples.weights),
            false_rate(self.to_test.distance, self.gold_samples.weights),
        )

    @cached_property
    def critical(self) -> dict[str, Matched]:
        """Bifurcations, tips, and both together, matched within tau."""
        rows = {"bifurcations": bifurcations, "tips": tips}
        test = {kind: rule(self.test.parent_rows) for kind, rule in rows.items()}
        gold = {kind: rule(self.gold.parent_rows) for kind, rule in rows.items()}
        test["critical_nodes"], gold["critical_nodes"] = np.concatenate([*test.values()]), np.concatenate([*gold.values()])
        return {k: match_points(self.test_points[test[k]], self.gold_points[gold[k]], self.tau) for k in test}

    @cached_property
    def topology(self) -> Topology:
        """Splits, omits, merges and expected run length, of gold samples labelled with the nearest test tree within tau.

        What merges two trees is always measured in um.
        """
        near = is_near(self.to_test.distance, self.tau)
        labels = np.where(near, self.test.trees[_edges(self.test)[self.to_test.segment]], OMITTED)
        samples, gold_trees = self.gold_samples, self.gold.trees[self.gold_samples.edges]
        weights_um = samples.weights_of(self.gold.edge_nm / NM_PER_UM)
        return topology(labels, self.gold_above, samples.weights, gold_trees, MERGE_UM, weights_um)

    @cached_property
    def gold_above(self) -> np.ndarray:
        """The neighbour of each gold sample towards the root, see `samples_above`."""
        return samples_above(self.gold_samples, self.gold.parent_rows)

    @cached_property
    def test_above(self) -> np.ndarray:
        """The same for the test samples."""
        return samples_above(self.test_samples, self.test.parent_rows)

    @cached_property
    def diadem(self) -> Diadem:
        """The DIADEM-like score with its usual settings."""
        return self.diadem_with(DiademSettings())

    def diadem_with(self, settings: DiademSettings) -> Diadem:
        """The DIADEM-like score; tolerances are in this unit."""
        return diadem((self.test_points, self.test.parent_rows), (self.gold_points, self.gold.parent_rows), settings)

    @cached_property
    def radius(self) -> RadiusError:
        """How well radii agree where the trees do."""
        test_edge = _edges(self.test)[self.to_test.segment]
        gold = _radius_at(self.gold, self.gold_samples.edges, self.gold_samples.along)
        test = _radius_at(self.test, test_edge, self.to_test.along)
        use = is_near(self.to_test.distance, self.tau) & (gold > 0) & (test > 0)
        if not use.any():
            return RadiusError(math.nan, math.nan, 0)
        weights, difference = self.gold_samples.weights[use], (test - gold)[use] * self.radius_scale
        total = weights.sum()
        return RadiusError(
            float((weights * np.abs(difference)).sum() / total), float((weights * difference).sum() / total), int(use.sum())
        )

    def rivuletpy_compat(self, tolerance: float = 4.0) -> Agreement:
        """What rivuletpy would print; see there why not to use it."""
        return rivuletpy_compat(self.test_points, self.gold_points, tolerance)


@dataclass(frozen=True, eq=False)
class TreeComparison:
    """A test and a gold tracing, compared in voxels and in um."""

    test: Skeleton
    gold: Skeleton
    voxel_nm: Nm3
    voxel: UnitComparison
    um: UnitComparison

    @cached_property
    def test_counts(self) -> TreeCounts:
        return tree_counts(self.test.points_nm / NM_PER_UM, self.test.parent_rows)

    @cached_property
    def gold_counts(self) -> TreeCounts:
        return tree_counts(self.gold.points_nm / NM_PER_UM, self.gold.parent_rows)

    def in_unit(self, unit: Unit) -> UnitComparison:
        return self.voxel if unit == "voxel" else self.um


def compare_trees(
    test: Skeleton, gold: Skeleton, *, voxel_nm: Sequence[float], tau_voxels: float = FAR, tau_um: float = FAR
) -> TreeComparison:
    """Compare a tracing with a believed one: every edge sampled, every sample with its nearest segment on the other tree.

    voxel_nm: z, y, x; voxel units are positions divided by it, so a score in voxels depends on how the image was sampled.
    Everything else is computed when it is asked for.

    Raises InputError for a tree without any length (a distance to it means nothing; see `worst_tree_scores`), UnitError for
    voxel sizes that are not three numbers above 0, ValueRangeError for tolerances that are not above 0.
    """
    if min(tau_voxels, tau_um) <= 0:
        raise ValueRangeError(f"Tolerances of {tau_voxels} voxels and {tau_um} um", "numbers above 0")
    size = Grid((1, 1, 1), tuple(voxel_nm)).voxel_nm  # type: ignore[arg-type]
    for role, tree in (("test", test), ("gold", gold)):
        if not tree.length_nm > 0:
            raise InputError(
                f"The {role} tree '{tree.name}' has {len(tree)} node{'s' * (len(tree) != 1)} and no length",
                "at least two nodes joined by an edge",
                "leave it out, or count it as the worst case",
            )
    plane = math.sqrt(size[1] * size[2])
    return TreeComparison(
        test,
        gold,
        size,
        voxel=_compare(test, gold, "voxel", np.array(size), tau_voxels, 1 / plane),
        um=_compare(test, gold, "um", np.full(3, NM_PER_UM), tau_um, 1 / NM_PER_UM),
    )


def _compare(
    test: Skeleton, gold: Skeleton, unit: Unit, nm_per_unit: np.ndarray, tau: float, radius_scale: float
) -> UnitComparison:
    test_points, gold_points = test.points_nm / nm_per_unit, gold.points_nm / nm_per_unit
    test_samples = edge_samples(test_points, test.parent_rows, SAMPLE_STEP[unit])
    gold_samples = edge_samples(gold_points, gold.parent_rows, SAMPLE_STEP[unit])
    return UnitComparison(
        unit,
        test,
        gold,
        test_points,
        gold_points,
        test_samples,
        gold_samples,
        to_test=nearest_segments(gold_samples.points, *_segments(test_points, test)),
        to_gold=nearest_segments(test_samples.points, *_segments(gold_points, gold)),
        radius_scale=radius_scale,
        tau=tau,
    )


def _near_share(
    samples: Samples,
    points: np.ndarray,
    tree: Skeleton,
    distance: np.ndarray,
    others: tuple[np.ndarray, np.ndarray],
    tau: float,
) -> np.ndarray:
    """Which part of each sample is within tau of the other tree's segments.

    Distances change by at most what one walks, so only samples this near to tau can be partly in: they are cut finer. Without
    that, F1 of trees that cross each other's tolerance often would depend on where edges happen to start.
    """
    share = is_near(distance, tau).astype(np.float64)
    unsure = np.flatnonzero(np.abs(distance - tau) <= samples.weights / 2)
    if len(unsure):
        finer = samples.cut(unsure, FINER, points, tree.parent_rows)
        found = nearest_segments(finer.reshape(-1, 3), *others).distance.reshape(-1, FINER)
        share[unsure] = is_near(found, tau).mean(1)
    return share


def _edges(tree: Skeleton) -> np.ndarray:
    """Rows of the nodes that have a parent: the numbering of segments."""
    return np.flatnonzero(tree.parent_rows >= 0)


def _segments(points: np.ndarray, tree: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    edges = _edges(tree)
    return points[tree.parent_rows[edges]], points[edges]


def _radius_at(tree: Skeleton, edges: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Radii in nm along edges; 0, unknown, where an end is unknown."""
    ends = tree.radii_nm[tree.parent_rows[edges]], tree.radii_nm[edges]
    return np.where(np.minimum(*ends) > 0, ends[0] + along * (ends[1] - ends[0]), 0.0)
