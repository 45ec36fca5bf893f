"""Vesicles: the cloud and how it lies to the cleft, and single ones where they are labelled one by one."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from neurotome.measure.surfaces import Axes, covariance_axes, crofton_area
from neurotome.synapses.morphometry.cleft import Cleft
from neurotome.synapses.morphometry.grey import Grey
from neurotome.synapses.morphometry.scene import NotMeasurableError, Scene

__all__ = ["SingleVesicles", "VesicleCloud"]

DOCKED_NM = 50.0
"""Cloud this near to the cleft counts as docked."""
DOCKED_VESICLE_NM = 30.0
"""So does a single vesicle."""
CORE = 0.5
"""What is nearer to a vesicle's centre than this share of its radius is its core; its membrane is dark in all of them."""
DENSE = -1.0
"""Standardised grey value below which a core is dense."""


class VesicleCloud:
    """The nearest vesicle cloud V of a site."""

    def __init__(self, scene: Scene, cleft: Cleft) -> None:
        self.scene = scene
        self.cleft = cleft

    @property
    def mask(self) -> np.ndarray:
        self.scene.require("vesicles")
        return self.scene.mask("vesicles")

    @cached_property
    def voxels(self) -> int:
        return int(np.count_nonzero(self.mask))

    @property
    def volume_um3(self) -> float:
        return self.voxels * self.scene.voxel_um3

    @property
    def percent_crop(self) -> float:
        return 100 * self.voxels / self.scene.crop.size**3

    @cached_property
    def surface_um2(self) -> float:
        return crofton_area(self.mask, self.scene.voxel_nm) * 1e-6

    @property
    def sphericity(self) -> float:
        """Surface of the ball of its volume over its own."""
        return float(np.cbrt(np.pi) * np.cbrt(6 * self.volume_um3) ** 2 / self.surface_um2)

    @cached_property
    def axes(self) -> Axes:
        return covariance_axes(self.mask, self.scene.voxel_nm)

    @cached_property
    def from_cleft_nm(self) -> np.ndarray:
        """Of each of its voxels."""
        return self.scene.from_cleft_nm[self.mask]

    @property
    def docked_fraction(self) -> float:
        return float(self.scene.near_cleft(DOCKED_NM)[self.mask].mean())

    @property
    def share_of_pre(self) -> float:
        self.scene.require("vesicles", "pre")
        pre = self.scene.mask("pre")
        return int(np.count_nonzero(self.mask & pre)) / int(np.count_nonzero(pre))

    @cached_property
    def offset_nm(self) -> tuple[float, float]:
        """From the cleft's centre to the cloud's: along the cleft's shortest axis, and across it."""
        way, normal = self.axes.centre_nm - self.cleft.axes.centre_nm, self.cleft.axes.directions[2]
        along = float(way @ normal)
        return abs(along), float(np.linalg.norm(way - along * normal))


class SingleVesicles:
    """The labelled vesicles that lie in the cloud with half of their voxels or more."""

    def __init__(self, scene: Scene, cloud: VesicleCloud, grey: Grey) -> None:
        self.scene = scene
        self.cloud = cloud
        self.grey = grey

    @cached_property
    def _labelled(self) -> np.ndarray:
        self.scene.require("vesicles", "instances")
        return np.asarray(self.scene.instances > 0)

    @cached_property
    def _numbers(self) -> np.ndarray:
        """For each labelled voxel a number from 0 that stands for its vesicle."""
        return np.unique(self.scene.instances[self._labelled], return_inverse=True)[1]

    @cached_property
    def _sizes(self) -> np.ndarray:
        return np.bincount(self._numbers)

    @cached_property
    def _chosen(self) -> np.ndarray:
        """(vesicles,) bool."""
        if not self._labelled.any():
            return np.zeros(0, bool)
        return 2 * np.bincount(self._numbers, weights=self.cloud.mask[self._labelled]) >= self._sizes

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self._chosen))

    @property
    def docked_count(self) -> int:
        near = self.scene.near_cleft(DOCKED_VESICLE_NM)[self._labelled]
        return int(np.count_nonzero(np.bincount(self._numbers[near], minlength=len(self._chosen))[self._chosen]))

    @property
    def density_per_um3(self) -> float:
        return self.count / self.cloud.volume_um3

    @cached_property
    def diameters_nm(self) -> np.ndarray:
        """Of balls of their volumes; vesicles at the border of the tissue, which may be cut, have none."""
        whole = self._chosen.copy()
        whole[self._numbers[_at_border(self._labelled)[self._labelled]]] = False
        if not whole.any():
            raise NotMeasurableError("no whole single vesicle in the cloud")
        return np.asarray(np.cbrt(6 * self._sizes[whole] * self.scene.voxel_um3 / np.pi) * 1000)

    @property
    def dense_core_fraction(self) -> float:
        if not self.count:
            raise NotMeasurableError("no single vesicle in the cloud")
        core = self._in_core
        numbers, values = self._numbers[core], self.scene.image[self._labelled][core]
        voxels = np.bincount(numbers, minlength=len(self._chosen))[self._chosen]
        sums = np.bincount(numbers, weights=values, minlength=len(self._chosen))[self._chosen]
        known = voxels > 0
        if not known.any():
            raise NotMeasurableError("single vesicles are too small to have a core")
        return float((self.grey.standardised(sums[known] / voxels[known]) < DENSE).mean())

    @property
    def _in_core(self) -> np.ndarray:
        """(labelled voxels,) bool."""
        places = np.argwhere(self._labelled) * np.array(self.scene.voxel_nm)
        sums = [np.bincount(self._numbers, weights=along) for along in places.T]
        centres = (np.stack(sums) / self._sizes)[:, self._numbers]
        radii_nm = 1000 * np.cbrt(3 * self._sizes * self.scene.voxel_um3 / (4 * np.pi))
        near: np.ndarray = ((places.T - centres) ** 2).sum(axis=0) <= (CORE * radii_nm[self._numbers]) ** 2
        return near


def _at_border(mask: np.ndarray) -> np.ndarray:
    border = np.ones(mask.shape, bool)
    border[1:-1, 1:-1, 1:-1] = False
    return border
