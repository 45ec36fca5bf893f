"""Gaps in a neurite, bridged: which ends of trees go on in another tree, and how sure that is."""

from neurotome.tracing.bridging.bridge import BRIDGE_COLUMNS, Bridged, bridge, bridge_as_caat
from neurotome.tracing.bridging.candidates import Candidate, candidates
from neurotome.tracing.bridging.score import BridgeSettings, confidence, score

__all__ = [
    "BRIDGE_COLUMNS",
    "BridgeSettings",
    "Bridged",
    "Candidate",
    "bridge",
    "bridge_as_caat",
    "candidates",
    "confidence",
    "score",
]
