"""Point clouds from files of numbers: .npz, .npy, .csv (z, y, x) and .ply (x, y, z, as everybody writes it).

.npz    key points_nm, points_um, points or data; further keys normals and soma_nm
.npy    (n, 3)
.csv    columns z, y, x, or z_nm ..., or z_um ...; others are left alone
.ply    vertices, with normals where they have nx, ny, nz
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import FormatError, PointCloud, UnknownNameError
from neurotome.core.geometry import Nm3
from neurotome.io.open import require_exists
from neurotome.io.ply import read_ply
from neurotome.io.stated_unit import unit_of

__all__ = ["POINT_SUFFIXES", "read_point_cloud"]

POINT_SUFFIXES = (".npz", ".npy", ".csv", ".ply")
AXES = ("zyx", "xyz")
_KEYS = {"points_nm": "unit: nm", "points_um": "unit: um", "points": "", "data": ""}
Parts = tuple[np.ndarray, str, dict[str, Any]]


def read_point_cloud(path: Path | str, *, unit: str | None = None, voxel_nm: Nm3 | None = None, axes: str = "zyx") -> PointCloud:
    """Read a cloud; its name is the file's stem.

    unit: "um", "nm" or "voxel", where the file does not say. voxel_nm: nm along z, y, x, for numbers in voxels. axes: the order
    of the columns of .npz and .npy.

    Raises UnitError where the unit is missing or another than the file's, FormatError for what is no cloud and for float16
    numbers that have overflown, ValueRangeError with the first point that is not finite, InputError for an empty cloud,
    MissingFileError.
    """
    path = require_exists(Path(path))
    if axes not in AXES:
        raise UnknownNameError("order of axes", axes, AXES)
    readers = {".npz": _from_npz, ".npy": _from_npy, ".csv": _from_csv, ".ply": _from_ply}
    if path.suffix.lower() not in readers:
        raise FormatError(f"'{path}' is no point cloud by its name", f"one of {', '.join(readers)}", "convert or rename it")
    if path.stat().st_size == 0:
        raise FormatError(f"'{path}' is empty (0 bytes)", "a point cloud", "copy or download it again")
    points, header, more = readers[path.suffix.lower()](path)
    _, scale = unit_of(path, [header], unit, voxel_nm, kind=path.suffix.lower())
    flipped = axes == "xyz" and path.suffix.lower() in (".npz", ".npy")
    return PointCloud((points[:, ::-1] if flipped else points) * np.asarray(scale), name=path.stem, **_turned(more, flipped))


def checked_points(path: Path, values: np.ndarray) -> np.ndarray:
    """(n, 3) float64 of stored numbers. Raises FormatError for another shape or type and for float16 that has overflown."""
    if values.ndim != 2 or values.shape[1] != 3 or values.dtype.kind not in "fiu":
        raise FormatError(
            f"'{path}' holds {values.dtype} of shape {values.shape}", "numbers of shape (n, 3)", "store the points alone"
        )
    if values.dtype == np.float16 and np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values).any(1))[0])
        raise FormatError(
            f"Point {row} of '{path.stem}' is an overflow of the stored format (float16, '{path}')",
            "numbers up to 65,504",
            "store it again as float32",
        )
    return values.astype(np.float64)


def npz_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file without pickles. Raises FormatError."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, AttributeError) as error:
        raise FormatError(f"'{path}' is not readable ({error})", "arrays of NumPy, without pickles", "save it again") from error


def _from_npz(path: Path) -> Parts:
    arrays = npz_arrays(path)
    key = next((key for key in _KEYS if key in arrays), None)
    if key is None:
        raise FormatError(
            f"'{path}' has the keys {', '.join(arrays) or '(none)'}", f"one of {', '.join(_KEYS)}", "rename the array"
        )
    return checked_points(path, arrays[key]), _KEYS[key], {k: arrays[k] for k in ("normals", "soma_nm") if k in arrays}


def _from_npy(path: Path) -> Parts:
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise FormatError(f"'{path}' is not readable ({error})", "an array of NumPy, without pickles", "save it again") from error
    return checked_points(path, values), "", {}


def _from_csv(path: Path) -> Parts:
    import pandas as pd

    text = path.read_text(encoding="utf-8-sig", errors="replace")
    comments = [line.lstrip("# ") for line in text.split("\n") if line.startswith("#")]
    try:
        table = pd.read_csv(io.StringIO(text), comment="#", skipinitialspace=True)
    except (ValueError, pd.errors.ParserError) as error:
        raise FormatError(f"'{path}' is no table ({error})", "columns z, y, x", "export it again") from error
    by_name = {str(column).strip().lower(): column for column in table.columns}
    for suffix, header in (("_nm", "unit: nm"), ("_um", "unit: um"), ("", comments[0] if comments else "")):
        names = [axis + suffix for axis in "zyx"]
        if all(name in by_name for name in names):
            return _numeric(path, table[[by_name[name] for name in names]]), header, {}
    raise FormatError(
        f"'{path}' has the columns {', '.join(map(str, table.columns))}",
        "z, y, x, or z_nm, y_nm, x_nm, or z_um ...",
        "rename them",
    )


def _numeric(path: Path, columns: Any) -> np.ndarray:
    import pandas as pd

    numbers = columns.apply(pd.to_numeric, errors="coerce")
    wrong = np.flatnonzero((numbers.isna() & columns.notna()).any(axis=1).to_numpy())
    if len(wrong):
        said = ", ".join(str(value) for value in columns.iloc[wrong[0]])
        raise FormatError(f"'{path}', point {wrong[0]} is {said[:60]}", "three numbers", "correct that line")
    return np.asarray(numbers.to_numpy(np.float64))


def _from_ply(path: Path) -> Parts:
    ply = read_ply(path)
    points = ply.points(path, ("z", "y", "x"))
    vertex = ply.columns["vertex"]
    has_normals = all(name in vertex for name in ("nx", "ny", "nz"))
    header = next((line for line in ply.comments if line.lower().startswith("unit")), "")
    return points, header, {"normals": ply.points(path, ("nz", "ny", "nx"))} if has_normals else {}


def _turned(more: Mapping[str, np.ndarray], flipped: bool) -> dict[str, Any]:  # noqa: FBT001
    """normals and soma_nm in the order z, y, x."""
    out: dict[str, Any] = {key: np.asarray(value, np.float64)[..., ::-1] if flipped else value for key, value in more.items()}
    if "soma_nm" in out:
        z, y, x = (float(v) for v in np.asarray(out["soma_nm"]).ravel())
        out["soma_nm"] = (z, y, x)
    return out
