"""The tissue between synapses: neurites as chains of points, each of which owns the space that is nearest to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from neurotome.datasets.synapse_phantoms.anatomy import REACH_NM, random_frame

__all__ = ["SPACING_NM", "Neuropil", "bent_space", "claim", "grow"]

SPACING_NM = 240.0
"""Distance between points, which is about how wide neurites are."""

_BEYOND = 3
_JITTER, _UNEVEN = 0.28, 0.075
_BEND_NM, _BEND_SCALE_NM = 30.0, 85.0


@dataclass(frozen=True, eq=False)
class Neuropil:
    """Points on a jittered lattice that lies askew in the volume and reaches beyond it.

    turn: (3, 3), place in the lattice = turn @ place in the volume. points: (gz, gy, gx, 3) nm, in the lattice.
    owners: (gz, gy, gx) int32, which neurite a point belongs to. bonus: (gz, gy, gx) nm^2, added reach.
    parents: flat index of the point before it in its neurite, its own for the first. corner_nm: where lattice cell 0 begins.
    """

    turn: np.ndarray
    points: np.ndarray
    owners: np.ndarray
    bonus: np.ndarray
    parents: np.ndarray
    corner_nm: np.ndarray


def grow(extent_nm: np.ndarray, first_id: int, rng: np.random.Generator) -> Neuropil:
    """Neurites that fill a box from 0 to extent_nm, numbered from first_id on."""
    # Askew: membranes along the axes would be grazed by whole sections.
    turn = random_frame(rng)
    reach = np.array(list(product(*((0.0, e) for e in extent_nm)))) @ turn.T
    corner = reach.min(axis=0) - _BEYOND * SPACING_NM
    shape = tuple(int(n) for n in np.ceil((reach.max(axis=0) - corner) / SPACING_NM) + _BEYOND)
    middle = np.moveaxis(np.indices(shape), 0, -1) + 0.5 + rng.uniform(-_JITTER, _JITTER, (*shape, 3))
    parents = _chains(shape, rng)
    roots = parents.copy()
    while np.any(roots != (onward := roots[roots])):
        roots = onward
    starts, numbers = np.unique(roots, return_inverse=True)
    bonus = rng.uniform(-_UNEVEN, _UNEVEN, len(starts)) * SPACING_NM**2
    owners = (numbers + first_id).astype(np.int32).reshape(shape)
    return Neuropil(turn, corner + middle * SPACING_NM, owners, bonus[numbers].reshape(shape), parents, corner)


def _chains(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Flat index of the point before each one: every point goes on to a neighbour along its local direction, if that is free."""
    fields = [ndimage.gaussian_filter(rng.standard_normal(shape), 1.2) for _ in range(3)]
    axis = np.argmax(fields, axis=0)
    index = np.arange(axis.size).reshape(shape)
    parents = index.copy()
    for straight in (True, False):
        for a in rng.permutation(3):
            before = tuple(slice(None, -1) if k == a else slice(None) for k in range(3))
            after = tuple(slice(1, None) if k == a else slice(None) for k in range(3))
            free = (axis[before] == a) & (parents[after] == index[after])
            if straight:
                free &= axis[after] == a
            else:
                # A point goes on to one other only.
                free &= ~np.isin(index[before], parents[parents != index])
            parents[after][free] = index[before][free]
    return parents.ravel()


def claim(pil: Neuropil, centre_nm: np.ndarray, way_nm: np.ndarray, owner: int, length_nm: float) -> int:
    """Give the points along a ray that leaves a synapse to `owner`, so that its neurite goes on there; how many they are."""
    way = pil.turn @ (way_nm / np.linalg.norm(way_nm))
    at = pil.points - pil.turn @ centre_nm
    along = at @ way
    aside = np.linalg.norm(at - along[..., None] * way, axis=-1)
    taken = (along > REACH_NM - 40) & (along < REACH_NM + length_nm) & (aside < 0.62 * SPACING_NM)
    pil.owners[taken] = owner
    return int(taken.sum())


def bent_space(shape: tuple[int, ...], step_nm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """By how much space is bent at the corners of blocks, (*shape, 3) float32 nm: neurites are not straight."""
    field = np.empty((*shape, 3), np.float32)
    for a in range(3):
        white = rng.standard_normal(shape, np.float32)
        smooth = ndimage.gaussian_filter(white, _BEND_SCALE_NM / step_nm, mode="nearest", truncate=3.0)
        field[..., a] = smooth * (_BEND_NM / max(float(smooth.std()), 1e-6))
    return field
