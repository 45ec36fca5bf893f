"""Exact distances from masks, and the surface half way between two of them."""

from __future__ import annotations

import numpy as np

from neurotome.core import InputError
from neurotome.core.geometry import Nm3
from neurotome.measure.surfaces.checks import require_mask, require_voxel
from neurotome.measure.surfaces.level_set import Faces, zero_level

__all__ = ["distance_to", "mid_surface", "signed_distance"]


def distance_to(mask: np.ndarray, voxel_nm: Nm3) -> np.ndarray:
    """Nanometres from the centre of each voxel to that of the nearest voxel of the mask, 0 inside it; float32 (z, y, x).

    Exact (Meijster et al. 2000, as in the package edt). Raises InputError for an empty mask, from which nothing has a distance.

    >>> distance_to(np.array([[[True, False, False]]]), (40.0, 8.0, 8.0)).tolist()
    [[[0.0, 8.0, 16.0]]]
    """
    import edt

    mask = require_mask(mask)
    if not mask.any():
        raise InputError("An empty mask", "at least one voxel to measure from", "ask whether there is any first")
    found: np.ndarray = edt.edt(~mask, anisotropy=require_voxel(voxel_nm), black_border=False, parallel=1)
    return found


def signed_distance(mask: np.ndarray, voxel_nm: Nm3) -> np.ndarray:
    """Nanometres to the nearest voxel centre on the other side: positive outside the mask, negative inside; float32 (z, y, x).

    The array's border is no border of the mask, which goes on beyond it. Raises InputError for an empty or full mask.

    >>> signed_distance(np.array([[[True, True, False, False]]]), (40.0, 8.0, 8.0)).tolist()
    [[[-16.0, -8.0, 8.0, 16.0]]]
    """
    import edt

    mask = require_mask(mask)
    if not mask.any() or mask.all():
        raise InputError(f"A mask with {'all' if mask.any() else 'none'} of its voxels", "an inside and an outside")
    # Inside and outside as two labels: one transform gives both distances.
    sides = mask.view(np.uint8) + np.uint8(1)
    found: np.ndarray = edt.edt(sides, anisotropy=require_voxel(voxel_nm), black_border=False, parallel=1)
    np.negative(found, out=found, where=mask)
    return found


def mid_surface(first: np.ndarray, second: np.ndarray, voxel_nm: Nm3, *, beyond: bool = False) -> Faces:
    """The surface as far from one region as from the other, its normals towards the second.

    It is where the difference of their signed distances, first minus second, is zero. The steps of the regions' voxels would make
    the surface rough and up to 8 % too large, so the difference is smoothed before (Gaussian, standard deviation: the voxel's
    shortest side), which moves neither planes nor, by more than a hundredth of a voxel, the surfaces of synapses. Flat discs and
    caps at any tilt come out within 1 % for cubes as voxels, within 3 % at a ratio of 2:1, and 6 % at 4:1.

    first, second: `signed_distance` of the two regions (z, y, x). beyond: as in `zero_level`.

    >>> left, right = np.zeros((2, 4, 4, 6), bool)
    >>> left[..., :2] = right[..., 4:] = True
    >>> voxel = (8.0, 8.0, 8.0)
    >>> faces = mid_surface(signed_distance(left, voxel), signed_distance(right, voxel), voxel, beyond=True)
    >>> round(faces.within(np.ones((4, 4, 6), bool)).area_nm2, 3), round(float(faces.centroids_vox[0, 2]), 3)
    (1024.0, 2.5)
    """
    from scipy.ndimage import gaussian_filter

    sides = np.array(require_voxel(voxel_nm))
    return zero_level(gaussian_filter(first - second, sides.min() / sides, mode="nearest"), voxel_nm, beyond=beyond)
