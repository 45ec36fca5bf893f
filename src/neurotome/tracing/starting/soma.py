"""Where the cell bodies are: the deep places of an object that is thin elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core.geometry import Int3
from neurotome.core.skeleton import ROOT, SOMA, Skeleton
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS, number_at
from neurotome.tracing.starting.foreground import Foreground

__all__ = ["Soma", "find_somata", "with_soma"]

PASS_SHARE = 0.8
"""Two peaks are one soma where the way between them stays this deep, as a share of the lower peak."""

LEAST_OF_LARGEST = 0.5
"""A soma is at least this large, as a share of the largest of its component: a swollen trunk is not a second cell."""

LEAST_VOXELS = 4.0
"""A soma is at least this many voxels deep: a bouton in a coarse image is three voxels thick where its axon is one."""


@dataclass(frozen=True)
class Soma:
    """A cell body: the voxel in its middle, in which component of the foreground, and the largest ball around it that fits."""

    voxel: Int3
    component: int
    radius_nm: float


def find_somata(
    found: Foreground, depth: np.ndarray, *, least_radius_nm: float = 2000.0, least_ratio: float = 2.5
) -> tuple[Soma, ...]:
    """Peaks of the distance transform that are deep enough, of the largest component first, there the largest first.

    A peak is a soma if its depth is at least `least_radius_nm` and `least_ratio` times the median depth of the component's
    medial voxels, those with no deeper neighbour; see also LEAST_VOXELS, LEAST_OF_LARGEST. Peaks with a deep pass between them
    are one (PASS_SHARE).

    depth: (n,) float32 from `distance_to_background`.
    """
    voxels = found.voxels
    largest = depth[found.starts(depth)]
    maybe = (largest >= least_radius_nm) & np.isfinite(largest)
    if not maybe.any():
        return ()
    lookup = (voxels.table, voxels.bits, voxels.first, voxels.positions)
    limit = np.full(len(largest), np.inf, np.float32)
    least_nm = max(least_radius_nm, LEAST_VOXELS * float(np.prod(voxels.voxel_nm)) ** (1 / 3))
    medial = _medial(*lookup, NEIGHBOURS, depth, maybe[found.component])
    for part in np.flatnonzero(maybe):
        typical = float(np.median(depth[medial & (found.component == part)]))
        limit[part] = max(least_nm, least_ratio * typical, LEAST_OF_LARGEST * float(largest[part]))
    deep = np.flatnonzero(depth >= limit[found.component])
    deep = deep[np.lexsort((voxels.places[deep], -depth[deep]))]
    peaks = np.flatnonzero(_peaks(*lookup, NEIGHBOURS, depth, deep, PASS_SHARE))
    order = np.lexsort((voxels.places[peaks], -depth[peaks], found.component[peaks]))
    return tuple(Soma(_voxel(voxels.positions[peak]), int(found.component[peak]), float(depth[peak])) for peak in peaks[order])


def with_soma(tree: Skeleton, centre_nm: np.ndarray, radius_nm: float) -> Skeleton:
    """The tree with its soma as one node: the root moves to the centre, gets radius and kind 1 and takes in every node inside.

    The tree has one root. Branches that leave the ball begin at the root. Features of the root stay, but scoop_nm becomes at
    least the radius, so that pruning takes off what only just leaves the soma.
    """
    root = int(tree.roots[0])
    inside = np.sqrt(((tree.points_nm - centre_nm) ** 2).sum(1)) <= radius_nm
    inside[root] = True
    kept = np.flatnonzero(~inside)
    place = np.full(len(tree) + 1, 0, np.int64)
    place[kept] = np.arange(1, len(kept) + 1)
    rows = np.concatenate(([root], kept))
    parents = np.concatenate(([ROOT], place[tree.parent_rows[kept]]))
    points, radii, kinds = tree.points_nm[rows].copy(), tree.radii_nm[rows].copy(), tree.kinds[rows].copy()
    points[0], radii[0], kinds[0] = centre_nm, radius_nm, SOMA
    features = {name: np.asarray(values)[rows].copy() for name, values in tree.features.items()}
    if "scoop_nm" in features:
        features["scoop_nm"][0] = max(float(features["scoop_nm"][0]), radius_nm)
    return Skeleton.of(parents, points, radii, kinds, features, tree.name)


def _voxel(position: np.ndarray) -> Int3:
    z, y, x = (int(i) for i in position)
    return z, y, x


@numba.njit(cache=True, nogil=True)
def _medial(table, bits, first, positions, neighbours, depth, asked):
    """Which of the voxels asked for have no deeper neighbour."""
    medial = asked.copy()
    for voxel in range(depth.size):
        k = 0
        z, y, x = positions[voxel]
        while medial[voxel] and k < neighbours.shape[0]:
            there = number_at(table, bits, first, z + neighbours[k, 0], y + neighbours[k, 1], x + neighbours[k, 2])
            medial[voxel] = there < 0 or depth[there] <= depth[voxel]
            k += 1
    return medial


@numba.njit(cache=True, nogil=True)
def _top(merged, peak):
    while merged[peak] != peak:
        peak = merged[peak]
    return peak


@numba.njit(cache=True, nogil=True)
def _peaks(table, bits, first, positions, neighbours, depth, deep, pass_share):
    """The peaks left when the voxels `deep`, deepest first, are flooded and basins with a deep pass between them are united."""
    owner = np.full(depth.size, -1, np.int32)
    merged = np.full(depth.size, -1, np.int32)
    for voxel in deep:
        z, y, x = positions[voxel]
        own = -1
        for k in range(neighbours.shape[0]):
            there = number_at(table, bits, first, z + neighbours[k, 0], y + neighbours[k, 1], x + neighbours[k, 2])
            if there < 0 or owner[there] < 0:
                continue
            other = _top(merged, owner[there])
            if own < 0:
                own = other
            elif other != own:
                high, low = (own, other) if depth[own] >= depth[other] else (other, own)
                if depth[voxel] >= pass_share * depth[low]:
                    merged[low] = high
                own = high
        if own < 0:
            own = voxel
            merged[voxel] = voxel
        owner[voxel] = own
    is_peak = np.zeros(depth.size, np.bool_)
    for voxel in deep:
        is_peak[voxel] = merged[voxel] == voxel
    return is_peak
