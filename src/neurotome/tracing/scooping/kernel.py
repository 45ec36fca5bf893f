"""Voxel Scooping as a kernel: the tree of one component, node by node.

    cluster P of node N_P       its unvisited neighbours, a piece each      the piece flooded as far as its scooping distance

        . . P P                       . . P P k                                 . . P P K K K
        . . P P           ->          . . P P k                  ->             . . P P K N K     N = N_P + 0.5^q (centre - N_P)
        . . P P                       . . P P k                                 . . P P K K K

Nodes lie in `nodes` in the order in which they were made, and their voxels one after the other in `queue`: a node's own are
queue[begin:end]. The front is then simply the nodes that have not been expanded. Positions are counted from the start voxel, in
nm: a tree does not depend on where in the volume its object lies.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from neurotome.tracing.scooping.isodata import rethreshold
from neurotome.tracing.scooping.walk import BORDER, PENDING, STEPS, VISITED, inside_brick, neighbour, place

__all__ = ["NODE", "Net", "Rule", "Volume", "grow_tree"]

NODE = np.dtype(
    [
        *((name, "f8") for name in ("z", "y", "x", "size", "scoop", "threshold", "evidence")),
        *((name, "i8") for name in ("parent", "begin", "end", "graft", "terminal", "unremovable")),
    ]
)
"""A node while its tree grows. evidence: what its threshold weighs against a new one. graft: row of the accepted node it met."""

_TOLERANCE = 1e-9


class Volume(NamedTuple):
    """What is scooped: the bricks, the shape of the volume and the sides of a voxel in nm."""

    table: np.ndarray
    values: np.ndarray
    shape: np.ndarray
    spacing: np.ndarray


class Net(NamedTuple):
    """Where to scoop: flat masks over the bricks (`allowed` empty where all is), the bricks around each brick, their corners."""

    mask: np.ndarray
    allowed: np.ndarray
    around: np.ndarray
    corners: np.ndarray


class Rule(NamedTuple):
    """How to scoop, see `ScoopSettings`. accepted: (n, 4) z, y, x from the start voxel and radius; its tree's rows in parents."""

    threshold: float
    z_smear: float
    weighted: bool
    local: bool
    least_share: float
    memory: float
    end_at_faces: bool
    accepted: np.ndarray
    accepted_parents: np.ndarray


@numba.njit(cache=True, nogil=True)
def grow_tree(volume, net, rule, start, queue, nodes):
    """Grow the tree of the object voxel at the address `start`.

    Gives `queue` and `nodes`, which may have been replaced by longer ones, and how many of the nodes were made.
    """
    origin = np.array(place(start, net.corners))
    seeds, parts = np.empty(64, queue.dtype), np.empty(64, queue.dtype)
    _plant(volume, net, rule, start, queue, nodes)
    used, count, p, split = 1, 1, 0, False
    while p < count:
        seeds, found = _neighbours(volume, net, queue, nodes[p], rule, seeds)
        if found > len(parts):
            parts = np.empty(len(seeds), queue.dtype)
        ends, order = _pieces(volume, net, seeds, found, parts)
        for k in order:
            piece = parts[(ends[k - 1] if k > 0 else 0) : ends[k]]
            if nodes[p].terminal:
                _wipe(piece, net, VISITED)
                continue
            if count == len(nodes):
                nodes = _longer(nodes, 2 * count)
            queue, used, kept = _scoop(volume, net, rule, piece, origin, queue, used, nodes, p, count, split)
            count += kept
        split = split or len(order) > 1
        p += 1
    return queue, nodes, count


@numba.njit(cache=True, nogil=True)
def _plant(volume, net, rule, start, queue, nodes):
    """The first node, its cluster the start voxel alone."""
    first = nodes[0]
    first.z, first.y, first.x = 0.0, 0.0, 0.0
    first.size, first.scoop = np.sqrt((volume.spacing**2).sum()), 0.0
    first.threshold, first.evidence = rule.threshold, 1000.0
    first.parent, first.graft, first.begin, first.end = -1, -1, 0, 1
    first.terminal, first.unremovable = 0, 0
    queue[0] = start
    net.mask[start] |= VISITED | BORDER


