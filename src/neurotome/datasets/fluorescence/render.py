"""From paths with radii to light: capsules drawn with their part of each voxel, then blurred by the optics."""

from __future__ import annotations

import math

import numba
import numpy as np
from scipy import ndimage

from neurotome.core import Skeleton
from neurotome.core.geometry import Int3, Nm3

__all__ = ["blur", "coarse_blur", "draw", "mark"]

_COARSE = (2, 4, 4)


def draw(light: np.ndarray, tree: Skeleton, brightness: np.ndarray, voxel_nm: Nm3) -> None:
    """Draw the edges of a tree into `light` (z, y, x) float32, in place; the brighter of old and new stays.

    A voxel gets brightness x the part of it that the neurite fills. At the border of a neurite that part falls linearly with the
    distance over the width of a voxel; a neurite thinner than a voxel is dimmed to pi r^2 of a cross-section, so that thin
    ones keep their amount of dye. Nodes are voxel index x voxel_nm; brightness: (n,), constant along the edge to the parent.
    """
    _draw(light, *_capsules(tree), np.asarray(brightness, np.float32), np.asarray(voxel_nm))


def mark(mask: np.ndarray, tree: Skeleton, label: int, voxel_nm: Nm3) -> None:
    """Give the background voxels of `mask` (z, y, x) uint8 that belong to a tree its label, in place.

    They are those whose centre lies in a neurite, and those that an axis passes, however thin the neurite.
    """
    _mark(mask, *_capsules(tree), label, np.asarray(voxel_nm))


def blur(light: np.ndarray, psf_nm: Nm3, voxel_nm: Nm3) -> np.ndarray:
    """The light behind a Gaussian point spread of these standard deviations."""
    sigma = [p / v for p, v in zip(psf_nm, voxel_nm, strict=True)]
    return np.asarray(ndimage.gaussian_filter(light, sigma, mode="nearest", truncate=3.0))


def coarse_blur(light: np.ndarray, sigma_nm: float, voxel_nm: Nm3, shape: Int3) -> np.ndarray:
    """A wide Gaussian blur, computed on the means of two sections by four rows by four columns."""
    wide = light
    for axis, factor in enumerate(_COARSE):
        starts = np.arange(0, shape[axis], factor)
        counts = np.diff([*starts, shape[axis]]).reshape([-1 if a == axis else 1 for a in range(3)])
        wide = np.add.reduceat(wide, starts, axis) / counts.astype(np.float32)
    wide = ndimage.gaussian_filter(wide, [sigma_nm / (v * n) for v, n in zip(voxel_nm, _COARSE, strict=True)], truncate=2.5)
    for axis, factor in enumerate(_COARSE):
        wide = _stretched(wide, axis, factor, shape[axis])
    return wide


