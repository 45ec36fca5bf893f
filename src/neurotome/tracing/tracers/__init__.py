"""tracers: four ways to trace, and what they agree on, behind one interface.

A tracer is a function (bricks, start, settings) -> Skeleton: the tree of the 26-connected component of an object voxel, pruned,
with radii, rooted at the start. `TRACERS` has them by name, `tracer_settings` makes the settings of each.
Read first: `registry.py`, then `fast_marching.py`.
"""

from neurotome.tracing.tracers.back_tracking import BackTrackingSettings, back_tracking
from neurotome.tracing.tracers.consensus import consensus
from neurotome.tracing.tracers.fast_marching import FastMarchingSettings, fast_marching
from neurotome.tracing.tracers.minimal_path import cheapest_path
from neurotome.tracing.tracers.registry import SETTINGS, TRACERS, ConsensusSettings, Tracer, tracer_settings
from neurotome.tracing.tracers.scooping import ScoopingSettings, scooping
from neurotome.tracing.tracers.spanning_tree import SpanningTreeSettings, spanning_tree

__all__ = [
    "SETTINGS",
    "TRACERS",
    "BackTrackingSettings",
    "ConsensusSettings",
    "FastMarchingSettings",
    "ScoopingSettings",
    "SpanningTreeSettings",
    "Tracer",
    "back_tracking",
    "cheapest_path",
    "consensus",
    "fast_marching",
    "scooping",
    "spanning_tree",
    "tracer_settings",
]
