"""Vaa3D's stacks, as input only: .v3draw, plain, and .v3dpbd, packed. Neither holds a voxel size.

    24 bytes  raw_image_stack_by_hpeng (plain) or v3d_volume_pkbitdf_encod (packed)
     1 byte   L or B, the byte order
     2 bytes  bytes per value: 1 uint8, 2 uint16, 4 float32
    16 bytes  sizes along x, y, z and channel, 4 bytes each (2 each in old plain files)
              values, x fastest

Packed values are runs; a byte says which kind and how long. Layout and codes as in Vaa3D's image loader (see `_unpack_bytes`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from neurotome.core import FormatError
from neurotome.io.lazy import LazyArray, Ranges
from neurotome.io.source import Source
from neurotome.io.whole_files import read_unpacked_box

__all__ = ["MAGIC_PACKED", "MAGIC_PLAIN", "SUFFIXES", "read"]

SUFFIXES = (".v3draw", ".vaa3draw", ".v3dpbd")
MAGIC_PLAIN = b"raw_image_stack_by_hpeng"
MAGIC_PACKED = b"v3d_volume_pkbitdf_encod"
_TYPES = {1: "u1", 2: "u2", 4: "f4"}
_MOST_VALUES_PER_BYTE = 64
"""A run of 128 equal values takes two bytes."""


@dataclass(frozen=True)
class _Header:
    """shape: (c, z, y, x). start: of the values, in bytes."""

    packed: bool
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int


def read(path: Path) -> Source:
    """Describe a Vaa3D stack, uint8, uint16 or (plain only) float32. Raises FormatError."""
    header = _header(path)
    reader = partial(read_unpacked_box, _unpacked) if header.packed else _read_plain_box
    data = LazyArray.whole(partial(reader, path), header.shape, header.dtype.newbyteorder("="), path)
    several = header.shape[0] > 1
    return Source(
        path, "Vaa3D (packed)" if header.packed else "Vaa3D", data if several else data[0], "CZYX" if several else "ZYX"
    )


def _header(path: Path) -> _Header:
    with path.open("rb") as file:
        head = file.read(43)
    packed = head.startswith(MAGIC_PACKED)
    if not packed and not head.startswith(MAGIC_PLAIN):
        raise FormatError(f"'{path}' is no Vaa3D stack of a known kind", "a v3draw or v3dpbd file", "save it as v3draw in Vaa3D")
    order = {b"L": "<", b"B": ">"}.get(head[24:25])
    if len(head) < 43 or order is None:
        raise _damaged(path, "its header")
    width = int(np.frombuffer(head, f"{order}i2", 1, 25)[0])
    if width not in _TYPES or (packed and width == 4):
        raise FormatError(f"'{path}' holds values of kind {width}", "1, 2 or (v3draw only) 4 bytes", "save it as v3draw in Vaa3D")
    dtype, size = np.dtype(order + _TYPES[width]), path.stat().st_size
    for numbers, start in (("i4", 43), ("i2", 35)):
        shape = tuple(int(n) for n in np.frombuffer(head, order + numbers, 4, 27)[::-1])
        if min(shape) < 1:
            continue
        count = math.prod(shape)
        if count * width == size - start and not packed:
            return _Header(packed, dtype, shape, start)
        if packed and numbers == "i4" and count <= (size - start) * _MOST_VALUES_PER_BYTE:
            return _Header(packed, dtype, shape, start)
    raise _damaged(path, f"it has {size} bytes, which does not fit the sizes in its header")


def _read_plain_box(path: Path, ranges: Ranges) -> np.ndarray:
    header = _header(path)
    values = np.memmap(path, header.dtype, "r", header.start, header.shape)
    return np.array(values[tuple(slice(a, b) for a, b in ranges)], header.dtype.newbyteorder("="))


def _unpacked(path: Path) -> np.ndarray:
    header = _header(path)
    encoded = np.fromfile(path, np.uint8, offset=header.start)
    values = np.empty(math.prod(header.shape), header.dtype.newbyteorder("="))
    if header.dtype.itemsize == 1:
        count = _unpack_bytes(encoded, values)
    else:
        count = _unpack_words(encoded, values, header.dtype.str.startswith(">"))
    if count != len(values):
        raise _damaged(path, f"its runs make {max(count, 0)} of {len(values)} values")
    return values.reshape(header.shape)


def _damaged(path: Path, what: str) -> FormatError:
    return FormatError(f"'{path}' is damaged: {what}", "a complete Vaa3D stack", "copy or download it again")


@njit(cache=True, nogil=True)
def _unpack_bytes(encoded: np.ndarray, out: np.ndarray) -> int:
    """Fill `out` (n,) uint8. Returns how many values the runs made, -1 where one is cut off or too long.

    0..32: that many values and one more follow. 33..127: code - 32 differences to the value before, four to a byte, lowest bits
    first; 3 stands for -1. 128..255: the next byte, code - 127 times.
    """
    at, done, before = 0, 0, 0
    while at < len(encoded):
        code = int(encoded[at])
        length = code + 1 if code < 33 else (code - 32 if code < 128 else code - 127)
        taken = length if code < 33 else ((length + 3) // 4 if code < 128 else 1)
        if done + length > len(out) or at + taken >= len(encoded):
            return -1
        for i in range(length):
            if code < 33:
                before = int(encoded[at + 1 + i])
            elif code < 128:
                step = (int(encoded[at + 1 + i // 4]) >> (2 * (i % 4))) & 3
                before = (before + (-1 if step == 3 else step)) & 255
            else:
                before = int(encoded[at + 1])
            out[done + i] = before
        done += length
        at += taken + 1
    return done


@njit(cache=True, nogil=True)
def _unpack_words(encoded: np.ndarray, out: np.ndarray, high_first: bool) -> int:  # noqa: FBT001 (Numba takes no keywords only)
    """Fill `out` (n,) uint16. Returns how many values the runs made, -1 where one is cut off or too long.

    0..31: that many values and one more follow. 32..79: code - 31 differences to the value before, three bits each, highest bits
    first; 5, 6, 7 stand for -1, -2, -3. 223..255: the next value, code - 222 times. Vaa3D never made the codes between.
    """
    low, high = (1, 0) if high_first else (0, 1)
    at, done, before = 0, 0, 0
    while at < len(encoded):
        code = int(encoded[at])
        if 80 <= code < 223:
            return -1
        length = code + 1 if code < 32 else (code - 31 if code < 80 else code - 222)
        taken = 2 * length if code < 32 else ((3 * length + 7) // 8 if code < 80 else 2)
        if done + length > len(out) or at + taken >= len(encoded):
            return -1
        for i in range(length):
            if 32 <= code < 80:
                step = 0
                for bit in range(3 * i, 3 * i + 3):
                    step = 2 * step + ((int(encoded[at + 1 + bit // 8]) >> (7 - bit % 8)) & 1)
                before = (before + (step if step < 5 else 4 - step)) & 65535
            else:
                place = at + 1 + (2 * i if code < 32 else 0)
                before = int(encoded[place + low]) + 256 * int(encoded[place + high])
            out[done + i] = before
        done += length
        at += taken + 1
    return done