def _stretched(values: np.ndarray, axis: int, factor: int, size: int) -> np.ndarray:
    place = np.clip((np.arange(size) - 0.5 * (factor - 1)) / factor, 0, values.shape[axis] - 1)
    low = place.astype(int)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = (place - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    return np.asarray(values.take(low, axis) * (1 - share) + values.take(high, axis) * share)


def _capsules(tree: Skeleton) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every node: its own end and the parent's end of its edge, and the radii of both; a root is a ball."""
    above = np.where(tree.parent_rows >= 0, tree.parent_rows, np.arange(len(tree)))
    parent_radius = tree.radii_nm[above]
    # From the soma on a neurite has its own calibre: a cone as wide as the soma would not be one.
    leaves_soma = (tree.kinds[above] == 1) & (tree.kinds != 1)
    radii = np.column_stack([tree.radii_nm, np.where(leaves_soma, tree.radii_nm, parent_radius)])
    return tree.points_nm, tree.points_nm[above], radii


@numba.njit(cache=True, nogil=True, inline="always")
def _nearest(z: float, y: float, x: float, a: np.ndarray, step: np.ndarray, square: float) -> tuple[float, float, float, float]:
    """Where on the axis a + t step a point is nearest to (t in 0..1), and the vector from there to it."""
    t = 0.0
    if square > 0:
        t = ((z - a[0]) * step[0] + (y - a[1]) * step[1] + (x - a[2]) * step[2]) / square
        t = min(1.0, max(0.0, t))
    return t, z - a[0] - t * step[0], y - a[1] - t * step[1], x - a[2] - t * step[2]


@numba.njit(cache=True, nogil=True, inline="always")
def _fill(away: float, radius: float, width: float) -> float:
    """The part of a voxel of this width that a neurite fills whose axis is `away` from its centre.

    It falls linearly from 1 to 0 over one width, at a radius s; over a cross-section such a profile adds up to
    pi (s^2 + width^2 / 12). s is chosen so that this is pi radius^2.
    """
    square = radius * radius - width * width / 12
    if square >= 0.25 * width * width:
        return min(1.0, max(0.0, 0.5 - (away - math.sqrt(square)) / width))
    # At this radius, s is half a width; thinner neurites keep that profile and get darker.
    return max(0.0, 1.0 - away / width) * min(1.0, 3 * radius * radius / (width * width))


@numba.njit(cache=True, nogil=True)
def _draw(
    light: np.ndarray, ends: np.ndarray, starts: np.ndarray, radii: np.ndarray, brightness: np.ndarray, voxel: np.ndarray
) -> None:
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for n in range(len(ends)):
        if brightness[n] <= 0:
            continue
        a, step = starts[n], ends[n] - starts[n]
        square = (step * step).sum()
        thickest = max(radii[n, 0], radii[n, 1])
        for k in range(3):
            reach = thickest + 1.2 * voxel[k]
            low[k] = max(0, math.ceil((min(a[k], ends[n, k]) - reach) / voxel[k]))
            high[k] = min(light.shape[k], math.floor((max(a[k], ends[n, k]) + reach) / voxel[k]) + 1)
        for z in range(low[0], high[0]):
            for y in range(low[1], high[1]):
                for x in range(low[2], high[2]):
                    t, dz, dy, dx = _nearest(z * voxel[0], y * voxel[1], x * voxel[2], a, step, square)
                    away = math.sqrt(dz * dz + dy * dy + dx * dx)
                    width = voxel.min()
                    if away > 0:
                        width = math.sqrt((dz * voxel[0]) ** 2 + (dy * voxel[1]) ** 2 + (dx * voxel[2]) ** 2) / away
                    radius = radii[n, 1] + t * (radii[n, 0] - radii[n, 1])
                    value = brightness[n] * _fill(away, radius, width)
                    if value > light[z, y, x]:
                        light[z, y, x] = value


@numba.njit(cache=True, nogil=True)
def _mark(mask: np.ndarray, ends: np.ndarray, starts: np.ndarray, radii: np.ndarray, label: int, voxel: np.ndarray) -> None:
    low, high, at = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3, np.int64)
    for n in range(len(ends)):
        a, step = starts[n], ends[n] - starts[n]
        square = (step * step).sum()
        thickest = max(radii[n, 0], radii[n, 1])
        for k in range(3):
            low[k] = max(0, math.ceil((min(a[k], ends[n, k]) - thickest) / voxel[k]))
            high[k] = min(mask.shape[k], math.floor((max(a[k], ends[n, k]) + thickest) / voxel[k]) + 1)
        for z in range(low[0], high[0]):
            for y in range(low[1], high[1]):
                for x in range(low[2], high[2]):
                    t, dz, dy, dx = _nearest(z * voxel[0], y * voxel[1], x * voxel[2], a, step, square)
                    radius = radii[n, 1] + t * (radii[n, 0] - radii[n, 1])
                    if mask[z, y, x] == 0 and dz * dz + dy * dy + dx * dx <= radius * radius:
                        mask[z, y, x] = label
        # Samples a quarter of a voxel apart find every voxel that the axis spends any length in.
        samples = 1 + math.ceil(4 * math.sqrt(square) / voxel.min())
        for s in range(samples + 1):
            within = True
            for k in range(3):
                at[k] = math.floor((a[k] + s / samples * step[k]) / voxel[k] + 0.5)
                within &= 0 <= at[k] < mask.shape[k]
            if within and mask[at[0], at[1], at[2]] == 0:
                mask[at[0], at[1], at[2]] = label
