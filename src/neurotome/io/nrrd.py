"""NRRD (teem), as input only: a header of `field: value` lines, and values behind it or in a file of their own, raw or gzip.

Sizes are listed fastest axis first. Spacings count only where the file says their unit.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import FormatError, UnitError, length_nm
from neurotome.core.geometry import Nm3
from neurotome.io.lazy import LazyArray, Ranges
from neurotome.io.source import MaybeNm3, Source
from neurotome.io.whole_files import read_unpacked_box

__all__ = ["SUFFIXES", "read"]

SUFFIXES = (".nrrd", ".nhdr")
HEADER_BYTES = 2**20
"""A header is some lines; what has no empty line in its first bytes is none."""

_NAMES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_DTYPES = {name: dtype for dtype, names in _NAMES.items() for name in names}


@dataclass(frozen=True)
class _Header:
    """fields: by name, lower case. values, start: the file of the values and where they begin, in bytes; -1 for its last bytes.

    sizes: fastest axis first. channel: the number of the axis, in this order, that is no direction in space.
    """

    fields: dict[str, str]
    values: Path
    start: int
    sizes: tuple[int, ...]
    dtype: np.dtype[Any]
    channel: int | None

    @property
    def packed(self) -> bool:
        return self.fields["encoding"] != "raw"

    @property
    def nbytes(self) -> int:
        return math.prod(self.sizes) * self.dtype.itemsize

    @property
    def spatial(self) -> tuple[int, ...]:
        """The numbers of the axes in space, fastest first."""
        return tuple(axis for axis in range(len(self.sizes)) if axis != self.channel)

    @property
    def axes(self) -> str:
        letters = dict(zip(self.spatial, "XYZ", strict=False))
        return "".join(letters.get(axis, "C") for axis in reversed(range(len(self.sizes))))

    def arranged(self, values: np.ndarray) -> np.ndarray:
        """Values in the order of the file as (z, y, x) or (c, z, y, x)."""
        stored = values.reshape(self.sizes[::-1])
        if self.channel is not None:
            stored = np.moveaxis(stored, len(self.sizes) - 1 - self.channel, 0)
        return stored[..., None, :, :] if len(self.spatial) == 2 else stored


def read(path: Path) -> Source:
    """Describe an NRRD file of two or three axes in space, and channels. Raises FormatError for what is none."""
    try:
        header = _header(path)
        voxel_nm, origin_nm, notes = _place(header)
    except (ValueError, IndexError) as error:
        if isinstance(error, FormatError):
            raise
        raise _unusable(path, f"has a field that cannot be read ({error})", "numbers as the format writes them") from error
    shape = header.arranged(np.broadcast_to(np.int8(0), math.prod(header.sizes))).shape
    reader = partial(read_unpacked_box, _unpacked) if header.packed else _read_raw_box
    data = LazyArray.whole(partial(reader, path), shape, header.dtype.newbyteorder("="), path)
    name = f"NRRD ({header.fields['encoding']})"
    return Source(path, name, data, header.axes, voxel_nm, origin_nm, notes=notes)


def _header(path: Path) -> _Header:
    with path.open("rb") as file:
        content = file.read(HEADER_BYTES)
    end = re.search(rb"\r?\n\r?\n", content)
    detached = re.search(rb"(?im)^data ?file:", content[: end.start() if end else None])
    if not content.startswith(b"NRRD000") or (end is None and not detached):
        raise _unusable(path, "has no NRRD header", "a first line NRRD000 and an empty line after the fields")
    lines = (content if end is None else content[: end.start()]).decode("latin-1").splitlines()[1:]
    pairs = [line.partition(": ") for line in lines if not line.startswith("#") and ":=" not in line]
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    fields["encoding"] = {"gz": "gzip"}.get(fields.get("encoding", "").lower(), fields.get("encoding", "").lower())
    if fields["encoding"] not in ("raw", "gzip"):
        raise _unusable(path, f"is encoded as '{fields['encoding']}'", "raw or gzip")
    sizes = _sizes(path, fields)
    values, start = _values(path, fields, 0 if end is None else end.end())
    return _Header(fields, values, start, sizes, _dtype(path, fields), _channel(path, fields, sizes))


def _sizes(path: Path, fields: dict[str, str]) -> tuple[int, ...]:
    sizes = fields.get("sizes", "").split()
    if not all(size.isdecimal() and int(size) for size in sizes) or str(len(sizes)) != fields.get("dimension"):
        raise _unusable(path, f"has dimension {fields.get('dimension')} and sizes {sizes}", "as many sizes as dimensions")
    return tuple(map(int, sizes))


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype[Any]:
    name = _DTYPES.get(fields.get("type", "").lower())
    if name is None:
        raise _unusable(path, f"has values of type '{fields.get('type')}'", "whole or floating-point numbers")
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower())
    if order is None and not name.endswith("1"):
        raise _unusable(path, "does not say its byte order", "endian: little or big")
    return np.dtype((order or "") + name)


def _values(path: Path, fields: dict[str, str], end: int) -> tuple[Path, int]:
    """Where the values are. Skipped bytes count from the first value, and for gzip from the first unpacked one."""
    name = fields.get("data file", fields.get("datafile"))
    skip = fields.get("byte skip", fields.get("byteskip", "0"))
    if fields.get("line skip", fields.get("lineskip", "0")) != "0" or not re.fullmatch(r"-1|\d+", skip):
        raise _unusable(path, "skips lines, or not a number of bytes", "byte skip alone")
    if name is not None and (name.upper().startswith("LIST") or "%" in name):
        raise _unusable(path, "has its values in several files", "one file")
    values = path if name is None else path.parent / name
    if not values.is_file():
        raise _unusable(path, f"has its values in '{values}', which is no file", "that file beside it")
    first = 0 if name is not None else end
    if fields["encoding"] != "raw":
        return values, first
    return values, -1 if skip == "-1" else first + int(skip)


def _channel(path: Path, fields: dict[str, str], sizes: tuple[int, ...]) -> int | None:
    """The axis that is said to be no direction in space; of four axes that nothing is said about, the slowest."""
    kinds = fields.get("kinds", "").lower().split()
    other = {axis for axis, kind in enumerate(kinds) if kind not in ("domain", "space", "???", "none")}
    other |= {axis for axis, vector in enumerate(_vectors(fields)) if vector is None}
    if not other and len(sizes) == 4:
        other = {3}
    if len(other) > 1 or not 2 <= len(sizes) - len(other) <= 3:
        raise _unusable(
            path, f"has sizes {sizes}, {len(other)} of them not in space", "two or three in space and one of channels"
        )
    return next(iter(other), None)


def _vectors(fields: dict[str, str]) -> list[np.ndarray | None]:
    """The direction of each axis, x first; None for an axis that has none."""
    found = re.findall(r"none|\(([^)]*)\)", fields.get("space directions", ""), re.IGNORECASE)
    return [np.array([float(v) for v in vector.split(",")]) if vector else None for vector in found]


def _place(header: _Header) -> tuple[MaybeNm3, Nm3, tuple[str, ...]]:
    """Voxel size and origin (z, y, x), and what is to be said about them."""
    vectors = [v for v in _vectors(header.fields) if v is not None]
    if vectors:
        lengths = [float(np.sqrt((v**2).sum())) for v in vectors]
        units = re.findall(r'"([^"]*)"', header.fields.get("space units", ""))
    else:
        spacings = header.fields.get("spacings", "").split()
        lengths = [float(spacings[axis]) for axis in header.spatial] if spacings else []
        listed = re.findall(r'"([^"]*)"', header.fields.get("units", ""))
        units = [listed[axis] for axis in header.spatial] if listed else []
    voxel_nm = _nm(lengths, units)
    notes = []
    if any(math.isfinite(v) for v in lengths) and all(v is None for v in voxel_nm):
        shown = ", ".join(f"{v:g}" for v in lengths[::-1])
        notes.append(f"it states spacings of {shown} (slowest axis first) without a known unit")
    straight = all(v is not None and v[i] > 0 and np.count_nonzero(v) == 1 for i, v in enumerate(vectors))
    origin = _numbers(header.fields.get("space origin", ""))
    if not any(origin) or None in voxel_nm:
        return voxel_nm, (0.0, 0.0, 0.0), tuple(notes)
    if not straight or len(origin) != 3:
        return voxel_nm, (0.0, 0.0, 0.0), (*notes, "its axes are mirrored or turned: its origin is left out")
    x, y, z = (length_nm(v, unit) for v, unit in zip(origin, units, strict=True))
    return voxel_nm, (z, y, x), tuple(notes)


def _nm(lengths: list[float], units: list[str]) -> MaybeNm3:
    """Lengths x first as nm z first; None for all where a unit is missing or no length."""
    try:
        found = [length_nm(length, unit) for length, unit in zip(lengths, units, strict=True)]
    except (UnitError, ValueError):
        return None, None, None
    good = [v if v > 0 and math.isfinite(v) else None for v in found]
    z, y, x = (None, None, None, *good[::-1])[-3:]
    return z, y, x


def _numbers(text: str) -> list[float]:
    return [float(v) for v in re.findall(r"[^\s(),]+", text)]


def _read_raw_box(path: Path, ranges: Ranges) -> np.ndarray:
    header = _header(path)
    size = header.values.stat().st_size
    start = size - header.nbytes if header.start == -1 else header.start
    if start < 0 or size < start + header.nbytes:
        raise _unusable(
            path, f"needs {header.nbytes} bytes of values, '{header.values}' has {size - max(start, 0)}", "all of them"
        )
    values = np.memmap(header.values, header.dtype, "r", start, (math.prod(header.sizes),))
    box = header.arranged(values)[tuple(slice(a, b) for a, b in ranges)]
    return np.array(box, header.dtype.newbyteorder("="))


def _unpacked(path: Path) -> np.ndarray:
    header = _header(path)
    try:
        with header.values.open("rb") as file:
            file.seek(header.start)
            content = gzip.decompress(file.read())
    except (OSError, EOFError, zlib.error) as error:
        raise _unusable(path, f"cannot be unpacked ({error})", "a complete file") from error
    skip = header.fields.get("byte skip", header.fields.get("byteskip", "0"))
    start = len(content) - header.nbytes if skip == "-1" else int(skip)
    if start < 0 or len(content) < start + header.nbytes:
        raise _unusable(path, f"needs {header.nbytes} bytes of values and has {len(content)}", "all of them")
    values = np.frombuffer(content, header.dtype, math.prod(header.sizes), start)
    return header.arranged(values).astype(header.dtype.newbyteorder("="), copy=False)


def _unusable(path: Path, what: str, expected: str) -> FormatError:
    return FormatError(f"'{path}' {what}", expected, "save it as raw NRRD or TIFF")
