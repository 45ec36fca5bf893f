"""One crop, ready to be measured: what is where in its tissue, and how far from the cleft."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import numpy as np

from neurotome.core import Crop
from neurotome.core.geometry import Nm3
from neurotome.measure.surfaces import Faces, bounding_slices, distance_to, mid_surface, signed_distance

__all__ = ["NotMeasurableError", "Scene"]

_ROUNDING_NM = 1e-3
"""Distances are single precision; a limit of 24 nm shall take three voxels of 8 nm."""
_NAMES = {"pre": "presynapse", "post": "postsynapse", "instances": "single vesicles", "vesicles": "vesicle cloud"}


class NotMeasurableError(Exception):
    """A measure has no value here; says why."""


class Scene:
    """What measures share. Everything lies in the box of valid voxels; beyond it nothing is known, so it is nobody's surface.

    Distances are computed when first asked for, once.
    """

    def __init__(self, crop: Crop, labelled: Collection[str] | None = None) -> None:
        """labelled: the structures that somebody looked for in this volume; None means all."""
        self.crop = crop
        self._labelled = labelled
        self.voxel_nm: Nm3 = crop.voxel_nm
        self.voxel_um3 = float(np.prod(crop.voxel_nm)) * 1e-9
        self.box = bounding_slices(crop.operand("valid"))
        self._bits = crop.bits[self.box]
        self.image = crop.image[self.box]
        self._masks: dict[str, np.ndarray] = {}
        self._signed: dict[str, np.ndarray] = {}

    def mask(self, name: str) -> np.ndarray:
        """Where an operand is, bool (z, y, x)."""
        if name not in self._masks:
            self._masks[name] = self._bits & np.uint32(1 << self.crop.names.index(name)) != 0
        return self._masks[name]

    @cached_property
    def instances(self) -> np.ndarray:
        """Ids of single vesicles (z, y, x)."""
        self.require("instances")
        return np.asarray(self.crop.instances)[self.box]

    def require(self, *names: str) -> None:
        """Raise NotMeasurableError unless all of these are in the crop."""
        absent = [name for name in names if not self.has(name)]
        if absent:
            raise NotMeasurableError("no " + ", no ".join(_NAMES.get(name, name) for name in absent))

    def require_labelled(self, structure: str) -> None:
        """Raise NotMeasurableError where nobody looked for it, so that its absence means nothing."""
        if self._labelled is not None and structure not in self._labelled:
            raise NotMeasurableError(f"no label for {structure} in this volume")

    def has(self, name: str) -> bool:
        return self.crop.instances is not None if name == "instances" else bool(self.mask(name).any())

    def um3(self, mask: np.ndarray) -> float:
        return int(np.count_nonzero(mask)) * self.voxel_um3

    @cached_property
    def from_cleft_nm(self) -> np.ndarray:
        """Distance of every voxel to the nearest one of the cleft, float32."""
        self.require("cleft")
        return distance_to(self.mask("cleft"), self.voxel_nm)

    def near_cleft(self, most_nm: float) -> np.ndarray:
        """Voxels at most so far from the cleft, the cleft among them."""
        near: np.ndarray = self.from_cleft_nm <= most_nm + _ROUNDING_NM
        return near

    def signed_nm(self, side: str) -> np.ndarray:
        """Signed distance to "pre" or "post"."""
        self.require(side)
        if self.mask(side).all():
            raise NotMeasurableError(f"the {_NAMES[side]} fills the crop")
        if side not in self._signed:
            self._signed[side] = signed_distance(self.mask(side), self.voxel_nm)
        return self._signed[side]

    @cached_property
    def between(self) -> Faces:
        """The surface half way between presynapse and postsynapse, normals towards the latter."""
        self.require("pre", "post")
        return mid_surface(self.signed_nm("pre"), self.signed_nm("post"), self.voxel_nm, beyond=True)

    @cached_property
    def cleft_sheet(self) -> Faces:
        """The part of that surface in the cleft."""
        self.require("cleft", "pre", "post")
        sheet = self.between.within(self.mask("cleft"))
        if not len(sheet):
            raise NotMeasurableError("the cleft does not lie between presynapse and postsynapse")
        return sheet
