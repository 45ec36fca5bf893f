"""What a study of phantom synapses is asked to be, and what it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from neurotome.core import InputError, SynapseVolume, ValueRangeError
from neurotome.core.geometry import Int3, Nm3
from neurotome.datasets.synapse_phantoms.kinds import KINDS

__all__ = ["PhantomStudy", "StudySpec"]

BLOCK = 4
"""Voxels along a side of the blocks that tissue is drawn in; cells and margins are whole blocks."""


@dataclass(frozen=True)
class StudySpec:
    """The synapses and how they were imaged; two equal specs give equal bytes.

    n_per_type: synapses of each type in each volume. types: 2 to 6 planted types, or 1: sizes vary around one type and there are
    no kinds. variation: relative standard deviation of sizes within a type. loyalty: chance that the next synapse of a
    presynaptic neuron is of the type of its first. brightness_shift: how much volumes differ in brightness and contrast (0 = not
    at all), noise: of the camera (0 = none). own_labels: whether each volume has its own label ids. distractors: whether other
    mitochondria and vesicles lie around. cell_nm: distance between neighbouring synapses.
    """

    n_per_type: int = 17
    volumes: int = 3
    types: int = 6
    seed: int = 0
    voxel_nm: Nm3 = (8.0, 8.0, 8.0)
    variation: float = 0.12
    loyalty: float = 0.75
    brightness_shift: float = 1.0
    noise: float = 1.0
    own_labels: bool = True
    distractors: bool = True
    cell_nm: float = 736.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxel_nm", tuple(float(v) for v in self.voxel_nm))
        for name, least, most in (
            ("n_per_type", 1, 10_000),
            ("volumes", 1, 1000),
            ("types", 1, len(KINDS)),
            ("seed", 0, math.inf),
        ):
            value = getattr(self, name)
            if value != int(value) or not least <= value <= most:
                raise ValueRangeError(
                    f"A study with {name} {value}", f"a whole number from {least} to {most:g}", "choose another"
                )
        for name, most in (("variation", 0.3), ("loyalty", 1.0), ("brightness_shift", 2.0), ("noise", 10.0)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise ValueRangeError(f"A study with {name} {value}", f"0 to {most:g}", "choose another")
        if min(self.voxel_nm) < 2 or max(self.voxel_nm) > 20:
            raise ValueRangeError(f"A study with voxels of {self.voxel_nm} nm", "2 to 20 nm along each axis", "choose EM voxels")
        if not 720 <= self.cell_nm <= 2000:
            raise InputError(f"Synapses {self.cell_nm:g} nm apart", "720 to 2000 nm, so that none overlap", "take 736")

    @property
    def per_volume(self) -> int:
        """Synapses in each volume."""
        return self.n_per_type * self.types

    @property
    def cell_vox(self) -> Int3:
        """Voxels between neighbouring synapses, whole blocks."""
        z, y, x = (BLOCK * math.ceil(self.cell_nm / v / BLOCK) for v in self.voxel_nm)
        return z, y, x


@dataclass(frozen=True, eq=False)
class PhantomStudy:
    """Volumes with all that is true about them.

    sites: `SITE_TABLE_COLUMNS`, in the order of the keys. truth: the same index; type (0...), kind, everything planted, and which
    side is presynaptic. sharing: presynaptic neuron ("volume_id") -> keys of its synapses.
    """

    spec: StudySpec
    volumes: tuple[SynapseVolume, ...]
    sites: pd.DataFrame
    truth: pd.DataFrame
    sharing: Mapping[str, tuple[str, ...]]
