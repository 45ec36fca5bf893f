"""Of all gaps, those that are bridged: the surest first, no loops, never two neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurotome.core import Box, Skeleton
from neurotome.tracing.bridging.candidates import candidates, ends_of
from neurotome.tracing.bridging.join import Bridge, joined
from neurotome.tracing.bridging.score import BridgeSettings, confidence, score
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.object_voxels import ObjectVoxels
from neurotome.tracing.starting.caat import BOX_MARGIN, LEAST_SCORE, jump_score, line_between

__all__ = ["BRIDGE_COLUMNS", "Bridged", "bridge", "bridge_as_caat"]

BRIDGE_COLUMNS = ("z", "y", "x", "to_z", "to_y", "to_x", "gap_nm", "confidence", "to_side", "verdict")
"""Both ends in voxels. verdict: made; or why not: weak, loop, two neurons, end taken."""

LEAST_LISTED = 0.1
"""Gaps of less confidence than this are not listed."""


@dataclass(frozen=True, eq=False)
class Bridged:
    """trees: joined. table: of gaps, surest first. main: (k,) int64 for each tree before, the one whose root it now hangs on."""

    trees: Skeleton
    table: pd.DataFrame
    main: np.ndarray


def bridge(trees: Skeleton, bricks: Bricks, threshold: int, settings: BridgeSettings, *, neurons: np.ndarray) -> Bridged:
    """Join trees over gaps that are probably one neurite.

    Candidates are taken in descending order of confidence while it is at least `settings.least_confidence`; refused are those
    that would close a loop, that would connect two neurons, or whose end is bridged already.

    trees: several, in the frame of the bricks. neurons: (k,) bool, which trees are known to be neurons of their own, by a soma or
    a start point. They keep their roots.
    """
    scale = settings.even_score * (1 / (1 - LEAST_LISTED) * LEAST_LISTED) ** (1 / settings.steepness)
    found = candidates(trees, bricks, threshold, settings, least_score=scale)
    sure = confidence(np.array([float(score(c.gap, settings)[0]) for c in found]), settings)
    ways = [
        Bridge(c.row, c.other, c.path, float(s), float(c.gap.length_nm[0]))
        for c, s in zip(found, sure, strict=True)
        if s >= LEAST_LISTED
    ]
    return _chosen(trees, ways, settings.least_confidence, neurons, bricks)


def bridge_as_caat(
    trees: Skeleton, bricks: Bricks, voxels: ObjectVoxels, part: np.ndarray, t_low: int, *, neurons: np.ndarray
) -> Bridged:
    """Join trees as CAAT does, see `jump_score`; the confidence of a bridge is its score.

    The cluster that cannot grow is what of its tree's object lies within the scooping distance of an end, a jump leads to the
    node of the other tree nearest to the voxel it reaches.

    part: (n,) per object voxel the number of its tree, -1 for those of none.
    """
    ends, _ = ends_of(trees)
    ways = [way for end in ends.tolist() if (way := _jump(trees, end, bricks, voxels, part, t_low)) is not None]
    return _chosen(trees, ways, LEAST_SCORE, neurons, bricks)


def _jump(trees: Skeleton, end: int, bricks: Bricks, voxels: ObjectVoxels, part: np.ndarray, t_low: int) -> Bridge | None:
    voxel_nm, own = np.array(bricks.voxel_nm), int(trees.trees[end])
    centre, reach = trees.points_nm[end], float(trees.features["scoop_nm"][end]) + max(bricks.voxel_nm)
    near = voxels.inside(_box((centre - reach) / voxel_nm, (centre + reach) / voxel_nm, bricks))
    away = np.sqrt(((voxels.positions[near] * voxel_nm - centre) ** 2).sum(1))
    cluster = near[(part[near] == own) & (away <= reach)]
    if not len(cluster):
        return None
    places = voxels.positions[cluster]
    p = places[np.argmin(voxels.places[cluster])]
    around = voxels.inside(_box(places.min(0) - BOX_MARGIN, places.max(0) + BOX_MARGIN, bricks))
    others = around[(part[around] != own) & (part[around] >= 0)]
    if not len(others):
        return None
    steps = np.abs(voxels.positions[others] - p)
    q = others[np.lexsort((voxels.places[others], (steps**2).sum(1), steps.max(1)))[0]]
    line = line_between(tuple(p.tolist()), tuple(voxels.positions[q].tolist()))
    value = jump_score(len(line) - 1, _values(bricks, line), other_component=True, t_low=t_low)
    there = _nearest_node(trees, int(part[q]), voxels.positions[q] * voxel_nm)
    gap_nm = float(np.sqrt((((voxels.positions[q] - p) * voxel_nm) ** 2).sum()))
    path = np.rint(trees.points_nm[[end, there]] / voxel_nm).astype(np.int64)
    return Bridge(end, there, path, value, gap_nm)


def _box(low: np.ndarray, high: np.ndarray, bricks: Bricks) -> Box:
    """The voxels from `low` to `high`, both included, inside the volume."""
    start, stop = np.ceil(low).astype(int), np.floor(high).astype(int) + 1
    return Box(tuple(start.tolist()), tuple(np.maximum(start, stop).tolist())).clip(bricks.shape)


def _nearest_node(trees: Skeleton, tree: int, place_nm: np.ndarray) -> int:
    rows = np.flatnonzero(trees.trees == tree)
    return int(rows[np.argmin(((trees.points_nm[rows] - place_nm) ** 2).sum(1))])


def _values(bricks: Bricks, line: np.ndarray) -> np.ndarray:
    box = Box(tuple(line.min(0).tolist()), tuple((line.max(0) + 1).tolist()))
    return bricks.read(box)[tuple((line - line.min(0)).T)]


def _chosen(trees: Skeleton, ways: Sequence[Bridge], least: float, neurons: np.ndarray, bricks: Bricks) -> Bridged:
    """Greedily, the surest way first; of equally sure ones the shortest, then in the order of their rows."""
    numbers, count = trees.trees, len(trees.roots)
    group, known = np.arange(count), np.array(neurons, bool)
    # A line goes on once from each of its ends; a node on its own goes on to both sides.
    free = np.full(len(trees), len(trees))
    is_end = np.zeros(len(trees), bool)
    is_end[ends_of(trees)[0]] = True
    free[is_end] = 2 - (trees.children + (trees.parent_rows >= 0))[is_end]
    made, rows = [], []
    for way in sorted(ways, key=lambda w: (-w.confidence, w.gap_nm, w.row, w.other)):
        a, b = int(group[numbers[way.row]]), int(group[numbers[way.other]])
        verdict = "made"
        if way.confidence < least:
            verdict = "weak"
        elif a == b:
            verdict = "loop"
        elif known[a] and known[b]:
            verdict = "two neurons"
        elif not (free[way.row] and free[way.other]):
            verdict = "end taken"
        rows.append((*way.path[0].tolist(), *way.path[-1].tolist(), way.gap_nm, way.confidence, not is_end[way.other], verdict))
        if verdict == "made":
            made.append(way)
            free[[way.row, way.other]] -= 1
            keep, lose = (a, b) if (not known[a], a) < (not known[b], b) else (b, a)
            group[group == lose] = keep
    first = np.where(known, np.arange(count), np.arange(count) + count)
    table = pd.DataFrame(rows, columns=list(BRIDGE_COLUMNS))
    return Bridged(joined(trees, made, first, bricks.voxel_nm), table, group)
