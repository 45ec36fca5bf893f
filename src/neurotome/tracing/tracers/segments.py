"""Which branches of a tree over voxels are worth keeping: long ones first, and only what no longer one has covered.

A tree of shortest paths has a leaf in every other voxel. Cut into segments, each running from where it leaves a longer one down
to the leaf that is furthest away, it is a hierarchy; walking it by falling length and dropping what lies within reach of the
segments kept so far leaves one path per neurite (the hierarchical pruning of Xiao and Peng 2013, Bioinformatics 29:1448).
"""

from __future__ import annotations

import numba
import numpy as np

from neurotome.tracing.sparse.object_voxels import number_at
from neurotome.tracing.tracers.component import Component

__all__ = ["cover", "kept_voxels", "longest_first", "reaches_nm"]


def kept_voxels(
    component: Component, order: np.ndarray, came: np.ndarray, reaches: np.ndarray, min_length_nm: float
) -> np.ndarray:
    """The voxels of the segments that stay, in an order with parents first: (m,) int32, the root of the tree at the head.

    Parameters
    ----------
    component
        The voxels.
    order, came
        The tree: its voxels, parents before children and the root first, and the parent of each voxel of the component.
    reaches
        (n,) how far around each voxel a kept path covers, in nm.
    min_length_nm
        A segment stays if its part outside of what is covered is at least this long. The way from it up to the tree stays too.
    """
    points = component.points_nm
    steps = np.zeros(len(component))
    below = order[came[order] >= 0]
    steps[below] = np.sqrt(((points[below] - points[came[below]]) ** 2).sum(1))
    heads, lengths, follows = longest_first(order, came, steps)
    heads = heads[(lengths >= min_length_nm) | (heads == order[0])]
    kept = _keep(*component.lookup, component.sides_nm, heads, came, follows, steps, reaches, min_length_nm, int(order[0]))
    return order[kept[order]]


def longest_first(order: np.ndarray, came: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The segments of a forest, the longest first: at each junction the longest way down goes on, and each other one begins.

    order: the nodes, parents before children. came: (n,) parents, -1 at roots. steps: (n,) lengths of the edges to them.
    Returns the first node of each segment, the segments' lengths, edges to the parent included, and (n,) the next node of the
    same segment or -1. Of equal ways the one with the smaller number goes on.

    >>> came = np.array([-1, 0, 1, 1, 3])
    >>> heads, lengths, follows = longest_first(np.arange(5), came, np.array([0.0, 5, 1, 2, 3]))
    >>> heads.tolist(), lengths.tolist(), follows.tolist()
    ([0, 2], [10.0, 1.0], [1, 3, -1, 4, -1])
    """
    heights, follows = _heights(order, came, steps)
    above = came[order]
    heads = order[(above < 0) | (follows[above] != order)]
    lengths = heights[heads] + steps[heads]
    by_length = np.lexsort((heads, -lengths))
    return heads[by_length], lengths[by_length], follows


@numba.njit(cache=True, nogil=True)
def _heights(order, came, steps):
    """For each voxel the length of the longest way down, and the child it begins with."""
    heights = np.zeros(len(came))
    follows = np.full(len(came), -1, np.int32)
    for k in range(len(order) - 1, -1, -1):
        here = order[k]
        up = came[here]
        if up < 0:
            continue
        height = heights[here] + steps[here]
        if height > heights[up] or (height == heights[up] and (follows[up] < 0 or here < follows[up])):
            heights[up] = height
            follows[up] = here
    return heights, follows


@numba.njit(cache=True, nogil=True)
def _keep(table, bits, first, positions, sides, heads, came, follows, steps, reaches, min_length, root):
    kept = np.zeros(len(came), np.bool_)
    nearest = np.full(len(came), np.inf, np.float32)
    owner = np.full(len(came), -1, np.int32)
    kept[root] = True
    cover(table, bits, first, positions, sides, root, reaches[root], root, nearest, owner)
    for head in heads:
        bare = 0.0
        tip = here = head
        while here >= 0:
            if owner[here] < 0:
                bare += steps[here]
            tip = here
            here = follows[here]
        if bare < min_length:
            continue
        while not kept[tip]:
            kept[tip] = True
            cover(table, bits, first, positions, sides, tip, reaches[tip], tip, nearest, owner)
            tip = came[tip]
    return kept


def reaches_nm(component: Component, radii_nm: np.ndarray, coverage: float) -> np.ndarray:
    """How far around each voxel a path through it covers: `coverage` radii, and the diagonal of a voxel for the rim. (n,)."""
    return np.asarray(coverage * radii_nm + np.sqrt((component.sides_nm**2).sum()))


@numba.njit(cache=True, nogil=True)
def cover(table, bits, first, positions, sides, voxel, reach, number, nearest, owner):
    """Give the voxels within `reach` of one to `number`, where that is nearer than whom they belong to. For use in kernels.

    nearest, owner: (n,) distance to, and number of, the owner of each voxel; changed in place.
    """
    z0, y0, x0 = np.int64(positions[voxel, 0]), np.int64(positions[voxel, 1]), np.int64(positions[voxel, 2])
    square = reach * reach
    span_z = np.int64(reach / sides[0])
    for z in range(z0 - span_z, z0 + span_z + 1):
        left_z = square - ((z - z0) * sides[0]) ** 2
        if left_z < 0.0:
            continue
        span_y = np.int64(np.sqrt(left_z) / sides[1])
        for y in range(y0 - span_y, y0 + span_y + 1):
            left_y = left_z - ((y - y0) * sides[1]) ** 2
            if left_y < 0.0:
                continue
            span_x = np.int64(np.sqrt(left_y) / sides[2])
            for x in range(x0 - span_x, x0 + span_x + 1):
                there = number_at(table, bits, first, z, y, x)
                if there >= 0:
                    far = square - left_y + ((x - x0) * sides[2]) ** 2
                    if far < nearest[there]:
                        nearest[there] = far
                        owner[there] = number
