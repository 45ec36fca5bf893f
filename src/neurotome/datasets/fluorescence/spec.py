"""What a fluorescence phantom is asked to be, and what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neurotome.core import Image, InputError, Labels, Skeleton
from neurotome.core.geometry import Int3, Nm3
from neurotome.datasets.fluorescence.paths import joined

__all__ = ["NEURON", "FluorescencePhantom", "FluorescenceSpec"]

NEURON = 1
"""The label of the neuron in the mask; its neighbours are 2, 3 and so on."""

_SMALLEST = 8
_TYPES = ("uint8", "uint16")


@dataclass(frozen=True)
class FluorescenceSpec:
    """One labelled neuron under a light microscope, its neighbours and all that goes wrong; two equal specs give equal bytes.

    A length in names ending in _vox counts the smallest side of a voxel.

    snr: the median, along the axes of the neuron outside its soma, of the signal over the background before noise, divided by
    the standard deviation of the noise in the background. Half of the neuron's length is brighter than that.
    source: the morphology, turned and scaled so that the window holds at most `cable_vox` of it; None grows a random tree.
    radius_vox: thinnest and thickest neurite. soma_vox: radius of a grown soma (0 = the tree comes in from the border) and the
    largest one of a given morphology.
    psf_nm: standard deviation of the Gaussian point spread. photons: expected per voxel of background, whose square root is shot
    noise; read_noise: of the camera, in photons.
    background: standard deviation of its slow waves over that of the noise. haze: light from out of focus, relative to the
    signal. depth_loss: share of the signal lost from the first section to the last.
    fading: share of the brightness lost along a branch towards its end. gaps: how many unlabelled stretches, each up to `gap_vox`
    long. beads: share of the branches that are beaded. neighbours: how many other neurons send a neurite through the window.
    specks: how many bright grains that are no neurite.
    cut_sd: voxels darker than this many noise deviations over the background are set to 0, as in stacks that were thresholded
    before they were shared; None leaves them.
    """

    shape: Int3 = (64, 192, 192)
    voxel_nm: Nm3 = (1000.0, 500.0, 500.0)
    seed: int = 0
    snr: float = 5.0
    source: Skeleton | None = None
    cable_vox: float = 1600.0
    radius_vox: tuple[float, float] = (0.8, 2.5)
    soma_vox: float = 7.0
    psf_nm: Nm3 = (1100.0, 400.0, 400.0)
    photons: float = 30.0
    read_noise: float = 2.0
    background: float = 1.0
    haze: float = 0.1
    depth_loss: float = 0.2
    fading: float = 0.4
    gaps: int = 3
    gap_vox: float = 4.0
    beads: float = 0.3
    neighbours: int = 1
    specks: int = 5
    cut_sd: float | None = None
    dtype: str = "uint8"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "voxel_nm", tuple(float(v) for v in self.voxel_nm))
        object.__setattr__(self, "psf_nm", tuple(float(v) for v in self.psf_nm))
        object.__setattr__(self, "radius_vox", tuple(float(r) for r in self.radius_vox))
        if len(self.shape) != 3 or min(self.shape) < _SMALLEST:
            raise InputError(f"Phantom of shape {self.shape}", f"at least {_SMALLEST} voxels a side", "ask for a larger one")
        if len(self.voxel_nm) != 3 or not 0 < min(self.voxel_nm) <= max(self.voxel_nm) < math.inf:
            raise InputError(f"Phantom with voxels of {self.voxel_nm} nm", "three lengths above 0", "give z, y, x")
        thin, thick = self.radius_vox
        if not 0 < thin <= thick < math.inf:
            raise InputError(f"Neurites with radii from {thin} to {thick} voxels", "0 < thinnest <= thickest", "swap them")
        self._require_positive("snr", "photons", "cable_vox")
        self._require_not_negative(
            "read_noise", "background", "haze", "soma_vox", "gaps", "gap_vox", "neighbours", "specks", "seed"
        )
        self._require_shares("depth_loss", "fading", "beads")
        if len(self.psf_nm) != 3 or not 0 <= min(self.psf_nm) <= max(self.psf_nm) < math.inf:
            raise InputError(f"Point spread of {self.psf_nm} nm", "three lengths of 0 and more", "give z, y, x")
        if self.neighbours > 200:
            raise InputError(f"{self.neighbours} neighbours", "at most 200, the mask numbers them in a byte", "ask for fewer")
        if self.dtype not in _TYPES:
            raise InputError(f"Phantom of type {self.dtype}", " or ".join(_TYPES), "choose one of them")

    def _require_positive(self, *names: str) -> None:
        for name in names:
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"Phantom with {name} {getattr(self, name)}", "a number above 0", "choose another")

    def _require_not_negative(self, *names: str) -> None:
        for name in names:
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"Phantom with {name} {getattr(self, name)}", "0 or more", "give 0 for none")

    def _require_shares(self, *names: str) -> None:
        for name in names:
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"Phantom with {name} {getattr(self, name)}", "a share from 0 to 1", "give 0 for none")

    @property
    def unit_nm(self) -> float:
        """The smallest side of a voxel, which lengths in voxels count."""
        return min(self.voxel_nm)


@dataclass(frozen=True, eq=False)
class FluorescencePhantom:
    """A stack and all of its truth, on one grid.

    image: uint8 or uint16. skeleton: the neuron inside the window, a node about every voxel, several trees where it leaves the
    window and comes back; its feature `brightness` is the label's local strength, 0 in gaps. mask: uint8, the voxels whose
    centres lie in a neurite and those that an axis passes, `NEURON` or the number of a neighbour. neighbours: their skeletons.
    """

    image: Image
    skeleton: Skeleton
    mask: Labels
    neighbours: tuple[Skeleton, ...]
    spec: FluorescenceSpec

    @property
    def neurites(self) -> Skeleton:
        """The neuron and its neighbours as one skeleton of several trees: all that can be traced."""
        return joined((self.skeleton, *self.neighbours), self.skeleton.name)
