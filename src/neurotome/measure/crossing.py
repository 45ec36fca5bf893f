"""Where two parts of a volume meet: the voxel pair in the middle of their contact, or the nearest pair where they do not touch.

Volumes pass by as boxes of part numbers (int32, -1 for voxels that matter to nobody), twice: `Contacts.add` sums up counts and
coordinates, `Contacts.settle` picks the voxel pair nearest to each mean. Sums are integers, and the pick has one order of ties,
so the result does not depend on how the volume was cut into boxes. Memory grows with the pairs asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from neurotome.core import Box
from neurotome.core.geometry import Int3, Nm3
from neurotome.measure.pair_hash import find, lookup_table
from neurotome.measure.planes import Waiting, last_planes

__all__ = ["BoxParts", "Contacts", "PartPainter", "nearest_pairs", "part_runs", "with_neighbours"]

_NO_MASK = np.zeros((0, 0, 0), np.bool_)
_BLOCK = 64


class PartPainter:
    """Turns ids of truth and segmentation into part numbers: part p is the p-th of the given pairs (truth id, segment id)."""

    def __init__(self, truth_ids: np.ndarray, segment_ids: np.ndarray) -> None:
        self._table = lookup_table(truth_ids, segment_ids)

    def paint(self, truth: np.ndarray, segmentation: np.ndarray, keep: np.ndarray | None) -> np.ndarray:
        """Part of each voxel (z, y, x), int32; -1 where the pair is not listed or `keep` is False. Both ids have one width."""
        return np.asarray(_paint(truth, segmentation, _NO_MASK if keep is None else keep, self._table))


@dataclass(frozen=True, eq=False)
class BoxParts:
    """Part numbers of a box (z, y, x) int32, and of the voxels just below its faces, -1 where the volume ends.

    corner: the box's first voxel, counted from that of the volume. below: planes (y, x), (z, x) and (z, y).
    """

    corner: Int3
    parts: np.ndarray
    below: tuple[np.ndarray, np.ndarray, np.ndarray]


def with_neighbours(box: Box, parts: np.ndarray, waiting: Waiting) -> BoxParts:
    """The parts of a box with what its lower neighbours, which must have passed before, left in `waiting`."""
    depth, height, width = parts.shape
    z, y, x = (
        np.full(shape, -1, np.int32) if plane is None else plane.array()
        for plane, shape in zip(
            waiting.exchange(box, last_planes(parts)), ((height, width), (depth, width), (depth, height)), strict=True
        )
    )
    return BoxParts(box.start, parts, (z, y, x))


class Contacts:
    """The contact of each pair of parts (part[r], partner[r]), all pairs different; 6 neighbours. shape: that of the volume.

    voxels: (r,) int64, neighbouring voxel pairs across the contact, after all boxes were added.
    places: (r, 3) int64, after they were settled: the voxel on the side of `part` of the pair whose midpoint is nearest (in nm)
    to the mean midpoint; ties go to the smaller linear index of the pair's lower voxel, then to the axis order z, y, x. -1: no
    contact.
    """

    def __init__(self, part: np.ndarray, partner: np.ndarray, voxel_nm: Nm3, shape: Int3) -> None:
        self._part = part.astype(np.int64)
        self._table = lookup_table(np.minimum(part, partner), np.maximum(part, partner))
        self._voxel_nm = np.array(voxel_nm, np.float64)
        self._shape = shape
        self._sums = np.zeros((len(part), 3), np.int64)
        self._distance = np.full(len(part), np.inf)
        self._order = np.zeros(len(part), np.int64)
        self.voxels = np.zeros(len(part), np.int64)
        self.places = np.full((len(part), 3), -1, np.int64)

    def add(self, box: BoxParts) -> None:
        """First pass: each box once, in any order."""
        _add_contacts(box.parts, *box.below, box.corner, self._table, self.voxels, self._sums)

    def settle(self, box: BoxParts) -> None:
        """Second pass, over boxes that need not be the same."""
        mean = self._sums / np.maximum(self.voxels, 1)[:, None]
        best = self._distance, self._order, self.places
        where = box.corner, self._shape
        _settle_contacts(box.parts, *box.below, *where, self._table, self._part, mean, self._voxel_nm, *best)


def nearest_pairs(runs: np.ndarray, part: np.ndarray, partner: np.ndarray, voxel_nm: Nm3) -> np.ndarray:
    """The voxel of each `part` that is nearest (in nm, between centres) to its `partner`: (r, 3) int64.

    runs: (n, 5) int64 rows (part, z, y, first x, last x + 1) from `part_runs`; the result does not depend on their order or on
    where they were cut, the speed does (best by position). Ties go to the smallest voxel of `part` in z, y, x order.

    >>> runs = np.array([[0, 0, 0, 0, 2], [1, 0, 0, 5, 9]])
    >>> nearest_pairs(runs, np.array([0]), np.array([1]), (1.0, 1.0, 1.0)).tolist()
    [[0, 0, 1]]
    """
    order = np.argsort(runs[:, 0], kind="stable")
    ordered = runs[order]
    size = np.array(voxel_nm, np.float64)
    begin = np.searchsorted(ordered[:, 0], np.stack([part, partner]), side="left")
    end = np.searchsorted(ordered[:, 0], np.stack([part, partner]), side="right")
    places = np.full((len(part), 3), -1, np.int64)
    for row in range(len(part)):
        mine, theirs = (ordered[begin[side, row] : end[side, row], 1:] for side in (0, 1))
        places[row] = _nearest_voxel(mine, theirs, size)
    return places


@njit(cache=True, nogil=True)
def _paint(truth, segmentation, keep, table):  # type: ignore[no-untyped-def]
    depth, height, width = truth.shape
    parts = np.empty((depth, height, width), np.int32)
    masked = keep.size > 0
    for z in range(depth):
        for y in range(height):
            t_row, s_row = truth[z, y], segmentation[z, y]
            x = 0
            while x < width:
                start, t, s = x, t_row[x], s_row[x]
                while x < width and t_row[x] == t and s_row[x] == s:
                    x += 1
                parts[z, y, start:x] = find(table, np.uint64(t), np.uint64(s))
            if masked:
                for x in range(width):
                    if not keep[z, y, x]:
                        parts[z, y, x] = -1
    return parts


@njit(cache=True)
def part_runs(parts, wanted, corner):  # type: ignore[no-untyped-def]
    """Runs along x of the wanted parts (bool per part) of the box at `corner`: (n, 5) rows (part, z, y, first x, last x + 1)."""
    depth, height, width = parts.shape
    runs = np.empty((1024, 5), np.int64)
    count = 0
    for z in range(depth):
        for y in range(height):
            row = parts[z, y]
            x = 0
            while x < width:
                start, part = x, row[x]
                while x < width and row[x] == part:
                    x += 1
                if part < 0 or not wanted[part]:
                    continue
                if count == len(runs):
                    runs = np.concatenate((runs, np.empty_like(runs)))
                runs[count, 0], runs[count, 1], runs[count, 2] = part, corner[0] + z, corner[1] + y
                runs[count, 3], runs[count, 4] = corner[2] + start, corner[2] + x
                count += 1
    return runs[:count].copy()


@njit(cache=True)
def _meet(a, b, table):  # type: ignore[no-untyped-def]
    """Row of the contact between parts a and b, -1 where nobody asked for it."""
    if a == b or a < 0 or b < 0:
        return -1
    return find(table, np.uint64(min(a, b)), np.uint64(max(a, b)))


@njit(cache=True, nogil=True)
def _add_contacts(parts, below_z, below_y, below_x, corner, table, voxels, sums):  # type: ignore[no-untyped-def]
    depth, height, width = parts.shape
    for z in range(depth):
        for y in range(height):
            above = parts[z - 1, y] if z > 0 else below_z[y]
            before = parts[z, y - 1] if y > 0 else below_y[z]
            line, left = parts[z, y], below_x[z, y]
            for x in range(width):
                b, lower = line[x], (above[x], before[x], left)
                left = b
                if b < 0:
                    continue
                for axis in range(3):
                    row = _meet(lower[axis], b, table)
                    if row >= 0:
                        voxels[row] += 1
                        # Twice the midpoint of the pair, so that it is an integer.
                        sums[row, 0] += 2 * (corner[0] + z) - (axis == 0)
                        sums[row, 1] += 2 * (corner[1] + y) - (axis == 1)
                        sums[row, 2] += 2 * (corner[2] + x) - (axis == 2)


@njit(cache=True, nogil=True)
def _settle_contacts(parts, below_z, below_y, below_x, corner, shape, table, part, mean, voxel_nm, distance, order, places):  # type: ignore[no-untyped-def]
    depth, height, width = parts.shape
    for z in range(depth):
        for y in range(height):
            above = parts[z - 1, y] if z > 0 else below_z[y]
            before = parts[z, y - 1] if y > 0 else below_y[z]
            line, left = parts[z, y], below_x[z, y]
            for x in range(width):
                b, lower = line[x], (above[x], before[x], left)
                left = b
                if b < 0:
                    continue
                for axis in range(3):
                    row = _meet(lower[axis], b, table)
                    if row < 0:
                        continue
                    high = corner[0] + z, corner[1] + y, corner[2] + x
                    low = high[0] - (axis == 0), high[1] - (axis == 1), high[2] - (axis == 2)
                    far = _off_the_mean(low, high, row, mean, voxel_nm)
                    # Pairs come in the order of the boxes, so ties need an order of their own.
                    place = 3 * ((low[0] * shape[1] + low[1]) * shape[2] + low[2]) + axis
                    if far < distance[row] or (far == distance[row] and place < order[row]):
                        distance[row], order[row] = far, place
                        mine = low if part[row] == lower[axis] else high
                        places[row, 0], places[row, 1], places[row, 2] = mine[0], mine[1], mine[2]


@njit(cache=True)
def _off_the_mean(low, high, row, mean, voxel_nm):  # type: ignore[no-untyped-def]
    """Squared distance of a pair's midpoint from the mean one, both doubled."""
    off_z = (low[0] + high[0] - mean[row, 0]) * voxel_nm[0]
    off_y = (low[1] + high[1] - mean[row, 1]) * voxel_nm[1]
    off_x = (low[2] + high[2] - mean[row, 2]) * voxel_nm[2]
    return off_z**2 + off_y**2 + off_x**2


