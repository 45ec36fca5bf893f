"""A minimum spanning tree over points sampled in the foreground.

1. Voxels are sampled from the deepest on, each at a distance from those before: spheres that together fill the foreground. 2. A
front from all samples at once splits the foreground between them; where two fronts meet, the cheapest way between their samples
is known. 3. The minimum spanning tree (Kruskal 1956) over these ways; that the meeting points suffice for it is shown by Mehlhorn
(1988, Inf. Process. Lett. 27:125). 4. Pruned by length and coverage like a tree of shortest paths, see `segments`.

Unlike those, this tree does not depend on where it begins, and it crosses each contact between two neurites at most once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core import Skeleton, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.io.oriented import rooted
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers.centreline import PathSettings, centreline
from neurotome.tracing.tracers.component import Component, component_of, depths_nm, radii_from_depths
from neurotome.tracing.tracers.forest import joining
from neurotome.tracing.tracers.marching import geodesic_front
from neurotome.tracing.tracers.neighbourhood import near
from neurotome.tracing.tracers.segments import cover, kept_voxels, reaches_nm

__all__ = ["SpanningTreeSettings", "sample", "spanning_tree"]


@dataclass(frozen=True, kw_only=True)
class SpanningTreeSettings(PathSettings):
    """Settings of `spanning_tree`. centring: the slowness is (probability * depth) to the power of minus this."""

    centring: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.centring <= 10:
            raise ValueRangeError(f"Centring {self.centring}", "a number in 0..10", "leave it at 2")


def spanning_tree(bricks: Bricks, start: Int3, settings: SpanningTreeSettings | None = None) -> Skeleton:
    """The tree of the component of an object voxel, rooted there."""
    settings = settings or SpanningTreeSettings()
    component = component_of(bricks, start, settings.threshold)
    depths = depths_nm(component)
    radii = radii_from_depths(depths, component)
    reaches = reaches_nm(component, radii, settings.coverage)
    slowness = (component.values / 255 * depths / component.sides_nm.min()) ** -settings.centring
    begin = np.full(len(component), np.inf)
    begin[sample(component, depths, reaches)] = 0
    front = geodesic_front(component, slowness, begin)
    ways = _ways(component, slowness, front.time, front.came, front.order)
    order, came = _rooted(component, front.came, ways)
    kept = kept_voxels(component, order, came, reaches, settings.min_length_nm)
    return centreline(component, kept, came, radii, settings, name="spanning_tree")


def sample(component: Component, depths: np.ndarray, reaches: np.ndarray) -> np.ndarray:
    """The start, then voxels from the deepest on, none within reach of an earlier one; of equal depth the first in the list."""
    return _sample(*component.lookup, component.sides_nm, np.argsort(-depths, kind="stable"), reaches, component.start)


def _ways(component: Component, slowness: np.ndarray, time: np.ndarray, came: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The steps (k, 2) between voxels of different samples that the minimum spanning tree goes over."""
    region = _regions(came, order)
    lookup, steps_nm, slow = component.lookup, component.steps_nm, slowness.astype(np.float32)
    most = _contacts(*lookup, region)
    pairs, costs = np.empty((most, 2), np.int32), np.empty(most)
    count = _meetings(*lookup, slow, steps_nm, time, region, pairs, costs)
    pairs, costs = pairs[:count], costs[:count]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0], costs))]
    return pairs[joining(region[pairs], len(region))]


def _rooted(component: Component, came: np.ndarray, ways: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The voxels on the tree from the start on, parents first, and the parent of each, (n,) int32."""
    used = _used(came, ways, component.start)
    below = np.flatnonzero(used & (came >= 0)).astype(np.int32)
    edges = np.concatenate([ways, np.stack([below, came[below]], axis=1)])
    return rooted(edges, len(came), np.array([component.start]))


@numba.njit(cache=True, nogil=True)
def _sample(table, bits, first, positions, sides, deepest, reaches, start):
    nearest = np.full(len(deepest), np.inf, np.float32)
    owner = np.full(len(deepest), -1, np.int32)
    samples = np.empty(len(deepest), np.int64)
    samples[0] = start
    cover(table, bits, first, positions, sides, start, reaches[start], 0, nearest, owner)
    count = 1
    for voxel in deepest:
        if owner[voxel] < 0:
            cover(table, bits, first, positions, sides, voxel, reaches[voxel], count, nearest, owner)
            samples[count] = voxel
            count += 1
    return samples[:count]


@numba.njit(cache=True, nogil=True)
def _regions(came, order):
    """The sample each voxel was reached from."""
    region = np.empty(len(came), np.int32)
    for voxel in order:
        region[voxel] = voxel if came[voxel] < 0 else region[came[voxel]]
    return region


@numba.njit(cache=True, nogil=True)
def _contacts(table, bits, first, positions, region):
    """How many steps lead from a voxel into a region with a higher number: as many meetings there are at most."""
    around = np.empty(26, np.int64)
    count = 0
    for here in range(len(positions)):
        near(table, bits, first, positions[here], around)
        for there in around:
            count += there >= 0 and region[there] > region[here]
    return count


@numba.njit(cache=True, nogil=True)
def _meetings(table, bits, first, positions, slowness, lengths, time, region, pairs, costs):
    """For each voxel, and each region beside it with a higher number, the cheapest step into it. Returns how many there are."""
    around = np.empty(26, np.int64)
    count = 0
    for here in range(len(positions)):
        near(table, bits, first, positions[here], around)
        begin = count
        for k in range(26):
            there = around[k]
            if there < 0 or region[there] <= region[here]:
                continue
            cost = time[here] + time[there] + 0.5 * lengths[k] * (slowness[here] + slowness[there])
            at = begin
            while at < count and region[pairs[at, 1]] != region[there]:
                at += 1
            if at == count:
                count += 1
                costs[at] = np.inf
            if cost < costs[at]:
                pairs[at, 0], pairs[at, 1], costs[at] = here, there, cost
    return count


@numba.njit(cache=True, nogil=True)
def _used(came, ways, start):
    """The voxels on the way from any end of a step back to its sample, and the start."""
    used = np.zeros(len(came), np.bool_)
    used[start] = True
    for k in range(len(ways)):
        for end in range(2):
            here = ways[k, end]
            while here >= 0 and not used[here]:
                used[here] = True
                here = came[here]
    return used
