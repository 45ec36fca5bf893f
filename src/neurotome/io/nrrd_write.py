"""A shape on its grid as NRRD (teem), which unlike most formats can say that a grid is turned."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from neurotome.core import FormatError, Occupancy
from neurotome.io.atomic import atomic_target

__all__ = ["write_nrrd"]


def write_nrrd(path: Path | str, occupancy: Occupancy) -> None:
    """Write bool as uint8 and other values as float32, gzip; origin and directions of the axes in nm, x first.

    Whole or not at all; equal grids give equal bytes. Raises FormatError for another suffix than .nrrd.
    """
    path = Path(path)
    if path.suffix.lower() != ".nrrd":
        raise FormatError(f"'{path}' is no NRRD by its name", "a name ending in .nrrd", "rename it")
    whole = occupancy.data.dtype.kind != "f"
    values = np.ascontiguousarray(occupancy.data, np.uint8 if whole else "<f4")
    with atomic_target(path) as temporary:
        temporary.write_bytes(_header(occupancy, "uint8" if whole else "float") + gzip.compress(values.tobytes(), 6, mtime=0))


def _header(occupancy: Occupancy, dtype: str) -> bytes:
    frame = occupancy.frame
    origin = frame.index_nm(np.array([[0.5, 0.5, 0.5]]))[0]
    axes = np.asarray(frame.rotation) * frame.voxel_nm
    lines = [
        "NRRD0004",
        f"type: {dtype}",
        "dimension: 3",
        "space dimension: 3",
        f"sizes: {' '.join(map(str, occupancy.data.shape[::-1]))}",
        f"space directions: {' '.join(_vector(axis) for axis in axes[::-1])}",
        f"space origin: {_vector(origin)}",
        'space units: "nm" "nm" "nm"',
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
    ]
    return "\n".join([*lines, "", ""]).encode()


def _vector(zyx: np.ndarray) -> str:
    return f"({','.join(repr(float(v) + 0.0) for v in zyx[::-1])})"
