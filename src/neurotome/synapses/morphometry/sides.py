"""The two neurons: how much of each there is, how compact, how large their contact; and the mitochondria of the presynapse."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from neurotome.measure.surfaces import crofton_area
from neurotome.synapses.morphometry.scene import NotMeasurableError, Scene

__all__ = ["Contact", "PreMitochondria", "Side"]

NEAR_NM = 300.0
"""Of a neuron, only what lies this near to the cleft is the same wherever the crop is cut."""
CONTACT_NM = 80.0
"""Two neurons touch where no more than this lies between them."""


class Side:
    """What a crop shows of the presynaptic ("pre") or postsynaptic ("post") neuron."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene = scene
        self.name = name

    @property
    def mask(self) -> np.ndarray:
        self.scene.require(self.name)
        return self.scene.mask(self.name)

    @cached_property
    def volume_um3(self) -> float:
        return self.scene.um3(self.mask)

    @cached_property
    def near_volume_um3(self) -> float:
        self.scene.require(self.name, "cleft")
        return self.scene.um3(self.mask & self.scene.near_cleft(NEAR_NM))

    @property
    def surface_to_volume_per_um(self) -> float:
        """Where the crop cuts the neuron is none of its surface."""
        return crofton_area(self.mask, self.scene.voxel_nm, cut_faces=False) * 1e-6 / self.volume_um3

    @property
    def max_radius_nm(self) -> float:
        """Of the largest ball inside; the neuron goes on unchanged beyond the crop."""
        return float(-self.scene.signed_nm(self.name).min())


class Contact:
    """Where the two neurons face each other."""

    def __init__(self, scene: Scene, pre: Side, post: Side) -> None:
        self.scene = scene
        self.pre = pre
        self.post = post

    @property
    def log_ratio(self) -> float:
        """Natural logarithm of the presynapse's volume near the cleft over the postsynapse's."""
        self.scene.require("pre", "post", "cleft")
        sizes = self.pre.near_volume_um3, self.post.near_volume_um3
        if min(sizes) == 0:
            raise NotMeasurableError("one side is not near the cleft")
        return float(np.log(sizes[0] / sizes[1]))

    @cached_property
    def area_um2(self) -> float:
        faces = self.scene.between
        gap = sum(np.maximum(self.scene.signed_nm(side), 0) for side in ("pre", "post"))
        return faces.within(gap <= CONTACT_NM).area_nm2 * 1e-6

    @property
    def cleft_fraction(self) -> float:
        sheet = self.scene.cleft_sheet
        if self.area_um2 == 0:
            raise NotMeasurableError("presynapse and postsynapse do not touch")
        return sheet.area_nm2 * 1e-6 / self.area_um2


class PreMitochondria:
    """All mitochondria in the presynapse."""

    def __init__(self, scene: Scene, pre: Side) -> None:
        self.scene = scene
        self.pre = pre

    @cached_property
    def mask(self) -> np.ndarray:
        self.scene.require_labelled("mitochondria")
        return self.pre.mask & self.scene.mask("all_mitochondria")

    @property
    def volume_um3(self) -> float:
        return self.scene.um3(self.mask)

    @property
    def fraction(self) -> float:
        return self.volume_um3 / self.pre.volume_um3

    @cached_property
    def from_cleft_nm(self) -> float:
        self.scene.require("pre", "cleft")
        if not self.mask.any():
            raise NotMeasurableError("no mitochondrion in the presynapse")
        return float(self.scene.from_cleft_nm[self.mask].min())

    @property
    def within_300nm(self) -> float:
        self.scene.require("pre", "cleft")
        return float((self.mask & self.scene.near_cleft(NEAR_NM)).any())
