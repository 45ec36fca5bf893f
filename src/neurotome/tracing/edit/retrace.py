"""Trace anew from a node on: what hung below it goes, and grows again out of the volume.

kept  o--o--o--N            what is not below N keeps its voxels, so the new part cannot climb back along it
                \\_____ L    what a person has confirmed below N stays too; where the new part meets it, it grows on
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial import cKDTree

from neurotome.core import ROOT, SOMA, InputError, Skeleton, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.tracing.edit.bench import Bench, box_around
from neurotome.tracing.edit.rows import below, protected, with_parent, with_rows, with_values, without
from neurotome.tracing.edit.trees import linked
from neurotome.tracing.scooping.finish import extend_tips, reduce_nodes, smooth_radii
from neurotome.tracing.scooping.prune import prune
from neurotome.tracing.scooping.radius import rayburst
from neurotome.tracing.scooping.scoop import ScoopSettings, scoop
from neurotome.tracing.sparse.bricks import SIDE, Bricks

__all__ = ["retrace_from"]

SNAP_VOXELS = 5
"""A node may lie this far from the object, for one drawn by hand beside it."""
TERRITORY = 1.5
"""What is kept owns the voxels up to this many radii, and voxels, from its middle line."""
HELD = ("unremovable", "loop_contact")
"""Features that keep a tip through pruning and reduction."""


def retrace_from(bench: Bench, *, node: int, threshold: int = 128, min_length_nm: float = 3000.0) -> Skeleton:
    """All below a node anew, by Voxel Scooping from the node on; twigs below `min_length_nm` are pruned.

    Locked and hand-drawn nodes and accepted bridges below it stay as they are, with all below them. Where the new part meets
    one, that island is grafted on; one that is not met is a tree of its own. Raises InputError when nothing grows.
    """
    bricks = bench.evidence("trace anew")
    if not 1 <= threshold <= 255:
        raise ValueRangeError(f"Threshold {threshold}", "1..255", "multiply by 255 if it is a probability")
    tree, row = bench.tree, bench.row(node)
    doomed, islands = _doomed_and_islands(tree, row)
    rest = without(tree, doomed)
    rest = with_parent(rest, np.flatnonzero((rest.parents == node) & np.isin(rest.ids, tree.ids[islands])), ROOT)
    allowed = _free_voxels(bench, bricks, row, doomed | islands, threshold)
    start = _start(bench, bricks, row, allowed, threshold)
    targets = _shifted(tree.take(islands), -np.array(bench.origin_nm))
    raw = scoop(bricks, start, ScoopSettings(threshold=threshold), allowed=allowed, accepted=targets)
    grown = _finished(raw, bricks, threshold, min_length_nm)
    if len(grown) < 2 and grown.features["graft"][0] < 0:
        raise InputError(
            f"Nothing longer than {min_length_nm:g} nm grows from node {node} at threshold {threshold}",
            "object voxels below it that belong to nothing that is kept",
            "lower the threshold, or use bridge or add_node",
        )
    return _grafted(*_attached(bench, rest, grown, node))


def _doomed_and_islands(tree: Skeleton, row: int) -> tuple[np.ndarray, np.ndarray]:
    """What goes: all below the row down to the first protected nodes. What stays of the rest: these with all below them.

    A protected child of a protected node is not below it in this sense: the edge between them is confirmed too.
    """
    kept = protected(tree)
    under = below(tree, row)
    if kept[row]:
        for child in np.flatnonzero((tree.parent_rows == row) & kept):
            under &= ~below(tree, int(child))
    under[row] = False
    doomed = under & ~kept
    for k in np.flatnonzero(doomed).tolist():
        above = int(tree.parent_rows[k])
        doomed[k] = above == row or doomed[above]
    return doomed, under & ~doomed


def _finished(raw: Skeleton, bricks: Bricks, threshold: int, min_length_nm: float) -> Skeleton:
    """With radii, without twigs, tips out to the ends. A tip that has met an island is left as it is, and so is the root."""
    met = raw.features["graft"] >= 0
    held = {"unremovable": raw.features["unremovable"] | met, "loop_contact": raw.features["loop_contact"] | met}
    radii = rayburst(bricks, raw.points_nm, threshold, cluster_size_nm=raw.features["cluster_size_nm"])
    thick = with_values(raw, slice(None), radii_nm=radii, **held)
    # The root stands for a node that has a neurite on its other side: no tip, and as fixed as a soma.
    rooted = with_values(thick, 0, kinds=SOMA)
    reduced = reduce_nodes(smooth_radii(prune(rooted, min_length_nm=min_length_nm)), smallest_nm=min(bricks.voxel_nm))
    return extend_tips(reduced, bricks, threshold)


def _attached(bench: Bench, rest: Skeleton, grown: Skeleton, node: int) -> tuple[Skeleton, Mapping[int, int]]:
    """The new nodes hung on the node in place of their root, and for each that has met an island: new id -> id met."""
    new = np.arange(len(grown)) > 0
    ids = np.concatenate([[node], bench.next_id + np.arange(len(grown) - 1)])
    grafts = grown.features["graft"]
    features = {name: np.where(grafts >= 0, False, values) if name in HELD else values for name, values in grown.features.items()}
    longer = with_rows(
        rest,
        len(rest),
        ids=ids[new],
        parents=ids[np.maximum(grown.parent_rows[new], 0)],
        points_nm=grown.points_nm[new] + bench.origin_nm,
        radii_nm=grown.radii_nm[new],
        kinds=rest.kinds[rest.rows_of([node])[0]],
        features={name: values[new] for name, values in features.items() if name != "graft"},
    )
    return longer, {int(ids[k]): int(grafts[k]) for k in np.flatnonzero(grafts >= 0)}


def _grafted(tree: Skeleton, met: Mapping[int, int]) -> Skeleton:
    """The tree with each island on the first tip that has met it; another tip that meets it is the contact of a loop."""
    for tip, island in met.items():
        upper, lower = (int(r) for r in tree.rows_of([tip, island]))
        if tree.trees[upper] == tree.trees[lower]:
            tree = with_values(tree, upper, loop_contact=True)
        else:
            tree = linked(tree, tip, island)
    return tree


def _free_voxels(bench: Bench, bricks: Bricks, row: int, under: np.ndarray, threshold: int) -> np.ndarray:
    """Where the new part may grow: uint8 over the bricks, 0 in the voxels of what is not below the node.

    Such a voxel lies within TERRITORY of the middle line of that part, and nearer to it than to the node and what is under it.
    """
    allowed = np.ones(bricks.values.shape, np.uint8)
    tree = _shifted(bench.tree, -np.array(bench.origin_nm))
    kept_edges = ~under & (np.arange(len(tree)) != row)
    kept_edges[row] = tree.parents[row] != ROOT
    kept_points, kept_radii = _along(tree, kept_edges, bricks, threshold)
    if not len(kept_points):
        return allowed
    own_points = np.concatenate([tree.points_nm[[row]], _along(tree, under, bricks, threshold)[0]])
    at_node = (kept_points == tree.points_nm[row]).all(1)
    kept_points, kept_radii = kept_points[~at_node], kept_radii[~at_node]
    voxels = _around(kept_points, TERRITORY * (kept_radii + max(bricks.voxel_nm)), bricks)
    places = voxels * np.array(bricks.voxel_nm)
    nearer = cKDTree(kept_points).query(places)[0] < cKDTree(own_points).query(places)[0]
    _write(allowed, bricks, voxels[nearer], 0)
    return allowed


def _along(tree: Skeleton, edges: np.ndarray, bricks: Bricks, threshold: int) -> tuple[np.ndarray, np.ndarray]:
    """Points along these edges, a voxel apart, both ends included, and the radius at each; unknown radii are measured."""
    rows = np.flatnonzero(edges)
    above = np.where(tree.parent_rows[rows] >= 0, tree.parent_rows[rows], rows)
    radii = tree.radii_nm.copy()
    unknown = np.flatnonzero(radii == 0)
    if len(unknown):
        radii[unknown] = rayburst(bricks, tree.points_nm[unknown], threshold)
    steps = np.ceil(tree.edge_nm[rows] / min(bricks.voxel_nm)).astype(np.int64) + 1
    owner = np.repeat(np.arange(len(rows)), steps)
    share = (np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps)) / np.maximum(steps - 1, 1)[owner]
    points = tree.points_nm[rows][owner] * (1 - share[:, None]) + tree.points_nm[above][owner] * share[:, None]
    return points, radii[rows][owner] * (1 - share) + radii[above][owner] * share


def _around(points_nm: np.ndarray, reach_nm: np.ndarray, bricks: Bricks) -> np.ndarray:
    """The voxels of the volume that lie within the reach of a point, each once: (n, 3)."""
    spacing, shape = np.array(bricks.voxel_nm), np.array(bricks.shape)
    found = []
    for point, reach in zip(points_nm, reach_nm, strict=True):
        first = np.maximum(np.ceil((point - reach) / spacing), 0).astype(np.int64)
        last = np.minimum(np.floor((point + reach) / spacing), shape - 1).astype(np.int64)
        if (last < first).any():
            continue
        near = np.stack(np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(first, last, strict=True)), indexing="ij"), -1).reshape(
            -1, 3
        )
        inside = (((near * spacing - point) ** 2).sum(1)) <= reach**2
        found.append(np.ravel_multi_index(tuple(near[inside].T), bricks.shape))
    every = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
    return np.stack(np.unravel_index(every, bricks.shape), axis=1)


def _start(bench: Bench, bricks: Bricks, row: int, allowed: np.ndarray, threshold: int) -> Int3:
    """The voxel of the node, or else the nearest free object voxel. Raises InputError where there is none nearby."""
    here = bench.voxel_of(row, bricks)
    box = box_around(here, here, SNAP_VOXELS, bricks.shape)
    voxels = np.argwhere(bricks.read(box) >= threshold) + np.array(box.start)
    free = voxels[_read(allowed, bricks, voxels) > 0] if len(voxels) else voxels
    distance = np.sqrt((((free - np.array(here)) * bricks.voxel_nm) ** 2).sum(1))
    if not len(free):
        raise InputError(
            f"Node {bench.tree.ids[row]} lies more than {SNAP_VOXELS} voxels from any free voxel of value {threshold} or more",
            "a node on the object",
            "move the node onto it, or lower the threshold",
        )
    z, y, x = (int(v) for v in free[distance.argmin()])
    return z, y, x


def _read(mask: np.ndarray, bricks: Bricks, voxels: np.ndarray) -> np.ndarray:
    return np.asarray(mask[(_slots(bricks, voxels), *(voxels % SIDE).T)])


def _write(mask: np.ndarray, bricks: Bricks, voxels: np.ndarray, value: int) -> None:
    slots = _slots(bricks, voxels)
    there = slots >= 0
    mask[(slots[there], *(voxels[there] % SIDE).T)] = value


def _slots(bricks: Bricks, voxels: np.ndarray) -> np.ndarray:
    return np.asarray(bricks.table[tuple((voxels // SIDE).T)])


def _shifted(tree: Skeleton, by_nm: np.ndarray) -> Skeleton:
    return with_values(tree, slice(None), points_nm=tree.points_nm + by_nm)
