"""Who sits where: a lattice of cells with a synapse in each, and which synapses share a presynaptic neuron."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from neurotome.core import Grid
from neurotome.core.geometry import Int3
from neurotome.datasets.synapse_phantoms.anatomy import REACH_NM
from neurotome.datasets.synapse_phantoms.spec import BLOCK, StudySpec

__all__ = ["Lattice", "lattice_for", "presynapses"]

_MARGIN_NM = 128.0
_LONGEST = 3
_LARGEST_GROUP = 5


@dataclass(frozen=True, eq=False)
class Lattice:
    """rows: (cz, cy, cx) which synapse sits in a cell, -1 none. cell: its voxels. margin: voxels of other tissue around all."""

    rows: np.ndarray
    cell: Int3
    margin: Int3
    grid: Grid

    def centres_nm(self) -> np.ndarray:
        """(n, 3), the middles of the cells in the order of the synapses."""
        places = np.argwhere(self.rows >= 0)
        order = np.argsort(self.rows[tuple(places.T)])
        middle = (places[order] + 0.5) * self.cell + self.margin
        return np.asarray(middle * self.grid.voxel_nm)

    def jitter_nm(self) -> float:
        """How far a synapse may lie from the middle of its cell, so that its shapes stay in it."""
        return float(min(n * v for n, v in zip(self.cell, self.grid.voxel_nm, strict=True)) / 2 - REACH_NM)


def lattice_for(spec: StudySpec, rng: np.random.Generator) -> Lattice:
    """Cells for all synapses of one volume, in the compact box that has the fewest, in random order."""
    counts = _counts(spec.per_volume)
    rows = np.full(math.prod(counts), -1)
    rows[: spec.per_volume] = np.arange(spec.per_volume)
    z, y, x = (BLOCK * math.ceil(_MARGIN_NM / v / BLOCK) for v in spec.voxel_nm)
    shape = tuple(n * c + 2 * m for n, c, m in zip(counts, spec.cell_vox, (z, y, x), strict=True))
    grid = Grid(shape, spec.voxel_nm)  # type: ignore[arg-type]
    return Lattice(rng.permutation(rows).reshape(counts), spec.cell_vox, (z, y, x), grid)


def _counts(n: int) -> Int3:
    """How many cells along each axis: the fewest that hold n, and of those the most compact.

    >>> _counts(1), _counts(6), _counts(102)
    ((1, 1, 1), (1, 2, 3), (3, 5, 7))
    """
    side = math.ceil(n ** (1 / 3))
    found = []
    for z in range(1, side + 1):
        for y in range(z, math.ceil(math.sqrt(n / z)) + 1):
            x = max(math.ceil(n / (z * y)), y)
            if x <= _LONGEST * z:
                found.append((z * y * x, z + y + x, (z, y, x)))
    return min(found)[2]


def presynapses(types: np.ndarray, loyalty: float, rng: np.random.Generator) -> np.ndarray:
    """Number of the presynaptic neuron of each synapse: groups of 1 to 5.

    The first of a group is drawn from all that are left, each other one from those of its type with probability `loyalty`.
    """
    left = list(rng.permutation(len(types)))
    owner = np.zeros(len(types), np.int64)
    number = 0
    while left:
        first = left.pop()
        owner[first] = number
        for _ in range(int(rng.integers(0, _LARGEST_GROUP))):
            alike = [i for i in left if types[i] == types[first]]
            loyal = rng.random() < loyalty
            if not left or (loyal and not alike):
                break
            chosen = int(rng.choice(alike if loyal else left))
            left.remove(chosen)
            owner[chosen] = number
        number += 1
    return owner
