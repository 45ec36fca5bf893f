"""From a probability map to trees: threshold, somata and start points, one tree per piece, and bridges between the pieces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import Progress, Skeleton, UnknownNameError, ValueRangeError, silent
from neurotome.core.geometry import Nm3
from neurotome.tracing.bridging import BRIDGE_COLUMNS, Bridged, BridgeSettings, bridge, bridge_as_caat
from neurotome.tracing.crossing import repaired
from neurotome.tracing.rooting import EDGE_FEATURES
from neurotome.tracing.scooping import ScoopSettings, Visited, extend_tips, prune, rayburst, reduce_nodes, scoop, smooth_radii
from neurotome.tracing.sparse.bricks import Bricks, value_at
from neurotome.tracing.sparse.distance import distance_to_background
from neurotome.tracing.starting.caat import caat_levels
from neurotome.tracing.starting.foreground import THRESHOLDS, Foreground, choose_level, foreground, value_counts
from neurotome.tracing.starting.seeds import snap_seeds
from neurotome.tracing.starting.soma import with_soma
from neurotome.tracing.starting.starts import Start, Starts, find_starts
from neurotome.tracing.tracers import TRACERS, tracer_settings

__all__ = ["BRIDGES", "TraceSettings", "Tracing", "grown_trees", "trace"]

BRIDGES = ("neurotome", "caat", "none")


@dataclass(frozen=True, kw_only=True)
class TraceSettings:
    """How to trace; plain values.

    tracer: one of `tracers.TRACERS`; others than scooping have the threshold and min_length_nm from here, else their defaults.
    threshold_method, threshold, low: see `choose_level`. largest_share: of the volume that may be neurite.
    min_component_voxels: pieces with fewer are listed, not traced, unless a bridge leads to them from a larger one and they have
    min_bridged_voxels. somata: look for cell bodies, of soma_radius_nm and soma_ratio times the usual depth at least.
    z_smear, weighted_centre, local_thresholds: see ScoopSettings. radius_kernel, directions: see `rayburst`. attachment,
    min_length_nm: see `prune`. protect_faces: short branches that end at a side of the volume are kept, as they go on outside;
    objects that are thick there would get a fan of them. node_scalar: see `reduce_nodes`. extend_tips: let tips reach the ends
    of the object. crossings: where neurites of two neurons cross, each keeps what it goes straight on as, see `repaired`.
    bridges: over gaps by our rule, by that of CAAT, or none; max_gap_nm, least_confidence: see BridgeSettings.
    """

    tracer: str = "scooping"
    threshold_method: str = "fixed"
    threshold: int = 128
    low: int = 77
    largest_share: float = 0.5
    min_component_voxels: int = 50
    min_bridged_voxels: int = 20
    somata: bool = True
    soma_radius_nm: float = 2000.0
    soma_ratio: float = 2.5
    z_smear: float = 1.0
    weighted_centre: bool = False
    local_thresholds: bool = False
    radius_kernel: str = "3d"
    directions: int = 64
    attachment: float = 1.3
    min_length_nm: float = 3000.0
    protect_faces: bool = True
    node_scalar: float = 1.0
    extend_tips: bool = True
    crossings: bool = True
    bridges: str = "neurotome"
    max_gap_nm: float = 10_000.0
    least_confidence: float = 0.5

    def __post_init__(self) -> None:
        for kind, name, known in (
            ("threshold method", self.threshold_method, THRESHOLDS),
            ("bridges", self.bridges, BRIDGES),
            ("tracer", self.tracer, TRACERS),
        ):
            if name not in known:
                raise UnknownNameError(kind, name, known)
        for name in ("min_component_voxels", "min_bridged_voxels"):
            if getattr(self, name) < 1:
                raise ValueRangeError(f"{name} {getattr(self, name)}", "1 or more", "1 traces every piece")
        if not 0 < self.largest_share <= 1:
            raise ValueRangeError(f"largest_share {self.largest_share:g}", "a share in (0, 1]", "1 allows any share")
        self.scoop_settings(self.threshold)
        self.bridge_settings()

    def scoop_settings(self, threshold: int) -> ScoopSettings:
        return ScoopSettings(
            threshold=threshold,
            z_smear=self.z_smear,
            weighted_centre=self.weighted_centre,
            local_thresholds=self.local_thresholds,
        )

    def bridge_settings(self) -> BridgeSettings:
        return BridgeSettings(max_gap_nm=self.max_gap_nm, least_confidence=self.least_confidence)


@dataclass(frozen=True, eq=False)
class Tracing:
    """skeleton: all trees, the longest first, ids 1..n. threshold: 1..255, as used. Tables, trees numbered as in the skeleton:

    somata: tree, component, z, y, x, radius_nm. bridges: see BRIDGE_COLUMNS. components: component, voxels, z, y, x of where it
    is thickest, tree (-1: none). contested: tree and other tree, z, y, x, voxels, path_nm, see `contested_contacts`, and what was
    decided there, see `repaired`.
    notes: what a person should know.
    """

    skeleton: Skeleton
    threshold: int
    somata: pd.DataFrame
    bridges: pd.DataFrame
    components: pd.DataFrame
    contested: pd.DataFrame
    notes: tuple[str, ...]


def trace(
    bricks: Bricks,
    settings: TraceSettings | None = None,
    *,
    seeds: np.ndarray | None = None,
    origin_nm: Nm3 = (0.0, 0.0, 0.0),
    progress: Progress = silent,
) -> Tracing:
    """The trees of a volume in which neurites are bright.

    threshold -> pieces -> somata and start points -> per piece: scooping, soma, pruning, radii, fewer nodes, tips -> bridges.

    Every piece is a tree, rooted at its soma, or else where it is thickest; a piece with several somata is divided among them.
    With start points (k, 3), voxels, only the pieces with one are traced, each from its own, and what is bridged to them.

    Features of the nodes: scoop_nm, cluster_size_nm, cluster_voxels, threshold, loop_contact, unremovable, probability, and of
    their edges jump, confidence, gap_nm. origin_nm: where voxel (0, 0, 0) lies. The bricks must hold every voxel that reaches the
    threshold; methods that choose one from the values need all of them (`floor=1`).

    Raises InputError for a threshold or start points that do not fit the volume, each with what would.
    """
    settings = settings or TraceSettings()
    level = choose_level(bricks, settings.threshold_method, threshold=settings.threshold, low=settings.low)
    found = foreground(bricks, level, largest_share=settings.largest_share)
    depth = distance_to_background(found.voxels)
    points, notes = snap_seeds(found.voxels, depth, seeds) if seeds is not None else (None, ())
    starts = find_starts(found, depth, settings, points)
    trees = grown_trees(bricks, found, starts, settings, progress)
    trees, contested = _uncrossed(trees, bricks, starts, settings)
    bridged = _bridged(trees, bricks, found, starts, settings)
    kept = _kept(bridged, found, starts, settings, seeded=seeds is not None)
    skeleton, number = _ordered(trees, bridged, kept)
    features = {**skeleton.features, "probability": _probability(skeleton, bricks)}
    skeleton = replace(skeleton, points_nm=skeleton.points_nm + np.array(origin_nm), features=features)
    if not len(skeleton):
        notes += (f"No piece has {settings.min_component_voxels} voxels; the largest has {found.sizes[0]}",)
    return Tracing(
        skeleton,
        level.value,
        _soma_table(starts, number),
        bridged.table,
        _component_table(found, depth, starts, number),
        contested.assign(tree=number[contested["tree"]], other_tree=number[contested["other_tree"]]),
        (*level.notes, *starts.notes, *notes),
    )


def grown_trees(
    bricks: Bricks, found: Foreground, starts: Starts, settings: TraceSettings, progress: Progress = silent
) -> Skeleton:
    """The trees of all starts, in their order, as one skeleton."""
    visited, scooping = Visited.of(bricks), settings.scoop_settings(found.level.value)
    allowed = np.zeros(bricks.values.shape, np.uint8) if starts.owner is not None else None
    trees = []
    for number, start in enumerate(starts.of):
        progress("trace", number, len(starts.of))
        own = None
        if allowed is not None and starts.is_divided(start):
            own = starts.owner == number
            found.voxels.paint(allowed, own, 1)
        here = None if own is None else allowed
        if settings.tracer == "scooping":
            tree = scoop(bricks, start.voxel, scooping, visited=visited, allowed=here)
            tree = _finished(tree, start, bricks, found.level.value, settings)
        else:
            tree = _by_another(bricks, start, found.level.value, here, settings)
        if own is not None:
            found.voxels.paint(allowed, own, 0)
        trees.append(tree if own is None else _own_part(tree, found, own, bricks))
    progress("trace", len(starts.of), len(starts.of))
    return _together(trees)


def _finished(tree: Skeleton, start: Start, bricks: Bricks, threshold: int, settings: TraceSettings) -> Skeleton:
    """From a raw tree to the one that is kept."""
    if start.is_soma:
        tree = with_soma(tree, np.array(start.voxel) * np.array(bricks.voxel_nm), start.radius_nm)
    if not settings.protect_faces:
        tree = replace(tree, features={**tree.features, "unremovable": np.zeros(len(tree), bool)})
    tree = prune(tree, attachment=settings.attachment, min_length_nm=settings.min_length_nm)
    # Half of what it is in the middle, as one measures a blurred fibre; a low threshold would take the blur for neurite.
    half = np.ceil(255 * _probability(tree, bricks) / 2)
    radii = rayburst(
        bricks,
        tree.points_nm,
        np.maximum(tree.features["threshold"], half).astype(np.int64),
        kernel=settings.radius_kernel,
        directions=settings.directions,
        cluster_size_nm=tree.features["cluster_size_nm"],
    )
    if start.is_soma:
        radii[tree.roots] = start.radius_nm
    tree = reduce_nodes(smooth_radii(replace(tree, radii_nm=radii)), settings.node_scalar, smallest_nm=min(bricks.voxel_nm))
    return extend_tips(tree, bricks, threshold) if settings.extend_tips else tree


def _own_part(tree: Skeleton, found: Foreground, own: np.ndarray, bricks: Bricks) -> Skeleton:
    """The tree without the tips that were extended into the territory of another one."""
    voxels = np.rint(tree.points_nm / np.array(bricks.voxel_nm)).astype(int)
    degree = tree.children + (tree.parent_rows >= 0)
    numbers = [found.voxels.at((z, y, x)) if tip else -1 for (z, y, x), tip in zip(voxels.tolist(), degree == 1, strict=True)]
    return tree.take(np.array([number < 0 or bool(own[number]) for number in numbers]))


def _by_another(bricks: Bricks, start: Start, threshold: int, allowed: np.ndarray | None, settings: TraceSettings) -> Skeleton:
    """The tree of a start by one of the other tracers, which know of no territories: they see only what is its own."""
    if allowed is not None:
        bricks = replace(bricks, values=bricks.values * allowed)
    options = tracer_settings(settings.tracer, threshold=threshold, min_length_nm=settings.min_length_nm)
    tree = TRACERS[settings.tracer](bricks, start.voxel, options)
    if start.is_soma:
        tree = with_soma(tree, np.array(start.voxel) * np.array(bricks.voxel_nm), start.radius_nm)
    return replace(tree, features={})


def _together(trees: list[Skeleton]) -> Skeleton:
    """Several skeletons as one, with new ids, and the features of edges."""
    begins = np.cumsum([0] + [len(tree) for tree in trees])
    parents = [np.where(t.parent_rows < 0, t.parent_rows, t.parent_rows + b) for t, b in zip(trees, begins[:-1], strict=True)]

    def all_of(values: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(values)

    if not trees:
        return Skeleton.of([], np.zeros((0, 3)), features={name: np.full(0, none) for name, none in EDGE_FEATURES.items()})
    features: dict[str, Any] = {name: all_of([np.asarray(t.features[name]) for t in trees]) for name in trees[0].features}
    features |= {name: np.full(begins[-1], none) for name, none in EDGE_FEATURES.items()}
    return Skeleton.of(
        all_of(parents),
        all_of([t.points_nm for t in trees]),
        all_of([t.radii_nm for t in trees]),
        all_of([t.kinds for t in trees]),
        features,
    )


def _uncrossed(trees: Skeleton, bricks: Bricks, starts: Starts, settings: TraceSettings) -> tuple[Skeleton, pd.DataFrame]:
    """The trees, each with what its neurites go straight on as, and the contacts with what was decided."""
    if not settings.crossings:
        return trees, starts.contested
    found = repaired(
        trees, _probability(trees, bricks), starts.contested, voxel_nm=bricks.voxel_nm, reach_nm=settings.min_length_nm
    )
    return found.trees, found.contested


def _bridged(trees: Skeleton, bricks: Bricks, found: Foreground, starts: Starts, settings: TraceSettings) -> Bridged:
    neurons = np.array([start.is_soma or start.is_seeded for start in starts.of])
    if settings.bridges == "neurotome":
        return bridge(trees, bricks, found.level.value, settings.bridge_settings(), neurons=neurons)
    if settings.bridges == "caat":
        _, t_low = caat_levels(value_counts(bricks))
        return bridge_as_caat(trees, bricks, found.voxels, starts.parts(found), t_low, neurons=neurons)
    return Bridged(trees, pd.DataFrame(columns=list(BRIDGE_COLUMNS)), np.arange(len(neurons)))


def _kept(bridged: Bridged, found: Foreground, starts: Starts, settings: TraceSettings, *, seeded: bool) -> np.ndarray:
    """(k,) bool for each tree before bridging: whether what it belongs to now is a result."""
    counts = np.array([s.is_seeded if seeded else found.sizes[s.component] >= settings.min_component_voxels for s in starts.of])
    wanted = np.zeros(len(starts.of), bool)
    np.logical_or.at(wanted, bridged.main, counts)
    return np.asarray(wanted[bridged.main])


def _ordered(trees: Skeleton, bridged: Bridged, kept: np.ndarray) -> tuple[Skeleton, np.ndarray]:
    """The joined trees to keep, longest first, numbered anew; and for each tree before bridging its number now, -1 for none."""
    joined, roots = bridged.trees, trees.ids[trees.roots]
    now = joined.trees[joined.rows_of(roots)]
    length = np.bincount(joined.trees, joined.edge_nm, len(joined.roots))
    wanted = np.zeros(len(joined.roots), bool)
    wanted[now[kept]] = True
    order = np.argsort(-length, kind="stable")
    order = order[wanted[order]]
    place = np.full(len(joined.roots), -1)
    place[order] = np.arange(len(order))
    rows = np.argsort(place[joined.trees], kind="stable")
    rows = rows[place[joined.trees[rows]] >= 0]
    back = np.full(len(joined) + 1, -1)
    back[rows] = np.arange(len(rows))
    features = {name: np.asarray(values)[rows] for name, values in joined.features.items()}
    skeleton = Skeleton.of(
        back[joined.parent_rows[rows]], joined.points_nm[rows], joined.radii_nm[rows], joined.kinds[rows], features, "traced"
    )
    return skeleton, place[now]


def _probability(skeleton: Skeleton, bricks: Bricks) -> np.ndarray:
    """Of each node the value of its voxel, 0..1."""
    voxels = np.rint(skeleton.points_nm / np.array(bricks.voxel_nm)).astype(int).tolist()
    return np.array([value_at(bricks.table, bricks.values, z, y, x) for z, y, x in voxels], np.float64) / 255


def _soma_table(starts: Starts, number: np.ndarray) -> pd.DataFrame:
    rows = [(number[i], s.component, *s.voxel, s.radius_nm) for i, s in enumerate(starts.of) if s.is_soma]
    return pd.DataFrame(rows, columns=["tree", "component", "z", "y", "x", "radius_nm"])


def _component_table(found: Foreground, depth: np.ndarray, starts: Starts, number: np.ndarray) -> pd.DataFrame:
    """All pieces; of a divided one the tree with the smallest number."""
    tree = np.full(len(found.sizes), -1)
    for i in np.argsort(-number, kind="stable").tolist():
        if number[i] >= 0:
            tree[starts.of[i].component] = number[i]
    z, y, x = found.voxels.positions[found.starts(depth)].T
    columns = {"component": np.arange(len(found.sizes)), "voxels": found.sizes, "z": z, "y": y, "x": x, "tree": tree}
    return pd.DataFrame(columns)
