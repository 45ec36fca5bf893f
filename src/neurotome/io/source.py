"""A volume as its file describes it, before anyone says whether it is an image, labels or a probability."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurotome.core import Grid, Image, Labels, Legend, Probability, UnitError
from neurotome.core.geometry import Nm3
from neurotome.io.lazy import LazyArray

__all__ = ["GREY_NAMES", "Kind", "Source", "Volume", "channels_of", "kind_of", "legend_of", "numpy_dtype", "show_nm"]

Kind = Literal["image", "labels", "probability"]
Volume = Image | Labels | Probability
MaybeNm3 = tuple[float | None, float | None, float | None]

GREY_NAMES = ("red", "green", "blue", "alpha")
UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Source:
    """What one reader found.

    data: lazy, (z, y, x), or (c, z, y, x) when the file has a channel axis. axes: as the file stores them.
    voxel_nm: z, y, x, None where the file does not say. origin_nm: 0 where it does not say.
    channels: names, empty where the file has none. rgb: the channels are the colours of one picture.
    kind, legend: only where the file says so. chunk, shard: in the order of `axes`.
    """

    path: Path
    format: str
    data: LazyArray
    axes: str
    voxel_nm: MaybeNm3 = (None, None, None)
    origin_nm: Nm3 = (0.0, 0.0, 0.0)
    channels: tuple[str, ...] = ()
    rgb: bool = False
    kind: Kind | None = None
    legend: Legend = field(default_factory=Legend)
    chunk: tuple[int, ...] | None = None
    shard: tuple[int, ...] | None = None
    levels: int = 1
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.name.split(".")[0] or self.path.name

    @property
    def full_voxel_nm(self) -> Nm3 | None:
        z, y, x = self.voxel_nm
        return None if z is None or y is None or x is None else (z, y, x)

    def grid(self, voxel_nm: Nm3 | None) -> Grid:
        """The grid of the volume. `voxel_nm` fills what the file leaves open and must agree with what it says.

        Raises UnitError when neither says it, or when they differ by more than 0.1 %.
        """
        z, y, x = self.data.shape[-3:]
        if voxel_nm is None:
            return Grid((z, y, x), self._stated_voxel_nm(), self.origin_nm)
        grid = Grid((z, y, x), voxel_nm, self.origin_nm)
        for axis, ours, theirs in zip("zyx", grid.voxel_nm, self.voxel_nm, strict=True):
            if theirs is not None and not math.isclose(ours, theirs, rel_tol=UNIT_TOLERANCE):
                raise UnitError(
                    f"'{self.path}' states voxels of {show_nm(self.voxel_nm)} nm (z, y, x), --voxel-nm {show_nm(voxel_nm)}: "
                    f"{axis} differs",
                    "the same voxel size, or a file that states none",
                    "leave out --voxel-nm, or correct the file",
                )
        return grid

    def _stated_voxel_nm(self) -> Nm3:
        if (stated := self.full_voxel_nm) is not None:
            return stated
        known = "" if all(v is None for v in self.voxel_nm) else f" (it says {show_nm(self.voxel_nm)} nm)"
        raise UnitError(
            f"'{self.path}' does not state its voxel size{known}",
            "the length of a voxel along z, y and x in nm",
            "give --voxel-nm Z Y X, for example --voxel-nm 30 6 6 (in Python: voxel_nm=(30, 6, 6))",
        )


def show_nm(voxel_nm: MaybeNm3) -> str:
    """The numbers for a message, ? for what is not known."""
    return ", ".join("?" if v is None else f"{v:g}" for v in voxel_nm)


def kind_of(volume: Volume) -> Kind:
    """What the volume is, as files note it."""
    if isinstance(volume, Labels):
        return "labels"
    return "probability" if isinstance(volume, Probability) else "image"


def channels_of(volume: Volume) -> tuple[str, ...]:
    """Channel names; none for a volume without channel axis."""
    return volume.channels if isinstance(volume, Probability) else ()


def legend_of(volume: Volume) -> Legend:
    """Names of the ids; none for anything but labels."""
    return volume.legend if isinstance(volume, Labels) else Legend()


def numpy_dtype(data: Any) -> np.dtype[Any]:
    """The NumPy type of any array; tensorstore has type objects of its own."""
    dtype: np.dtype[Any] = np.dtype(getattr(data.dtype, "numpy_dtype", data.dtype))
    return dtype