@njit(cache=True, nogil=True)
def _nearest_voxel(mine, theirs, voxel_nm):  # type: ignore[no-untyped-def]
    """Branch and bound over blocks of runs: the block pair with the nearest boxes first, then all that could still beat it."""
    boxes_a, boxes_b = _boxes(mine), _boxes(theirs)
    first_a, first_b, least = 0, 0, np.inf
    for a in range(len(boxes_a)):
        for b in range(len(boxes_b)):
            bound = _box_distance(boxes_a[a], boxes_b[b], voxel_nm)
            if bound < least:
                first_a, first_b, least = a, b, bound
    best = np.inf
    place = np.array([-1, -1, -1])
    best = _search(mine, theirs, first_a, first_b, voxel_nm, best, place)
    for a in range(len(boxes_a)):
        for b in range(len(boxes_b)):
            if _box_distance(boxes_a[a], boxes_b[b], voxel_nm) <= best:
                best = _search(mine, theirs, a, b, voxel_nm, best, place)
    return place


@njit(cache=True)
def _boxes(runs):  # type: ignore[no-untyped-def]
    """Bounding boxes (z, z, y, y, x, x; last voxel included) of each block of consecutive runs."""
    boxes = np.empty(((len(runs) + _BLOCK - 1) // _BLOCK, 6), np.int64)
    for block in range(len(boxes)):
        members = runs[block * _BLOCK : (block + 1) * _BLOCK]
        boxes[block, 0], boxes[block, 1] = members[:, 0].min(), members[:, 0].max()
        boxes[block, 2], boxes[block, 3] = members[:, 1].min(), members[:, 1].max()
        boxes[block, 4], boxes[block, 5] = members[:, 2].min(), members[:, 3].max() - 1
    return boxes


@njit(cache=True)
def _box_distance(a, b, voxel_nm):  # type: ignore[no-untyped-def]
    far = 0.0
    for axis in range(3):
        gap = max(0, a[2 * axis] - b[2 * axis + 1], b[2 * axis] - a[2 * axis + 1])
        far += (gap * voxel_nm[axis]) ** 2
    return far


@njit(cache=True)
def _search(mine, theirs, block_a, block_b, voxel_nm, best, place):  # type: ignore[no-untyped-def]
    for a in range(block_a * _BLOCK, min(len(mine), (block_a + 1) * _BLOCK)):
        z, y, x0, x1 = mine[a]
        for b in range(block_b * _BLOCK, min(len(theirs), (block_b + 1) * _BLOCK)):
            other_z, other_y, other_x0, other_x1 = theirs[b]
            x = min(max(x0, other_x0), x1 - 1)
            gap = max(0, other_x0 - (x1 - 1), x0 - (other_x1 - 1))
            far = 0.0
            far += ((z - other_z) * voxel_nm[0]) ** 2
            far += ((y - other_y) * voxel_nm[1]) ** 2
            far += (gap * voxel_nm[2]) ** 2
            earlier = (z, y, x) < (place[0], place[1], place[2])
            if far < best or (far == best and earlier):
                best = far
                place[0], place[1], place[2] = z, y, x
    return best
