"""One voxel out of up to eight: the mean of grey values, the most frequent of ids. Pure array functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neurotome.core import ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.io.source import Kind

__all__ = ["downsample", "mean_of_voxels", "mode_of_voxels"]


def downsample(values: np.ndarray, factor: Int3, kind: Kind) -> np.ndarray:
    """The next coarser level of an array (..., z, y, x), of the same type: mode for labels, mean for everything else.

    factor: 1 or 2 along z, y, x. The result has ceil(n / factor) voxels; where the array ends within a group of voxels, those
    that are there decide. Cutting an array at multiples of the factor and joining the results changes nothing.

    >>> downsample(np.array([[[1, 2, 7]]], np.uint8), (1, 1, 2), "image").tolist()
    [[[2, 7]]]
    >>> downsample(np.array([[[5, 3, 7]]], np.uint8), (1, 1, 2), "labels").tolist()
    [[[3, 7]]]
    """
    if any(f not in (1, 2) for f in factor):
        raise ValueRangeError(f"Downsampling by {factor}", "1 or 2 along each axis", "go down several levels")
    one_stack = mode_of_voxels if kind == "labels" else mean_of_voxels
    if values.ndim == 3:
        return one_stack(values, factor)
    return np.stack([one_stack(stack, factor) for stack in values])


def mode_of_voxels(ids: np.ndarray, factor: Int3) -> np.ndarray:
    """The most frequent id of each group of voxels; among equally frequent ones the smallest. 0 is an id like others."""
    out = np.empty(_coarse_shape(ids.shape, factor), ids.dtype)
    _mode(np.ascontiguousarray(ids), *factor, out)
    return out


def mean_of_voxels(values: np.ndarray, factor: Int3) -> np.ndarray:
    """The mean of each group of voxels. Whole numbers are rounded, halves towards plus infinity; sums are exact up to 32 bit."""
    out = np.empty(_coarse_shape(values.shape, factor), values.dtype)
    if values.dtype == np.float16:  # no such type in a compiled loop
        single = np.empty(out.shape, np.float32)
        _mean_of_floats(values.astype(np.float32), *factor, single)
        return single.astype(np.float16)
    kernel: Any = _mean_of_floats if values.dtype.kind == "f" else _mean_of_integers
    kernel(np.ascontiguousarray(values), *factor, out)
    return out


def _coarse_shape(shape: tuple[int, ...], factor: Int3) -> tuple[int, ...]:
    return tuple(-(-n // f) for n, f in zip(shape, factor, strict=True))


@njit(cache=True, nogil=True)
def _mode(ids, fz, fy, fx, out):  # type: ignore[no-untyped-def]
    found = np.empty(8, ids.dtype)
    for z in range(out.shape[0]):
        z1 = min((z + 1) * fz, ids.shape[0])
        for y in range(out.shape[1]):
            y1 = min((y + 1) * fy, ids.shape[1])
            for x in range(out.shape[2]):
                x1 = min((x + 1) * fx, ids.shape[2])
                first = ids[z * fz, y * fy, x * fx]
                # Inside an object, which is nearly everywhere, all are the same: nothing to count.
                same = True
                for i in range(z * fz, z1):
                    for j in range(y * fy, y1):
                        for k in range(x * fx, x1):
                            same &= ids[i, j, k] == first
                if same:
                    out[z, y, x] = first
                    continue
                n = 0
                for i in range(z * fz, z1):
                    for j in range(y * fy, y1):
                        for k in range(x * fx, x1):
                            found[n] = ids[i, j, k]
                            n += 1
                out[z, y, x] = _most_frequent(found, n)


@njit(cache=True, nogil=True)
def _most_frequent(found, n):  # type: ignore[no-untyped-def]
    best = found[0]
    most = 0
    for a in range(n):
        count = 0
        for b in range(n):
            count += found[b] == found[a]
        if count > most or (count == most and found[a] < best):
            best, most = found[a], count
    return best


@njit(cache=True, nogil=True)
def _mean_of_integers(values, fz, fy, fx, out):  # type: ignore[no-untyped-def]
    for z in range(out.shape[0]):
        z1 = min((z + 1) * fz, values.shape[0])
        for y in range(out.shape[1]):
            y1 = min((y + 1) * fy, values.shape[1])
            for x in range(out.shape[2]):
                x1 = min((x + 1) * fx, values.shape[2])
                total = np.int64(0)
                n = np.int64(0)
                for i in range(z * fz, z1):
                    for j in range(y * fy, y1):
                        for k in range(x * fx, x1):
                            total += np.int64(values[i, j, k])
                            n += 1
                # Floor of mean + 1/2, in whole numbers.
                out[z, y, x] = (2 * total + n) // (2 * n)


@njit(cache=True, nogil=True)
def _mean_of_floats(values, fz, fy, fx, out):  # type: ignore[no-untyped-def]
    for z in range(out.shape[0]):
        z1 = min((z + 1) * fz, values.shape[0])
        for y in range(out.shape[1]):
            y1 = min((y + 1) * fy, values.shape[1])
            for x in range(out.shape[2]):
                x1 = min((x + 1) * fx, values.shape[2])
                total = 0.0
                n = 0
                for i in range(z * fz, z1):
                    for j in range(y * fy, y1):
                        for k in range(x * fx, x1):
                            total += values[i, j, k]
                            n += 1
                out[z, y, x] = total / n
