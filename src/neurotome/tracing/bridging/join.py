"""Trees and the bridges between them, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from neurotome.core import ROOT, Skeleton
from neurotome.tracing.rooting import EDGE_FEATURES, rearranged, turn

__all__ = ["Bridge", "joined", "straightened"]

_BEND = 1.0


@dataclass(frozen=True, eq=False)
class Bridge:
    """From the node of a row to that of another one, over the voxels `path` (n, 3), both ends included."""

    row: int
    other: int
    path: np.ndarray
    confidence: float
    gap_nm: float


def joined(trees: Skeleton, bridges: Sequence[Bridge], first: np.ndarray, voxel_nm: Sequence[float]) -> Skeleton:
    """The trees with their bridges as edges; of trees that hang together the one that comes first keeps its root.

    first: (k,) a number for each tree, smaller ones come first. The bridges close no loop. A bridge is one edge if its path is
    straight to a voxel; otherwise there is a node at each bend. Its edges have the features jump, confidence and gap_nm.
    """
    longer, chains = _with_bends(_with_edge_features(trees), bridges, np.asarray(voxel_nm))
    parents = longer.parent_rows.copy()
    parents[len(trees) :] = ROOT
    jumps: dict[int, Bridge] = {}
    for bridge, chain in _from_the_first(trees, bridges, chains, first):
        turn(parents, chain[-1])
        for above, row in pairwise(chain):
            parents[row] = above
            jumps[row] = bridge
    rows = np.array(sorted(jumps), np.int64)
    turned = rearranged(longer, parents)
    features = {name: np.array(values) for name, values in turned.features.items()}
    places = turned.rows_of(longer.ids[rows])
    features["jump"][places] = True
    features["confidence"][places] = [jumps[row].confidence for row in rows]
    features["gap_nm"][places] = [jumps[row].gap_nm for row in rows]
    return replace(turned, features=features)


def straightened(path: np.ndarray, bend: float = _BEND) -> np.ndarray:
    """The indices of the points of a path that are needed for no other to lie more than `bend` beside it (Douglas-Peucker).

    >>> straightened(np.array([[0, 0, 0], [0, 0, 1], [0, 1, 2], [0, 5, 3]])).tolist()
    [0, 2, 3]
    """
    needed, todo = {0, len(path) - 1}, [(0, len(path) - 1)]
    while todo:
        a, b = todo.pop()
        if b - a < 2:
            continue
        way = (path[b] - path[a]).astype(np.float64)
        rest = (path[a + 1 : b] - path[a]).astype(np.float64)
        share = np.clip(rest @ way / max(way @ way, 1e-9), 0, 1)
        beside = np.sqrt(((rest - share[:, None] * way) ** 2).sum(1))
        worst = int(np.argmax(beside))
        if beside[worst] > bend:
            needed.add(a + 1 + worst)
            todo += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return np.array(sorted(needed))


def _with_edge_features(trees: Skeleton) -> Skeleton:
    features = {name: np.full(len(trees), none) for name, none in EDGE_FEATURES.items()}
    return replace(trees, features={**features, **trees.features})


def _with_bends(trees: Skeleton, bridges: Sequence[Bridge], voxel_nm: np.ndarray) -> tuple[Skeleton, list[list[int]]]:
    """The trees with the bends of the bridges as nodes without parents, and of each bridge the rows along it."""
    points: list[np.ndarray] = []
    radii: list[float] = []
    sources: list[int] = []
    chains: list[list[int]] = []
    for bridge in bridges:
        bends = straightened(bridge.path)[1:-1]
        begin = len(trees) + len(points)
        chains.append([bridge.row, *range(begin, begin + len(bends)), bridge.other])
        share = bends / max(1, len(bridge.path) - 1)
        points.extend(bridge.path[bends] * voxel_nm)
        radii.extend((1 - share) * trees.radii_nm[bridge.row] + share * trees.radii_nm[bridge.other])
        sources.extend([bridge.row] * len(bends))
    if not points:
        return trees, chains
    ids = trees.ids.max() + 1 + np.arange(len(points))
    features = {name: np.concatenate((values, _plain(name, values[sources]))) for name, values in trees.features.items()}
    longer = Skeleton(
        np.concatenate((trees.ids, ids)),
        np.concatenate((trees.parents, np.full(len(points), ROOT))),
        np.concatenate((trees.points_nm, points)),
        np.concatenate((trees.radii_nm, radii)),
        np.concatenate((trees.kinds, trees.kinds[sources])),
        features,
        trees.name,
    )
    return longer, chains


def _plain(name: str, values: np.ndarray) -> np.ndarray:
    """What a bend has of a feature of the end its bridge began at: how it was found, but not what was special about it."""
    return np.zeros_like(values) if values.dtype == bool or name == "cluster_voxels" else values


def _from_the_first(
    trees: Skeleton, bridges: Sequence[Bridge], chains: Sequence[list[int]], first: np.ndarray
) -> list[tuple[Bridge, list[int]]]:
    """The bridges in the order in which they are reached from the trees that come first, each with its rows in that direction."""
    numbers = trees.trees
    at: dict[int, list[int]] = {}
    for i, bridge in enumerate(bridges):
        for row in (bridge.row, bridge.other):
            at.setdefault(int(numbers[row]), []).append(i)
    reached: set[int] = set()
    ordered, used = [], set()
    for main in np.argsort(first, kind="stable").tolist():
        todo = [main] if main not in reached else []
        while todo:
            tree = todo.pop(0)
            reached.add(tree)
            for i in at.get(tree, []):
                if i not in used:
                    used.add(i)
                    outwards = int(numbers[bridges[i].row]) == tree
                    ordered.append((bridges[i], chains[i] if outwards else chains[i][::-1]))
                    todo.append(int(numbers[bridges[i].other if outwards else bridges[i].row]))
    return ordered
