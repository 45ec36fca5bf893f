"""Sholl profile of fixed length: how often spheres about the root are crossed, at radii that are shares of the neuron's reach."""

from __future__ import annotations

import numpy as np

from neurotome.core import Skeleton, ValueRangeError
from neurotome.measure.trees import tree_counts
from neurotome.morphology.descriptors.body import Body, body_of

__all__ = ["SHOLL_SUMMARY", "sholl_columns", "sholl_profile"]

NM_PER_UM = 1000.0
SHOLL_SUMMARY = ("log_reach_um", "log_most", "log_mean", "critical_radius", "centroid", "spread", "ramification", "log_decay")


def sholl_profile(skeleton: Skeleton | Body, spheres: int = 20) -> np.ndarray:
    """(spheres + 8,): ln(1 + crossings) of spheres of radius R i / (spheres + 1), i = 1 ... spheres, then `SHOLL_SUMMARY`.

    R: the distance of the furthest node from the root of its tree. Crossings are counted exactly, edges that dip into a sphere
    twice, and added up over the trees (`measure.trees.sholl`). log_reach_um: ln(1 + R in um). log_most, log_mean: ln(1 + ...) of
    the crossings. critical_radius: the share of R of the first sphere with most crossings. centroid, spread: mean and standard
    deviation of the share of R, weighted by crossings. ramification: most crossings over stems (Schoenen 1982). log_decay: slope
    of ln(crossings) against the share of R (Sholl's semi-log coefficient), over spheres that are crossed, 0 for fewer than three.
    A neuron without extent is 0 throughout. Raises ValueRangeError for fewer than one sphere.
    """
    if spheres < 1:
        raise ValueRangeError(f"A Sholl profile of {spheres} spheres", "1 or more", "give 20")
    body = body_of(skeleton)
    tree, reach_um = body.tree, float(body.reach_nm.max()) / NM_PER_UM
    if not reach_um > 0:
        return np.zeros(spheres + len(SHOLL_SUMMARY))
    counts = tree_counts(tree.points_nm / NM_PER_UM, tree.parent_rows, reach_um / (spheres + 1))
    crossings = np.zeros(spheres)
    inner = counts.sholl[:spheres]
    crossings[: len(inner)] = inner
    return np.concatenate([np.log1p(crossings), _summary(crossings, reach_um, counts.stems)])


def sholl_columns(spheres: int = 20) -> tuple[str, ...]:
    """The names of the entries of `sholl_profile`."""
    return (*(f"log_crossings_{i}" for i in range(1, spheres + 1)), *SHOLL_SUMMARY)


def _summary(crossings: np.ndarray, reach_um: float, stems: int) -> np.ndarray:
    radii = np.arange(1, len(crossings) + 1) / (len(crossings) + 1)
    crossed = crossings > 0
    if not crossed.any():
        return np.array([np.log1p(reach_um), *np.zeros(len(SHOLL_SUMMARY) - 1)])
    centroid = float(np.average(radii, weights=crossings))
    spread = float(np.sqrt(np.average((radii - centroid) ** 2, weights=crossings)))
    decay = float(np.polyfit(radii[crossed], np.log(crossings[crossed]), 1)[0]) if crossed.sum() > 2 else 0.0
    most = crossings.max()
    logs = np.log1p([reach_um, most, crossings.mean()])
    return np.array([*logs, radii[crossings.argmax()], centroid, spread, most / max(stems, 1), decay])
