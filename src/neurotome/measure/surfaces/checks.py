"""What every measure of a mask asks of its input."""

from __future__ import annotations

import math

import numpy as np

from neurotome.core import ShapeError, UnitError
from neurotome.core.geometry import Nm3

__all__ = ["require_mask", "require_voxel"]


def require_mask(mask: np.ndarray) -> np.ndarray:
    """The mask as bool. Raises ShapeError unless it is a volume."""
    if mask.ndim != 3:
        raise ShapeError(f"Mask of shape {mask.shape}", "three axes (z, y, x)", "add the missing axis")
    return mask.astype(bool, copy=False)


def require_voxel(voxel_nm: Nm3) -> Nm3:
    """Three sides as floats. Raises UnitError unless all are above 0."""
    if len(voxel_nm) != 3 or not all(math.isfinite(side) and side > 0 for side in voxel_nm):
        raise UnitError(f"Voxel size {tuple(voxel_nm)} nm", "three numbers above 0 (z, y, x)", "give all three")
    z, y, x = (float(side) for side in voxel_nm)
    return z, y, x
