"""Watershed fragments: each voxel follows its strongest edge. One Boruvka step, no seeds, no plateaus, no order of processing."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurotome.core import ValueRangeError
from neurotome.neurons.connected import JOIN_X, JOIN_Y, JOIN_Z, PRESENT, connect

__all__ = ["choose_edges", "fragments", "smooth_in_plane", "smoothing_reach"]

Edges = tuple[np.ndarray, np.ndarray, np.ndarray]

_NOTHING = 255


def fragments(edges: Edges, *, t_low: int = 1, t_high: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Watershed basins of the voxel graph.

    Each voxel with an edge of at least t_low is united with the other end of its first edge, and every edge of at least
    t_high unites its ends. First = largest value, ties by the smaller key 3 i + c (i: linear index of the edge's lower
    voxel, c: 0, 1, 2 for z, y, x). A voxel without such an edge is background.

    Parameters
    ----------
    edges
        Edges along z, y and x, each (z, y, x) uint8 at the lower voxel. Values in the last plane along the axis are ignored.
    t_low, t_high
        0 < t_low < t_high; a t_high of 256 unites no edge.

    Returns
    -------
    labels
        (z, y, x) uint32: fragments 1..n in order of their smallest voxel; 0 is background.
    first
        (n,) uint64: linear index of each fragment's smallest voxel. The fragment's name in the whole volume is first + 1.

    Examples
    --------
    >>> q = np.array([[[200, 50, 220, 100, 210, 0]]], np.uint8)
    >>> labels, first = fragments((0 * q, 0 * q, q))
    >>> labels.tolist(), (first + 1).tolist()
    ([[[1, 1, 2, 2, 3, 3]]], [1, 3, 5])
    """
    return connect(choose_edges(edges, t_low=t_low, t_high=t_high))


def choose_edges(edges: Edges, *, t_low: int = 1, t_high: int = 256) -> np.ndarray:
    """The edges that fragments are made of, as bits for `connect`.

    A voxel's choice depends on its six edges only, and their order never on where the array lies in a larger volume. So a
    block gives the same bits as the whole volume if it is read with one voxel more below and two above: an edge out of the
    block is decided by both its ends, and the upper one has edges of its own.
    """
    if not 0 < t_low < t_high <= 256:
        raise ValueRangeError(f"t_low {t_low} and t_high {t_high}", "0 < t_low < t_high <= 256", "give t_high above t_low")
    ez, ey, ex = edges
    chosen = np.empty(ez.shape, np.uint8)
    joins = np.empty(ez.shape, np.uint8)
    _choose(ez, ey, ex, t_low, chosen)
    _collect(ez, ey, ex, chosen, t_high, joins)
    return joins


# The order of a voxel's edges among equals, by key: the lower voxel of its z, y, x edges towards 0 comes first.
_Z_BACK, _Y_BACK, _X_BACK, _Z_ON, _Y_ON, _X_ON = 5, 4, 3, 2, 1, 0


@njit(cache=True)
def _choose(ez, ey, ex, t_low, chosen):
    """Write which of its six edges each voxel takes (rank 5..0, or _NOTHING)."""
    depth, height, width = ez.shape
    best = np.empty(width, np.uint16)
    for z in range(depth):
        for y in range(height):
            # value * 8 + rank: the maximum is the largest value and, among equals, the smallest key.
            best[:] = 0
            if z > 0:
                _take(best, ez[z - 1, y], _Z_BACK)
            if y > 0:
                _take(best, ey[z, y - 1], _Y_BACK)
            row = ex[z, y]
            _take(best[1:], row[:-1], _X_BACK)
            if z + 1 < depth:
                _take(best, ez[z, y], _Z_ON)
            if y + 1 < height:
                _take(best, ey[z, y], _Y_ON)
            _take(best[:-1], row[:-1], _X_ON)
            out = chosen[z, y]
            least = np.uint16(t_low * 8)
            for x in range(width):
                out[x] = np.uint8(best[x] & np.uint16(7)) if best[x] >= least else np.uint8(_NOTHING)


@njit(cache=True)
def _take(best, values, rank):
    r = np.uint16(rank)
    for x in range(values.size):
        code = np.uint16(np.uint16(values[x]) << np.uint16(3)) | r
        best[x] = max(best[x], code)


