"""What may be chosen when a shape is put on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from neurotome.core import CUBE, UnknownNameError, ValueRangeError

__all__ = ["GridSettings"]

_CHOICES = {
    "centring": ("soma", "mean", "soma_xz", "none"),
    "orientation": ("given", "principal"),
    "scale": ("per_shape", "fixed_extent", "global"),
    "mode": ("hits", "soft", "edt", "skeleton"),
    "rule": ("neurotome", "legacy"),
    "axes": ("zyx", "xyz"),
    "fill": ("auto", "inside", "surface"),
}


@dataclass(frozen=True)
class GridSettings:
    """How a shape becomes a grid of size**3 voxels.

    centring: what lies at the centre: the soma; the mean (of cable by length, of surface by area, of points); soma_xz: the soma
    but at its own depth y; none: the origin of the data. allow_mean: take the mean where no soma is known, else refuse.
    orientation: as given, or principal axes, longest along z, shortest along x, each with its longer tail in front.
    scale: per_shape: just what the shape needs, and `margin` of it more; fixed_extent: from -extent_nm to extent_nm about the
    centre; global: `range_nm`, from the lowest to the highest coordinate of a set (`fitted` finds both).
    rule: "legacy" puts the corner of the shape's box at a voxel and centres the box, whatever `centring` says.
    mode, dilate: see `modes.py`. n_points: so many points of a cloud, the same ones each time; all of them where None.
    axes: of the array. fill: whether meshes are filled; auto: those that are closed. strict_radii: refuse trees without radii.
    most_clipped: a shape with a larger share outside the grid is refused.

    Raises UnknownNameError, ValueRangeError.

    >>> GridSettings(size=32).to_json()["centring"], GridSettings.from_json(GridSettings(size=32).to_json()).size
    ('soma', 32)
    """

    size: int = 64
    centring: str = "soma"
    orientation: str = "given"
    scale: str = "per_shape"
    extent_nm: float | None = None
    range_nm: tuple[float, float] | None = None
    margin: float = 0.02
    mode: str = "hits"
    dilate: int = 0
    n_points: int | None = None
    rule: str = "neurotome"
    allow_mean: bool = True
    axes: str = "zyx"
    fill: str = "auto"
    strict_radii: bool = False
    most_clipped: float = 0.05

    def __post_init__(self) -> None:
        for key, known in _CHOICES.items():
            if getattr(self, key) not in known:
                raise UnknownNameError(key, getattr(self, key), known)
        if self.size < CUBE or self.size % CUBE:
            legal = sorted({max(self.size // CUBE, 1) * CUBE, (max(self.size, 0) // CUBE + 1) * CUBE})
            raise ValueRangeError(
                f"A grid of {self.size} voxels", f"a multiple of {CUBE}", f"take {' or '.join(map(str, legal))}"
            )
        if self.range_nm is not None:
            low, high = self.range_nm
            object.__setattr__(self, "range_nm", (float(low), float(high)))
        self._require_ranges()

    def _require_ranges(self) -> None:
        if self.extent_nm is not None and not (np.isfinite(self.extent_nm) and self.extent_nm > 0):
            raise ValueRangeError(f"extent_nm {self.extent_nm}", "above 0", "find it with `fitted`")
        if self.range_nm is not None and not (np.isfinite(self.range_nm).all() and self.range_nm[0] < self.range_nm[1]):
            raise ValueRangeError(f"range_nm {self.range_nm}", "low, then high", "find it with `fitted`")
        if self.n_points is not None and self.n_points < 1:
            raise ValueRangeError(f"n_points {self.n_points}", "1 or more", "leave it out to take all points")
        if not (0 <= self.margin < 1 and 0 <= self.most_clipped <= 1):
            raise ValueRangeError(f"margin {self.margin}, most_clipped {self.most_clipped}", "shares from 0 to 1", "change it")
        if self.dilate < 0 or (self.dilate and self.mode not in ("hits", "edt")):
            raise ValueRangeError(
                f"dilate {self.dilate}, mode '{self.mode}'", "rounds of 0 or more, with hits or edt", "leave it out"
            )

    def but(self, **changes: Any) -> GridSettings:
        """The same settings with some of them changed."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        values = asdict(self)
        return {**values, "range_nm": list(self.range_nm) if self.range_nm else None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GridSettings:
        """What `to_json` gave; keys that are missing are as in a new object. Raises UnknownNameError for one it does not know."""
        known = [field.name for field in fields(cls)]
        if unknown := sorted(data.keys() - set(known)):
            raise UnknownNameError("grid setting", unknown[0], known)
        span = data.get("range_nm")
        return cls(**{**data, "range_nm": tuple(span) if span else None})
