"""The cleft: how large, how thick, how bent, how pierced."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from neurotome.measure.surfaces import Axes, covariance_axes, holes
from neurotome.synapses.morphometry.scene import Scene

__all__ = ["Cleft"]

PART_NM = 60.0
"""Pieces of cleft that are nearer than this belong to one synapse."""


class Cleft:
    """The nearest cleft C of a site, and the sheet half way between the two neurons in it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @property
    def mask(self) -> np.ndarray:
        self.scene.require("cleft")
        return self.scene.mask("cleft")

    @property
    def volume_um3(self) -> float:
        return self.scene.um3(self.mask)

    @cached_property
    def area_um2(self) -> float:
        return self.scene.cleft_sheet.area_nm2 * 1e-6

    @property
    def thickness_nm(self) -> float:
        return 1000 * self.volume_um3 / self.area_um2

    @property
    def diameter_nm(self) -> float:
        """Of the disc of that area."""
        return float(2000 * np.sqrt(self.area_um2 / np.pi))

    @property
    def curvature(self) -> float:
        """Area of the sheet over its area as seen along its mean normal: 1 for a plane."""
        sheet = self.scene.cleft_sheet
        return sheet.area_nm2 / sheet.projected_nm2

    @cached_property
    def axes(self) -> Axes:
        return covariance_axes(self.mask, self.scene.voxel_nm)

    @property
    def holes(self) -> float:
        return float(holes(self.mask))

    @property
    def parts(self) -> float:
        """Pieces of all labels of clefts within `PART_NM` of this one, which counts."""
        import cc3d

        clefts = self.scene.mask("all_cleft") | self.scene.mask("all_cleft2") | self.mask
        near = self.scene.near_cleft(PART_NM) & clefts
        # With 6 neighbours the bent rim of a thin sheet would come off in single voxels.
        pieces = cc3d.connected_components(clefts, connectivity=26)
        return float(len(np.unique(pieces[near])))
