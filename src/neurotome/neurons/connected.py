"""Connected components of any graph whose edges join neighbouring voxels: the one kernel under fragments, link and components."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["JOIN_X", "JOIN_Y", "JOIN_Z", "PRESENT", "connect", "join_roots", "joins_above", "number", "sizes_of", "unite"]

# What a voxel's byte says: joined to the next voxel along z, y, x; belongs to an object at all.
JOIN_Z, JOIN_Y, JOIN_X, PRESENT = 1, 2, 4, 8


def connect(joins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Components of the graph whose edges are bits.

    Parameters
    ----------
    joins
        (z, y, x) uint8. Bits JOIN_Z, JOIN_Y, JOIN_X: an edge to the next voxel along that axis (bits in the last plane along
        the axis are ignored); PRESENT: the voxel is not background. Both ends of an edge must be PRESENT.

    Returns
    -------
    labels
        (z, y, x) uint32 (int64 above 2^32 voxels): 0 for background, components 1..n in order of their smallest voxel.
    first
        (n,) uint64: linear index of the smallest voxel of each component.

    >>> labels, first = connect(np.array([[[8 + 4, 8, 8, 0, 8]]], np.uint8))
    >>> labels.tolist(), first.tolist()
    ([[[1, 1, 2, 0, 3]]], [0, 2, 4])
    """
    small = joins.size < np.iinfo(np.uint32).max
    labels = np.empty(joins.shape, np.uint32 if small else np.int64)
    joins = np.ascontiguousarray(joins)
    unite(joins.reshape(-1), joins.shape, labels.reshape(-1))
    return labels, number(joins.reshape(-1), labels.reshape(-1))


def joins_above(edges: tuple[np.ndarray, np.ndarray, np.ndarray], node: np.ndarray, threshold: int) -> np.ndarray:
    """Bits for `connect`: edges and voxels of at least `threshold` (uint8 each). An edge needs both its voxels."""
    joins = np.zeros(node.shape, np.uint8)
    _join_above(edges[0], edges[1], edges[2], node, threshold, joins)
    return joins


@njit(cache=True)
def _join_above(ez, ey, ex, node, threshold, joins):
    depth, height, width = node.shape
    for z in range(depth):
        for y in range(height):
            here, out = node[z, y], joins[z, y]
            for x in range(width):
                out[x] = PRESENT if here[x] >= threshold else 0
            if z + 1 < depth:
                _join_rows(ez[z, y], here, node[z + 1, y], threshold, JOIN_Z, out)
            if y + 1 < height:
                _join_rows(ey[z, y], here, node[z, y + 1], threshold, JOIN_Y, out)
            _join_rows(ex[z, y][:-1], here[:-1], here[1:], threshold, JOIN_X, out[:-1])


@njit(cache=True)
def _join_rows(edge, lower, upper, threshold, bit, out):
    for x in range(edge.size):
        if edge[x] >= threshold and lower[x] >= threshold and upper[x] >= threshold:
            out[x] |= bit


@njit(cache=True)
def _find(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def unite(joins, shape, parent):
    """Union-find in raster order; the root of a set is always its smallest voxel."""
    depth, height, width = shape
    plane = height * width
    unions = np.empty(width, np.uint8)
    nothing = np.zeros(width, np.uint8)
    for z in range(depth):
        for y in range(height):
            row = (z * height + y) * width
            above = joins[row - width : row] if y > 0 else nothing
            behind = joins[row - plane : row - plane + width] if z > 0 else nothing
            _find_unions(joins[row : row + width], above, behind, unions)
            root = np.int64(0)
            for x in range(width):
                i = row + x
                if unions[x] == JOIN_X:
                    parent[i] = root
                    continue
                if not unions[x] & JOIN_X:
                    root = i
                parent[i] = root
                if unions[x] & JOIN_Y:
                    root = np.int64(join_roots(parent, i, i - width))
                if unions[x] & JOIN_Z:
                    root = np.int64(join_roots(parent, i, i - plane))


@njit(cache=True)
def _find_unions(row, above, behind, unions):
    """Which unions with its left, upper and rear neighbour a voxel still needs.

    One that the voxel to the left has made already is left out: in the inside of cells that is nearly all. (Loops without
    branches, which the compiler turns into vector instructions.)
    """
    x_bit, y_bit, z_bit = np.uint8(JOIN_X), np.uint8(JOIN_Y), np.uint8(JOIN_Z)
    unions[0] = (above[0] & y_bit) | (behind[0] & z_bit)
    for x in range(1, row.size):
        linked = row[x - 1] & x_bit
        # Shifted so that the three bits of one condition lie in one place: 1 where left and upper left are joined the same way.
        y_known = (linked >> 2) & (above[x - 1] >> 2) & (above[x - 1] >> 1) & np.uint8(1)
        z_known = (linked >> 2) & (behind[x - 1] >> 2) & behind[x - 1] & np.uint8(1)
        y_needed = above[x] & y_bit & ~(y_known << 1)
        z_needed = behind[x] & z_bit & ~z_known
        unions[x] = linked | y_needed | z_needed


@njit(cache=True)
def join_roots(parent, i, j):
    """Unite the sets of i and j under the smaller root, which is returned."""
    a, b = _find(parent, i), _find(parent, j)
    if a < b:
        parent[b] = a
        parent[i] = a
        return a
    parent[a] = b
    parent[i] = b
    return b


@njit(cache=True)
def number(joins, labels):
    """Turn parents into labels in place. Parents point backwards, so one pass in raster order is enough."""
    count = 0
    for i in range(labels.size):
        if labels[i] == i and joins[i] & PRESENT:
            count += 1
    first = np.empty(count, np.uint64)
    count = 0
    for i in range(labels.size):
        if not joins[i] & PRESENT:
            labels[i] = 0
        elif labels[i] == i:
            first[count] = i
            count += 1
            labels[i] = count
        else:
            labels[i] = labels[labels[i]]
    return first


def sizes_of(labels: np.ndarray, count: int) -> np.ndarray:
    """Voxels of each label 1..count, (count,) int64."""
    sizes = np.zeros(count + 1, np.int64)
    _count_voxels(labels.reshape(-1), sizes)
    return sizes[1:]


@njit(cache=True, nogil=True)
def _count_voxels(labels, sizes):
    for i in range(labels.size):
        sizes[labels[i]] += 1
