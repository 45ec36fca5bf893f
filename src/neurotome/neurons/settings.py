"""The settings of each method: one frozen dataclass per method, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.neurons.voxel_graph import EVIDENCE

__all__ = [
    "METHODS",
    "AgglomerateSettings",
    "ComponentsSettings",
    "LinkSettings",
    "SegmentSettings",
    "make_settings",
    "settings_for",
]


@dataclass(frozen=True, kw_only=True)
class SegmentSettings:
    """What every method understands.

    evidence: which channels to use, see `voxel_graph`. stored_at: "lower" or "upper" voxel of an affinity's pair.
    min_voxels: segments below this size are dust. small: dust becomes background ("zero") or stays ("keep").
    fill_holes: background enclosed in one segment is given to it up to this many voxels; 0 leaves all holes.
    grow: background pixels within this distance of a segment, inside the section, are given to the nearest one; in pixels.
    """

    method: ClassVar[str] = ""

    evidence: str = "auto"
    stored_at: str = "lower"
    min_voxels: int = 0
    small: str = "zero"
    fill_holes: int = 0
    grow: float = 0

    def __post_init__(self) -> None:
        _known("evidence", self.evidence, EVIDENCE)
        _known("affinity storage", self.stored_at, ("lower", "upper"))
        _known("rule for small segments", self.small, ("keep", "zero"))
        for name in ("min_voxels", "fill_holes", "grow"):
            if getattr(self, name) < 0:
                raise ValueRangeError(f"{name} {getattr(self, name)}", "0 or more", f"give {name}=0 to switch it off")


@dataclass(frozen=True, kw_only=True)
class AgglomerateSettings(SegmentSettings):
    """Watershed fragments and mean-affinity agglomeration.

    t_low, t_high: edges (0..255) below the first make no fragment, edges from the second on always join; 256 switches it off.
    threshold: segments merge while their mean affinity is at least this. t_min: where the stored merge list ends.
    smooth: Gaussian smoothing of the edges in plane before fragments are made, in pixels; sums stay those of the raw edges.
    long_range: let long-range affinities, where there are any, take part in the means.
    """

    method: ClassVar[str] = "agglomerate"

    t_low: int = 1
    t_high: int = 250
    threshold: float = 0.25
    t_min: float = 0.1
    smooth: float = 0
    long_range: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.t_low < self.t_high <= 256:
            raise ValueRangeError(
                f"t_low {self.t_low} and t_high {self.t_high}", "0 < t_low < t_high <= 256", "give t_high above t_low"
            )
        if not 0 <= self.t_min <= 1 or not 0 <= self.threshold <= 1:
            raise ValueRangeError(
                f"Threshold {self.threshold} and t_min {self.t_min}", "numbers in [0, 1]", "divide by 255 if they are grey values"
            )
        if self.threshold < self.t_min:
            raise ValueRangeError(
                f"Threshold {self.threshold} is below t_min {self.t_min}", "a threshold of t_min or more", "lower t_min as well"
            )
        if self.smooth < 0:
            raise ValueRangeError(f"Smoothing of {self.smooth} px", "0 or more", "give smooth=0 to switch it off")


@dataclass(frozen=True, kw_only=True)
class LinkSettings(SegmentSettings):
    """Interleaved overlap linking, the reference method.

    threshold: grey value (1..255) from which a voxel or edge counts. bridge: "none" joins sections only pixel by pixel,
    "overlap" also along the overlap map inside its plane. erosions, skeletonise: clean the overlap map first (the reference:
    10 and True); both off by default because thin processes do not survive it.
    """

    method: ClassVar[str] = "link"

    threshold: int = 127
    bridge: str = "none"
    erosions: int = 0
    skeletonise: bool = False
    grow: float = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        _known("bridge", self.bridge, ("none", "overlap"))
        if not 1 <= self.threshold <= 255:
            raise ValueRangeError(
                f"Threshold {self.threshold}", "a grey value in 1..255", "multiply by 255 if it is a probability"
            )
        if self.erosions < 0:
            raise ValueRangeError(f"{self.erosions} erosions", "0 or more", "give erosions=0 to switch it off")


@dataclass(frozen=True, kw_only=True)
class ComponentsSettings(SegmentSettings):
    """Connected components of the voxel graph.

    threshold: edges and voxels of at least this probability count; it is rounded to whole grey values as they are.
    """

    method: ClassVar[str] = "components"

    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 / 510 <= self.threshold <= 1:
            raise ValueRangeError(f"Threshold {self.threshold}", "a number in (0, 1]", "divide by 255 if it is a grey value")


METHODS = {s.method: s for s in (AgglomerateSettings, ComponentsSettings, LinkSettings)}


def settings_for(method: str, settings: SegmentSettings | None) -> SegmentSettings:
    """The settings given, or the defaults of the method; raises for an unknown method and for another method's settings."""
    if method not in METHODS:
        raise UnknownNameError("segmentation method", method, METHODS)
    if settings is None:
        return METHODS[method]()
    if not isinstance(settings, METHODS[method]):
        raise ValueRangeError(
            f"Settings of type {type(settings).__name__} for method '{method}'",
            METHODS[method].__name__,
            f"give {METHODS[method].__name__}(...) or another method",
        )
    return settings


def make_settings(method: str, options: Mapping[str, Any]) -> SegmentSettings:
    """The settings of a method with these options changed; UnknownNameError for an unknown method or option."""
    default = settings_for(method, None)
    for name in options:
        _known(f"setting of method '{method}'", name, tuple(f.name for f in fields(default)))
    return replace(default, **options)


def _known(kind: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise UnknownNameError(kind, name, known)