@njit(cache=True)
def _collect(ez, ey, ex, chosen, t_high, joins):
    """An edge joins if either end took it, or if it is at least t_high."""
    depth, height, width = ez.shape
    for z in range(depth):
        for y in range(height):
            here, out = chosen[z, y], joins[z, y]
            for x in range(width):
                out[x] = np.uint8(PRESENT) if here[x] != _NOTHING else np.uint8(0)
            if z + 1 < depth:
                _mark(out, ez[z, y], t_high, here, _Z_ON, chosen[z + 1, y], _Z_BACK, JOIN_Z)
            if y + 1 < height:
                _mark(out, ey[z, y], t_high, here, _Y_ON, chosen[z, y + 1], _Y_BACK, JOIN_Y)
            _mark(out[:-1], ex[z, y][:-1], t_high, here[:-1], _X_ON, here[1:], _X_BACK, JOIN_X)


@njit(cache=True)
def _mark(out, values, t_high, lower, on, upper, back, bit):
    bit8, on8, back8 = np.uint8(bit), np.uint8(on), np.uint8(back)
    t16 = np.uint16(t_high)
    for x in range(out.size):
        joined = (lower[x] == on8) | (upper[x] == back8) | (np.uint16(values[x]) >= t16)
        out[x] |= bit8 if joined else np.uint8(0)


def smooth_in_plane(values: np.ndarray, sigma: float) -> np.ndarray:
    """Values smoothed inside each section by a Gaussian, in whole numbers.

    The kernel is rounded to integers that sum to 256, reaches round(3 sigma) pixels and is applied along y, then x, with the
    border mirrored (edge pixel repeated); the result is rounded half up. Whole numbers make blocks that are read with that
    halo give exactly what the whole volume gives.

    Parameters
    ----------
    values
        (z, y, x) uint8.
    sigma
        Standard deviation in pixels; 0 returns the values as they are.

    >>> smooth_in_plane(np.array([[[0, 0, 0, 255, 0, 0, 0]]], np.uint8), 0.8).tolist()
    [[[0, 6, 58, 128, 58, 6, 0]]]
    """
    if sigma < 0:
        raise ValueRangeError(f"Smoothing of {sigma} px", "0 or more", "give sigma in pixels")
    if sigma == 0:
        return values
    weights = _integer_gaussian(sigma)
    smooth = np.empty_like(values)
    _smooth(np.ascontiguousarray(values), weights, smooth)
    return smooth


def smoothing_reach(sigma: float) -> int:
    """How many pixels away a value still counts in `smooth_in_plane`."""
    return max(1, round(3 * sigma)) if sigma > 0 else 0


def _integer_gaussian(sigma: float) -> np.ndarray:
    """One half of the kernel, centre first; the whole sums to 256."""
    radius = smoothing_reach(sigma)
    bell = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    half = np.floor(256 * bell / (2 * bell.sum() - bell[0]) + 0.5).astype(np.int64)
    half[0] = 256 - 2 * half[1:].sum()
    return half.astype(np.uint32)


@njit(cache=True)
def _smooth(values, weights, smooth):
    depth, height, width = values.shape
    radius = weights.size - 1
    column = np.empty(width + 2 * radius, np.uint32)
    total = np.empty(width, np.uint32)
    for z in range(depth):
        for y in range(height):
            middle = column[radius : radius + width]
            middle[:] = 0
            for k in range(-radius, radius + 1):
                _add(middle, values[z, _mirror(y + k, height)], weights[abs(k)])
            for k in range(1, radius + 1):
                column[radius - k] = column[radius + _mirror(-k, width)]
                column[radius + width - 1 + k] = column[radius + _mirror(width - 1 + k, width)]
            total[:] = 0
            for k in range(-radius, radius + 1):
                _add(total, column[radius + k : radius + k + width], weights[abs(k)])
            out = smooth[z, y]
            for x in range(width):
                out[x] = np.uint8((total[x] + np.uint32(32768)) >> np.uint32(16))


@njit(cache=True)
def _add(total, values, weight):
    w = np.uint32(weight)
    for x in range(total.size):
        total[x] = np.uint32(total[x] + w * np.uint32(values[x]))


@njit(cache=True)
def _mirror(i, n):
    """Reflect an index into 0..n-1, repeating the edge: -1 -> 0, n -> n - 1."""
    while i < 0 or i >= n:
        i = -1 - i if i < 0 else 2 * n - 1 - i
    return i
