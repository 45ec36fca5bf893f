"""Voxels and nanometres of a volume. A box in nm taken as voxels is four times too large in the plane and forty times along z."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurotome.core import UnitError, UnknownNameError, ValueRangeError
from neurotome.core.geometry import Nm3

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["VOXEL_NM", "Extent", "box_nm", "extent_of_voxels", "in_box", "voxels_to_nm"]

VOXEL_NM: Nm3 = (40.0, 4.0, 4.0)
"""What positions in MICrONS tables count in, z, y, x."""
UNITS = ("nm", "voxel")


@dataclass(frozen=True)
class Extent:
    """A box of nanometres, z, y, x. Raises ValueRangeError for one without volume."""

    low_nm: Nm3
    high_nm: Nm3

    def __post_init__(self) -> None:
        if not all(low < high for low, high in zip(self.low_nm, self.high_nm, strict=True)):
            raise ValueRangeError(
                f"A box from {self.low_nm} to {self.high_nm} nm", "low below high on each axis", "swap the corners"
            )

    def holds(self, points_nm: np.ndarray, margin_nm: float = 0.0) -> np.ndarray:
        """Which points (n, 3) are inside or within a margin; a point on the border is inside."""
        low, high = np.asarray(self.low_nm) - margin_nm, np.asarray(self.high_nm) + margin_nm
        return np.asarray(((points_nm >= low) & (points_nm <= high)).all(-1))

    def __str__(self) -> str:
        return " x ".join(f"{low / 1000:g}..{high / 1000:g}" for low, high in zip(self.low_nm, self.high_nm, strict=True)) + " um"


def voxels_to_nm(positions_xyz: np.ndarray, voxel_nm: Nm3 = VOXEL_NM) -> np.ndarray:
    """(n, 3) positions x, y, z in voxels, as tables have them -> (n, 3) z, y, x in nm. voxel_nm: z, y, x.

    >>> voxels_to_nm([[100, 200, 30]]).tolist()
    [[1200.0, 800.0, 400.0]]
    """
    return np.asarray(positions_xyz, np.float64).reshape(-1, 3)[:, ::-1] * np.asarray(voxel_nm)


def box_nm(low: Nm3, high: Nm3, *, unit: str, extent: Extent, voxel_nm: Nm3 = VOXEL_NM) -> Extent:
    """A box (z, y, x) in "nm" or "voxel" as nm, once it is sure that it lies in the data.

    Raises UnitError for a box that reaches out of `extent`, and says so where the other unit would fit.
    """
    if unit not in UNITS:
        raise UnknownNameError("unit of a box", unit, UNITS)
    boxes = {"nm": Extent(low, high), "voxel": Extent(_times(low, voxel_nm), _times(high, voxel_nm))}
    found = boxes.pop(unit)
    if not extent.holds(np.array([found.low_nm, found.high_nm])).all():
        (other, fitting), *_ = boxes.items()
        fits = extent.holds(np.array([fitting.low_nm, fitting.high_nm])).all()
        remedy = f"it fits in unit='{other}'" if fits else "choose a box in the data"
        raise UnitError(f"The box {found} (given in {unit}) reaches out of the data", f"a box in {extent}", remedy)
    return found


def in_box(neurons: DataFrame, box: Extent) -> DataFrame:
    """The rows of a table of neurons (see `Cave.neurons`) whose somata lie in a box."""
    return neurons[box.holds(neurons[["soma_z", "soma_y", "soma_x"]].to_numpy(np.float64))]


def extent_of_voxels(voxel_xyz: Sequence[float], offset_xyz: Sequence[float], size_xyz: Sequence[float]) -> Extent:
    """From a corner and a size in voxels, x, y, z, as precomputed volumes state them."""
    low = np.asarray(offset_xyz, np.float64) * np.asarray(voxel_xyz, np.float64)
    high = low + np.asarray(size_xyz, np.float64) * np.asarray(voxel_xyz, np.float64)
    (x0, y0, z0), (x1, y1, z1) = low.tolist(), high.tolist()
    return Extent((z0, y0, x0), (z1, y1, x1))


def _times(point: Nm3, factor: Nm3) -> Nm3:
    z, y, x = (float(a * b) for a, b in zip(point, factor, strict=True))
    return z, y, x
