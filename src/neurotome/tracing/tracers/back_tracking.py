"""Back-tracking from the furthest voxel that nothing covers yet, over and over: in the manner of Rivulet.

Liu et al. 2016, Neuroinformatics 14:387; Liu et al. 2018, IEEE Trans. Med. Imaging 37:2441. 1. A front from the start, fast in
the middle of a neurite, gives each voxel a time. 2. From the latest voxel that is not covered a path runs down the steepest
descent until it comes within reach of the tree. 3. What it passes is covered; the path joins the tree unless it is short or
too little of it lies in the foreground. 4. Until nothing is left uncovered.

With a floor below the threshold the front also crosses dim voxels, and the confidence of a path is the share of its voxels that
reach the threshold: so dim gaps are crossed, and said to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core import Skeleton, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers.centreline import PathSettings, skeleton_of
from neurotome.tracing.tracers.component import component_of, depths_nm, radii_from_depths
from neurotome.tracing.tracers.marching import eikonal_front
from neurotome.tracing.tracers.segments import cover, reaches_nm

__all__ = ["BackTrackingSettings", "back_tracking"]


@dataclass(frozen=True, kw_only=True)
class BackTrackingSettings(PathSettings):
    """Settings of `back_tracking`.

    floor: the front crosses voxels of at least this value; 0 means the threshold. min_confidence: paths with less are dropped.
    centring: the slowness is (probability * depth) to the power of minus this.
    """

    floor: int = 0
    min_confidence: float = 0.5
    centring: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.floor <= self.threshold:
            raise ValueRangeError(
                f"Floor {self.floor} with a threshold of {self.threshold}", "0 up to the threshold", "lower the floor"
            )
        if not 0 <= self.min_confidence <= 1:
            raise ValueRangeError(
                f"Least confidence {self.min_confidence}", "a share in [0, 1]", "divide by 100 if it is in percent"
            )
        if not 0 <= self.centring <= 10:
            raise ValueRangeError(f"Centring {self.centring}", "a number in 0..10", "leave it at 2")


def back_tracking(bricks: Bricks, start: Int3, settings: BackTrackingSettings | None = None) -> Skeleton:
    """The tree of the component of an object voxel, rooted there; the feature confidence is that of a node's path."""
    settings = settings or BackTrackingSettings()
    component = component_of(bricks, start, settings.floor or settings.threshold)
    depths = depths_nm(component)
    radii = radii_from_depths(depths, component)
    speed = (component.values / 255 * depths / component.sides_nm.min()) ** settings.centring
    front = eikonal_front(component, 1 / speed, component.start)
    voxels, parents, confidence = _track(
        *component.lookup,
        component.sides_nm,
        front.order,
        front.came,
        component.values >= settings.threshold,
        reaches_nm(component, radii, settings.coverage),
        settings.min_length_nm,
        settings.min_confidence,
    )
    return skeleton_of(component, voxels, parents, radii, settings, {"confidence": confidence}, "back_tracking")


@numba.njit(cache=True, nogil=True)
def _track(table, bits, first, positions, sides, order, came, bright, reaches, min_length, min_confidence):
    """The voxels of the nodes, their parents, and the confidence of the path each came with."""
    n = len(positions)
    voxels, parents, confidence = np.empty(n, np.int32), np.empty(n, np.int64), np.ones(n)
    owner, nearest = np.full(n, -1, np.int32), np.full(n, np.inf, np.float32)
    tried, tried_near = np.full(n, -1, np.int32), np.full(n, np.inf, np.float32)
    path = np.empty(n, np.int32)
    voxels[0], parents[0] = order[0], -1
    cover(table, bits, first, positions, sides, order[0], reaches[order[0]], 0, nearest, owner)
    nodes = 1
    for k in range(n - 1, 0, -1):
        here = order[k]
        if owner[here] >= 0 or tried[here] >= 0 or not bright[here]:
            continue
        steps, length, seen = 0, 0.0, 0
        while owner[here] < 0:
            path[steps] = here
            steps += 1
            seen += bright[here]
            last = here
            here = came[here]
            length += np.sqrt((((positions[last] - positions[here]) * sides) ** 2).sum())
        if length < min_length or seen < min_confidence * steps:
            for s in range(steps):
                cover(table, bits, first, positions, sides, path[s], reaches[path[s]], 0, tried_near, tried)
            continue
        parent = owner[here]
        for s in range(steps - 1, -1, -1):
            voxels[nodes], parents[nodes], confidence[nodes] = path[s], parent, seen / steps
            cover(table, bits, first, positions, sides, path[s], reaches[path[s]], nodes, nearest, owner)
            parent = nodes
            nodes += 1
    return voxels[:nodes], parents[:nodes], confidence[:nodes]
