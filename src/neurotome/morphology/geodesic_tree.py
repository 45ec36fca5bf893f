"""A set of voxels as one tree of centre lines that leads to a root.

Voxels are joined by their 26 neighbours, and separate pieces by the shortest straight bridges there are. The farthest voxel from
the root is led there by the cheapest way, cheap being what runs in the middle of a neurite; what lies around that way is done
with; then the farthest of the rest, until none is left. A way ends where it meets an earlier one, so the result has one root
and no loop, whatever the voxels look like.
Source: the idea of TEASAR (Sato et al. 2000), with ways that may end at earlier ones, and what is done with measured along the
neurite and not through the gap to its neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numba
import numpy as np

__all__ = ["TreeSettings", "VoxelTree", "voxel_tree"]

CENTRE_POWER = 2
"""A step costs its length over the distance to the boundary to this power."""
HOMEWARD = 0.5
"""What reaching an earlier way costs, of what going on to the root from there costs: 1 makes every path as short as it can be, 0
makes the cable as short as it can be."""


@dataclass(frozen=True, kw_only=True)
class TreeSettings:
    """What is done with around a way: voxels that are no farther, along the neurite, than reach_scale times the distance from the
    way to the boundary, plus reach_voxels.
    """

    reach_scale: float = 1.5
    reach_voxels: float = 1.0


@dataclass(frozen=True, eq=False)
class VoxelTree:
    """Rows into the voxels given: rows[i] is node i, parents[i] the node above it, -1 for the root, node 0.

    bridged: (n,) bool, whether the edge to the parent leads from one piece to another. Parents come before their children.
    """

    rows: np.ndarray
    parents: np.ndarray
    bridged: np.ndarray


def voxel_tree(
    voxels: np.ndarray, pieces: np.ndarray, depth: np.ndarray, root: int, settings: TreeSettings | None = None
) -> VoxelTree:
    """The tree of voxels (n, 3), integers, in ascending order of z, y, x.

    pieces: (n,) the number of each voxel's 26-connected component. depth: (n,) distance to the boundary, in voxels, above 0.
    root: row of a voxel.

    >>> line = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0, 5]])
    >>> tree = voxel_tree(line, np.array([0, 0, 0, 1]), np.full(4, 0.5), root=2)
    >>> tree.rows.tolist(), tree.parents.tolist(), tree.bridged.tolist()
    ([2, 3, 1, 0], [-1, 0, 0, 2], [False, True, False, False])
    """
    settings = settings or TreeSettings()
    voxels = np.ascontiguousarray(voxels, np.int64)
    pieces = np.ascontiguousarray(pieces, np.int64)
    members = np.argsort(pieces, kind="stable")
    begins = np.searchsorted(pieces[members], np.arange(pieces.max() + 2))
    bridges = _bridges(voxels, pieces, members, begins, root)
    first, ends, lengths = _graph(voxels - voxels.min(0), bridges)
    price = np.asarray(depth, np.float64) ** -CENTRE_POWER
    reach = settings.reach_scale * np.asarray(depth, np.float64) + settings.reach_voxels
    cost, far, above = np.full(len(voxels), np.inf), np.zeros(len(voxels)), np.full(len(voxels), -1)
    number = np.full(len(voxels), -1)
    cost[root] = number[root] = 0
    _settle(first, ends, lengths, price, np.array([root]), number, cost, far, above)
    order = np.argsort(-far, kind="stable")
    rows, parents = _grow(first, ends, lengths, price, reach, root, order, number, cost, far, above, HOMEWARD)
    bridged = (parents >= 0) & (pieces[rows] != pieces[rows[np.maximum(parents, 0)]])
    return VoxelTree(rows, parents, bridged)


@numba.njit(cache=True, nogil=True)
def _bridges(voxels, pieces, members, begins, root):  # type: ignore[no-untyped-def]
    """(k, 2) rows: the minimum spanning tree of the pieces, by the Euclidean distance of their nearest voxels (Prim 1957)."""
    n, count = len(voxels), len(begins) - 1
    bridges = np.empty((count - 1, 2), np.int64)
    best, nearest = np.full(n, np.iinfo(np.int64).max), np.full(n, -1)
    joined = np.zeros(count, np.bool_)
    added = pieces[root]
    for bridge in range(count - 1):
        joined[added] = True
        to = -1
        for a in range(n):
            if joined[pieces[a]]:
                continue
            for b in members[begins[added] : begins[added + 1]]:
                d2 = 0
                for axis in range(3):
                    d2 += (voxels[a, axis] - voxels[b, axis]) ** 2
                if d2 < best[a]:
                    best[a], nearest[a] = d2, b
            if to < 0 or best[a] < best[to]:
                to = a
        bridges[bridge, 0], bridges[bridge, 1] = nearest[to], to
        added = pieces[to]
    return bridges


@numba.njit(cache=True, nogil=True)
def _graph(voxels, bridges):  # type: ignore[no-untyped-def]
    """Neighbours of each voxel as ends[first[v] : first[v + 1]], and how far they are, in voxels; bridges last."""
    n = len(voxels)
    nz, ny, nx = voxels[:, 0].max() + 1, voxels[:, 1].max() + 1, voxels[:, 2].max() + 1
    row = np.full((nz + 2, ny + 2, nx + 2), -1, np.int32)
    for v in range(n):
        row[voxels[v, 0] + 1, voxels[v, 1] + 1, voxels[v, 2] + 1] = v
    ends = np.empty(26 * n + 2 * len(bridges), np.int64)
    lengths = np.empty(len(ends), np.float64)
    first = np.zeros(n + 1, np.int64)
    at = 0
    for v in range(n):
        z, y, x = voxels[v, 0] + 1, voxels[v, 1] + 1, voxels[v, 2] + 1
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    other = row[z + dz, y + dy, x + dx]
                    if other >= 0 and other != v:
                        ends[at], lengths[at] = other, np.sqrt(float(dz * dz + dy * dy + dx * dx))
                        at += 1
        for k in range(len(bridges)):
            if bridges[k, 0] == v or bridges[k, 1] == v:
                other = bridges[k, 1] if bridges[k, 0] == v else bridges[k, 0]
                ends[at], lengths[at] = other, np.sqrt(float(((voxels[v] - voxels[other]) ** 2).sum()))
                at += 1
        first[v + 1] = at
    return first, ends[:at].copy(), lengths[:at].copy()


@numba.njit(cache=True, nogil=True)
def _grow(first, ends, lengths, price, reach, root, order, number, cost, far, above, homeward):  # type: ignore[no-untyped-def]
    """Rows of the nodes and the numbers of their parents. Voxels are led home in `order` as long as they are not covered."""
    rows, parents = np.empty(len(price), np.int64), np.empty(len(price), np.int64)
    rest = np.full(len(price), -1.0)
    rows[0], parents[0], count = root, -1, 1
    _cover(first, ends, lengths, rows[:1], reach, rest)
    for v in order:
        if rest[v] >= 0:
            continue
        start, here = count, v
        while number[here] < 0:
            rows[count] = here
            count += 1
            here = above[here]
        path = rows[start:count]
        path[:] = path[::-1].copy()
        for i in range(len(path)):
            number[path[i]], parents[start + i] = start + i, number[above[path[i]]]
            cost[path[i]] *= homeward
        _settle(first, ends, lengths, price, path, number, cost, far, above)
        _cover(first, ends, lengths, path, reach, rest)
    return rows[:count].copy(), parents[:count].copy()


@numba.njit(cache=True, nogil=True)
def _settle(first, ends, lengths, price, sources, number, cost, far, above):  # type: ignore[no-untyped-def]
    """Lower the cost of all that is reached more cheaply from the sources, but for the nodes of the tree (Dijkstra 1959)."""
    heap = [(cost[sources[0]], sources[0])]
    for v in sources[1:]:
        heappush(heap, (cost[v], v))
    while len(heap):
        paid, v = heappop(heap)
        if paid > cost[v]:
            continue
        for e in range(first[v], first[v + 1]):
            other = ends[e]
            offer = paid + lengths[e] * (price[v] + price[other]) / 2
            if number[other] < 0 and offer < cost[other]:
                cost[other], far[other], above[other] = offer, far[v] + lengths[e], v
                heappush(heap, (offer, other))


@numba.njit(cache=True, nogil=True)
def _cover(first, ends, lengths, path, reach, rest):  # type: ignore[no-untyped-def]
    """rest: what of its reach a node of the tree has left when it comes to a voxel, the most of all; below 0 where none comes."""
    heap = [(-reach[path[0]], path[0])]
    for v in path[1:]:
        heappush(heap, (-reach[v], v))
    for v in path:
        rest[v] = max(rest[v], reach[v])
    while len(heap):
        left, v = heappop(heap)
        if -left < rest[v]:
            continue
        for e in range(first[v], first[v + 1]):
            other = ends[e]
            offer = -left - lengths[e]
            if offer >= 0 and offer > rest[other]:
                rest[other] = offer
                heappush(heap, (-offer, other))
