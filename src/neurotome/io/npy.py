"""NumPy's .npy files, as input only: they hold no voxel size, so nothing is written to them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from neurotome.core import FormatError
from neurotome.io.lazy import LazyArray, Ranges, stack_axis
from neurotome.io.source import Source

__all__ = ["read"]


def read(path: Path) -> Source:
    """Describe an array file of axes (y, x), (z, y, x) or (c, z, y, x)."""
    array = _mapped(path)
    if not 2 <= array.ndim <= 4 or array.dtype.kind not in "buif":
        raise FormatError(
            f"'{path}' holds an array of {array.ndim} axes and type {array.dtype}",
            "numbers along (y, x), (z, y, x) or (c, z, y, x)",
            "save the volume alone",
        )
    data = LazyArray.whole(partial(_read_box, path), array.shape, array.dtype.newbyteorder("="), path)
    return Source(path, "NumPy", data if array.ndim > 2 else stack_axis(data), axes="CZYX"[-array.ndim :])


def _mapped(path: Path) -> np.ndarray:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        raise FormatError(f"'{path}' cannot be read ({error})", "a complete .npy file of numbers", "save it again") from error


def _read_box(path: Path, ranges: Ranges) -> np.ndarray:
    return np.array(_mapped(path)[tuple(slice(a, b) for a, b in ranges)])
