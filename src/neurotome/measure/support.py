"""Which voxels are scored: the whole volume, a box or the crop of the SNEMI3D challenge; with the truth's borders or without."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from neurotome.core import Box, InputError, ShapeError, UnknownNameError
from neurotome.core.geometry import Int3

__all__ = ["SNEMI_SHAPE", "away_from_borders", "border_reach", "named_support", "snemi_crop"]

SNEMI_SHAPE: Int3 = (100, 1024, 1024)


def named_support(support: str | Box, shape: Int3, *, force: bool = False) -> tuple[Box, str]:
    """The box that `support` means in a volume of this shape, and its name in a score.

    support: "full", "snemi_crop" or a Box. Raises UnknownNameError for another name, ShapeError for a box that leaves the volume
    or is empty, InputError for the SNEMI crop of a volume that is not the challenge's (unless `force`).
    """
    if isinstance(support, Box):
        inside = min(support.start) >= 0 and all(b <= n for b, n in zip(support.stop, shape, strict=True))
        if not inside or not support.size:
            raise ShapeError(f"Support is {_show(support)}", f"a box inside the volume of {shape} voxels", "correct the box")
        return support, f"box {_show(support)}"
    if support == "full":
        return Box((0, 0, 0), shape), "full"
    if support != "snemi_crop":
        raise UnknownNameError("support", support, ("full", "snemi_crop"))
    box = snemi_crop(shape)
    if shape != SNEMI_SHAPE and not force:
        raise InputError(
            f"The SNEMI3D crop of a volume of shape {shape} would be {_show(box)}",
            f"the challenge's shape {SNEMI_SHAPE}",
            "score the full volume, or give --force",
        )
    return box, "snemi_crop"


def snemi_crop(shape: Int3) -> Box:
    """The central box that the SNEMI3D challenge scores: half the sections, a third of the voxels.

    Depth z / 2, centred; side floor(sqrt(0.33 N / (z / 2))), from floor(y / 2) - floor(side / 2). Clipped at the volume, which
    only matters for shapes far from the challenge's.

    >>> snemi_crop((100, 1024, 1024))
    Box(start=(25, 97, 97), stop=(75, 928, 928))
    """
    z, y, x = shape
    depth = max(1, z // 2)
    side = max(1, math.floor(math.sqrt(0.33 * z * y * x / (z / 2))))
    start = [z // 2 - depth // 2, y // 2 - side // 2, x // 2 - side // 2]
    stop = [start[0] + depth, start[1] + side, start[2] + side]
    return Box((start[0], max(0, start[1]), max(0, start[2])), (stop[0], min(y, stop[1]), min(x, stop[2])))


def away_from_borders(truth: np.ndarray, distance_nm: float, pixel_nm: tuple[float, float]) -> np.ndarray:
    """True where a pixel is further than `distance_nm`, in its section, from every pixel with a differing 4-neighbour.

    truth: (z, y, x) unsigned ids. pixel_nm: size of a pixel (y, x). Distances run between pixel centres; border pixels have
    distance 0.
    Raises InputError for a negative distance. Source: the border tolerance of the CREMI challenge.

    >>> away_from_borders(np.array([[[1, 1, 1, 1, 2, 2, 2]]], np.uint32), 4.0, (4.0, 4.0)).astype(int).tolist()
    [[[1, 1, 0, 0, 0, 0, 1]]]
    """
    distance = _tolerance(distance_nm)
    wide = np.ascontiguousarray(truth, dtype=np.uint64 if truth.dtype.itemsize > 4 else np.uint32)
    return np.asarray(_away_from_borders(wide, distance, float(pixel_nm[0]), float(pixel_nm[1])))


def border_reach(distance_nm: float, pixel_nm: tuple[float, float]) -> Int3:
    """How many voxels around a box (z, y, x) decide which of its pixels `away_from_borders` keeps: a halo for exact boxes.

    >>> border_reach(10.0, (4.0, 5.0))
    (0, 3, 3)
    """
    y, x = (int(_tolerance(distance_nm) // pixel) + 1 for pixel in pixel_nm)
    return 0, y, x


def _tolerance(distance_nm: float) -> float:
    if not (math.isfinite(distance_nm) and distance_nm >= 0):
        raise InputError(f"Border tolerance is {distance_nm} nm", "0 or more", "give --border-nm a distance in nm")
    # A hair more, so that "3 pixels of 4.6 nm" is not lost to rounding.
    return distance_nm * (1 + 1e-9)


def _show(box: Box) -> str:
    ranges = (f"{axis} {a}:{b}" for axis, a, b in zip("zyx", box.start, box.stop, strict=True))
    return ", ".join(ranges)


@njit(cache=True, nogil=True)
def _away_from_borders(truth, distance, pixel_y, pixel_x):  # type: ignore[no-untyped-def]
    depth, height, width = truth.shape
    keep = np.ones((depth, height, width), np.bool_)
    rows = int(distance // pixel_y)
    far = np.inf
    along = np.empty((height, width), np.float64)
    for z in range(depth):
        for y in range(height):
            _distance_along_row(truth[z], y, pixel_x, along[y], far)
        for y in range(height):
            for other in range(max(0, y - rows), min(height, y + rows + 1)):
                rest = distance**2 - ((y - other) * pixel_y) ** 2
                for x in range(width):
                    if along[other, x] ** 2 <= rest:
                        keep[z, y, x] = False
    return keep


@njit(cache=True)
def _distance_along_row(section, y, pixel, out, far):  # type: ignore[no-untyped-def]
    """Distance of each pixel of row y to the nearest border pixel in that row."""
    height, width = section.shape
    gap = far
    for x in range(width):
        here = section[y, x]
        border = (x > 0 and section[y, x - 1] != here) or (x + 1 < width and section[y, x + 1] != here)
        border = border or (y > 0 and section[y - 1, x] != here) or (y + 1 < height and section[y + 1, x] != here)
        gap = 0.0 if border else gap + pixel
        out[x] = gap
    gap = far
    for x in range(width - 1, -1, -1):
        gap = 0.0 if out[x] == 0.0 else gap + pixel
        out[x] = min(out[x], gap)
