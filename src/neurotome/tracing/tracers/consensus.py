"""What several tracings of the same neuron agree on.

The idea is that of the BigNeuron consensus (Peng et al. 2015, Neuron 87:252; Manubens-Gil et al. 2023, Nat. Methods 20:824): what
many algorithms find is rarely wrong. The algorithm is our own.

1. Each tree is cut into samples. The support of a sample is the number of trees that pass within the tolerance of it, its place
   the mean of their nearest samples, so that tracings that run beside each other fall on one line.
2. Samples at the same place become one node, those with the most support first.
3. Two nodes are neighbours where any tree steps from one to the other. A spanning tree over these steps takes those with the most
   support first, and the shortest among equals.
4. Whatever leads to no node that a quorum supports is dropped. What lies between two such nodes stays, with its low confidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from scipy.spatial import cKDTree

from neurotome.core import ROOT, InputError, Skeleton, ValueRangeError
from neurotome.io.oriented import rooted
from neurotome.tracing.tracers.centreline import smoothed
from neurotome.tracing.tracers.forest import joining
from neurotome.tracing.tracers.segments import longest_first

__all__ = ["consensus"]

_SAMPLES_PER_TOLERANCE = 3
_NODES_PER_TOLERANCE = 2
_SHORTEST_TWIG = 1.5


@dataclass(frozen=True, eq=False)
class _Samples:
    """Points on the trees: where, from which tree, below which other sample (or ROOT), of which radius and kind."""

    points: np.ndarray
    tree: np.ndarray
    above: np.ndarray
    radii: np.ndarray
    kinds: np.ndarray


def consensus(trees: Sequence[Skeleton], tolerance_nm: float, quorum: int) -> Skeleton:
    """The tree, or trees, that at least `quorum` of the given ones support.

    Parameters
    ----------
    trees
        At least one; one without nodes counts as a vote against everything.
    tolerance_nm
        How far apart two tracings of the same neurite may run, above 0.
    quorum
        1..number of trees. 1 is the union of all of them.

    Returns
    -------
    Skeleton
        Its roots lie where most given ones lie. Features: confidence, the share of the trees that pass within the tolerance of
        the middle of the edge to the parent (of the node, for a root); support, the number of trees that pass within it of
        the node. Radii are the mean of those of the supporting trees, kinds the most frequent one.

    Examples
    --------
    Three lines, of which one ends half way, and another has a branch of its own:

    >>> line = [[0, 0, float(x)] for x in range(0, 101, 10)]
    >>> whole = Skeleton.of(range(-1, 10), line)
    >>> half = Skeleton.of(range(-1, 5), line[:6])
    >>> branched = Skeleton.of([*range(-1, 10), 5, 11, 12], line + [[0, y, 50.0] for y in (10, 20, 30)])
    >>> agreed = consensus([whole, half, branched], 5.0, 2)
    >>> round(agreed.length_nm, -1), sorted(set(agreed.features["confidence"].round(2).tolist()))
    (100.0, [0.67, 1.0])
    """
    _check(trees, tolerance_nm, quorum)
    samples = _sampled(trees, tolerance_nm / _SAMPLES_PER_TOLERANCE)
    if not len(samples.points):
        return Skeleton.of([], np.zeros((0, 3)), name="consensus")
    near = [cKDTree(samples.points[samples.tree == t]) if (samples.tree == t).any() else None for t in range(len(trees))]
    support, places, radii = _agreed(samples, near, tolerance_nm)
    node = _clustered(places, support, samples.tree, tolerance_nm / _NODES_PER_TOLERANCE)
    points, node_radii, kinds = _nodes(node, places, radii, samples.kinds)
    node_support = _support(near, points, tolerance_nm)
    edges = _spanning(_steps(samples, node), points, near, tolerance_nm)
    _, parents = rooted(edges, len(points), _preferred_roots(samples, node, node_support))
    rows = _pruned(parents, points, node_support >= quorum, _SHORTEST_TWIG * tolerance_nm)
    parents, points = _renumbered(parents, rows), points[rows]
    points = smoothed(parents, points, 2)
    middles = np.where((parents >= 0)[:, None], (points + points[np.maximum(parents, 0)]) / 2, points)
    features = {"confidence": _support(near, middles, tolerance_nm) / len(trees), "support": node_support[rows]}
    return Skeleton.of(parents, points, node_radii[rows], kinds[rows], features, "consensus")


def _check(trees: Sequence[Skeleton], tolerance_nm: float, quorum: int) -> None:
    if not len(trees):
        raise InputError("No trees", "at least one", "trace the neuron first")
    if not tolerance_nm > 0:
        raise ValueRangeError(f"Tolerance of {tolerance_nm} nm", "more than 0", "two voxels are usual")
    if not 1 <= quorum <= len(trees):
        raise ValueRangeError(f"Quorum of {quorum} for {len(trees)} trees", f"1..{len(trees)}", "half of the trees is usual")


def _sampled(trees: Sequence[Skeleton], step_nm: float) -> _Samples:
    """The nodes of all trees, and points between them so that no two neighbours are further apart than a step."""
    parts, begin = [], 0
    for number, tree in enumerate(trees):
        pieces = np.maximum(np.ceil(tree.edge_nm / step_nm), 1).astype(np.int64)
        row = np.repeat(np.arange(len(tree)), pieces)
        last = np.cumsum(pieces) - 1
        part = np.arange(len(row)) - (last - pieces + 1)[row]
        above = tree.parent_rows
        share = ((part + 1) / pieces[row])[:, None]
        ends = np.maximum(above, 0)[row]
        points = tree.points_nm[ends] * (1 - share) + tree.points_nm[row] * share
        radii = tree.radii_nm[ends] * (1 - share[:, 0]) + tree.radii_nm[row] * share[:, 0]
        root = above[row] < 0
        points[root], radii[root] = tree.points_nm[row[root]], tree.radii_nm[row[root]]
        before = np.where(part > 0, np.arange(len(row)) - 1, np.where(root, ROOT, last[ends] if len(tree) else 0))
        before = np.where(before >= 0, before + begin, ROOT)
        parts.append(_Samples(points, np.full(len(row), number), before, radii, tree.kinds[row]))
        begin += len(row)
    return _Samples(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("points", "tree", "above", "radii", "kinds")))


def _agreed(samples: _Samples, near: list[cKDTree | None], tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each sample: how many trees support it, and the mean place and radius of their nearest samples."""
    count = np.zeros(len(samples.points), np.int64)
    place, radius = np.zeros_like(samples.points), np.zeros(len(samples.points))
    for number, index in enumerate(near):
        if index is None:
            continue
        of_tree = np.flatnonzero(samples.tree == number)
        far, which = index.query(samples.points, distance_upper_bound=tolerance)
        found = np.isfinite(far)
        count += found
        place[found] += samples.points[of_tree[which[found]]]
        radius[found] += samples.radii[of_tree[which[found]]]
    return count, place / count[:, None], radius / count


