"""A folder of pictures, one file per section, named so that every program sorts them right: 000.png, 001.png, ..."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile

from neurotome.core import Grid, Image, InputError, Labels, Probability, Progress, UnknownNameError, ValueRangeError, silent
from neurotome.io.atomic import atomic_target
from neurotome.io.source import Volume, numpy_dtype, show_nm
from neurotome.io.tiff import largest_id

__all__ = ["SECTION_FORMATS", "save_pictures", "save_sections"]

_log = logging.getLogger(__name__)

SECTION_FORMATS = ("png", "tif")
PICTURE_TYPES = (np.dtype(np.uint8), np.dtype(np.uint16))


def save_sections(
    volume: Volume, folder: Path | str, file_format: str = "png", *, overwrite: bool = False, progress: Progress = silent
) -> None:
    """Write an Image or Labels as one file per section; values are kept, labels take the smallest type that holds every id.

    PNG holds 8 and 16 bits and no voxel size; TIFF holds any type and the voxel size.

    Raises InputError for a Probability and for a folder that exists, ValueRangeError for values that the format cannot hold.
    """
    if isinstance(volume, Probability):
        raise InputError(
            f"'{volume.name}' has {len(volume.channels)} channels",
            "grey values or labels",
            "choose one with --as image --channel NAME",
        )
    dtype = _file_dtype(volume, file_format, progress)
    sections = (np.asarray(volume.data[z]).astype(dtype, copy=False) for z in range(volume.grid.shape[0]))
    save_pictures(sections, volume.grid, folder, file_format, overwrite=overwrite, progress=progress)


def save_pictures(
    pictures: Iterable[np.ndarray],
    grid: Grid,
    folder: Path | str,
    file_format: str = "png",
    *,
    overwrite: bool = False,
    progress: Progress = silent,
) -> None:
    """Write pictures, (y, x) grey or (y, x, 3) colour, 8 or 16 bits for PNG; the folder appears complete or not at all.

    grid: that of the stack; numbers are as wide as the last section needs.
    Raises UnknownNameError for the format, InputError when the folder exists.
    """
    if file_format not in SECTION_FORMATS:
        raise UnknownNameError("format of section files", file_format, SECTION_FORMATS)
    width = max(3, len(str(grid.shape[0] - 1)))
    with atomic_target(folder, overwrite=overwrite) as temporary:
        temporary.mkdir()
        for number, picture in enumerate(pictures):
            path = temporary / f"{number:0{width}d}.{file_format}"
            if file_format == "png":
                path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(picture)))
            else:
                _write_tiff(path, picture, grid)
            progress("write sections", number + 1, grid.shape[0])
    if file_format == "png":
        voxel = show_nm(grid.voxel_nm).replace(",", "")
        _log.info("PNG states no voxel size: read '%s' again with --voxel-nm %s", folder, voxel)


def _write_tiff(path: Path, picture: np.ndarray, grid: Grid) -> None:
    colour = picture.ndim == 3
    metadata: dict[str, Any] = {"axes": "YXS" if colour else "YX"}
    for axis, size in zip("ZYX", grid.voxel_nm, strict=True):
        metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "nm"}
    kind = "rgb" if colour else "minisblack"
    tifffile.imwrite(path, picture, ome=True, photometric=kind, compression="zlib", metadata=metadata)


def _file_dtype(volume: Image | Labels, file_format: str, progress: Progress) -> np.dtype[Any]:
    dtype = numpy_dtype(volume.data)
    if isinstance(volume, Labels):
        largest = largest_id(volume, progress)
        fitting: Iterator[type] = (t for t in (np.uint8, np.uint16, np.uint32) if largest <= np.iinfo(t).max)
        dtype = np.dtype(next(fitting, np.uint64))
    if file_format == "png" and dtype not in PICTURE_TYPES:
        what = f"ids up to {largest}" if isinstance(volume, Labels) else f"type {dtype}"
        raise ValueRangeError(f"'{volume.name}' has {what}", "8 or 16 bits per pixel, which is what PNG holds", "write tif")
    return dtype
