"""After the merging: dust, holes, growth into the membrane, and the final numbers."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurotome.neurons.agglomerate import scaled
from neurotome.neurons.connected import connect, joins_above
from neurotome.neurons.dust import absorb
from neurotome.neurons.region_graph import Rows

__all__ = ["LEAST_SCORE_OF_DUST", "fill_holes", "find_owners", "give_holes", "grow", "merge_dust", "renumber", "zero_small"]

LEAST_SCORE_OF_DUST = 0.1
"""Below this mean affinity a segment stays alone, however small it is."""


def renumber(labels: np.ndarray) -> np.ndarray:
    """Labels 1..n in order of their smallest voxel, uint64; 0 stays 0. Takes labels up to about the number of voxels.

    >>> renumber(np.array([[[0, 7, 7, 3]]])).tolist()
    [[[0, 1, 1, 2]]]
    """
    numbered = np.empty(labels.shape, np.uint64)
    largest = int(labels.max()) if labels.size else 0
    _renumber(labels.reshape(-1), np.zeros(largest + 1, np.uint64), numbered.reshape(-1))
    return numbered


@njit(cache=True)
def _renumber(labels, table, numbered):
    count = np.uint64(0)
    for i in range(labels.size):
        label = labels[i]
        if label != 0 and table[label] == 0:
            count += np.uint64(1)
            table[label] = count
        numbered[i] = table[label]


def merge_dust(
    segment_of: np.ndarray, rows: Rows, sizes: np.ndarray, min_voxels: int, *, least_score: float = LEAST_SCORE_OF_DUST
) -> np.ndarray:
    """Merge segments that are too small into their best neighbour, as long as that scores at least `least_score`.

    While there is a row with an end smaller than `min_voxels`, the best of them (in the order of agglomeration) merges.

    Parameters
    ----------
    segment_of
        (n + 1,) the segment of fragment i: the smallest fragment in it; segment_of[0] is 0.
    rows
        Region graph of the fragments: pairs, affinity_sum, contact, sorted by pair.
    sizes
        (n + 1,) voxels of each fragment.

    Returns
    -------
    (n + 1,) the new segment_of.
    """
    ends = segment_of[rows[0]]
    outer = np.flatnonzero(ends[:, 0] != ends[:, 1])
    code = ends[outer].min(axis=1).astype(np.int64) * len(sizes) + ends[outer].max(axis=1)
    # `first` is a row's key: of the rows that add up, the one that came first in the graph of the fragments.
    code, first, member = np.unique(code, return_index=True, return_inverse=True)
    sums = [np.zeros(len(code), np.int64) for _ in range(2)]
    for total, values in zip(sums, rows[1:]):
        np.add.at(total, member, values[outer].astype(np.int64))
    order = np.argsort(first)
    pairs = np.stack(np.divmod(code, len(sizes)), axis=1).astype(np.uint32)[order]
    segment_sizes = np.bincount(segment_of, weights=sizes, minlength=len(sizes)).astype(np.int64)
    absorbed = absorb(
        pairs,
        sums[0][order],
        sums[1][order],
        unknown=np.zeros(len(sizes), np.bool_),
        sizes=segment_sizes,
        min_size=min_voxels,
        least=scaled(least_score),
    )
    return absorbed.smallest[absorbed.owner].astype(np.int64)[segment_of]


def zero_small(labels: np.ndarray, min_voxels: int) -> np.ndarray:
    """Labels with the segments smaller than `min_voxels` set to 0.

    >>> zero_small(np.array([[[1, 1, 2]]]), 2).tolist()
    [[[1, 1, 0]]]
    """
    keep = np.bincount(labels.reshape(-1)) >= min_voxels
    keep[0] = False
    return np.where(keep, np.arange(len(keep), dtype=labels.dtype), labels.dtype.type(0))[labels]


def fill_holes(labels: np.ndarray, max_voxels: int) -> np.ndarray:
    """Give holes to the segment around them.

    A hole is a 6-connected set of background voxels, at most `max_voxels` of them, that touches no face of the volume and
    whose neighbours all belong to one segment. (A single section has only faces: nothing is filled in it.)

    >>> ring = np.pad(np.zeros((1, 1, 1), int), 1, constant_values=4)
    >>> int(fill_holes(ring, 1)[1, 1, 1]), int(fill_holes(ring, 0)[1, 1, 1])
    (4, 0)
    """
    background = np.where(labels == 0, np.uint8(1), np.uint8(0))
    holes, first = connect(joins_above((background, background, background), background, 1))
    owner, _ = find_owners(labels, holes, len(first), max_voxels)
    return give_holes(labels, holes, np.concatenate([[0], owner]))


def find_owners(labels: np.ndarray, holes: np.ndarray, count: int, max_voxels: int) -> tuple[np.ndarray, np.ndarray]:
    """Who surrounds each of the holes 1..count: (count,) int64, a label, 0 for nobody, -1 for more than one or the outside.

    holes: (z, y, x), 0 for no hole; the arrays end where the volume does, or a voxel beyond the last hole. Also gives the
    voxels of each hole, (count,) int64.
    """
    owner, sizes = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    _find_owners(labels, holes, owner, sizes, max_voxels)
    return owner[1:], sizes[1:]


def give_holes(labels: np.ndarray, holes: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Labels with hole h given to owner[h], where that is above 0. owner[0] means nothing."""
    filled = labels.copy()
    _give(filled.reshape(-1), holes.reshape(-1), owner)
    return filled


