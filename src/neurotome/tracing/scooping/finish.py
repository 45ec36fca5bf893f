"""From a pruned tree to one to keep: smooth radii, as few nodes as its thickness asks for, and tips that reach their ends."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np

from neurotome.core import ROOT, SOMA, Skeleton, ValueRangeError, parents_first
from neurotome.tracing.rooting import EDGE_FEATURES
from neurotome.tracing.scooping.radius import interpolated, wall
from neurotome.tracing.sparse.bricks import Bricks

__all__ = ["extend_tips", "reduce_nodes", "smooth_radii"]

_STEP = 0.25


def smooth_radii(tree: Skeleton) -> Skeleton:
    """The tree with the radius of each line node the mean of it and its two neighbours, of each tip that of it and its neighbour.

    Roots, junctions, locked and drawn nodes keep theirs.

    >>> line = Skeleton.of([-1, 0, 1], [[0, 0, 0], [0, 0, 30], [0, 0, 60]], radii_nm=[10.0, 40.0, 20.0])
    >>> smooth_radii(line).radii_nm.round(2).tolist()
    [10.0, 23.33, 30.0]
    """
    above = tree.parent_rows
    inner = above != ROOT
    total = tree.radii_nm + np.where(inner, tree.radii_nm[above], 0.0)
    np.add.at(total, above[inner], tree.radii_nm[inner])
    smooth = inner & (tree.children < 2) & ~_by_hand(tree)
    return replace(tree, radii_nm=np.where(smooth, total / (2 + tree.children), tree.radii_nm))


def reduce_nodes(tree: Skeleton, scalar: float = 1.0, *, smallest_nm: float = 0.0) -> Skeleton:
    """The tree without the line nodes that lie within the radius, times `scalar`, of the node before or after them.

    Roots absorb first, and any node near them; then junctions, then line nodes, each in the order of the rows. Who absorbs stays
    where it is. An edge over what was absorbed is a jump if one of its pieces was, with the least confidence and the widest gap.
    Locked and drawn nodes and somata are never absorbed. In the end no radius is below half of `smallest_nm`, the smallest
    side of a voxel; those of locked and drawn nodes stay.

    >>> line = Skeleton.of([-1, 0, 1, 2], [[0, 0, 0], [0, 0, 30], [0, 0, 60], [0, 0, 90]], radii_nm=[35.0, 35, 35, 35])
    >>> reduce_nodes(line).points_nm[:, 2].tolist()
    [0.0, 60.0, 90.0]
    """
    if not (scalar >= 0 and smallest_nm >= 0):
        raise ValueRangeError(f"Scalar {scalar:g} and voxel side {smallest_nm:g} nm", "0 or more", "scalar=0 keeps every node")
    met = np.asarray(tree.features.get("loop_contact", np.zeros(len(tree), bool)), bool)
    fixed = _by_hand(tree) | (tree.kinds == SOMA) | met
    into, parents = _absorb(tree.parent_rows, tree.children, tree.points_nm, tree.radii_nm * scalar, fixed)
    rows = np.flatnonzero(into == np.arange(len(tree)))
    above = np.where(parents == ROOT, ROOT, into[parents])[rows]
    floor = np.where(_by_hand(tree), 0.0, smallest_nm / 2)
    features = {key: np.asarray(values)[rows] for key, values in tree.features.items()}
    for key, worst in (("jump", np.maximum), ("confidence", np.minimum), ("gap_nm", np.maximum)):
        if key in features:
            features[key] = _over_edges(tree, into, np.asarray(tree.features[key]), worst)[rows]
    return Skeleton(
        tree.ids[rows],
        np.where(above == ROOT, ROOT, tree.ids[above]),
        tree.points_nm[rows],
        np.maximum(tree.radii_nm, floor)[rows],
        tree.kinds[rows],
        features,
        tree.name,
    )


def extend_tips(tree: Skeleton, bricks: Bricks, threshold: int) -> Skeleton:
    """The tree with one node more at each tip that stops short of the object's end.

    It lies on from the tip, in the direction from the node about a diameter before it, half a voxel inside of where the value
    falls below the threshold, and never farther than twice the tip's radius or scooping distance, whichever is larger. A root
    with one child is a tip too unless it is a soma, and the new node becomes the root. Locked and drawn tips and those where
    a loop was cut are left alone. Positions are those of the bricks, voxel (0, 0, 0) at 0 nm.

    >>> volume = np.zeros((7, 7, 40), np.uint8)
    >>> volume[2:5, 2:5, 5:35] = 255
    >>> line = Skeleton.of([-1, 0], [[3.0, 3, 10], [3, 3, 30]], radii_nm=[3.0, 3.0])
    >>> extend_tips(line, Bricks.of(volume, (1.0, 1.0, 1.0)), 128).points_nm[:, 2].round(1).tolist()
    [5.0, 10.0, 30.0, 34.0]
    """
    left_alone = _by_hand(tree) | np.asarray(tree.features.get("loop_contact", np.zeros(len(tree), bool)), bool)
    one_child = (tree.parent_rows == ROOT) & (tree.children == 1) & (tree.kinds != SOMA)
    tips = np.flatnonzero((((tree.parent_rows != ROOT) & (tree.children == 0)) | one_child) & ~left_alone)
    limit = 2 * np.maximum(tree.radii_nm, np.asarray(tree.features.get("scoop_nm", tree.radii_nm)))
    voxel = np.array(bricks.voxel_nm)
    ends = _ends(bricks.table, bricks.values, voxel, tree.parent_rows, tree.points_nm, tree.radii_nm, tips, limit, threshold)
    grown = np.isfinite(ends).all(1)
    return _with_tips(tree, tips[grown], ends[grown])


def _with_tips(tree: Skeleton, tips: np.ndarray, ends: np.ndarray) -> Skeleton:
    """The tree with a node at each of `ends` next to the tip of that row: its child, or the new root before a root."""
    n, at_root = len(tree), tree.parent_rows[tips] == ROOT
    parents = np.concatenate((tree.parent_rows, np.where(at_root, ROOT, tips)))
    parents[tips[at_root]] = n + np.flatnonzero(at_root)
    order = parents_first(parents)
    rows = np.concatenate((np.arange(n), tips))
    ids = np.concatenate((tree.ids, tree.ids.max(initial=0) + 1 + np.arange(len(tips))))
    features = {key: np.array(values)[rows] for key, values in tree.features.items()}
    for key, none in {**EDGE_FEATURES, "cluster_voxels": 0, "unremovable": False}.items():
        if key in features:
            features[key][n:] = none
    above = parents[order]
    return Skeleton(
        ids[order],
        np.where(above == ROOT, ROOT, ids[above]),
        np.concatenate((tree.points_nm, ends))[order],
        tree.radii_nm[rows][order],
        tree.kinds[rows][order],
        {key: values[order] for key, values in features.items()},
        tree.name,
    )


def _by_hand(tree: Skeleton) -> np.ndarray:
    """Nodes that no automatic step may touch."""
    nobody = np.zeros(len(tree), bool)
    return np.asarray(tree.features.get("locked", nobody), bool) | np.asarray(tree.features.get("drawn", nobody), bool)


def _over_edges(tree: Skeleton, into: np.ndarray, values: np.ndarray, worst: np.ufunc) -> np.ndarray:
    """A feature of edges, of each node over the edges up to the next node that was not absorbed."""
    out, above = values.copy(), tree.parent_rows
    for row in range(len(tree)):
        p = above[row]
        if p != ROOT and into[p] != p:
            out[row] = worst(values[row], out[p])
    return out


@numba.njit(cache=True, nogil=True)
def _absorb(parents, children, points, reach, fixed):
    """Which row each row went into (itself where it stays), and the parents of those that stay, which may have gone elsewhere."""
    n = len(parents)
    into, parents, stack = np.arange(n), parents.copy(), np.empty(n, np.int64)
    by_parent = np.argsort(parents, kind="mergesort")
    first = np.searchsorted(parents[by_parent], np.arange(n + 1))
    is_root, junction = parents < 0, children > 1
    line = ~is_root & (children == 1)
    for turn in range(3):
        for v in range(n):
            if into[v] != v or turn != (0 if is_root[v] else 1 if junction[v] else 2) or (turn == 2 and not line[v]):
                continue
            depth = _push(stack, 0, by_parent, first, v)
            while depth > 0:
                depth -= 1
                c = stack[depth]
                if into[c] == c and (is_root[v] or line[c]) and not fixed[c] and _within(points, c, v, reach[v]):
                    into[c] = v
                    depth = _push(stack, depth, by_parent, first, c)
            u = parents[v]
            while u >= 0 and into[u] == u and line[u] and not fixed[u] and _within(points, u, v, reach[v]):
                into[u] = v
                parents[v] = parents[u]
                u = parents[v]
    return into, parents


@numba.njit(cache=True, nogil=True)
def _push(stack, depth, by_parent, first, row):
    for i in range(first[row], first[row + 1]):
        stack[depth] = by_parent[i]
        depth += 1
    return depth


@numba.njit(cache=True, nogil=True)
def _within(points, a, b, reach):
    return ((points[a] - points[b]) ** 2).sum() < reach * reach


@numba.njit(cache=True, nogil=True)
def _ends(table, values, voxel, parents, points, radii, tips, limit, threshold):
    """Where each tip should reach to, (k, 3) nm; NaN where it is there already."""
    ends, flat = np.full((len(tips), 3), np.nan), values.reshape(-1)
    child, count = np.full(len(parents), -1), np.zeros(len(parents), np.int64)
    for row in range(len(parents)):
        if parents[row] >= 0:
            child[parents[row]] = row
            count[parents[row]] += 1
    side = voxel.min()
    for i in range(len(tips)):
        tip = tips[i]
        way = points[tip] - points[_before(tip, parents, child, count, points, max(2 * radii[tip], side))]
        length = np.sqrt((way**2).sum())
        if length == 0:
            continue
        way /= length
        z, y, x = points[tip] / voxel
        dz, dy, dx = way * (_STEP * side) / voxel
        here = interpolated(table, values, flat, z, y, x)
        steps = wall(table, values, flat, z, y, x, here, dz, dy, dx, threshold, limit[tip] / (_STEP * side))
        farther = min(steps * _STEP * side - side / 2, limit[tip])
        if farther > side / 4:
            ends[i] = points[tip] + farther * way
    return ends


@numba.njit(cache=True, nogil=True)
def _before(tip, parents, child, count, points, back):
    """The node at least `back` before a tip along its branch, or where the branch begins."""
    here, walked = tip, 0.0
    downwards = parents[tip] < 0
    while walked < back and (here == tip or (count[here] == 1 and parents[here] >= 0)):
        following = child[here] if downwards else parents[here]
        if following < 0:
            break
        walked += np.sqrt(((points[following] - points[here]) ** 2).sum())
        here = following
    return here
