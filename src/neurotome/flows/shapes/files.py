"""Which neurons were given, their grids on disk, and the table of labels that lies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neurotome import morphology
from neurotome.core import InputError, Progress
from neurotome.core.geometry import Nm3

__all__ = ["collection_of", "given_shapes", "labels_beside", "require_elsewhere"]

LABELS = "labels.csv"


def given_shapes(
    paths: Sequence[str],
    unit: str | None = None,
    voxel_nm: Nm3 | None = None,
    somata: Path | None = None,
    *,
    skip_bad: bool = False,
) -> morphology.ShapeFiles:
    """The neurons of files, folders, archives and runs; each is read when it is asked for."""
    on_error = "skip" if skip_bad else "stop"
    return morphology.read_shapes(paths, unit=unit, voxel_nm=voxel_nm, soma_table=somata, on_error=on_error)


def collection_of(
    path: Path, shapes: morphology.ShapeFiles, settings: morphology.GridSettings, progress: Progress
) -> morphology.OccupancyCollection:
    """The grids of the neurons in this folder, made if they are not there."""
    if path.exists():
        return morphology.OccupancyCollection.open(path, settings)
    return morphology.write_collection(path, shapes, settings, progress=progress)


def require_elsewhere(paths: Sequence[str], out: Path, *, overwrite: bool) -> None:
    """Raises InputError where neurons lie in a folder that is to be emptied."""
    folder = Path(out).resolve()
    inside = [path for path in paths if folder in (Path(path).resolve(), *Path(path).resolve().parents)]
    if overwrite and inside:
        raise InputError(f"'{inside[0]}' lies in '{out}', which is to be overwritten", "neurons elsewhere", "another --out")


def labels_beside(paths: Sequence[str]) -> Path | None:
    """labels.csv in the one folder that the neurons come from, if there is one."""
    folders = {path if path.is_dir() else path.parent for path in map(Path, paths)}
    found = [folder / LABELS for folder in sorted(folders) if (folder / LABELS).is_file()]
    return found[0] if len(folders) == 1 and found else None
