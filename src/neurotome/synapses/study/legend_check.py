"""Whether the ids of a legend are really in the labels: looked for where it is cheap, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from itertools import product

import fastremap
import numpy as np
import pandas as pd

from neurotome.core import Box, SynapseVolume, ValueRangeError, spread

__all__ = ["legend_warnings"]

WHOLE_VOXELS = 1 << 26
"""A volume of no more voxels is looked through as a whole."""
SLAB_VOXELS = 1 << 22
SITES_LOOKED_AT = 64
SITE_REACH_VOX = 64
"""Half the side of the cubes that are looked at about sites."""
SAMPLES = 4
SAMPLE_SHAPE = (16, 512, 512)
"""Without sites, boxes of this shape on a lattice of so many along each axis."""


def legend_warnings(
    volumes: Mapping[str, SynapseVolume], sites: pd.DataFrame | None = None, needed: Collection[str] = ()
) -> tuple[str, ...]:
    """One sentence for each structure of each volume whose ids were not found in the labels, with the ids that were.

    A small volume is looked through; of a large one cubes about the first sites, or without sites boxes all over it, until every
    id has been seen. needed: structures that a mask asks for.

    Raises ValueRangeError where a volume's legend names no id that is there in any volume, or a needed structure none anywhere.
    """
    found = {name: _ids_present(volume, sites) for name, volume in volumes.items()}
    absent = [
        (name, structure, ids)
        for name, volume in volumes.items()
        for structure, ids in volume.structures.items()
        if not found[name].intersection(ids)
    ]
    _require_any(volumes, found, {(name, structure) for name, structure, _ in absent}, needed)
    return tuple(
        f"Volume '{name}' has no voxel of '{structure}' (id {_listed(ids)}) where it was looked for; "
        f"ids that are there: {_listed(found[name])}"
        for name, structure, ids in absent
    )


def _require_any(
    volumes: Mapping[str, SynapseVolume], found: Mapping[str, set[int]], absent: set[tuple[str, str]], needed: Collection[str]
) -> None:
    everywhere = {s for volume in volumes.values() for s in volume.structures}
    lost = {s for s in everywhere if all((name, s) in absent for name, v in volumes.items() if s in v.structures)}
    if volumes and (lost == everywhere or lost.intersection(needed)):
        named = sorted(lost if lost == everywhere else lost.intersection(needed))
        there = "; ".join(f"'{name}' has {_listed(ids)}" for name, ids in found.items())
        raise ValueRangeError(
            f"No volume has a voxel with the ids that the legend gives to {', '.join(named)}",
            f"ids that are in the labels ({there})",
            "correct the legend, or the path of the organelles",
        )


def _ids_present(volume: SynapseVolume, sites: pd.DataFrame | None) -> set[int]:
    wanted = {i for ids in volume.structures.values() for i in ids}
    found: set[int] = set()
    for box in _boxes(volume, sites):
        found.update(int(i) for i in fastremap.unique(np.ascontiguousarray(volume.organelles.read(box))) if i)
        if wanted <= found:
            break
    return found


def _boxes(volume: SynapseVolume, sites: pd.DataFrame | None) -> Iterator[Box]:
    shape = volume.organelles.grid.shape
    if math.prod(shape) <= WHOLE_VOXELS:
        depth = max(1, SLAB_VOXELS // (shape[1] * shape[2]))
        yield from volume.organelles.grid.box.tiles((depth, shape[1], shape[2]))
        return
    here = None if sites is None else sites[sites["volume"] == volume.name]
    if here is not None and len(here):
        for z, y, x in here[["center_z", "center_y", "center_x"]].head(SITES_LOOKED_AT).to_numpy():
            around = Box((z, y, x), (z, y, x)).grow((SITE_REACH_VOX,) * 3).clip(shape)
            if around.size:
                yield around
        return
    for z, y, x in product(*(spread(n, SAMPLES) for n in shape)):
        yield Box((z, y, x), (z, y, x)).grow(tuple(n // 2 for n in SAMPLE_SHAPE)).clip(shape)  # type: ignore[arg-type]


def _listed(ids: Collection[int]) -> str:
    return ", ".join(map(str, sorted(ids)[:12])) or "none"