@numba.njit(cache=True, nogil=True)
def _neighbours(volume, net, queue, node, rule, seeds):
    """Take the unvisited neighbours of a cluster: marked, in `seeds` (which may have been replaced) and counted."""
    flat = volume.values.reshape(-1)
    threshold, found = np.uint8(np.ceil(node.threshold)), 0
    for i in range(node.begin, node.end):
        here = np.int64(queue[i])
        if not net.mask[here] & BORDER and not rule.local:
            continue
        net.mask[here] &= ~np.uint8(BORDER)
        if node.terminal:
            continue
        if found + 26 > len(seeds):
            seeds = _longer(seeds, 2 * len(seeds) + 26)
        inner = inside_brick(here)
        for k in range(26):
            near = here + STEPS[k] if inner else neighbour(here, k, net.around)
            if near < 0 or flat[near] < threshold or net.mask[near] & VISITED or not _allowed(net.allowed, near):
                continue
            net.mask[near] |= VISITED | PENDING
            seeds[found] = near
            found += 1
    return seeds, found


@numba.njit(cache=True, nogil=True, inline="always")
def _allowed(allowed, address):
    return allowed.size == 0 or allowed[address] != 0


@numba.njit(cache=True, nogil=True)
def _pieces(volume, net, seeds, found, parts):
    """Sort seeds into 26-connected pieces, one after the other in `parts`: where each ends, and their order by smallest voxel."""
    ends, firsts = np.empty(found, np.int64), np.empty(found, np.int64)
    filled, count = 0, 0
    for i in range(found):
        if not net.mask[np.int64(seeds[i])] & PENDING:
            continue
        head = filled
        parts[filled] = seeds[i]
        net.mask[np.int64(seeds[i])] &= ~np.uint8(PENDING)
        filled += 1
        first = _raster(volume.shape, net.corners, np.int64(seeds[i]))
        while head < filled:
            here = np.int64(parts[head])
            head += 1
            first = min(first, _raster(volume.shape, net.corners, here))
            inner = inside_brick(here)
            for k in range(26):
                near = here + STEPS[k] if inner else neighbour(here, k, net.around)
                if near >= 0 and net.mask[near] & PENDING:
                    net.mask[near] &= ~np.uint8(PENDING)
                    parts[filled] = near
                    filled += 1
        ends[count] = filled
        firsts[count] = first
        count += 1
    return ends[:count], np.argsort(firsts[:count], kind="mergesort")


@numba.njit(cache=True, nogil=True, inline="always")
def _raster(shape, corners, address):
    """The place of a voxel in the order of z, y, x."""
    z, y, x = place(address, corners)
    return (z * shape[1] + y) * shape[2] + x


@numba.njit(cache=True, nogil=True)
def _scoop(volume, net, rule, piece, origin, queue, used, nodes, p, count, split):
    """Make the node of one piece: place it, flood, judge. Gives the queue, how much of it is used, and 1 if the node was kept."""
    parent, node = nodes[p], nodes[count]
    centre, size, at_face = _measure(volume, net, rule, piece, origin)
    pull = 0.5 ** (min(size, parent.size) / max(size, parent.size))
    node.z = parent.z + pull * (centre[0] - parent.z)
    node.y = parent.y + pull * (centre[1] - parent.y)
    node.x = parent.x + pull * (centre[2] - parent.x)
    node.size, node.parent, node.graft = size, p, -1
    node.threshold, node.evidence = parent.threshold, parent.evidence
    while used + len(piece) > len(queue):
        queue = _longer(queue, 2 * len(queue))
    node.begin = used
    queue[used : used + len(piece)] = piece
    node.scoop = _reach(volume, net, rule, piece, origin, node)
    queue, used, floods_face = _flood(volume, net, rule, origin, queue, used + len(piece), node)
    node.end = used
    node.unremovable = 1 if at_face or floods_face else 0
    node.terminal = 1 if rule.end_at_faces and node.unremovable else 0
    graft = _meets(rule, node)
    if graft >= 0:
        parent.graft, parent.terminal, parent.scoop = graft, 1, node.scoop
    elif not (rule.local and split) or rethreshold(volume, rule, origin, node):
        return queue, used, 1
    _wipe(queue[node.begin : used], net, BORDER)
    return queue, node.begin, 0


