"""Which of the pieces of a structure is the one at the synapse: the piece whose nearest voxel is closest to the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numba
import numpy as np

from neurotome.core import Box, ShapeError, Structures, ValueRangeError

__all__ = ["CLOSEST", "Closest", "closest_components", "structure_bits"]

CLOSEST = ("vesicles", "cleft", "cleft2", "mitochondria")
"""Structures of which one piece belongs to the synapse, in the order of their bits."""
_COUNT = len(CLOSEST)
# Squared distances that are equal on paper differ by rounding where voxels are not whole numbers of nanometres.
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Closest:
    """The piece of every structure that is closest to a site.

    marks: (z, y, x) uint8, bit i set where the voxel belongs to the piece of CLOSEST[i]. distance_nm, runner_up_nm: (4,) from the
    site to the nearest voxel's centre of the piece and of any other piece; NaN where there is none. boxes: the smallest around
    each piece; None where there is none.
    """

    marks: np.ndarray
    distance_nm: np.ndarray
    runner_up_nm: np.ndarray
    boxes: tuple[Box | None, ...]

    def of(self, name: str) -> tuple[float, Box | None]:
        """Distance and box of one structure's piece."""
        place = CLOSEST.index(name)
        return float(self.distance_nm[place]), self.boxes[place]

    def facts(self, voxel_nm: tuple[float, float, float]) -> dict[str, float | bool]:
        """Columns of the site table. Ambiguous: another piece is less than a voxel's longest side farther away."""
        told: dict[str, float | bool] = {}
        for name, near, next_near in zip(CLOSEST, self.distance_nm.tolist(), self.runner_up_nm.tolist(), strict=True):
            told[f"{name}_distance_nm"] = near
            told[f"{name}_runner_up_nm"] = next_near
            told[f"{name}_ambiguous"] = next_near - near < max(voxel_nm)
        return told


def structure_bits(labels: np.ndarray, structures: Structures | Mapping[str, tuple[int, ...]]) -> np.ndarray:
    """Which of the structures in CLOSEST each voxel belongs to, (z, y, x) uint8, bit i for CLOSEST[i].

    labels: (z, y, x) ids of organelles. Two structures may share an id.

    >>> structure_bits(np.array([[[0, 2, 7, 9]]], np.uint16), {"vesicles": (2,), "cleft": (7,), "cleft2": (7,)}).tolist()
    [[[0, 1, 6, 0]]]
    """
    bits: dict[int, int] = {}
    for place, name in enumerate(CLOSEST):
        for label in structures.get(name, ()):
            bits[label] = bits.get(label, 0) | 1 << place
    ids = np.array([label for label in bits if label], np.uint64)
    found: np.ndarray = _structure_bits(as_unsigned(labels), ids, np.array([bits[int(label)] for label in ids], np.uint8))
    return found


def closest_components(
    kinds: np.ndarray, target: tuple[float, float, float], voxel_nm: tuple[float, float, float], *, connectivity: int = 6
) -> Closest:
    """The component of each structure whose nearest voxel has the smallest Euclidean distance to the target.

    Of components at the same distance the one is taken whose first voxel in z, y, x order comes first. Only the components that
    may win are filled; nothing else is labelled.

    Parameters
    ----------
    kinds
        (z, y, x) uint8 as `structure_bits` gives it.
    target
        Voxels, may lie between them or outside.
    voxel_nm
        Sides of a voxel in nm.
    connectivity
        6 or 26 neighbours.

    Raises ShapeError, ValueRangeError.

    >>> found = closest_components(np.array([[[1, 0, 0, 1, 1]]], np.uint8), (0, 0, 2), (8, 8, 8))
    >>> found.marks.tolist(), found.distance_nm[0].item(), found.runner_up_nm[0].item()
    ([[[0, 0, 0, 1, 1]]], 8.0, 16.0)
    """
    if kinds.ndim != 3 or kinds.dtype != np.uint8:
        raise ShapeError(f"Structures of shape {kinds.shape} and type {kinds.dtype}", "uint8 (z, y, x)", "use structure_bits")
    if connectivity not in (6, 26):
        raise ValueRangeError(f"connectivity {connectivity}", "6 or 26", "take 6")
    kinds = np.ascontiguousarray(kinds)
    site, sides = np.array(target, np.float64), np.array(voxel_nm, np.float64)
    marks = np.zeros(kinds.shape, np.uint8)
    nearest = _nearest(kinds, marks, site, sides)
    bounds = _fill_nearest(kinds, marks, site, sides, nearest, _offsets(connectivity))
    # What was filled but did not win stands in the high bits; it is a runner-up like any other.
    runner_up = _nearest(kinds, marks, site, sides)
    boxes = tuple(Box(tuple(b[:3]), tuple(b[3:])) if b[3] else None for b in bounds.tolist())
    return Closest(marks & np.uint8(2**_COUNT - 1), _lengths(nearest), _lengths(runner_up), boxes)


def as_unsigned(labels: np.ndarray) -> np.ndarray:
    """The same ids, contiguous and of an unsigned type: signed ids are never negative."""
    labels = np.ascontiguousarray(labels)
    return labels.view(f"u{labels.dtype.itemsize}") if labels.dtype.kind != "u" else labels


def _lengths(squared: np.ndarray) -> np.ndarray:
    return np.sqrt(np.where(np.isfinite(squared), squared, np.nan))


def _offsets(connectivity: int) -> np.ndarray:
    around = [o for o in product((-1, 0, 1), repeat=3) if any(o)]
    return np.array([o for o in around if connectivity == 26 or sum(map(abs, o)) == 1], np.int64)


