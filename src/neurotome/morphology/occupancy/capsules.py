"""Which voxels the tapered capsules of a skeleton take up. All lengths are in voxels; voxel i reaches from i to i + 1.

A voxel is occupied when its centre lies in a capsule, or when the centre line of one passes through it. So a neurite thinner
than a voxel is a chain of voxels that share faces, never a row of dots; and since a centre within half a voxel of a line lies in
a voxel that the line passes through, every radius up to half a voxel gives that same chain: radius 0, unknown, counts as half.
A line that meets an edge or corner of voxels goes around it by way of faces. The upper end of the grid belongs to its last voxel.
"""

from __future__ import annotations

import math

import numba
import numpy as np

__all__ = ["filled_share", "paint_capsules", "paint_lines", "share_outside"]

THIN = 0.5
"""Up to this radius the voxels of the centre line are all there are."""
SAMPLES = 8
"""Along each axis of a voxel; a row of bits holds 8 x 8 of them."""
HALF_DIAGONAL = math.sqrt(3) / 2


def paint_capsules(grid: np.ndarray, starts: np.ndarray, ends: np.ndarray, radii: np.ndarray) -> None:
    """Set the voxels of capsules to 1, in place. grid: (n, n, n) uint8. starts, ends: (m, 3). radii: (m, 2) at both ends.

    >>> grid = np.zeros((3, 3, 5), np.uint8)
    >>> paint_capsules(grid, np.array([[1.5, 1.5, 0.2]]), np.array([[1.5, 1.5, 3.4]]), np.array([[0.1, 1.2]]))
    >>> grid[1].tolist()
    [[0, 0, 0, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 1, 0]]
    """
    _paint(grid, starts, ends, radii)


