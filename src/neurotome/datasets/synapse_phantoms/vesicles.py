"""Synaptic vesicles: where they find room, what they look like, and the cloud that they make."""

from __future__ import annotations

import math

import numba
import numpy as np

from neurotome.datasets.synapse_phantoms.anatomy import bent

__all__ = ["candidates", "draw_vesicles", "settle"]

_APART_NM = 6.0
_CLEAR_NM = 7.0
_CLOUD_NM = 19.0
_DOCKED_NM = 24.0
_RING_NM = 10.0


def candidates(shape: np.ndarray, wanted: int, diameter_nm: float, rng: np.random.Generator) -> np.ndarray:
    """Places (m, 3) nm where vesicles may settle, the best first: some at the active zone, then ever further from it.

    shape: one row of `anatomy.SHAPE`.
    """
    radius, count = float(shape["radius"]), 2000 + 100 * wanted
    docked = max(2, wanted // 9)
    turn, out = rng.uniform(0, 2 * np.pi, 4 * docked), 0.9 * radius * np.sqrt(rng.uniform(0, 1, 4 * docked))
    dock = np.stack([out * np.cos(turn), out * np.sin(turn)], axis=1)
    low = _DOCKED_NM + diameter_nm / 2 + rng.uniform(0, 6, 4 * docked)
    dock = np.column_stack([dock, bent(shape, dock) - low])
    # A cloud as wide as its vesicles need, or as its cleft.
    size = 46.0 * np.cbrt(wanted)
    wide = np.array([max(size, 0.8 * radius), max(size, 0.8 * radius), size])
    free = rng.uniform(-1.7, 1.7, (count, 3)) * wide
    free[:, 2] = -np.abs(free[:, 2])
    free[:, 2] += bent(shape, free[:, :2]) - _DOCKED_NM - diameter_nm / 2
    far = np.linalg.norm((free - [0, 0, -0.55 * size]) / wide, axis=1) + 0.05 * rng.standard_normal(count)
    local = np.vstack([dock, free[np.argsort(far, kind="stable")]])
    return np.asarray(shape["centre"] + local @ shape["frame"])


@numba.njit(cache=True, nogil=True)
def settle(neurons, organelles, owner, places, wanted, diameter, voxel) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Row numbers of up to `wanted` places, taken in order, that lie in the neuron, clear of all else and of each other."""
    taken = np.empty(wanted, np.int64)
    count = 0
    apart2, clear = (diameter + _APART_NM) ** 2, diameter / 2 + _CLEAR_NM
    for i in range(len(places)):
        if count == wanted:
            break
        p = places[i]
        free = True
        for k in range(count):
            q = places[taken[k]]
            if (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2 < apart2:
                free = False
                break
        if free and _clear(neurons, organelles, owner, p, clear, voxel):
            taken[count] = i
            count += 1
    return taken[:count]


@numba.njit(cache=True, nogil=True)
def _clear(neurons, organelles, owner, p, clear, voxel) -> bool:  # type: ignore[no-untyped-def]
    for d in range(27):
        dz, dy, dx = d // 9 - 1, d // 3 % 3 - 1, d % 3 - 1
        scale = clear / math.sqrt(max(dz * dz + dy * dy + dx * dx, 1))
        z, y, x = (
            round((p[0] + dz * scale) / voxel[0]),
            round((p[1] + dy * scale) / voxel[1]),
            round((p[2] + dx * scale) / voxel[2]),
        )
        if z < 0 or y < 0 or x < 0 or z >= neurons.shape[0] or y >= neurons.shape[1] or x >= neurons.shape[2]:
            return False
        if neurons[z, y, x] != owner or organelles[z, y, x] != 0:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def draw_vesicles(  # type: ignore[no-untyped-def]
    image, organelles, instances, neurons, owner, places, dense, diameter, first_id, voxel, mark
) -> None:
    """Paint vesicles as dark rings (dense ones filled), number them from first_id, and label the cloud around them `mark`.

    The cloud is every voxel of the neuron, without other label, that is less than 19 nm outside a vesicle.
    """
    radius = diameter / 2
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for i in range(len(places)):
        p = places[i]
        for a in range(3):
            low[a] = max(int((p[a] - radius - _CLOUD_NM) / voxel[a]), 0)
            high[a] = min(int((p[a] + radius + _CLOUD_NM) / voxel[a]) + 2, neurons.shape[a])
        for z in range(low[0], high[0]):
            for y in range(low[1], high[1]):
                for x in range(low[2], high[2]):
                    off = math.sqrt((z * voxel[0] - p[0]) ** 2 + (y * voxel[1] - p[1]) ** 2 + (x * voxel[2] - p[2]) ** 2)
                    if off > radius + _CLOUD_NM or neurons[z, y, x] != owner:
                        continue
                    if organelles[z, y, x] == 0:
                        organelles[z, y, x] = mark
                    if off <= radius:
                        instances[z, y, x] = first_id + i
                    if off < radius + _RING_NM:
                        grey = float(image[z, y, x])
                        ring = math.exp(-0.5 * ((off - radius + 3.5) / 5.0) ** 2)
                        fill = min(max((radius - off) / 6, 0.0), 1.0)
                        grey += (-85.0 if dense[i] else 10.0) * fill - 82.0 * ring
                        image[z, y, x] = min(max(grey, 0.0), 255.0)