@njit(cache=True)
def _find_owners(labels, holes, owner, sizes, max_voxels):
    """owner[hole]: the one segment around it, or -1."""
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                hole = holes[z, y, x]
                if hole == 0:
                    continue
                sizes[hole] += 1
                if min(z, y, x) == 0 or z == depth - 1 or y == height - 1 or x == width - 1:
                    owner[hole] = -1
                    continue
                for near in (
                    labels[z - 1, y, x], labels[z + 1, y, x], labels[z, y - 1, x],
                    labels[z, y + 1, x], labels[z, y, x - 1], labels[z, y, x + 1],
                ):  # fmt: skip
                    if near != 0 and owner[hole] != near:
                        owner[hole] = near if owner[hole] == 0 else -1
    for hole in range(1, len(owner)):
        if sizes[hole] > max_voxels:
            owner[hole] = -1


@njit(cache=True)
def _give(labels, holes, owner):
    for i in range(labels.size):
        if holes[i] != 0 and owner[holes[i]] > 0:
            labels[i] = owner[holes[i]]


def grow(labels: np.ndarray, radius: float, *, mask: np.ndarray | None = None) -> np.ndarray:
    """Each background pixel takes the label of the nearest labelled pixel of its section within `radius` pixels.

    Distances are Euclidean and exact; ties go to the smaller label. Pixels of `mask` (bool: soma, vessel, resin) stay 0.

    >>> grow(np.array([[[2, 0, 0, 0, 1, 0, 0]]]), 2).tolist()
    [[[2, 2, 1, 1, 1, 1, 1]]]
    """
    grown = labels.copy()
    blocked = np.zeros((0, 0, 0), np.bool_) if mask is None else np.asarray(mask, np.bool_)
    _grow(labels, _steps(radius), blocked, grown)
    return grown


def _steps(radius: float) -> np.ndarray:
    """(squared distance, dy, dx) of all pixels within the radius, nearest first."""
    r = int(radius)
    dy, dx = (a.reshape(-1) for a in np.mgrid[-r : r + 1, -r : r + 1])
    distance = dy**2 + dx**2
    near = (distance > 0) & (distance <= radius**2)
    order = np.argsort(distance[near], kind="stable")
    return np.stack([distance[near], dy[near], dx[near]], axis=1)[order].astype(np.int64)


@njit(cache=True)
def _grow(labels, steps, blocked, grown):
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if labels[z, y, x] != 0 or (blocked.size and blocked[z, y, x]):
                    continue
                best, distance = labels[z, y, x], np.int64(-1)
                for k in range(len(steps)):
                    if distance >= 0 and steps[k, 0] > distance:
                        break
                    yy, xx = y + steps[k, 1], x + steps[k, 2]
                    if 0 <= yy < height and 0 <= xx < width:
                        label = labels[z, yy, xx]
                        if label != 0 and (distance < 0 or label < best):
                            best, distance = label, steps[k, 0]
                grown[z, y, x] = best