@numba.njit(cache=True, nogil=True)
def _structure_bits(labels, ids, bits):  # type: ignore[no-untyped-def]
    found = np.zeros(labels.shape, np.uint8)
    flat_labels, flat_found = labels.ravel(), found.ravel()
    last, last_bits = labels.dtype.type(0), np.uint8(0)
    for i in range(flat_labels.size):
        label = flat_labels[i]
        if label == 0:
            continue
        if label != last:
            last, last_bits = label, np.uint8(0)
            for k in range(ids.size):
                if ids[k] == label:
                    last_bits = bits[k]
        flat_found[i] = last_bits
    return found


@numba.njit(cache=True, nogil=True)
def _nearest(kinds, marks, target, voxel_nm):  # type: ignore[no-untyped-def]
    """Squared distance (nm) to the nearest voxel of each structure that is not marked; inf where there is none."""
    depth, height, width = kinds.shape
    nearest = np.full(_COUNT, np.inf)
    for z in range(depth):
        from_z = ((z - target[0]) * voxel_nm[0]) ** 2
        for y in range(height):
            from_zy = from_z + ((y - target[1]) * voxel_nm[1]) ** 2
            for x in range(width):
                kind = kinds[z, y, x]
                if kind == 0:
                    continue
                kind &= ~marks[z, y, x]
                distance = from_zy + ((x - target[2]) * voxel_nm[2]) ** 2
                for k in range(_COUNT):
                    if kind >> k & 1 and distance < nearest[k]:
                        nearest[k] = distance
    return nearest


@numba.njit(cache=True, nogil=True)
def _fill_nearest(kinds, marks, target, voxel_nm, nearest, offsets):  # type: ignore[no-untyped-def]
    """Mark, for each structure, the components that hold a voxel at the nearest distance; the winner in the low bits.

    Gives the bounds of each winner, (4, 6): where it starts and stops; 0 where there is none.
    """
    shape = kinds.shape
    bounds, found = np.zeros((_COUNT, 6), np.int64), np.empty(6, np.int64)
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for k in range(_COUNT):
        if not np.isfinite(nearest[k]):
            continue
        most = nearest[k] * (1.0 + _TIE)
        for axis in range(3):
            reach = np.sqrt(most) / voxel_nm[axis]
            low[axis] = max(0, int(np.ceil(target[axis] - reach - 1e-6)))
            high[axis] = min(shape[axis], int(np.floor(target[axis] + reach + 1e-6)) + 1)
        winner, lost = np.uint8(1 << k), np.uint8(1 << (k + _COUNT))
        first = seed = np.int64(-1)
        for z in range(low[0], high[0]):
            from_z = ((z - target[0]) * voxel_nm[0]) ** 2
            for y in range(low[1], high[1]):
                from_zy = from_z + ((y - target[1]) * voxel_nm[1]) ** 2
                for x in range(low[2], high[2]):
                    if not kinds[z, y, x] >> k & 1 or marks[z, y, x] & (winner | lost):
                        continue
                    if from_zy + ((x - target[2]) * voxel_nm[2]) ** 2 > most:
                        continue
                    here = (np.int64(z) * shape[1] + y) * shape[2] + x
                    begins = _flood(kinds, marks, here, winner, winner, np.uint8(0), offsets, found)
                    loser = seed if begins < first else here
                    if first < 0 or begins < first:
                        first, seed = begins, here
                        bounds[k] = found
                    if loser != seed:
                        _flood(kinds, marks, loser, winner, lost, winner, offsets, found)
    return bounds


@numba.njit(cache=True, nogil=True)
def _flood(kinds, marks, seed, bit, put, clear, offsets, bounds):  # type: ignore[no-untyped-def]
    """Put one mark and clear another in the component around a voxel; gives its first voxel (linear index) and its bounds."""
    depth, height, width = kinds.shape
    stack = np.empty(4096, np.int64)
    stack[0], top, first = seed, 1, seed
    z, y, x = seed // (height * width), seed // width % height, seed % width
    marks[z, y, x] = (marks[z, y, x] | put) & ~clear
    z0 = z1 = z
    y0 = y1 = y
    x0 = x1 = x
    while top > 0:
        top -= 1
        here = stack[top]
        first = min(first, here)
        z, y, x = here // (height * width), here // width % height, here % width
        z0, y0, x0 = min(z0, z), min(y0, y), min(x0, x)
        z1, y1, x1 = max(z1, z), max(y1, y), max(x1, x)
        for o in range(offsets.shape[0]):
            there_z, there_y, there_x = z + offsets[o, 0], y + offsets[o, 1], x + offsets[o, 2]
            if there_z < 0 or there_y < 0 or there_x < 0 or there_z >= depth or there_y >= height or there_x >= width:
                continue
            if not kinds[there_z, there_y, there_x] & bit or marks[there_z, there_y, there_x] & put:
                continue
            marks[there_z, there_y, there_x] = (marks[there_z, there_y, there_x] | put) & ~clear
            if top == stack.size:
                longer = np.empty(2 * stack.size, np.int64)
                for k in range(top):
                    longer[k] = stack[k]
                stack = longer
            stack[top] = (there_z * height + there_y) * width + there_x
            top += 1
    bounds[0], bounds[1], bounds[2] = z0, y0, x0
    bounds[3], bounds[4], bounds[5] = z1 + 1, y1 + 1, x1 + 1
    return first
