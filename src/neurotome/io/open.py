"""Open any supported file or folder; the reader is picked by name, or by the first bytes where the name says nothing."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from neurotome.core import (
    FormatError,
    Image,
    InputError,
    Labels,
    MissingFileError,
    Probability,
    ShapeError,
    UnknownNameError,
    ValueRangeError,
)
from neurotome.core.geometry import Nm3
from neurotome.core.volumes import require_unit_interval
from neurotome.io.lazy import LazyArray, Ranges, stack_axis
from neurotome.io.source import Kind, Source, Volume

__all__ = ["Description", "describe", "guess_kind", "open_image", "open_labels", "open_probability", "open_volume", "read_source"]

_log = logging.getLogger(__name__)

PathLike = Path | str
FORMATS = ".tif/.tiff, a folder of section images, .h5:/dataset, .ome.zarr, a precomputed folder, .nrrd, .v3draw, .v3dpbd, .npy"


@dataclass(frozen=True)
class Description:
    """What `neurotome info` shows. shape, chunk and shard follow `axes`, the order in the file; voxel and origin are z, y, x."""

    path: str
    format: str
    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    axes: str
    voxel_nm: Nm3 | None
    origin_nm: Nm3
    channels: tuple[str, ...]
    chunk: tuple[int, ...] | None
    shard: tuple[int, ...] | None
    levels: int
    notes: tuple[str, ...]


def open_image(path: PathLike, *, voxel_nm: Nm3 | None = None, channel: str | int | None = None) -> Image:
    """Open grey values (z, y, x), without reading them.

    voxel_nm: nm along z, y, x, for a file that states none; must agree within 0.1 % with a file that does.
    channel: name or number, for a file with several. A colour picture whose colours are equal needs none.

    Raises UnitError, FormatError, MissingFileError, UnknownNameError.
    """
    source = read_source(path)
    return Image(_one_channel(source, channel), source.grid(voxel_nm), source.name)


def open_labels(path: PathLike, *, voxel_nm: Nm3 | None = None) -> Labels:
    """Open object ids (z, y, x), without reading them; ids keep their type.

    Raises ValueRangeError for numbers with a fraction part and, when read, for negative ids.
    """
    source = read_source(path)
    data = _one_channel(source, None, "save the channel with the labels as a file of its own")
    if data.dtype.kind not in "ui":
        raise ValueRangeError(
            f"Labels in '{source.path}' have type {data.dtype}", "whole numbers", "convert the labels to integers"
        )
    if data.dtype.kind == "i":
        data = data.map(partial(_not_negative, str(source.path)))
    return Labels(data, source.grid(voxel_nm), source.legend, source.name)


def open_probability(path: PathLike, *, voxel_nm: Nm3 | None = None, channels: tuple[str, ...] | None = None) -> Probability:
    """Open probabilities (c, z, y, x), without reading them.

    channels: which of the file's channels, in this order; for a file without names, the name of each.
    Values outside [0, 1] raise ValueRangeError when they are read.
    """
    source = read_source(path)
    data = source.data if source.data.ndim == 4 else stack_axis(source.data)
    data, names = _named_channels(source, data, channels)
    if data.dtype.kind == "f":
        data = data.map(partial(_in_unit_interval, source.name))
    return Probability(data, source.grid(voxel_nm), names, source.name)


def open_volume(
    path: PathLike, *, kind: Kind | None = None, voxel_nm: Nm3 | None = None, channel: str | int | None = None
) -> Volume:
    """Open as what the file says it is (see `guess_kind`), or as the `kind` given."""
    kind = kind or guess_kind(path)
    if kind == "labels":
        return open_labels(path, voxel_nm=voxel_nm)
    if kind == "probability" and channel is None:
        return open_probability(path, voxel_nm=voxel_nm)
    if kind in ("probability", "image"):
        return open_image(path, voxel_nm=voxel_nm, channel=channel)
    raise UnknownNameError("kind of volume", kind, ["image", "labels", "probability"])


def guess_kind(path: PathLike) -> Kind:
    """image, labels or probability: as the file says; else named channels are probabilities and 32 or 64 bit are labels."""
    return _guess_kind(read_source(path))


def describe(path: PathLike) -> Description:
    """Format, shape, type, voxel size and the like; reads one section at most."""
    source = read_source(path)
    sizes = dict(zip("CZYX"[-source.data.ndim :], source.data.shape, strict=True))
    # Names of other axes (time points of an ImageJ stack) stand for the sections they are.
    stand_in = iter([a for a in "ZYX" if a not in source.axes])
    letters = [a if a in "CZYX" else "C" if a == "S" else next(stand_in, "") for a in source.axes]
    return Description(
        path=str(path),
        format=source.format,
        kind=_guess_kind(source),
        shape=tuple(sizes.get(a, 1) for a in letters),
        dtype=str(source.data.dtype),
        axes=source.axes,
        voxel_nm=source.full_voxel_nm,
        origin_nm=source.origin_nm,
        channels=source.channels,
        chunk=source.chunk,
        shard=source.shard,
        levels=source.levels,
        notes=(*source.notes, *_content_notes(source)),
    )


def read_source(path: PathLike) -> Source:
    """Find the reader for a path and let it describe the file."""
    text = str(path)
    if text.startswith("precomputed://"):
        from neurotome.io import precomputed

        return precomputed.read(require_exists(Path(text.removeprefix("precomputed://").removeprefix("file://"))))
    if match := re.fullmatch(r"(.+\.(?:h5|hdf5|hdf)):(.*)", text, re.IGNORECASE):
        from neurotome.io import hdf5

        return hdf5.read(require_exists(Path(match[1])), match[2])
    found = require_exists(Path(text))
    return _reader_for(found)(found)


def require_exists(path: Path) -> Path:
    """The path, or MissingFileError with the closest name beside it."""
    if path.exists():
        return path
    folder = path.parent
    while not folder.is_dir():
        folder, path = folder.parent, folder
    close = difflib.get_close_matches(path.name, [p.name for p in folder.iterdir()], n=1, cutoff=0.6)
    remedy = f"the closest name is '{folder / close[0]}'" if close else "check the spelling and the folder"
    raise MissingFileError(f"'{path}' does not exist", "a file or folder", remedy)


def _reader_for(path: Path) -> Callable[[Path], Source]:
    from neurotome.io import hdf5, npy, nrrd, ome_zarr, precomputed, sections, tiff, v3draw

    if path.is_dir():
        if ome_zarr.is_zarr(path):
            return ome_zarr.read
        return precomputed.read if (path / "info").is_file() else sections.read
    if path.stat().st_size == 0:
        raise FormatError(f"'{path}' is empty (0 bytes)", "a volume", "copy or download it again")
    by_suffix: dict[str, Callable[[Path], Source]] = {
        **dict.fromkeys(tiff.SUFFIXES, tiff.read),
        **dict.fromkeys(hdf5.SUFFIXES, hdf5.read),
        **dict.fromkeys(sections.PICTURE_SUFFIXES, sections.read_one),
        **dict.fromkeys(nrrd.SUFFIXES, nrrd.read),
        **dict.fromkeys(v3draw.SUFFIXES, v3draw.read),
        ".npy": npy.read,
    }
    reader = by_suffix.get(path.suffix.lower()) or _reader_by_content(path)
    if reader is None:
        raise FormatError(f"'{path}' is of no known format", FORMATS, "convert it to one of these")
    return reader


def _reader_by_content(path: Path) -> Callable[[Path], Source] | None:
    from neurotome.io import hdf5, npy, nrrd, sections, tiff, v3draw

    with path.open("rb") as file:
        head = file.read(24)
    magic: list[tuple[bytes, Callable[[Path], Source]]] = [
        (b"II*\0", tiff.read),
        (b"MM\0*", tiff.read),
        (b"II+\0", tiff.read),
        (b"MM\0+", tiff.read),
        (b"\x89HDF", hdf5.read),
        (b"\x93NUMPY", npy.read),
        (b"NRRD000", nrrd.read),
        (v3draw.MAGIC_PLAIN, v3draw.read),
        (v3draw.MAGIC_PACKED, v3draw.read),
        (b"\x89PNG", sections.read_one),
        (b"\xff\xd8\xff", sections.read_one),
    ]
    return next((reader for start, reader in magic if head.startswith(start)), None)


def _guess_kind(source: Source) -> Kind:
    if source.kind:
        return source.kind
    if source.data.ndim == 4 and not source.rgb and source.data.shape[0] > 1 and source.data.dtype.kind in "f":
        return "probability"
    if source.channels and not source.rgb and any(":" in c or c in PROBABILITY_NAMES for c in source.channels):
        return "probability"
    return "labels" if source.data.dtype.kind in "ui" and source.data.dtype.itemsize >= 4 else "image"


PROBABILITY_NAMES = ("membrane", "inside", "cytoplasm", "overlap")


def _content_notes(source: Source) -> list[str]:
    section = np.asarray(source.data[..., source.data.shape[-3] // 2, :, :])
    if section.size and section.min() == section.max():
        return [f"the middle section is constant ({section.flat[0]})"]
    return []


def _one_channel(source: Source, channel: str | int | None, remedy: str = "give --channel NAME, or its number") -> LazyArray:
    """The channel asked for, or the only one; equal colours count as one; masks of one bit become 0 and 1."""
    data = _chosen(source, channel, remedy)
    return data.map(_as_bytes, np.uint8) if data.dtype.kind == "b" else data


def _as_bytes(mask: np.ndarray) -> np.ndarray:
    return mask.astype(np.uint8)


def _chosen(source: Source, channel: str | int | None, remedy: str) -> LazyArray:
    if source.data.ndim == 3:
        if channel not in (None, 0):
            raise UnknownNameError("channel", str(channel), ["0"])
        return source.data
    count = source.data.shape[0]
    if channel is not None:
        window: LazyArray = source.data[_channel_index(source, channel)]
        return window
    if count == 1:
        only: LazyArray = source.data[0]
        return only
    if source.rgb:
        return _grey(source)
    names = source.channels or tuple(str(i) for i in range(count))
    raise InputError(f"'{source.path}' has {count} channels ({', '.join(names)})", "one", remedy)


def _channel_index(source: Source, channel: str | int) -> int:
    count = source.data.shape[0]
    if isinstance(channel, str) and channel in source.channels:
        return source.channels.index(channel)
    if str(channel).isdecimal() and int(channel) < count:
        return int(channel)
    raise UnknownNameError("channel", str(channel), source.channels or [str(i) for i in range(count)])


def _grey(source: Source) -> LazyArray:
    """One of three equal colours. The first, middle and last sections are compared now, the others when they are read."""
    reader = partial(_equal_colours, source.path, source.data)
    grey = LazyArray.whole(reader, source.data.shape[1:], source.data.dtype, source.path)
    for z in sorted({0, grey.shape[0] // 2, grey.shape[0] - 1}):
        np.asarray(grey[z])
    _log.info("'%s' is a colour picture with equal colours: read as grey values", source.path)
    return grey


def _equal_colours(path: Path, data: LazyArray, ranges: Ranges) -> np.ndarray:
    red, *others = np.asarray(data[(slice(0, min(3, data.shape[0])), *(slice(a, b) for a, b in ranges))])
    # Two samples are grey and alpha: nothing to compare.
    if data.shape[0] >= 3 and not all(np.array_equal(red, other) for other in others):
        raise InputError(
            f"'{path}' is a colour picture", "grey values", "give --channel red, green or blue, or convert it to grey"
        )
    return np.asarray(red)


def _named_channels(source: Source, data: LazyArray, channels: tuple[str, ...] | None) -> tuple[LazyArray, tuple[str, ...]]:
    if source.channels and not source.rgb:
        names = tuple(channels or source.channels)
        if names == source.channels:
            return data, names
        indices = [_channel_index(source, name) for name in names]
        return LazyArray.whole(partial(_picked, data, indices), (len(names), *data.shape[1:]), data.dtype, source.path), names
    if channels is None:
        raise InputError(
            f"'{source.path}' has {data.shape[0]} channels without names",
            "names such as membrane or affinity:1,0,0",
            "give one --channel NAME per channel, in order (in Python: channels=(...))",
        )
    if len(channels) != data.shape[0]:
        raise ShapeError(f"'{source.path}' has {data.shape[0]} channels", f"{len(channels)} as named", "name each of them once")
    return data, tuple(channels)


def _picked(data: LazyArray, indices: list[int], ranges: Ranges) -> np.ndarray:
    box = tuple(slice(a, b) for a, b in ranges[1:])
    return np.stack([np.asarray(data[(i, *box)]) for i in indices[slice(*ranges[0])]])


def _not_negative(name: str, values: np.ndarray) -> np.ndarray:
    if values.size and int(values.min()) < 0:
        raise ValueRangeError(
            f"Labels in '{name}' have an id of {int(values.min())}", "ids of 0 and more", "shift the ids, 0 is background"
        )
    return values


def _in_unit_interval(name: str, values: np.ndarray) -> np.ndarray:
    if values.size:
        require_unit_interval(values, name)
    return values
