"""Where a loop of the object was cut: two fronts met, and neither is near the other along the tree."""

from __future__ import annotations

import numba
import numpy as np

from neurotome.tracing.scooping.walk import PENDING, STEPS, VISITED, inside_brick, neighbour

__all__ = ["loop_contacts"]

_CONTACT = 8
_FACTOR = 2.0


@numba.njit(cache=True, nogil=True)
def loop_contacts(mask, around, queue, nodes):
    """Which nodes are one of two fronts that met around a loop: (n,) bool.

    A tip met another node when their voxels touch and the way between them along the tree is more than twice as long as both
    their clusters together. Of several the tip met the nearest one.
    """
    met = np.zeros(len(nodes), np.bool_)
    voxels, tips = _touched(mask, around, queue, nodes)
    if len(voxels) == 0:
        return met
    order = np.argsort(voxels, kind="mergesort")
    voxels, tips = voxels[order], tips[order]
    nearest, partner = np.full(len(nodes), np.inf), np.full(len(nodes), -1)
    for row in range(len(nodes)):
        for i in range(nodes[row].begin, nodes[row].end):
            voxel = np.int64(queue[i])
            if not mask[voxel] & _CONTACT:
                continue
            k = np.searchsorted(voxels, voxel)
            while k < len(voxels) and voxels[k] == voxel:
                gap = _distance(nodes, tips[k], row)
                if gap < nearest[tips[k]] and _far_along(nodes, tips[k], row):
                    nearest[tips[k]], partner[tips[k]] = gap, row
                k += 1
    for voxel in voxels:
        mask[voxel] &= ~np.uint8(_CONTACT)
    for tip in range(len(nodes)):
        if partner[tip] >= 0:
            met[tip] = met[partner[tip]] = True
    return met


@numba.njit(cache=True, nogil=True)
def _touched(mask, around, queue, nodes):
    """The voxels next to the voxels of each tip that belong to others, and the tip: a pair of arrays. They are marked."""
    has_child = np.zeros(len(nodes), np.bool_)
    for row in range(1, len(nodes)):
        has_child[nodes[row].parent] = True
    voxels, tips, found = np.empty(64, np.int64), np.empty(64, np.int64), 0
    for tip in range(len(nodes)):
        if has_child[tip]:
            continue
        begin, end, first = nodes[tip].begin, nodes[tip].end, found
        for i in range(begin, end):
            mask[np.int64(queue[i])] |= PENDING
        for i in range(begin, end):
            here = np.int64(queue[i])
            inner = inside_brick(here)
            if found + 26 > len(voxels):
                voxels, tips = np.append(voxels, np.empty_like(voxels)), np.append(tips, np.empty_like(tips))
            for k in range(26):
                near = here + STEPS[k] if inner else neighbour(here, k, around)
                if near >= 0 and mask[near] & VISITED and not mask[near] & PENDING:
                    mask[near] |= PENDING | _CONTACT
                    voxels[found], tips[found] = near, tip
                    found += 1
        for i in range(begin, end):
            mask[np.int64(queue[i])] &= ~np.uint8(PENDING)
        for i in range(first, found):
            mask[voxels[i]] &= ~np.uint8(PENDING)
    return voxels[:found], tips[:found]


@numba.njit(cache=True, nogil=True)
def _distance(nodes, a, b):
    return np.sqrt((nodes[a].z - nodes[b].z) ** 2 + (nodes[a].y - nodes[b].y) ** 2 + (nodes[a].x - nodes[b].x) ** 2)


@numba.njit(cache=True, nogil=True)
def _far_along(nodes, a, b):
    """Whether the way from a to b along the tree is long. Parents have smaller numbers, so the larger number climbs."""
    limit, length = _FACTOR * (nodes[a].size + nodes[b].size), 0.0
    while a != b and length <= limit:
        a, b = (b, a) if a < b else (a, b)
        length += _distance(nodes, a, nodes[a].parent)
        a = nodes[a].parent
    return length > limit
