"""Start points as people write them: words of the command line, CSV, JSON, or the roots of an SWC file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from neurotome.core import FormatError, Grid, InputError, UnitError
from neurotome.io import read_swc
from neurotome.io.open import require_exists

__all__ = ["read_seeds"]

VOXELS, NANOMETRES = ["z", "y", "x"], ["z_nm", "y_nm", "x_nm"]


def read_seeds(words: Sequence[str], path: str | None, grid: Grid) -> np.ndarray | None:
    """Voxels z, y, x, (k, 3) int64, of all start points, those of the words first; None where there is none.

    words: "z,y,x" each. path: CSV with columns z, y, x (voxels) or z_nm, y_nm, x_nm; JSON, a list of [z, y, x] in voxels; or SWC,
    whose roots are taken. Whether they lie in the volume is for `snap_seeds` to say.

    Raises InputError for a word that is no voxel, FormatError for a file without points, MissingFileError.
    """
    found = [_voxel(word) for word in words]
    if path is not None:
        found += [tuple(point) for point in _points(require_exists(Path(path)), grid).tolist()]
    return np.array(found, np.int64) if found else None


def _voxel(word: str) -> tuple[int, ...]:
    """
    >>> _voxel("3, 10,20")
    (3, 10, 20)
    """
    parts = word.replace(" ", "").split(",")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        raise InputError(f"Start point '{word}'", "a voxel as Z,Y,X", "for example --seed 10,200,150")
    return tuple(int(part) for part in parts)


def _points(path: Path, grid: Grid) -> np.ndarray:
    suffix = path.suffix.lower()
    if suffix in (".swc", ".eswc"):
        try:
            skeleton = read_swc(path, voxel_nm=grid.voxel_nm).skeleton
        except UnitError as error:
            raise UnitError(
                f"'{path}' does not say in what unit its start points are",
                "a line `# unit: um`, nm or voxel",
                "add it at its top",
            ) from error
        return _nearest_voxels(skeleton.points_nm[skeleton.roots], grid)
    try:
        return _of_json(path) if suffix == ".json" else _of_csv(path, grid)
    except (ValueError, KeyError, TypeError, pd.errors.ParserError) as error:
        raise FormatError(
            f"'{path}' holds no start points ({error})",
            "CSV with columns z, y, x or z_nm, y_nm, x_nm; a JSON list of [z, y, x]; or SWC",
            "write voxels z, y, x, one point per line",
        ) from error


def _of_csv(path: Path, grid: Grid) -> np.ndarray:
    table = pd.read_csv(path, skipinitialspace=True)
    if set(NANOMETRES) <= set(table.columns):
        return _nearest_voxels(table[NANOMETRES].to_numpy(np.float64), grid)
    return _whole(table[VOXELS].to_numpy(np.float64))


def _of_json(path: Path) -> np.ndarray:
    return _whole(np.array(json.loads(path.read_text(encoding="utf-8")), np.float64).reshape(-1, 3))


def _whole(points: np.ndarray) -> np.ndarray:
    if not len(points) or not np.isfinite(points).all():
        raise ValueError("no points, or some that are no numbers")
    return np.rint(points).astype(np.int64)


def _nearest_voxels(points_nm: np.ndarray, grid: Grid) -> np.ndarray:
    return _whole((points_nm - np.array(grid.origin_nm)) / np.array(grid.voxel_nm))
