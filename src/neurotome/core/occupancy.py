"""A shape on a cubic grid, and the way back to nanometres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from neurotome.core.errors import InputError, ShapeError, ValueRangeError
from neurotome.core.geometry import Nm3

__all__ = ["CUBE", "Frame", "Occupancy"]

CUBE = 8
"""Voxels along the side of a cube of the latent grid; the side of a grid is a multiple of it."""

Rotation = tuple[Nm3, Nm3, Nm3]
_UPRIGHT: Rotation = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Frame:
    """Where a cubic grid lies in a neuron's space: u = 2 (R (x - centre) - lo) / (hi - lo) - 1, index = (u + 1) / 2 grid.

    One lo and hi for the three axes, so that no shape is stretched. A point belongs to the voxel floor(index), and u = 1 to the
    last one. centring: where the centre came from (soma, root, mean, soma_xz, none, corner). scale: how lo and hi were chosen.
    rotation: R, rows z, y, x, orthonormal. clipped_fraction: the share of the shape that lies outside the grid.

    >>> frame = Frame((0.0, 0.0, 0.0), -800.0, 800.0, 8)
    >>> frame.voxel_nm, frame.voxels(np.array([[-800.0, 0.0, 800.0]])).tolist(), frame.soma_index
    (200.0, [[0, 4, 7]], (4, 4, 4))
    """

    centre_nm: Nm3
    lo_nm: float
    hi_nm: float
    grid: int
    centring: str = "none"
    scale: str = "fixed"
    rotation: Rotation = _UPRIGHT
    soma_nm: Nm3 | None = None
    clipped_fraction: float = 0.0
    source_sha256: str = ""

    def __post_init__(self) -> None:
        if self.grid < CUBE or self.grid % CUBE:
            legal = [self.grid // CUBE * CUBE or CUBE, (self.grid // CUBE + 1) * CUBE]
            raise ValueRangeError(f"A grid of {self.grid} voxels", f"a multiple of {CUBE}", f"take {legal[0]} or {legal[1]}")
        if not (np.isfinite([self.lo_nm, self.hi_nm]).all() and self.lo_nm < self.hi_nm):
            raise ValueRangeError(
                f"A frame from {self.lo_nm:g} to {self.hi_nm:g} nm", "a range above 0", "look at the shape's extent"
            )
        object.__setattr__(self, "rotation", tuple(tuple(float(v) for v in row) for row in self.rotation))
        object.__setattr__(self, "centre_nm", tuple(float(v) for v in self.centre_nm))
        matrix = np.asarray(self.rotation)
        if matrix.shape != (3, 3) or not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-6):
            raise ValueRangeError(f"A rotation {self.rotation}", "an orthonormal 3 x 3 matrix")

    @property
    def voxel_nm(self) -> float:
        """The side of a voxel."""
        return (self.hi_nm - self.lo_nm) / self.grid

    @property
    def soma_index(self) -> tuple[int, int, int] | None:
        """The voxel of the soma, or of the centre where no soma is known; None where it lies outside."""
        index = self.voxels(np.asarray([self.soma_nm or self.centre_nm]))[0]
        return None if index[0] < 0 else (int(index[0]), int(index[1]), int(index[2]))

    def unit(self, points_nm: np.ndarray) -> np.ndarray:
        """(n, 3) nm -> (n, 3) in units of the cube, -1 to 1 inside."""
        turned = (np.asarray(points_nm, np.float64) - self.centre_nm) @ np.asarray(self.rotation).T
        return np.asarray(2.0 * (turned - self.lo_nm) / (self.hi_nm - self.lo_nm) - 1.0)

    def nm(self, unit: np.ndarray) -> np.ndarray:
        """The inverse of `unit`."""
        turned = (np.asarray(unit, np.float64) + 1.0) / 2.0 * (self.hi_nm - self.lo_nm) + self.lo_nm
        return np.asarray(turned @ np.asarray(self.rotation) + self.centre_nm)

    def index(self, points_nm: np.ndarray) -> np.ndarray:
        """(n, 3) nm -> (n, 3) float64 positions on the grid; voxel i reaches from i to i + 1."""
        return (self.unit(points_nm) + 1.0) * (self.grid / 2.0)

    def index_nm(self, index: np.ndarray) -> np.ndarray:
        """The inverse of `index`: the centre of voxel i is at i + 0.5."""
        return self.nm(np.asarray(index, np.float64) * (2.0 / self.grid) - 1.0)

    def voxels(self, points_nm: np.ndarray) -> np.ndarray:
        """(n, 3) nm -> (n, 3) int64 voxels; -1, -1, -1 for points outside the cube."""
        unit = self.unit(points_nm)
        found = np.clip(np.floor((unit + 1.0) * (self.grid / 2.0)), 0, self.grid - 1).astype(np.int64)
        found[(np.abs(unit) > 1.0).any(1)] = -1
        return found

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Frame:
        """Raises InputError for keys that are not those of a frame."""
        if wrong := data.keys() ^ {f.name for f in fields(cls)}:
            raise InputError(f"A frame with keys {', '.join(sorted(wrong))} missing or unknown", "what Frame.to_json gives")
        soma = data["soma_nm"]
        return cls(**{**data, "soma_nm": tuple(soma) if soma is not None else None})


@dataclass(frozen=True, eq=False)
class Occupancy:
    """A shape on a grid. data: (grid, grid, grid), z, y, x; bool or uint8 0/1 for occupied voxels, float32 for shares of a voxel
    or signed distances.

    Raises ShapeError when data and frame disagree.
    """

    data: np.ndarray
    frame: Frame
    name: str = "neuron"

    def __post_init__(self) -> None:
        if self.data.shape != (self.frame.grid,) * 3:
            raise ShapeError(
                f"'{self.name}' has a grid of shape {self.data.shape}", f"{(self.frame.grid,) * 3} as its frame says"
            )
