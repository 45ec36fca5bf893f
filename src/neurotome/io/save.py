"""Save any volume; the format is picked by the suffix. A file appears complete or not at all."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neurotome.core import FormatError, InputError, Labels, Probability, Progress, silent
from neurotome.io import hdf5, ome_zarr, precomputed, tiff
from neurotome.io.atomic import atomic_target, require_free_space
from neurotome.io.pyramid import build_pyramid
from neurotome.io.source import Volume, numpy_dtype

__all__ = ["least_bytes", "save"]

WRITABLE = ".ome.zarr, .tif, .h5 (or .h5:/dataset), .precomputed (or precomputed://FOLDER)"


def save(
    volume: Volume, path: Path | str, *, overwrite: bool = False, encoding: str | None = None, progress: Progress = silent
) -> None:
    """Write an Image, Labels or Probability with its voxel size, origin, channel names and legend, slab by slab.

    An OME-Zarr image with more than 512 voxels along an axis gets coarser levels, so that viewers open it at once.
    encoding: for precomputed only, raw or compressed_segmentation.

    Raises InputError when the target exists and `overwrite` is not given, or is the file the volume is read from; DiskFullError.
    """
    target = _target(path)
    if encoding is not None and target.format != "precomputed":
        raise InputError(f"An encoding ('{encoding}') was given for '{path}'", "no encoding", "only precomputed has a choice")
    _require_other_file(volume, target.path)
    if numpy_dtype(volume.data) == np.bool_:
        volume = replace(volume, data=np.asarray(volume.data).astype(np.uint8))
    if target.format == "hdf5":
        _save_hdf5(volume, target, overwrite=overwrite, progress=progress)
        return
    with atomic_target(target.path, overwrite=overwrite, most_bytes=_raw_bytes(volume)) as temporary:
        require_free_space(target.path, least_bytes(volume, target.format))
        if target.format == "precomputed":
            precomputed.write(volume, temporary, encoding, progress)
        else:
            _WRITERS[target.format](volume, temporary, progress)


@dataclass(frozen=True)
class _Target:
    format: str
    path: Path
    dataset: str = ""


def _target(path: Path | str) -> _Target:
    text = str(path)
    if text.startswith("precomputed://"):
        return _Target("precomputed", Path(text.removeprefix("precomputed://").removeprefix("file://")))
    if match := re.fullmatch(r"(.+\.(?:h5|hdf5|hdf)):(.*)", text, re.IGNORECASE):
        return _Target("hdf5", Path(match[1]), match[2].strip("/"))
    suffix = Path(text).suffix.lower()
    formats = {".zarr": "ome-zarr", ".precomputed": "precomputed"}
    formats |= dict.fromkeys(tiff.SUFFIXES, "tiff") | dict.fromkeys(hdf5.SUFFIXES, "hdf5")
    if suffix not in formats:
        raise FormatError(f"'{path}' names no format that can be written", f"a name ending in {WRITABLE}", "choose one of these")
    return _Target(formats[suffix], Path(text))


def _write_ome_zarr(volume: Volume, path: Path, progress: Progress) -> None:
    ome_zarr.write(volume, path, progress)
    build_pyramid(path, progress)


_WRITERS: dict[str, Callable[[Volume, Path, Progress], None]] = {"tiff": tiff.write, "ome-zarr": _write_ome_zarr}


def _save_hdf5(volume: Volume, target: _Target, *, overwrite: bool, progress: Progress) -> None:
    """A named dataset joins the others of an existing file; without a name the file is new."""
    joins = bool(target.dataset) and target.path.is_file()
    if joins and not overwrite and hdf5.has_dataset(target.path, target.dataset):
        raise InputError(
            f"'{target.path}' has a dataset /{target.dataset} already", "a new name", "give --overwrite, or another name"
        )
    with atomic_target(target.path, overwrite=overwrite or joins, most_bytes=_raw_bytes(volume)) as temporary:
        if joins:
            require_free_space(target.path, target.path.stat().st_size + least_bytes(volume, "hdf5"))
            shutil.copyfile(target.path, temporary)
        else:
            require_free_space(target.path, least_bytes(volume, "hdf5"))
        hdf5.write(volume, temporary, target.dataset or hdf5.MAIN, progress)


def least_bytes(volume: Volume, format_name: str) -> int:
    """The least room the result can take: all of it where it is stored raw, else what compression has been seen to leave."""
    raw = _raw_bytes(volume)
    if format_name == "hdf5":
        # A disk that fills up under the HDF5 library can take the whole process down: leave it no chance.
        return raw // 8 if isinstance(volume, Labels) else raw
    if isinstance(volume, Labels):
        return raw // 200
    if isinstance(volume, Probability):
        return raw // 20
    return raw if format_name == "precomputed" else raw // 4


def _raw_bytes(volume: Volume) -> int:
    return math.prod(volume.data.shape) * numpy_dtype(volume.data).itemsize


def _require_other_file(volume: Volume, path: Path) -> None:
    """A lazy volume is read while it is written: the two must not be the same file."""
    source = getattr(volume.data, "source", None)
    if source is not None and path.exists() and Path(source).exists() and path.samefile(source):
        raise InputError(f"'{path}' is the file that '{volume.name}' is read from", "another file", "choose another name")