def paint_lines(grid: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
    """Set the voxels that straight lines pass through to 1, in place."""
    _paint(grid, starts, ends, np.zeros((len(starts), 2)))


def filled_share(size: int, starts: np.ndarray, ends: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """The share of each voxel that lies in capsules, (size,) * 3 float32, by 8 x 8 x 8 samples per voxel.

    A radius of 0, unknown, counts as half a voxel; a voxel that a centre line passes through has at least one sample.

    >>> share = filled_share(3, np.array([[1.5, 1.5, -9]]), np.array([[1.5, 1.5, 9]]), np.array([[0.4, 0.4]]))
    >>> abs(share[1, 1, 1] - np.pi * 0.4**2) < 0.02
    np.True_
    """
    radii = np.where(radii > 0, radii, THIN)
    near = np.zeros((size,) * 3, np.uint8)
    paint_capsules(near, starts, ends, radii + HALF_DIAGONAL)
    slots = np.cumsum(near, dtype=np.int32).reshape(near.shape) * near.astype(np.int32)
    samples = np.zeros((int(near.sum()) + 1, SAMPLES), np.uint64)
    _paint_samples(samples, slots, starts * SAMPLES, ends * SAMPLES, radii * SAMPLES)
    share = (np.bitwise_count(samples).sum(1) / SAMPLES**3).astype(np.float32)[slots]
    line = np.zeros((size,) * 3, np.uint8)
    paint_lines(line, starts, ends)
    return np.asarray(np.maximum(share, line * np.float32(1 / SAMPLES**3)))


def share_outside(starts: np.ndarray, ends: np.ndarray, size: int) -> float:
    """The share of the length of lines that lies outside a grid; of their number, where none has a length.

    >>> share_outside(np.array([[1.0, 1.0, -1.0]]), np.array([[1.0, 1.0, 3.0]]), 4)
    0.25
    """
    outside, total, lost = _outside(starts, ends, float(size))
    return float(outside / total) if total > 0 else float(lost / max(len(starts), 1))


@numba.njit(cache=True, nogil=True)
def _paint(grid, starts, ends, radii):
    for m in range(len(starts)):
        a, b, ra, rb = starts[m], ends[m], radii[m, 0], radii[m, 1]
        _walk(grid, a, b)
        if max(ra, rb) <= THIN:
            continue
        parts = _parts(a, b, max(ra, rb))
        for part in range(parts):
            _fill(grid, *_part(a, ra, b, rb, part / parts, (part + 1) / parts))


@numba.njit(cache=True, nogil=True)
def _parts(a, b, thick):
    """A capsule is the union of its parts, and the boxes of short parts hold little that is not capsule."""
    length = math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2 + (b[2] - a[2]) ** 2)
    return max(1, int(length / max(2.0 * thick, 2.0)))


@numba.njit(cache=True, nogil=True)
def _part(a, ra, b, rb, s, t):
    d0, d1, d2, grown = b[0] - a[0], b[1] - a[1], b[2] - a[2], rb - ra
    start = (a[0] + s * d0, a[1] + s * d1, a[2] + s * d2)
    end = (a[0] + t * d0, a[1] + t * d1, a[2] + t * d2)
    return start, ra + s * grown, end, ra + t * grown


@numba.njit(cache=True, nogil=True)
def _fill(grid, a, ra, b, rb):
    """Set the voxels whose centres are in one capsule."""
    cone = _cone(a, ra, b, rb)
    low0, high0 = _reach(a[0], ra, b[0], rb, grid.shape[0])
    low1, high1 = _reach(a[1], ra, b[1], rb, grid.shape[1])
    low2, high2 = _reach(a[2], ra, b[2], rb, grid.shape[2])
    for i in range(low0, high0):
        for j in range(low1, high1):
            for k in range(low2, high2):
                if not grid[i, j, k] and _holds(cone, i + 0.5, j + 0.5, k + 0.5):
                    grid[i, j, k] = 1


@numba.njit(cache=True, nogil=True)
def _cone(a, ra, b, rb):
    """A capsule as origin, direction, length, radius, slope and tilt; one end's ball, where it holds all the others."""
    d0, d1, d2 = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    length = math.sqrt(d0 * d0 + d1 * d1 + d2 * d2)
    if abs(rb - ra) >= length:
        origin, radius = (b, rb) if rb > ra else (a, ra)
        return origin[0], origin[1], origin[2], 0.0, 0.0, 0.0, 0.0, radius, 0.0, 0.0
    slope = (rb - ra) / length
    return a[0], a[1], a[2], d0 / length, d1 / length, d2 / length, length, ra, slope, slope / math.sqrt(1.0 - slope * slope)


@numba.njit(cache=True, nogil=True)
def _holds(cone, q0, q1, q2):
    """Whether a place lies in a capsule: whether |q - p(t)| - r(t) is 0 or less anywhere on the axis.

    For a place at s along the axis and h from it, and radii that grow by k per unit of length, that is least at
    t = s + h k / sqrt(1 - k^2), cut to the axis.
    """
    a0, a1, a2, d0, d1, d2, length, radius, slope, tilt = cone
    p0, p1, p2 = q0 - a0, q1 - a1, q2 - a2
    along = p0 * d0 + p1 * d1 + p2 * d2
    aside = max(p0 * p0 + p1 * p1 + p2 * p2 - along * along, 0.0)
    at = min(max(along + math.sqrt(aside) * tilt, 0.0), length)
    reach = radius + slope * at
    return aside + (along - at) ** 2 <= reach * reach


@numba.njit(cache=True, nogil=True)
def _reach(a, ra, b, rb, n):
    """The range of voxels along one axis whose centres may lie in a capsule."""
    low = min(a - ra, b - rb)
    high = max(a + ra, b + rb)
    return max(0, math.ceil(max(low, 0.0) - 0.5)), min(n, math.floor(min(high, float(n)) - 0.5) + 1)


@numba.njit(cache=True, nogil=True)
def _place(position, n):
    """The voxel of a position: the upper end of the grid belongs to the last one."""
    return n - 1 if position == n else math.floor(position)


@numba.njit(cache=True, nogil=True)
def _walk(grid, a, b):
    """Set the voxels of a straight line: from face to face, always through the next one (Amanatides and Woo 1987)."""
    n0, n1, n2 = grid.shape
    i, j, k = _place(a[0], n0), _place(a[1], n1), _place(a[2], n2)
    i1, j1, k1 = _place(b[0], n0), _place(b[1], n1), _place(b[2], n2)
    if 0 <= i < n0 and 0 <= j < n1 and 0 <= k < n2:
        grid[i, j, k] = 1
    steps = abs(i1 - i) + abs(j1 - j) + abs(k1 - k)
    if steps == 0:
        return
    step0, next0, each0 = _crossings(i, i1, a[0], b[0])
    step1, next1, each1 = _crossings(j, j1, a[1], b[1])
    step2, next2, each2 = _crossings(k, k1, a[2], b[2])
    for _ in range(steps):
        if next0 <= next1 and next0 <= next2:
            i += step0
            next0 = next0 + each0 if i != i1 else np.inf
        elif next1 <= next2:
            j += step1
            next1 = next1 + each1 if j != j1 else np.inf
        else:
            k += step2
            next2 = next2 + each2 if k != k1 else np.inf
        if 0 <= i < n0 and 0 <= j < n1 and 0 <= k < n2:
            grid[i, j, k] = 1


@numba.njit(cache=True, nogil=True)
def _crossings(voxel, last, a, b):
    """Along one axis: the direction, the share of the line before the first face, and between faces; none to cross: infinite."""
    if voxel == last:
        return 0, np.inf, np.inf
    if last > voxel:
        return 1, (voxel + 1 - a) / (b - a), 1.0 / (b - a)
    return -1, (a - voxel) / (a - b), 1.0 / (a - b)


@numba.njit(cache=True, nogil=True)
def _paint_samples(samples, slots, starts, ends, radii):
    """Set the bits of the samples in capsules, all measured in samples; voxels in slot 0 have none."""
    size = slots.shape[0] * SAMPLES
    for m in range(len(starts)):
        a, b, ra, rb = starts[m], ends[m], radii[m, 0], radii[m, 1]
        parts = _parts(a, b, max(ra, rb))
        for part in range(parts):
            a_, ra_, b_, rb_ = _part(a, ra, b, rb, part / parts, (part + 1) / parts)
            cone = _cone(a_, ra_, b_, rb_)
            low0, high0 = _reach(a_[0], ra_, b_[0], rb_, size)
            low1, high1 = _reach(a_[1], ra_, b_[1], rb_, size)
            low2, high2 = _reach(a_[2], ra_, b_[2], rb_, size)
            for i in range(low0, high0):
                for j in range(low1, high1):
                    for k in range(low2, high2):
                        if _holds(cone, i + 0.5, j + 0.5, k + 0.5):
                            slot = slots[i // SAMPLES, j // SAMPLES, k // SAMPLES]
                            bit = (j % SAMPLES) * SAMPLES + k % SAMPLES
                            samples[slot, i % SAMPLES] |= np.uint64(1) << np.uint64(bit)


@numba.njit(cache=True, nogil=True)
def _outside(starts, ends, size):
    """Length outside the grid, all length, and how many lines begin outside."""
    outside, total, lost = 0.0, 0.0, 0
    for m in range(len(starts)):
        low, high, square = 0.0, 1.0, 0.0
        inside = True
        for axis in range(3):
            a, d = starts[m, axis], ends[m, axis] - starts[m, axis]
            square += d * d
            if a < 0 or a > size:
                inside = False
            if d == 0:
                if a < 0 or a > size:
                    high = -1.0
                continue
            one, other = -a / d, (size - a) / d
            low, high = max(low, min(one, other)), min(high, max(one, other))
        length = math.sqrt(square)
        total += length
        outside += length * (1.0 - max(high - low, 0.0))
        if not inside:
            lost += 1
    return outside, total, lost
