"""From a path to the neurons in it: which there are, by name, and how each is read. Nothing is read but names and boxes.

.swc, .eswc             a skeleton              .obj, .stl, .ply (with faces)      a mesh
.npz, .npy, .csv, .ply  a cloud of points       .zip, a folder                     all of these in it, but .csv
coords/*.npz in a folder    clouds as lucas-mohrhagen/VoxelMorph keeps them
a run of reconstruct    skeletons/*.swc, or, where there are none, the objects of neurons.ome.zarr
a precomputed folder of skeletons; any other volume: its objects, named by their ids
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from neurotome.core import FormatError, Skeleton
from neurotome.datasets.voxelmorph_layout import open_voxelmorph
from neurotome.io.archive import archive_files, is_clutter, read_archived
from neurotome.io.mesh_files import is_mesh_ply, read_mesh
from neurotome.io.ome_zarr_read import is_zarr
from neurotome.io.open import require_exists
from neurotome.io.point_cloud_files import read_point_cloud
from neurotome.io.skeletons_precomputed import read_skeletons
from neurotome.io.swc import read_swc
from neurotome.morphology.label_objects import object_files_of_run, object_files_of_volume
from neurotome.morphology.occupancy.frames import Shape
from neurotome.morphology.shape_file import Reading, ShapeFile

__all__ = ["SHAPE_SUFFIXES", "read_shape", "shape_files"]

SWC_SUFFIXES = (".swc", ".eswc")
SHAPE_SUFFIXES = (*SWC_SUFFIXES, ".obj", ".stl", ".ply", ".npz", ".npy")
"""What is looked for in folders and archives; a .csv there is rather a table about the neurons."""
_CLOUDS = (".npz", ".npy", ".csv", ".ply")


def shape_files(path: Path | str, reading: Reading) -> list[ShapeFile]:
    """The neurons of one path, in no particular order.

    Raises FormatError for a folder or archive without neurons and for what is of no known format, MissingFileError.
    """
    path = require_exists(Path(path))
    if path.is_dir():
        return _of_folder(path, reading)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _of_archive(path, reading)
    if suffix in (*SHAPE_SUFFIXES, ".csv") and not _is_volume(path):
        return [ShapeFile(path.stem, str(path), partial(read_shape, path, reading))]
    return object_files_of_volume(path, reading.voxel_nm)


def read_shape(path: Path, reading: Reading) -> Shape:
    """The one neuron of a file."""
    suffix = path.suffix.lower()
    if suffix in SWC_SUFFIXES:
        return read_swc(path, unit=reading.unit, voxel_nm=reading.voxel_nm).skeleton
    if suffix in _CLOUDS and not (suffix == ".ply" and is_mesh_ply(path)):
        return read_point_cloud(path, unit=reading.unit, voxel_nm=reading.voxel_nm)
    return read_mesh(path, unit=reading.unit, voxel_nm=reading.voxel_nm)


def _is_volume(path: Path) -> bool:
    """Whether a .npy file holds a volume (z, y, x) and not points (n, 3)."""
    if path.suffix.lower() != ".npy":
        return False
    try:
        return np.load(path, mmap_mode="r").ndim == 3
    except (ValueError, OSError, EOFError):
        return False


def _of_folder(path: Path, reading: Reading) -> list[ShapeFile]:
    if (path / "run.json").is_file():
        return _of_run(path)
    if is_zarr(path):
        return object_files_of_volume(path, reading.voxel_nm)
    if (path / "info").is_file():
        return _of_precomputed(path, reading)
    if (path / "coords").is_dir():
        return _of_voxelmorph(path, reading)
    files = (file for file in path.rglob("*") if file.suffix.lower() in SHAPE_SUFFIXES and file.is_file())
    found = sorted(file for file in files if not is_clutter(file.relative_to(path)))
    if not found:
        raise FormatError(f"Folder '{path}' holds no neurons", f"files that end in {', '.join(SHAPE_SUFFIXES)}", "check the path")
    return [entry for file in found for entry in shape_files(file, reading)]


def _of_voxelmorph(path: Path, reading: Reading) -> list[ShapeFile]:
    """Somata lie in a pickle there and are left out: a table of somata can be given instead."""
    data = open_voxelmorph(path, unit=reading.unit or "um")
    return [ShapeFile(name, str(path / "coords" / f"{name}.npz"), partial(data.load, name)) for name in data.names]


def _of_run(path: Path) -> list[ShapeFile]:
    swc = sorted((path / "skeletons").glob("*.swc"))
    if swc:
        return [ShapeFile(file.stem, str(file), partial(read_shape, file, Reading())) for file in swc]
    if not (path / "neurons.ome.zarr").exists():
        raise FormatError(
            f"The run '{path}' holds no neurons",
            "skeletons/*.swc or neurons.ome.zarr, as reconstruct makes them",
            "finish the run",
        )
    return object_files_of_run(path)


def _of_precomputed(path: Path, reading: Reading) -> list[ShapeFile]:
    try:
        kind = json.loads((path / "info").read_text(encoding="utf-8")).get("@type")
    except (ValueError, OSError, AttributeError) as error:
        raise FormatError(f"'{path / 'info'}' is not readable ({error})", "JSON", "check the path") from error
    if kind != "neuroglancer_skeletons":
        return object_files_of_volume(path, reading.voxel_nm)
    ids = sorted(int(file.name) for file in path.iterdir() if file.name.isdecimal())
    return [ShapeFile(str(label), f"{path}/{label}", partial(_read_precomputed, path, label)) for label in ids]


def _read_precomputed(path: Path, label: int) -> Skeleton:
    return read_skeletons(path, [label])[label]


def _of_archive(path: Path, reading: Reading) -> list[ShapeFile]:
    members = [name for name in archive_files(path) if PurePosixPath(name).suffix.lower() in SHAPE_SUFFIXES]
    if not members:
        raise FormatError(f"'{path}' holds no neurons", f"files that end in {', '.join(SHAPE_SUFFIXES)}", "check the path")
    read = partial(read_shape, reading=reading)
    return [ShapeFile(PurePosixPath(name).stem, f"{path}/{name}", partial(read_archived, path, name, read)) for name in members]