@numba.njit(cache=True, nogil=True)
def _measure(volume, net, rule, piece, origin):
    """Centre of mass in nm (from integer sums), diagonal of the bounding box in nm, and whether the piece lies at a face."""
    flat = volume.values.reshape(-1)
    sz, sy, sx, mass = 0, 0, 0, 0
    low, high = np.full(3, 1 << 60), np.full(3, -(1 << 60))
    at_face = False
    for i in range(len(piece)):
        here = np.int64(piece[i])
        z, y, x = place(here, net.corners)
        at_face = at_face or _at_face(volume.shape, y, x)
        z, y, x = z - origin[0], y - origin[1], x - origin[2]
        weight = np.int64(flat[here]) if rule.weighted else 1
        sz, sy, sx, mass = sz + weight * z, sy + weight * y, sx + weight * x, mass + weight
        low[0], low[1], low[2] = min(low[0], z), min(low[1], y), min(low[2], x)
        high[0], high[1], high[2] = max(high[0], z), max(high[1], y), max(high[2], x)
    s = volume.spacing
    return (sz / mass * s[0], sy / mass * s[1], sx / mass * s[2]), np.sqrt((((high - low + 1) * s) ** 2).sum()), at_face


@numba.njit(cache=True, nogil=True, inline="always")
def _at_face(shape, y, x):
    """At a side of the volume, z not counted nor an axis of one voxel: flat data lie at those everywhere."""
    return (shape[1] > 1 and (y == 0 or y == shape[1] - 1)) or (shape[2] > 1 and (x == 0 or x == shape[2] - 1))


@numba.njit(cache=True, nogil=True)
def _reach(volume, net, rule, piece, origin, node):
    """The scooping distance: from the node to the farthest voxel of its piece."""
    farthest = 0.0
    s = volume.spacing
    for i in range(len(piece)):
        z, y, x = place(np.int64(piece[i]), net.corners)
        dz = ((z - origin[0]) * s[0] - node.z) / rule.z_smear
        dy, dx = (y - origin[1]) * s[1] - node.y, (x - origin[2]) * s[2] - node.x
        farthest = max(farthest, dz * dz + dy * dy + dx * dx)
    return np.sqrt(farthest)


@numba.njit(cache=True, nogil=True)
def _flood(volume, net, rule, origin, queue, used, node):
    """Take what is connected to the node's voxels within the scooping distance; a voxel that others lie beyond becomes BORDER."""
    flat, mask, s, shape = volume.values.reshape(-1), net.mask, volume.spacing, volume.shape
    threshold = np.uint8(np.ceil(node.threshold))
    limit = (node.scoop + _TOLERANCE * s.min()) ** 2
    nz, ny, nx, at_face = node.z, node.y, node.x, False
    head = node.begin
    while head < used:
        here = np.int64(queue[head])
        head += 1
        if used + 26 > len(queue):
            queue = _longer(queue, 2 * used + 26)
        inner, border = inside_brick(here), False
        for k in range(26):
            near = here + STEPS[k] if inner else neighbour(here, k, net.around)
            if near < 0 or flat[near] < threshold or mask[near] & VISITED or not _allowed(net.allowed, near):
                continue
            z, y, x = place(near, net.corners)
            dz = ((z - origin[0]) * s[0] - nz) / rule.z_smear
            dy, dx = (y - origin[1]) * s[1] - ny, (x - origin[2]) * s[2] - nx
            if dz * dz + dy * dy + dx * dx > limit:
                border = True
                continue
            mask[near] |= VISITED
            at_face = at_face or _at_face(shape, y, x)
            queue[used] = near
            used += 1
        if border:
            mask[here] |= BORDER
    return queue, used, at_face


@numba.njit(cache=True, nogil=True)
def _meets(rule, node):
    """The row of the accepted node nearest to a node whose sphere, of its scooping distance, meets the accepted tree; or -1."""
    best, row = np.inf, -1
    here = np.array([node.z, node.y, node.x])
    for i in range(len(rule.accepted)):
        j = rule.accepted_parents[i] if rule.accepted_parents[i] >= 0 else i
        a, b = rule.accepted[i], rule.accepted[j]
        along, length = 0.0, ((b[:3] - a[:3]) ** 2).sum()
        if length > 0:
            along = min(max(((here - a[:3]) * (b[:3] - a[:3])).sum() / length, 0.0), 1.0)
        gap = np.sqrt(((a[:3] + along * (b[:3] - a[:3]) - here) ** 2).sum()) - (a[3] + along * (b[3] - a[3]))
        if gap < best:
            best, row = gap, (j if along > 0.5 else i)
    return row if best <= node.scoop else -1


@numba.njit(cache=True, nogil=True)
def _wipe(voxels, net, bit):
    """Take a bit off the mask of some voxels."""
    for i in range(len(voxels)):
        net.mask[np.int64(voxels[i])] &= ~np.uint8(bit)


@numba.njit(cache=True, nogil=True)
def _longer(old, length):
    new = np.empty(length, old.dtype)
    for i in range(len(old)):
        new[i] = old[i]
    return new
