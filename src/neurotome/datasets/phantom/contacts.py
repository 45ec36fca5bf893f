"""Synapses: which border a bouton uses, its cleft, and the density behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from neurotome.datasets.phantom.neurites import Bouton, Tissue
from neurotome.datasets.phantom.organelles import CLASS, Contents
from neurotome.datasets.phantom.partition import Partition

__all__ = ["DENSITY_NM", "MEMBRANE_NM", "Synapse", "find_synapse", "mark_synapse"]

# Half the width of what counts as membrane: both bilayers and the gap between them.
MEMBRANE_NM = 10.5
DENSITY_NM = 30.0
_PREFERENCE = {"dendrite": 4.0, "soma": 2.0, "neurite": 1.5, "axon": 1.0, "myelinated": 0.0}


@dataclass(frozen=True)
class Synapse:
    """One contact: numbers of the two neurites, centre in nm from voxel 0, radius of the disc."""

    pre: int
    post: int
    centre_nm: np.ndarray
    radius_nm: float


def find_synapse(
    bouton: Bouton, seen_nm: np.ndarray, tissue: Tissue, cells: Partition, voxel_nm: np.ndarray, rng: np.random.Generator
) -> Synapse | None:
    """The border of a bouton (whose centre is seen at `seen_nm`) with its best partner; None where it has none in the volume."""
    box, corner = _box(seen_nm, bouton.radius_nm + 130, voxel_nm, cells.owner.shape)
    owner, partner, border = cells.owner[box], cells.partner[box], cells.border_nm[box]
    touching = (owner == bouton.neurite) & (partner > 0) & (border < MEMBRANE_NM)
    ids, counts = np.unique(partner[touching], return_counts=True)
    if not len(ids):
        return None
    votes = counts * np.array([_PREFERENCE[tissue.kinds[i - 1]] for i in ids])
    if votes.max() < 60:
        return None
    post = int(ids[votes.argmax()])
    places = (np.argwhere(touching & (partner == post)) + corner) * voxel_nm
    centre = places[np.linalg.norm(places - places.mean(0), axis=1).argmin()]
    return Synapse(bouton.neurite, post, centre, float(rng.uniform(110, 210)))


def mark_synapse(
    synapse: Synapse, cells: Partition, neurons: np.ndarray, contents: Contents, stain: np.ndarray, voxel_nm: np.ndarray
) -> tuple[int, int] | None:
    """Write cleft and density of one synapse into `contents` and its darkness (0..1) into `stain`.

    Gives the ids in `neurons` that touch the cleft before and behind it; None, with nothing written, unless both do.
    """
    box, corner = _box(synapse.centre_nm, synapse.radius_nm, voxel_nm, cells.owner.shape)
    owner, partner, border = cells.owner[box], cells.partner[box], cells.border_nm[box]
    index = np.indices(owner.shape).reshape(3, -1).T + corner
    away = np.linalg.norm(index * voxel_nm - synapse.centre_nm, axis=1).reshape(owner.shape) / synapse.radius_nm
    disc = away < 1
    pre = disc & (owner == synapse.pre) & (partner == synapse.post)
    post = disc & (owner == synapse.post) & (partner == synapse.pre)
    cleft = (pre | post) & (border < MEMBRANE_NM)
    density = post & (border >= MEMBRANE_NM) & (border < MEMBRANE_NM + DENSITY_NM)
    beside = ndimage.binary_dilation(cleft, ndimage.generate_binary_structure(3, 1)) & (neurons[box] > 0)
    ids = [_commonest(neurons[box][beside & (owner == side)]) for side in (synapse.pre, synapse.post)]
    if not density.any() or not all(ids):
        return None
    contents.kind[box][cleft] = CLASS["cleft"]
    contents.kind[box][density] = CLASS["density"]
    edge = np.clip((1 - away) * 4, 0, 1)
    behind = np.clip((MEMBRANE_NM + DENSITY_NM - border) / 14, 0, 1) * edge
    before = 0.45 * np.clip((MEMBRANE_NM + 16 - border) / 12, 0, 1) * edge
    dark = np.where(post, 0.9 * behind, np.where(pre, before, 0))
    stain[box] = np.maximum(stain[box], dark)
    return ids[0], ids[1]


def _commonest(ids: np.ndarray) -> int:
    values, counts = np.unique(ids, return_counts=True)
    return int(values[counts.argmax()]) if len(values) else 0


def _box(
    centre_nm: np.ndarray, reach_nm: float, voxel_nm: np.ndarray, shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], np.ndarray]:
    start = np.clip(np.floor((centre_nm - reach_nm) / voxel_nm).astype(int), 0, shape)
    stop = np.clip(np.ceil((centre_nm + reach_nm) / voxel_nm).astype(int) + 1, 0, shape)
    return tuple(slice(a, max(a, b)) for a, b in zip(start, stop, strict=True)), start
