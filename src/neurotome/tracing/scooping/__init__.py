"""Voxel Scooping: trees from a probability volume, their radii, and what makes them clean."""

from neurotome.tracing.scooping.finish import extend_tips, reduce_nodes, smooth_radii
from neurotome.tracing.scooping.prune import prune
from neurotome.tracing.scooping.radius import rayburst
from neurotome.tracing.scooping.scoop import ScoopSettings, scoop
from neurotome.tracing.scooping.walk import Visited

__all__ = ["ScoopSettings", "Visited", "extend_tips", "prune", "rayburst", "reduce_nodes", "scoop", "smooth_radii"]
