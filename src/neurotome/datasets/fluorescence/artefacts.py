"""What a label does along a neurite: it varies, fades towards the tips, leaves gaps and gathers in beads."""

from __future__ import annotations

import numpy as np

from neurotome.core import SOMA, Skeleton
from neurotome.datasets.fluorescence.paths import Branches

__all__ = ["beads", "fading", "gaps", "unevenness"]

# Share of the branches that fade where any does.
_FADING_SHARE = 0.6
_SHORTEST_GAP = 1.0


def unevenness(ways: Branches, unit_nm: float, amount: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) factors around 1: a level per branch, and waves along it some ten units long."""
    level = 1 + amount * np.clip(rng.standard_normal(len(ways.length_nm)), -1.5, 1.5)
    period = unit_nm * rng.uniform(12, 40, len(ways.length_nm))
    phase = rng.uniform(0, 2 * np.pi, len(ways.length_nm))
    wave = np.sin(2 * np.pi * ways.along_nm / period[ways.number] + phase[ways.number])
    return np.asarray(level[ways.number] * (1 + amount * wave))


def fading(ways: Branches, amount: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) factors: along some of the branches that end in a tip, the brightness falls linearly to 1 - amount."""
    chosen = ways.is_end & (rng.random(len(ways.length_nm)) < _FADING_SHARE)
    share = ways.along_nm / np.maximum(ways.length_nm, 1e-9)[ways.number]
    return np.asarray(1 - amount * chosen[ways.number] * share)


def gaps(tree: Skeleton, ways: Branches, count: int, longest_nm: float, unit_nm: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) bool, the nodes that carry no label: `count` stretches whose dark part is 1 unit to `longest_nm` long.

    Neither at the start of a branch nor at its end, where a gap would be another morphology. The stretch is longer than its
    dark part by the radius at both ends, because the ends of a labelled piece are round. Fewer where there is no room.
    """
    dark = np.zeros(len(tree), np.bool_)
    room = np.flatnonzero(ways.length_nm > 4 * longest_nm + 10 * unit_nm)
    for branch in np.resize(rng.permutation(room), count if len(room) else 0):
        middle = ways.length_nm[branch] * rng.uniform(0.25, 0.75)
        on = np.flatnonzero(ways.number == branch)
        nearest = on[np.abs(ways.along_nm[on] - middle).argmin()]
        half = 0.5 * rng.uniform(min(_SHORTEST_GAP * unit_nm, longest_nm), longest_nm) + tree.radii_nm[nearest]
        dark[on[np.abs(ways.along_nm[on] - middle) <= half]] = True
    return dark


def beads(
    tree: Skeleton, ways: Branches, share: float, unit_nm: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Factors (n,) on the radius and on the brightness: a `share` of the branches is a string of beads.

    Beads are 6 to 16 units apart, up to twice as thick as the branch and brighter; between them it is thinner.
    """
    count = len(ways.length_nm)
    beaded = (rng.random(count) < share)[ways.number] & (tree.kinds != SOMA)
    period = unit_nm * rng.uniform(6, 16, count)
    phase = rng.uniform(0, 1, count)
    swelling = rng.uniform(0.3, 1.0, count)
    # Not quite periodic: the phase drifts.
    drift = 0.35 * np.sin(ways.along_nm / (2.6 * period[ways.number]) + 6 * phase[ways.number])
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (ways.along_nm / period[ways.number] + phase[ways.number] + drift))
    bead = wave**3 * swelling[ways.number]
    thinner = 1 - 0.25 * swelling[ways.number]
    return np.where(beaded, thinner + bead * (1 + 0.25), 1.0), np.where(beaded, 0.85 + 0.5 * bead, 1.0)
