"""Where an image is brighter along a line than beside it, at several widths at once (Sato et al. 1998)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba
import numpy as np
from scipy import ndimage

from neurotome.core import ShapeError

__all__ = ["ridge_response"]

TRUNCATE = 4.0
SLAB = 32
"""Sections at once: what is needed at a time is six arrays of this many sections and the halo."""
SECOND_ORDERS = ((2, 0, 0), (0, 2, 0), (0, 0, 2), (1, 1, 0), (1, 0, 1), (0, 1, 1))


def ridge_response(image: np.ndarray, scales: Sequence[float] = (1.0, 2.0, 3.0)) -> np.ndarray:
    """How much each voxel lies on a bright line: the largest over the scales of s^2 sqrt(max(0, -a) max(0, -b)).

    a and b are the two smallest eigenvalues of the Hessian of the image smoothed by a Gaussian of standard deviation s; in a
    single section s^2 max(0, -a). Borders are reflected.

    Parameters
    ----------
    image
        (z, y, x), any numbers.
    scales
        In voxels.

    Returns
    -------
    (z, y, x) float32.

    Raises ShapeError for another number of axes.

    >>> line = np.zeros((9, 9, 9))
    >>> line[4, 4] = 100
    >>> found = ridge_response(line, (1.0,))
    >>> tuple(int(i) for i in np.unravel_index(found.argmax(), found.shape))[:2], float(found[0, 0, 4])
    ((4, 4), 0.0)
    """
    if image.ndim != 3:
        raise ShapeError(f"Image of shape {image.shape}", "(z, y, x)", "a section is a stack of one")
    halo = max(math.ceil(TRUNCATE * max(scales)) + 1, 1)
    best = np.zeros(image.shape, np.float32)
    # The kernels of the second derivative do not sum to exactly 0: without the mean, a bright background would leak in.
    mean = np.float32(image.mean(dtype=np.float64))
    for first in range(0, len(image), SLAB):
        last = min(first + SLAB, len(image))
        low, high = max(first - halo, 0), min(last + halo, len(image))
        part = image[low:high].astype(np.float32) - mean
        for scale in scales:
            hessian = [ndimage.gaussian_filter(part, scale, order, truncate=TRUNCATE) for order in SECOND_ORDERS]
            inner = [np.ascontiguousarray(h[first - low : last - low]).reshape(-1) for h in hessian]
            _strongest(*inner, np.float32(scale**2), len(image) == 1, best[first:last].reshape(-1))
    return best


@numba.njit(cache=True, nogil=True)
def _strongest(zz, yy, xx, zy, zx, yx, scale, flat, best):
    """Raise `best` to the response at one scale where that is larger."""
    for i in range(best.size):
        a, b = _two_smallest(zz[i], yy[i], xx[i], zy[i], zx[i], yx[i])
        response = -a if flat else math.sqrt(a * b) if b < 0 else 0.0
        best[i] = max(best[i], scale * response)


@numba.njit(cache=True, nogil=True, inline="always")
def _two_smallest(zz, yy, xx, zy, zx, yx):
    """The two smallest eigenvalues of a symmetric 3 x 3 matrix, by Cardano's formula."""
    middle = (zz + yy + xx) / 3
    z, y, x = zz - middle, yy - middle, xx - middle
    spread = math.sqrt((z * z + y * y + x * x + 2 * (zy * zy + zx * zx + yx * yx)) / 6)
    if spread == 0:
        return middle, middle
    determinant = z * (y * x - yx * yx) - zy * (zy * x - yx * zx) + zx * (zy * yx - y * zx)
    angle = math.acos(min(1.0, max(-1.0, determinant / (2 * spread**3)))) / 3
    largest = middle + 2 * spread * math.cos(angle)
    smallest = middle + 2 * spread * math.cos(angle + 2 * math.pi / 3)
    return smallest, 3 * middle - largest - smallest