def _clustered(places: np.ndarray, support: np.ndarray, tree: np.ndarray, spacing: float) -> np.ndarray:
    """The node of each sample: in order of falling support a free sample takes all free ones within the spacing."""
    pairs = cKDTree(places).query_pairs(spacing, output_type="ndarray")
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    begins = np.searchsorted(both[:, 0], np.arange(len(places) + 1))
    order = np.lexsort((np.arange(len(places)), tree, -support))
    return _greedy(order, begins, np.ascontiguousarray(both[:, 1]))


def _nodes(
    node: np.ndarray, places: np.ndarray, radii: np.ndarray, kinds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place, radius and kind of each node from its samples."""
    count = np.bincount(node)
    points = np.stack([np.bincount(node, places[:, axis]) for axis in range(3)], axis=1) / count[:, None]
    known, of_kind = np.unique(kinds, return_inverse=True)
    votes = np.zeros((len(count), len(known)), np.int64)
    np.add.at(votes, (node, of_kind), 1)
    return points, np.bincount(node, radii) / count, known[votes.argmax(1)]


def _support(near: list[cKDTree | None], points: np.ndarray, tolerance: float) -> np.ndarray:
    """How many trees pass within the tolerance of each point."""
    found = [np.isfinite(index.query(points, distance_upper_bound=tolerance)[0]) for index in near if index is not None]
    return np.asarray(np.sum(found, axis=0, dtype=np.int64))


def _steps(samples: _Samples, node: np.ndarray) -> np.ndarray:
    """The pairs of nodes between which a tree steps, (k, 2), each once, the smaller first."""
    below = np.flatnonzero(samples.above >= 0)
    ends = np.sort(np.stack([node[below], node[samples.above[below]]], axis=1), axis=1)
    return np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0).reshape(-1, 2)


def _spanning(steps: np.ndarray, points: np.ndarray, near: list[cKDTree | None], tolerance: float) -> np.ndarray:
    """The steps of the spanning tree: those with most support first, the shortest among equals; (k, 2)."""
    ends = points[steps]
    support = _support(near, ends.mean(1), tolerance) if len(steps) else np.zeros(0)
    length = np.sqrt(((ends[:, 0] - ends[:, 1]) ** 2).sum(1))
    order = np.lexsort((steps[:, 1], steps[:, 0], length, -support))
    return steps[order][joining(steps[order], len(points))]


def _preferred_roots(samples: _Samples, node: np.ndarray, support: np.ndarray) -> np.ndarray:
    """All nodes: first those that hold the root of a tree, by falling support, then the others by falling support."""
    holds = np.zeros(len(support), np.int64)
    np.add.at(holds, node[samples.above < 0], 1)
    return np.lexsort((np.arange(len(support)), -support, -holds))


def _pruned(parents: np.ndarray, points: np.ndarray, supported: np.ndarray, shortest: float) -> np.ndarray:
    """The nodes that stay, parents first: those that lead to a supported one, without twigs shorter than `shortest`."""
    tree = Skeleton.of(parents, points, features={"node": np.arange(len(parents))})
    above, node = tree.parent_rows, tree.features["node"]
    needed = supported[node].copy()
    for row in range(len(tree) - 1, 0, -1):
        if needed[row] and above[row] >= 0:
            needed[above[row]] = True
    tree = tree.take(needed)
    heads, lengths, follows = longest_first(np.arange(len(tree)), tree.parent_rows, tree.edge_nm)
    stays = np.zeros(len(tree), bool)
    for head, length in zip(heads.tolist(), lengths.tolist(), strict=True):
        if length < shortest and tree.parent_rows[head] >= 0:
            continue
        row = head
        while row >= 0:
            stays[row] = True
            row = int(follows[row])
    return np.asarray(tree.features["node"][stays])


def _renumbered(parents: np.ndarray, rows: np.ndarray) -> np.ndarray:
    place = np.full(len(parents) + 1, ROOT, np.int64)
    place[rows] = np.arange(len(rows))
    return place[parents[rows]]


@numba.njit(cache=True, nogil=True)
def _greedy(order, begins, others):
    node = np.full(len(order), -1, np.int64)
    count = 0
    for sample in order:
        if node[sample] >= 0:
            continue
        node[sample] = count
        for k in range(begins[sample], begins[sample + 1]):
            if node[others[k]] < 0:
                node[others[k]] = count
        count += 1
    return node
