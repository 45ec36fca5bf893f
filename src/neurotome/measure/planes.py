"""Faces of boxes: what a box must know of its lower neighbours, kept without keeping the neighbours.

      +-----+-----+      A box leaves its last plane along each axis for the box that begins there; that one takes it away.
lower |  <- | <-  |      Planes wait as runs of equal values, in memory while they are few, else in a temporary file: a layer
      +-----+-----+      of boxes as wide as a section of 10^10 pixels takes some megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from neurotome.core import Box
from neurotome.core.geometry import Int3

__all__ = ["Plane", "Planes", "ThreePlanes", "Waiting", "first_planes", "last_planes", "plane_of", "shifted_planes"]

_MEMORY_BYTES = 1 << 28


@dataclass(frozen=True, eq=False)
class Plane:
    """A 2D array of whole numbers as runs along its rows, joined end to end. starts: first place of each run; values: theirs."""

    shape: tuple[int, int]
    starts: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, array: np.ndarray) -> Plane:
        """
        >>> Plane.of(np.array([[4, 4, 0], [0, 0, 7]])).starts.tolist()
        [0, 2, 5]
        """
        flat = array.ravel()
        starts = np.concatenate([np.zeros(min(1, flat.size), np.int64), np.flatnonzero(flat[1:] != flat[:-1]) + 1])
        return cls((array.shape[0], array.shape[1]), starts, flat[starts])

    def array(self) -> np.ndarray:
        lengths = np.diff(self.starts, append=self.shape[0] * self.shape[1])
        return np.repeat(self.values, lengths).reshape(self.shape)


ThreePlanes = tuple[Plane, Plane, Plane]
Planes = tuple[Plane | None, Plane | None, Plane | None]
"""One plane per axis z, y, x: (y, x), (z, x) and (z, y). None: there is no neighbour."""


def plane_of(values: np.ndarray, axis: int, place: int) -> Plane:
    """The plane of a box (z, y, x) at a place along an axis; -1 is the last."""
    return Plane.of(values.take(place, axis))


def first_planes(values: np.ndarray) -> ThreePlanes:
    """The first plane of a box along each axis."""
    return plane_of(values, 0, 0), plane_of(values, 1, 0), plane_of(values, 2, 0)


def last_planes(values: np.ndarray) -> ThreePlanes:
    """The last plane of a box along each axis."""
    return plane_of(values, 0, -1), plane_of(values, 1, -1), plane_of(values, 2, -1)


def shifted_planes(planes: ThreePlanes, base: int) -> ThreePlanes:
    """The planes with `base` added to the values above 0, int64."""
    wide = [plane.values.astype(np.int64) for plane in planes]
    z, y, x = (Plane(p.shape, p.starts, np.where(v > 0, v + base, 0)) for p, v in zip(planes, wide, strict=True))
    return z, y, x


class Waiting:
    """Planes on their way from box to box of a lattice inside `support`; boxes come with z slowest, or any lower one first.

    A context manager: it removes its temporary files.
    """

    def __init__(self, support: Box) -> None:
        self._support = support
        self._planes: dict[tuple[int, Int3], Plane | Path] = {}
        self._bytes = 0
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        self._planes.clear()
        if self._folder is not None:
            self._folder.cleanup()

    def exchange(self, box: Box, last: ThreePlanes) -> Planes:
        """Leave the last planes of a box for its upper neighbours and take those that its lower neighbours left."""
        for axis, plane in enumerate(last):
            if box.stop[axis] < self._support.stop[axis]:
                corner = list(box.start)
                corner[axis] = box.stop[axis]
                self._put((axis, (corner[0], corner[1], corner[2])), plane)
        return self._take((0, box.start)), self._take((1, box.start)), self._take((2, box.start))

    def _put(self, key: tuple[int, Int3], plane: Plane) -> None:
        size = plane.starts.nbytes + plane.values.nbytes
        if self._bytes + size <= _MEMORY_BYTES:
            self._bytes += size
            self._planes[key] = plane
            return
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="neurotome-planes-")
        axis, corner = key
        path = Path(self._folder.name) / ("-".join(map(str, (axis, *corner))) + ".npz")
        np.savez(path, shape=np.array(plane.shape), starts=plane.starts, values=plane.values)
        self._planes[key] = path

    def _take(self, key: tuple[int, Int3]) -> Plane | None:
        found = self._planes.pop(key, None)
        if isinstance(found, Plane):
            self._bytes -= found.starts.nbytes + found.values.nbytes
        elif found is not None:
            with np.load(found) as stored:
                height, width = stored["shape"].tolist()
                loaded = Plane((height, width), stored["starts"], stored["values"])
            found.unlink()
            return loaded
        return found
