"""A neuron that can be read, before it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neurotome.core.geometry import Nm3
from neurotome.morphology.occupancy.frames import Shape

__all__ = ["Reading", "ShapeFile"]


@dataclass(frozen=True)
class Reading:
    """How numbers without unit are meant: unit "um", "nm" or "voxel", and nm of a voxel along z, y, x."""

    unit: str | None = None
    voxel_nm: Nm3 | None = None


@dataclass(frozen=True)
class ShapeFile:
    """One neuron. source: its file, with the member of an archive or the id in a volume."""

    name: str
    source: str
    read: Callable[[], Shape]
