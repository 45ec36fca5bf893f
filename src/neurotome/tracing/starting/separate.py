"""One object, several neurons: what belongs to which."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import pandas as pd

from neurotome.tracing.sparse.object_voxels import NEIGHBOURS, ObjectVoxels, number_at
from neurotome.tracing.starting.foreground import components
from neurotome.tracing.tracers.component import step_lengths
from neurotome.tracing.tracers.marching import lift, take_first

__all__ = ["CONTESTED_COLUMNS", "Territories", "contested_contacts", "territories"]

CONTESTED_COLUMNS = ("first", "second", "z", "y", "x", "voxels", "path_nm")


@dataclass(frozen=True, eq=False)
class Territories:
    """owner: (n,) int32, the source of each object voxel, -1 where none reaches. path_nm: (n,) the way to it, in the object."""

    owner: np.ndarray
    path_nm: np.ndarray


def territories(voxels: ObjectVoxels, sources: np.ndarray, head_start_nm: np.ndarray) -> Territories:
    """The geodesic watershed of an object from several voxels: each voxel goes to the source with the shortest way inside.

    A way is a chain of 26-neighbours; its length is that of its steps, less the head start of its source (a soma's radius, so
    that somata begin at their surface). Equal ways go to the source with the smaller number.

    sources: (k,) numbers of object voxels. head_start_nm: (k,).
    """
    owner, path_nm = _flood(
        voxels.table,
        voxels.bits,
        voxels.first,
        voxels.positions,
        NEIGHBOURS,
        step_lengths(voxels.voxel_nm),
        np.asarray(sources, np.int64),
        -np.asarray(head_start_nm, np.float64),
    )
    return Territories(owner, path_nm)


def contested_contacts(voxels: ObjectVoxels, found: Territories) -> pd.DataFrame:
    """Where territories touch: a person should look whether each neurite goes on where the watershed says.

    One row per connected contact of two territories, larger ones first: first and second source, z, y, x of the contact's voxel
    nearest to its middle, how many voxels touch (on both sides), and path_nm, the way from there to either source.
    """
    other = _touching(voxels.table, voxels.bits, voxels.first, voxels.positions, NEIGHBOURS, found.owner)
    low, high = np.minimum(found.owner, other), np.maximum(found.owner, other)
    rows = []
    for pair in np.unique(np.stack((low, high), axis=1)[other >= 0], axis=0).tolist():
        here = np.flatnonzero((other >= 0) & (low == pair[0]) & (high == pair[1]))
        which = np.zeros(len(voxels), np.bool_)
        which[here] = True
        part, sizes, _ = components(voxels.chosen(which))
        for contact, size in enumerate(sizes):
            members = here[part == contact]
            places = voxels.positions[members]
            middle = members[np.argmin(((places - places.mean(0)) ** 2).sum(1))]
            z, y, x = voxels.positions[middle].tolist()
            rows.append((*pair, z, y, x, int(size), float(found.path_nm[middle])))
    table = pd.DataFrame(rows, columns=list(CONTESTED_COLUMNS))
    return table.sort_values(["voxels", "z", "y", "x"], ascending=[False, True, True, True], ignore_index=True)


@numba.njit(cache=True, nogil=True)
def _flood(table, bits, first, positions, neighbours, lengths, sources, starts):
    n = positions.shape[0]
    owner = np.full(n, -1, np.int32)
    best = np.full(n, np.inf)
    heap = np.empty(n, np.int32)
    place = np.full(n, -1, np.int32)
    size = 0
    for k in range(sources.size):
        if starts[k] < best[sources[k]]:
            best[sources[k]] = starts[k]
            owner[sources[k]] = k
            size = lift(heap, place, best, size, sources[k])
    while size > 0:
        here = take_first(heap, place, best, size)
        size -= 1
        z, y, x = positions[here]
        for k in range(neighbours.shape[0]):
            there = number_at(table, bits, first, z + neighbours[k, 0], y + neighbours[k, 1], x + neighbours[k, 2])
            if there < 0:
                continue
            way = best[here] + lengths[k]
            if way < best[there]:
                best[there] = way
                owner[there] = owner[here]
                size = lift(heap, place, best, size, there)
            elif way == best[there] and owner[here] < owner[there]:
                owner[there] = owner[here]
    return owner, best


@numba.njit(cache=True, nogil=True)
def _touching(table, bits, first, positions, neighbours, owner):
    """Per voxel the smallest other source among its neighbours' owners, -1 where there is no other."""
    other = np.full(owner.size, -1, np.int32)
    for voxel in range(owner.size):
        if owner[voxel] < 0:
            continue
        z, y, x = positions[voxel]
        for k in range(neighbours.shape[0]):
            there = number_at(table, bits, first, z + neighbours[k, 0], y + neighbours[k, 1], x + neighbours[k, 2])
            if (
                there >= 0
                and owner[there] >= 0
                and owner[there] != owner[voxel]
                and (other[voxel] < 0 or owner[there] < other[voxel])
            ):
                other[voxel] = owner[there]
    return other
