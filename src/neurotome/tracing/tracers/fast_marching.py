"""Fast marching on the grey-weighted distance, with hierarchical pruning: in the manner of APP2.

Xiao and Peng 2013, Bioinformatics 29:1448. 1. The grey-weighted distance of each voxel to the background replaces its value, so
that values rise towards the axis of a neurite. 2. A front from the start reaches every voxel, fastest along the axes. 3. Its tree
of shortest paths is pruned by length and coverage, see `segments`. 4. What is left is trimmed and smoothed, see `centreline`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core import Skeleton, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers.centreline import PathSettings, centreline
from neurotome.tracing.tracers.component import Component, component_of, depths_nm, radii_from_depths
from neurotome.tracing.tracers.marching import geodesic_front
from neurotome.tracing.tracers.segments import kept_voxels, reaches_nm

__all__ = ["FastMarchingSettings", "fast_marching", "grey_weighted_distance"]


@dataclass(frozen=True, kw_only=True)
class FastMarchingSettings(PathSettings):
    """Settings of `fast_marching`.

    attraction: how much the axis is preferred; a voxel where the grey-weighted distance is g (1 at its largest) is crossed
    with the slowness exp(attraction (1 - g)^2). Xiao and Peng use 10.
    """

    attraction: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.attraction <= 50:
            raise ValueRangeError(f"Attraction {self.attraction}", "a number in 0..50", "leave it at 10")


def fast_marching(bricks: Bricks, start: Int3, settings: FastMarchingSettings | None = None) -> Skeleton:
    """The tree of the component of an object voxel, rooted there."""
    settings = settings or FastMarchingSettings()
    component = component_of(bricks, start, settings.threshold)
    depths = depths_nm(component)
    grey = grey_weighted_distance(component, depths)
    slowness = np.exp(settings.attraction * (1 - grey / grey.max()) ** 2)
    begin = np.full(len(component), np.inf)
    begin[component.start] = 0
    front = geodesic_front(component, slowness, begin)
    radii = radii_from_depths(depths, component)
    kept = kept_voxels(
        component, front.order, front.came, reaches_nm(component, radii, settings.coverage), settings.min_length_nm
    )
    return centreline(component, kept, front.came, radii, settings, name="fast_marching")


def grey_weighted_distance(component: Component, depths: np.ndarray) -> np.ndarray:
    """The least sum of probability times length over all ways to the background, (n,) float64, in nm.

    Voxels that touch the background begin with their probability times their depth.
    """
    probability = component.values / 255
    touches = depths <= np.sqrt((component.sides_nm**2).sum()) * (1 + 1e-6)
    if not touches.any():
        return depths * probability
    return geodesic_front(component, probability, np.where(touches, depths * probability, np.inf)).time
