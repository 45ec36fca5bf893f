"""A cube of tissue around a synapse: where it is cut, what is found in it, and what of it is shown."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from neurotome.core.errors import InputError, ShapeError, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Nm3

__all__ = ["OPERANDS", "Crop", "CropLook", "CropRecipe"]

OPERANDS = (
    "valid",
    "background",
    "side1",
    "side2",
    "pre",
    "post",
    "vesicles",
    "cleft",
    "cleft2",
    "mitochondria",
    "all_vesicles",
    "all_cleft",
    "all_cleft2",
    "all_mitochondria",
)
"""What every crop knows of each voxel, in the order of its bits; structures of a legend with other names follow."""
_MOST_OPERANDS = 32

_CENTRINGS = ("smart", "site")
_PADS = ("grey", "reflect", "edge")
_SEARCHES = ("window", "crop")
_UNDETERMINED = ("discard", "side2")
_GREYS = ("percentile", "crop_minmax", "slice_minmax", "fixed", "synister", "zscore", "mean")


@dataclass(frozen=True)
class CropRecipe:
    """Where a crop is cut and how its structures are told apart; what decides the cache of crops.

    size: voxels along a side. centring: "smart" moves the centre by `weight` towards the presynapse, "site" leaves it.
    guard_vox: voxels that the cleft keeps from the crop's faces when the centre moves; None lets it leave. connectivity: 6 or 26
    neighbours of a voxel in a component. least_margin: below it the presynaptic side is undetermined, which on_undetermined
    discards (where a mask needs it) or calls side 2. min_valid: share of voxels that must lie in the volume. pad: what stands
    where there is no tissue. search, from_site: "window" and True look for structures in twice the crop and from the site itself,
    "crop" and False in the crop and from its moved centre, as the reference does. isotropic_nm: resample to cubes of this side.
    """

    size: int = 80
    centring: str = "smart"
    weight: float = 0.7
    guard_vox: int | None = 4
    connectivity: int = 6
    least_margin: float = 0.2
    on_undetermined: str = "discard"
    min_valid: float = 0.5
    pad: str = "grey"
    search: str = "window"
    from_site: bool = True
    isotropic_nm: float | None = None

    def __post_init__(self) -> None:
        if self.size < 2 or self.size % 2:
            raise ValueRangeError(f"Crops of {self.size} voxels", "an even number of 2 or more", "take 80")
        for what, name, known in (
            ("centring", self.centring, _CENTRINGS),
            ("padding", self.pad, _PADS),
            ("search", self.search, _SEARCHES),
            ("answer to an undetermined side", self.on_undetermined, _UNDETERMINED),
        ):
            if name not in known:
                raise UnknownNameError(what, name, known)
        _require_shares(weight=self.weight, least_margin=self.least_margin, min_valid=self.min_valid)
        if self.connectivity not in (6, 26):
            raise ValueRangeError(f"connectivity {self.connectivity}", "6 or 26", "take 6")
        if self.guard_vox is not None and not 0 <= 2 * self.guard_vox < self.size:
            raise ValueRangeError(f"guard_vox {self.guard_vox}", f"0 to {self.size // 2 - 1}, or none", "take 4")
        if self.isotropic_nm is not None and not self.isotropic_nm > 0:
            raise ValueRangeError(
                f"isotropic_nm {self.isotropic_nm}", "more than 0", "leave it out to keep the voxels as they are"
            )

    @classmethod
    def sce(cls, **changes: Any) -> CropRecipe:
        """As SynapseClusterEM does it, for comparisons with it only."""
        told: dict[str, Any] = {"guard_vox": None, "least_margin": 0.0, "on_undetermined": "side2", "min_valid": 0.0}
        return cls(**{**told, "search": "crop", "from_site": False, "pad": "grey", **changes})

    @property
    def key(self) -> str:
        """A short hash of everything that decides a crop."""
        return _key(self)


@dataclass(frozen=True)
class CropLook:
    """What of a crop is shown: a preset ("0" to "13", "5c", ...) or expression of operands, and how grey the rest is.

    alpha: opacity of the grey outside the mask; grey: its display value. normalization: how grey values become 0..1.
    pre_fraction: share of the crop that the presynapse is shrunk or grown to, within pre_tolerance of it; None leaves it.
    fill: percent of the box of presets 12 and 13 that must be full. legacy_8bit: cut to 256 steps, as the reference does.
    """

    mask: str = "11"
    alpha: float = 1.0
    grey: float = 0.6
    normalization: str = "percentile"
    pre_fraction: float | None = None
    pre_tolerance: float = 0.1
    fill: float = 100.0
    legacy_8bit: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", str(self.mask))
        _require_shares(alpha=self.alpha, grey=self.grey, pre_tolerance=self.pre_tolerance)
        if self.pre_fraction is not None:
            _require_shares(pre_fraction=self.pre_fraction)
        if not 0 <= self.fill <= 100:
            raise ValueRangeError(f"fill {self.fill}", "0 to 100 percent", "take 100")
        if self.normalization not in _GREYS:
            raise UnknownNameError("normalisation", self.normalization, _GREYS)
        if not self.mask.strip():
            raise InputError("An empty mask", "a preset such as 11, or an expression such as cleft | pre", "give one")

    @property
    def key(self) -> str:
        """A short hash of everything that decides the view."""
        return _key(self)

    def with_(self, **changes: Any) -> CropLook:
        return replace(self, **changes)


@dataclass(frozen=True, eq=False)
class Crop:
    """A cube around one site with all that is known of its voxels.

    key: "dataset/volume/id". image: (s, s, s) as the volume stores it; what `CropRecipe.pad` says where there is no tissue.
    bits: (s, s, s) uint32, bit i set where the voxel belongs to names[i]. levels: the 0.5 and 99.5 percentile of the volume.
    instances: (s, s, s) ids of single vesicles, where a volume of them was given.
    """

    key: str
    image: np.ndarray
    bits: np.ndarray
    names: tuple[str, ...]
    voxel_nm: Nm3
    levels: tuple[float, float]
    instances: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.image.shape != self.bits.shape or self.image.ndim != 3 or len(set(self.image.shape)) != 1:
            raise ShapeError(f"Crop '{self.key}' with image {self.image.shape} and bits {self.bits.shape}", "two equal cubes")
        if self.names[: len(OPERANDS)] != OPERANDS or len(self.names) > _MOST_OPERANDS:
            raise InputError(
                f"Crop '{self.key}' with operands {self.names}",
                f"{OPERANDS} and others, {_MOST_OPERANDS} at most",
                "cut it again",
            )

    @property
    def size(self) -> int:
        return int(self.image.shape[0])

    def operand(self, name: str) -> np.ndarray:
        """Where the named operand is, bool (s, s, s). Raises UnknownNameError."""
        if name not in self.names:
            raise UnknownNameError("operand", name, self.names)
        found: np.ndarray = (self.bits >> np.uint32(self.names.index(name))) & np.uint32(1) != 0
        return found

    def has(self, name: str) -> bool:
        return name in self.names and bool(self.operand(name).any())


def _require_shares(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueRangeError(f"{name} {value}", "0 to 1", "change it")


def _key(settings: CropRecipe | CropLook) -> str:
    # Fields that are added later, with a value that changes nothing, must not make a cache look like another.
    told = {f.name: value for f in fields(settings) if (value := asdict(settings)[f.name]) != f.default}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]
