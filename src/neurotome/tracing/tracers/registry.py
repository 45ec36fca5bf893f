"""The tracers by name, and what all of them agree on as one more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurotome.core import Skeleton, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers.back_tracking import BackTrackingSettings, back_tracking
from neurotome.tracing.tracers.component import require_threshold
from neurotome.tracing.tracers.consensus import consensus
from neurotome.tracing.tracers.fast_marching import FastMarchingSettings, fast_marching
from neurotome.tracing.tracers.scooping import ScoopingSettings, scooping
from neurotome.tracing.tracers.spanning_tree import SpanningTreeSettings, spanning_tree

__all__ = ["SETTINGS", "TRACERS", "ConsensusSettings", "Tracer", "tracer_settings"]

Tracer = Callable[[Bricks, Int3, Any], Skeleton]
"""(bricks, start, settings or None) -> the tree of the component of the object voxel `start`, with radii, pruned."""

_SINGLE: dict[str, tuple[Tracer, type]] = {
    "scooping": (scooping, ScoopingSettings),
    "fast_marching": (fast_marching, FastMarchingSettings),
    "back_tracking": (back_tracking, BackTrackingSettings),
    "spanning_tree": (spanning_tree, SpanningTreeSettings),
}


@dataclass(frozen=True, kw_only=True)
class ConsensusSettings:
    """Settings of the tracer "consensus".

    threshold, min_length_nm: of all its tracers. tracers: their names. quorum: how many must support what is kept.
    tolerance: how far apart they may run, in diagonals of a voxel.
    """

    threshold: int = 128
    min_length_nm: float = 3000.0
    tracers: tuple[str, ...] = tuple(_SINGLE)
    quorum: int = 2
    tolerance: float = 1.5

    def __post_init__(self) -> None:
        require_threshold(self.threshold)
        for name in self.tracers:
            if name not in _SINGLE:
                raise UnknownNameError("tracer", name, _SINGLE)
        if not 1 <= self.quorum <= len(self.tracers):
            raise ValueRangeError(
                f"Quorum of {self.quorum} for {len(self.tracers)} tracers", f"1..{len(self.tracers)}", "half of them is usual"
            )
        if not self.tolerance > 0:
            raise ValueRangeError(f"Tolerance of {self.tolerance} voxel diagonals", "more than 0", "leave it out for the default")


def _consensus_of_tracers(bricks: Bricks, start: Int3, settings: ConsensusSettings | None = None) -> Skeleton:
    """What the tracers agree on; its features are confidence and support, see `consensus`."""
    settings = settings or ConsensusSettings()
    of_all = {"threshold": settings.threshold, "min_length_nm": settings.min_length_nm}
    trees = [TRACERS[name](bricks, start, replace(SETTINGS[name](), **of_all)) for name in settings.tracers]
    diagonal = float(np.sqrt((np.array(bricks.voxel_nm) ** 2).sum()))
    return consensus(trees, settings.tolerance * diagonal, settings.quorum)


TRACERS: dict[str, Tracer] = {name: tracer for name, (tracer, _) in _SINGLE.items()} | {"consensus": _consensus_of_tracers}
"""The tracers by name."""

SETTINGS: dict[str, type] = {name: settings for name, (_, settings) in _SINGLE.items()} | {"consensus": ConsensusSettings}
"""The type of the settings of each tracer."""


def tracer_settings(name: str, **options: Any) -> Any:
    """The settings of a tracer with these options changed; UnknownNameError for an unknown tracer or option.

    >>> tracer_settings("spanning_tree", threshold=90).threshold
    90
    """
    if name not in SETTINGS:
        raise UnknownNameError("tracer", name, SETTINGS)
    default = SETTINGS[name]()
    for option in options:
        if option not in default.__dataclass_fields__:
            raise UnknownNameError(f"setting of tracer '{name}'", option, default.__dataclass_fields__)
    return replace(default, **options)
