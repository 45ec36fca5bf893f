"""Where things are: `Box` counts voxels, `Grid` ties them to nanometres, `Block` pairs what is read with what is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from neurotome.core.errors import ShapeError, UnitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Block", "Box", "Grid", "Int3", "Nm3", "spread"]

Int3 = tuple[int, int, int]
Nm3 = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A half-open box of voxels, `start <= index < stop`, axis order z, y, x.

    >>> Box((0, 0, 0), (2, 4, 4)).grow((1, 1, 1)).clip((2, 8, 8))
    Box(start=(0, 0, 0), stop=(2, 5, 5))
    """

    start: Int3
    stop: Int3

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", _ints(self.start, "start"))
        object.__setattr__(self, "stop", _ints(self.stop, "stop"))
        if any(b < a for a, b in zip(self.start, self.stop, strict=True)):
            raise ShapeError(f"Box from {self.start} to {self.stop}", "stop >= start on each axis", "swap the corners")

    @property
    def shape(self) -> Int3:
        return _ints([b - a for a, b in zip(self.start, self.stop, strict=True)], "shape")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        z, y, x = (slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        return z, y, x

    def grow(self, halo: Int3) -> Box:
        """The box with `halo` voxels more on both sides of each axis (may reach below 0: see `clip`)."""
        return Box(
            tuple(a - h for a, h in zip(self.start, halo, strict=True)),  # type: ignore[arg-type]
            tuple(b + h for b, h in zip(self.stop, halo, strict=True)),  # type: ignore[arg-type]
        )

    def clip(self, shape: Int3) -> Box:
        """The part inside a volume of this shape."""
        return self.intersect(Box((0, 0, 0), shape))

    def intersect(self, other: Box) -> Box:
        """The common part; an empty box at `start` where there is none."""
        start = [max(a, b) for a, b in zip(self.start, other.start, strict=True)]
        stop = [max(s, min(a, b)) for s, a, b in zip(start, self.stop, other.stop, strict=True)]
        return Box(tuple(start), tuple(stop))  # type: ignore[arg-type]

    def shift(self, offset: Int3) -> Box:
        return Box(
            tuple(a + o for a, o in zip(self.start, offset, strict=True)),  # type: ignore[arg-type]
            tuple(b + o for b, o in zip(self.stop, offset, strict=True)),  # type: ignore[arg-type]
        )

    def inside(self, outer: Box) -> Box:
        """This box in the coordinates of `outer`, whose corner becomes 0."""
        return self.shift(tuple(-a for a in outer.start))  # type: ignore[arg-type]

    def tiles(self, shape: Int3) -> Iterator[Box]:
        """Boxes of at most `shape` that cover this one exactly once, z slowest."""
        starts = [range(a, b, s) for a, b, s in zip(self.start, self.stop, _ints(shape, "tile shape"), strict=True)]
        for corner in product(*starts):
            yield Box(corner, tuple(c + s for c, s in zip(corner, shape, strict=True))).intersect(self)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Grid:
    """A lattice of voxels in space: shape in voxels, voxel size and origin (centre of voxel 0) in nanometres.

    >>> Grid((10, 20, 20), (30.0, 6.0, 6.0)).to_nm((1, 0, 2))
    (30.0, 0.0, 12.0)
    """

    shape: Int3
    voxel_nm: Nm3
    origin_nm: Nm3 = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _ints(self.shape, "shape"))
        object.__setattr__(self, "voxel_nm", _floats(self.voxel_nm, "voxel_nm"))
        object.__setattr__(self, "origin_nm", _floats(self.origin_nm, "origin_nm"))
        if min(self.shape) < 1:
            raise ShapeError(f"Grid of shape {self.shape}", "at least one voxel on each axis", "check the input")
        if min(self.voxel_nm) <= 0:
            raise UnitError(f"Voxel size {self.voxel_nm} nm", "three numbers above 0 (z, y, x)", "give --voxel-nm Z Y X")

    @property
    def box(self) -> Box:
        return Box((0, 0, 0), self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def voxel_um3(self) -> float:
        """Volume of one voxel in cubic micrometres."""
        return math.prod(self.voxel_nm) * 1e-9

    def to_nm(self, index: Sequence[float]) -> Nm3:
        """Position of a voxel index (may be fractional) in nanometres."""
        z, y, x = (o + float(i) * v for i, v, o in zip(index, self.voxel_nm, self.origin_nm, strict=True))
        return z, y, x

    def to_voxel(self, point_nm: Sequence[float]) -> Nm3:
        """Fractional voxel index of a position; round it yourself where an integer is wanted."""
        z, y, x = ((float(p) - o) / v for p, v, o in zip(point_nm, self.voxel_nm, self.origin_nm, strict=True))
        return z, y, x

    def crop(self, box: Box) -> Grid:
        return Grid(box.shape, self.voxel_nm, self.to_nm(box.start))

    def require_same(self, other: Grid, mine: str, theirs: str) -> None:
        """Raise unless shape, voxel size and origin agree; there is no silent crop or resampling."""
        if self.shape != other.shape:
            raise ShapeError(
                f"{mine} has shape {self.shape}, {theirs} has {other.shape}", "the same shape", "crop one of them first"
            )
        for what, a, b in (("voxel size", self.voxel_nm, other.voxel_nm), ("origin", self.origin_nm, other.origin_nm)):
            if any(not math.isclose(p, q, rel_tol=1e-3, abs_tol=1e-3) for p, q in zip(a, b, strict=True)):
                raise UnitError(
                    f"{mine} has {what} {_show(a)} nm, {theirs} has {_show(b)} nm (z, y, x)",
                    f"the same {what}",
                    "correct the one that is wrong, for a file without units with --voxel-nm Z Y X",
                )


@dataclass(frozen=True)
class Block:
    """A unit of work: `read` is what it needs, `write` the part of it that it alone decides.

    +-----------------+
    | read            |
    |   +---------+   |     write boxes tile the volume: each voxel is written exactly once
    |   | write   |   |     read = write grown by the halo, clipped at the volume
    |   +---------+   |
    +-----------------+
    """

    read: Box
    write: Box


def spread(count: int, wanted: int = 3) -> list[int]:
    """The middles of `wanted` equal parts of 0..count-1, each once.

    >>> spread(70), spread(2), spread(0)
    ([11, 35, 58], [0, 1], [])
    """
    return sorted({int(count * (i + 0.5) / wanted) for i in range(wanted)}) if count else []


def _ints(values: Sequence[float], what: str) -> Int3:
    if len(values) != 3 or any(int(v) != v for v in values):
        raise ShapeError(
            f"{what} is {tuple(values)}", "three whole numbers (z, y, x)", "add the missing axis; a section is a stack of one"
        )
    z, y, x = (int(v) for v in values)
    return z, y, x


def _floats(values: Sequence[float], what: str) -> Nm3:
    if len(values) != 3 or not all(math.isfinite(v) for v in values):
        raise UnitError(f"{what} is {tuple(values)}", "three finite numbers in nm (z, y, x)", "give all three")
    z, y, x = (float(v) for v in values)
    return z, y, x


def _show(values: Nm3) -> str:
    return ", ".join(f"{v:g}" for v in values)
