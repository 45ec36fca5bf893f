"""Where two parts of a volume meet: the voxel pair in the middle of their contact, or the nearest pair where they do not touch.

Volumes pass by as slabs of part numbers (int32, -1 for voxels that matter to nobody), twice: `Contacts.add` sums up counts and
coordinates, `Contacts.settle` picks the voxel pair nearest to each mean. Sums are integers, and the pick has one order of ties,
so the result does not depend on how the volume was cut into slabs.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from neurotome.core.geometry import Nm3
from neurotome.measure.pair_hash import find, lookup_table

__all__ = ["Contacts", "PartPainter", "nearest_pairs"]

_NO_MASK = np.zeros((0, 0, 0), np.bool_)
_BLOCK = 64


class PartPainter:
    """Turns ids of truth and segmentation into part numbers: part p is the p-th of the given pairs (truth id, segment id)."""

    def __init__(self, truth_ids: np.ndarray, segment_ids: np.ndarray) -> None:
        self._table = lookup_table(truth_ids, segment_ids)

    def paint(self, truth: np.ndarray, segmentation: np.ndarray, keep: np.ndarray | None) -> np.ndarray:
        """Part of each voxel (z, y, x), int32; -1 where the pair is not listed or `keep` is False. Both ids have one width."""
        return np.asarray(_paint(truth, segmentation, _NO_MASK if keep is None else keep, self._table))


class Contacts:
    """The contact of each pair of parts (part[r], partner[r]), all pairs different; 6 neighbours.

    voxels: (r,) int64, neighbouring voxel pairs across the contact, after all slabs were added.
    places: (r, 3) int64, after they were settled: the voxel on the side of `part` of the pair whose midpoint is nearest (in nm)
    to the mean midpoint; ties go to the smaller linear index of the pair's lower voxel, then to the axis order z, y, x. -1: no
    contact.
    """

    def __init__(self, part: np.ndarray, partner: np.ndarray, voxel_nm: Nm3) -> None:
        self._part = part.astype(np.int64)
        self._table = lookup_table(np.minimum(part, partner), np.maximum(part, partner))
        self._voxel_nm = np.array(voxel_nm, np.float64)
        self._sums = np.zeros((len(part), 3), np.int64)
        self._distance = np.full(len(part), np.inf)
        self._order = np.zeros(len(part), np.int64)
        self._before: np.ndarray | None = None
        self.voxels = np.zeros(len(part), np.int64)
        self.places = np.full((len(part), 3), -1, np.int64)

    def add(self, parts: np.ndarray, z: int) -> None:
        """First pass: the next slab of part numbers, which begins at section z."""
        _add_contacts(parts, self._section_before(parts, z), z, self._table, self.voxels, self._sums)

    def settle(self, parts: np.ndarray, z: int) -> None:
        """Second pass, over the same slabs in the same order."""
        before = self._section_before(parts, z)
        mean = self._sums / np.maximum(self.voxels, 1)[:, None]
        best = self._distance, self._order, self.places
        _settle_contacts(parts, before, z, self._table, self._part, mean, self._voxel_nm, *best)

    def _section_before(self, parts: np.ndarray, z: int) -> np.ndarray:
        before = np.full(parts.shape[1:], -1, np.int32) if z == 0 or self._before is None else self._before
        self._before = parts[-1].copy()
        return before


def nearest_pairs(runs: np.ndarray, part: np.ndarray, partner: np.ndarray, voxel_nm: Nm3) -> np.ndarray:
    """The voxel of each `part` that is nearest (in nm, between centres) to its `partner`: (r, 3) int64.

    runs: (n, 5) int64 rows (part, z, y, first x, last x + 1) in order of position, from `part_runs`. Ties go to the smallest
    voxel of `part` in z, y, x order.

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
def part_runs(parts, wanted, z0):  # type: ignore[no-untyped-def]
    """Runs along x of the wanted parts (bool per part): (n, 5) int64 rows (part, z, y, first x, last x + 1), by position."""
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
                runs[count, 0], runs[count, 1], runs[count, 2] = part, z0 + z, y
                runs[count, 3], runs[count, 4] = start, x
                count += 1
    return runs[:count].copy()


@njit(cache=True)
def _meet(a, b, table):  # type: ignore[no-untyped-def]
    """Row of the contact between parts a and b, -1 where nobody asked for it."""
    if a == b or a < 0 or b < 0:
        return -1
    return find(table, np.uint64(min(a, b)), np.uint64(max(a, b)))


@njit(cache=True, inline="always")
def _lower(parts, above, z, y, x, axis):  # type: ignore[no-untyped-def]
    """The part one voxel down along an axis; at the volume's edge the voxel's own, which meets nothing."""
    if axis == 0:
        return above[y, x]
    if axis == 1:
        return parts[z, y - (y > 0), x]
    return parts[z, y, x - (x > 0)]


@njit(cache=True, nogil=True)
def _add_contacts(parts, before, z0, table, voxels, sums):  # type: ignore[no-untyped-def]
    depth, height, width = parts.shape
    for z in range(depth):
        above = parts[z - 1] if z > 0 else before
        for y in range(height):
            for x in range(width):
                b = parts[z, y, x]
                if b < 0:
                    continue
                for axis in range(3):
                    row = _meet(_lower(parts, above, z, y, x, axis), b, table)
                    if row >= 0:
                        voxels[row] += 1
                        # Twice the midpoint of the pair, so that it is an integer.
                        sums[row, 0] += 2 * (z0 + z) - (axis == 0)
                        sums[row, 1] += 2 * y - (axis == 1)
                        sums[row, 2] += 2 * x - (axis == 2)


@njit(cache=True, nogil=True)
def _settle_contacts(parts, before, z0, table, part, mean, voxel_nm, distance, order, places):  # type: ignore[no-untyped-def]
    depth, height, width = parts.shape
    for z in range(depth):
        above = parts[z - 1] if z > 0 else before
        for y in range(height):
            for x in range(width):
                b = parts[z, y, x]
                if b < 0:
                    continue
                for axis in range(3):
                    a = _lower(parts, above, z, y, x, axis)
                    row = _meet(a, b, table)
                    if row < 0:
                        continue
                    low_z, low_y, low_x = z0 + z - (axis == 0), y - (axis == 1), x - (axis == 2)
                    off_z = (low_z + z0 + z - mean[row, 0]) * voxel_nm[0]
                    off_y = (low_y + y - mean[row, 1]) * voxel_nm[1]
                    off_x = (low_x + x - mean[row, 2]) * voxel_nm[2]
                    far = off_z**2 + off_y**2 + off_x**2
                    # Pairs across the face of two slabs come late, so ties need an order of their own.
                    place = 3 * ((low_z * height + low_y) * width + low_x) + axis
                    if far < distance[row] or (far == distance[row] and place < order[row]):
                        distance[row], order[row] = far, place
                        if part[row] == a:
                            places[row, 0], places[row, 1], places[row, 2] = low_z, low_y, low_x
                        else:
                            places[row, 0], places[row, 1], places[row, 2] = z0 + z, y, x


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
