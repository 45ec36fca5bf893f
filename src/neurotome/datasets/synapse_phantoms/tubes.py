"""Organelles that are capsules: mitochondria, and tubes of the reticulum that nobody labels."""

from __future__ import annotations

import math

import numba
import numpy as np

from neurotome.core.geometry import Nm3

__all__ = ["MITOCHONDRION", "RETICULUM", "draw_tube", "fit_tube"]

MITOCHONDRION, RETICULUM = 0, 1

_SHRINK = (1.0, 0.88, 0.76, 0.64)
_CLEAR_NM = 14.0


def fit_tube(
    neurons: np.ndarray, owner: int, ends_nm: np.ndarray, radius_nm: float, voxel_nm: Nm3
) -> tuple[np.ndarray, float] | None:
    """The first of some capsules that lies in a neuron, clear of its membrane; thinner ones are tried only when none fits.

    Parameters
    ----------
    ends_nm
        (m, 2, 3), the two ends of each.
    """
    for share in _SHRINK:
        found = _first_inside(neurons, owner, ends_nm, radius_nm * share + _CLEAR_NM, np.array(voxel_nm))
        if found >= 0:
            return ends_nm[found], radius_nm * share
    return None


@numba.njit(cache=True, nogil=True)
def _first_inside(neurons, owner, ends, radius, voxel) -> int:  # type: ignore[no-untyped-def]
    """Row of the first capsule of which 14 directions around 5 places along it are all in the neuron, -1 if none."""
    for i in range(len(ends)):
        fits = True
        for step in range(5):
            t = step / 4
            for d in range(27):
                dz, dy, dx = d // 9 - 1, d // 3 % 3 - 1, d % 3 - 1
                weight = dz * dz + dy * dy + dx * dx
                if weight == 2:
                    continue
                scale = radius / math.sqrt(max(weight, 1))
                z = round(((1 - t) * ends[i, 0, 0] + t * ends[i, 1, 0] + dz * scale) / voxel[0])
                y = round(((1 - t) * ends[i, 0, 1] + t * ends[i, 1, 1] + dy * scale) / voxel[1])
                x = round(((1 - t) * ends[i, 0, 2] + t * ends[i, 1, 2] + dx * scale) / voxel[2])
                inside = 0 <= z < neurons.shape[0] and 0 <= y < neurons.shape[1] and 0 <= x < neurons.shape[2]
                if not inside or neurons[z, y, x] != owner:
                    fits = False
                    break
            if not fits:
                break
        if fits:
            return i
    return -1


@numba.njit(cache=True, nogil=True)
def draw_tube(image, organelles, neurons, owner, ends, radius, voxel, look, mark, phase) -> None:  # type: ignore[no-untyped-def]
    """Paint one capsule where the voxels belong to `owner`; label it `mark` (0 = none).

    ends: (2, 3) nm. look: MITOCHONDRION (double membrane, cristae across a grey matrix) or RETICULUM (one membrane, pale inside).
    phase: shifts the cristae.
    """
    way = ends[1] - ends[0]
    length = math.sqrt((way * way).sum())
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for a in range(3):
        low[a] = max(int((min(ends[0, a], ends[1, a]) - radius - 8) / voxel[a]), 0)
        high[a] = min(int((max(ends[0, a], ends[1, a]) + radius + 8) / voxel[a]) + 2, neurons.shape[a])
    for z in range(low[0], high[0]):
        for y in range(low[1], high[1]):
            for x in range(low[2], high[2]):
                if neurons[z, y, x] != owner:
                    continue
                pz, py, px = z * voxel[0] - ends[0, 0], y * voxel[1] - ends[0, 1], x * voxel[2] - ends[0, 2]
                along = (pz * way[0] + py * way[1] + px * way[2]) / length
                t = min(max(along / length, 0.0), 1.0)
                off = math.sqrt((pz - t * way[0]) ** 2 + (py - t * way[1]) ** 2 + (px - t * way[2]) ** 2)
                # Mitochondria are thicker here and thinner there.
                depth = radius * (1 + 0.08 * math.sin(along / 60 + phase)) - off
                if depth < -6 or organelles[z, y, x] != 0:
                    continue
                grey = float(image[z, y, x])
                if look == MITOCHONDRION:
                    inner = min(max((depth - 14) / 12, 0.0), 1.0)
                    wave = math.sin(along * 0.143 + 1.4 * math.sin(pz * 0.021 + phase) + 1.4 * math.sin(py * 0.023 - px * 0.017))
                    matrix = 122 + inner * (24 * wave - 4)
                    cover = min(max((depth + 5) / 6, 0.0), 1.0)
                    grey += cover * (matrix - grey)
                    grey -= 52 * math.exp(-0.5 * ((depth - 4) / 6.0) ** 2)
                else:
                    grey += 8 * min(max(depth / 8, 0.0), 1.0)
                    grey -= 74 * math.exp(-0.5 * ((depth - 2) / 6.0) ** 2)
                image[z, y, x] = min(max(grey, 0.0), 255.0)
                if mark > 0 and depth > 0:
                    organelles[z, y, x] = mark
