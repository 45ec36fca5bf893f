"""A volume of flat voxels read as if it had been stored in cubes."""

from __future__ import annotations

import math

import numpy as np

from neurotome.core import Box, Structures
from neurotome.core.geometry import Int3, Nm3
from neurotome.synapses.crops.windows import WindowReader

__all__ = ["IsotropicReader", "resample"]

# Six voxels of 8 nm are 48 nm, not a hair more.
_ROUNDING = 1e-9


class IsotropicReader:
    """Reads boxes of a volume on a grid of cubes with the same corner: grey values linearly, ids of the nearest voxel."""

    def __init__(self, reader: WindowReader, side_nm: float) -> None:
        self.reader, self.side_nm = reader, float(side_nm)

    @property
    def name(self) -> str:
        return self.reader.name

    @property
    def structures(self) -> Structures:
        return self.reader.structures

    @property
    def has_instances(self) -> bool:
        return self.reader.has_instances

    @property
    def voxel_nm(self) -> Nm3:
        return self.side_nm, self.side_nm, self.side_nm

    @property
    def shape(self) -> Int3:
        z, y, x = (math.ceil(n * step - _ROUNDING) for n, step in zip(self.reader.shape, self._steps, strict=True))
        return z, y, x

    @property
    def _steps(self) -> Nm3:
        """Cubes per voxel, along each axis."""
        z, y, x = (voxel / self.side_nm for voxel in self.reader.voxel_nm)
        return z, y, x

    def position(self, voxel: Int3) -> Nm3:
        """Where the middle of a voxel of the volume lies, in cubes (a whole number is the middle of a cube)."""
        z, y, x = ((v + 0.5) * step - 0.5 for v, step in zip(voxel, self._steps, strict=True))
        return z, y, x

    def neuron_at(self, voxel: Int3) -> int:
        """The neuron at a voxel of the volume."""
        return self.reader.neuron_at(voxel)

    def read(self, what: str, box: Box) -> np.ndarray:
        """A box of cubes of "image", "neurons", "organelles" or "instances", type as stored."""
        places = [
            np.clip((np.arange(a, b) + 0.5) / step - 0.5, 0, n - 1)
            for a, b, step, n in zip(box.start, box.stop, self._steps, self.reader.shape, strict=True)
        ]
        low = [math.floor(p[0]) for p in places]
        high = [math.floor(p[-1]) + 2 for p in places]
        stored = Box(tuple(low), tuple(high)).clip(self.reader.shape)  # type: ignore[arg-type]
        values = self.reader.read(what, stored)
        return resample(values, [p - a for p, a in zip(places, low, strict=True)], linear=what == "image")


def resample(values: np.ndarray, places: list[np.ndarray], *, linear: bool) -> np.ndarray:
    """Values at every combination of three lists of places, linearly between voxels or those of the nearest, type kept.

    places: fractional indices along z, y and x, inside the array. Halfway the later voxel is the nearest. Grey values of a whole
    type are rounded.

    >>> resample(np.array([[[10, 20, 40]]]), [np.zeros(1), np.zeros(1), np.array([0.5, 1.0, 1.25])], linear=True).tolist()
    [[[15, 20, 25]]]
    """
    found = values.astype(np.float64) if linear else values
    for axis, at in enumerate(places):
        if not linear:
            nearest = np.minimum(np.floor(at + 0.5).astype(np.int64), values.shape[axis] - 1)
            found = found.take(nearest, axis)
            continue
        low = np.floor(at).astype(np.int64)
        share = (at - low).reshape([-1 if a == axis else 1 for a in range(3)])
        high = np.minimum(low + 1, values.shape[axis] - 1)
        found = found.take(low, axis) * (1 - share) + found.take(high, axis) * share
    return np.rint(found).astype(values.dtype) if values.dtype.kind in "ui" else found.astype(values.dtype)
