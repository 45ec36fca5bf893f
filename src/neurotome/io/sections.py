"""A folder of section images, one file per section, in the order of their numbers (9 before 10, padded or not)."""

from __future__ import annotations

import logging
import re
import struct
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

from neurotome.core import FormatError, ShapeError, UnitError
from neurotome.io import tiff
from neurotome.io.lazy import LazyArray, Ranges
from neurotome.io.source import GREY_NAMES, MaybeNm3, Source, show_nm

__all__ = ["PICTURE_SUFFIXES", "in_order", "read", "read_one"]

_log = logging.getLogger(__name__)

PNG, JPEG = (".png",), (".jpg", ".jpeg")
PICTURE_SUFFIXES = PNG + JPEG
SUFFIXES = PICTURE_SUFFIXES + tiff.SUFFIXES
# What a PNG header calls its colour type -> samples per pixel once decoded (a palette becomes RGB).
PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}

Header = tuple[int, int, int, str, MaybeNm3]
"""Height, width, samples, type and voxel size of one section."""


def read(folder: Path) -> Source:
    """Describe a stack stored as one picture per section.

    Raises FormatError for gaps, repeated numbers and names that do not follow one pattern; ShapeError for mixed sizes.
    """
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if not files:
        raise FormatError(
            f"Folder '{folder}' holds no section images", f"files ending in {', '.join(SUFFIXES)}", "check the path"
        )
    ignored = sum(1 for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")) - len(files)
    if not ignored:
        return _stack(folder, in_order(files), "section images", ())
    _log.info("'%s': %d other files are not read", folder, ignored)
    return _stack(folder, in_order(files), "section images", (f"{ignored} other files in the folder are not read",))


def read_one(path: Path) -> Source:
    """Describe a single PNG or JPEG: a stack of one section."""
    return _stack(path, [path], "section image", ())


def in_order(files: list[Path]) -> list[Path]:
    """Sort by section number: the one number that differs between the names.

    >>> [p.name for p in in_order([Path("s10.png"), Path("s9.png")])]
    ['s9.png', 's10.png']
    """
    if len(files) < 2:
        return files
    parts = {f: re.split(r"(\d+)", f.stem) for f in files}
    _require_one_pattern(files, parts)
    numbers = {f: tuple(int(n) for n in p[1::2]) for f, p in parts.items()}
    columns = list(zip(*numbers.values(), strict=True))
    varying = [i for i, column in enumerate(columns) if len(set(column)) > 1]
    if len(varying) > 1:
        first, second = files[0].name, next(f.name for f in files if numbers[f] != numbers[files[0]])
        raise FormatError(
            f"Several numbers differ between the names '{first}' and '{second}'",
            "one number, that of the section",
            "rename the files, or put each stack in a folder of its own",
        )
    at = varying[0] if varying else len(columns) - 1
    ordered = sorted(files, key=lambda f: numbers[f][at])
    _require_consecutive(ordered, [numbers[f][at] for f in ordered])
    return ordered


def _require_one_pattern(files: list[Path], parts: dict[Path, list[str]]) -> None:
    """All names must be equal once their numbers are taken out."""
    usual, _ = Counter(tuple(parts[f][::2]) for f in files).most_common(1)[0]
    like = next(f for f in files if tuple(parts[f][::2]) == usual)
    for file in files:
        if tuple(parts[file][::2]) != usual or len(usual) < 2:
            other = like if file != like else files[-1]
            raise FormatError(
                f"'{file.name}' does not follow the pattern of '{other.name}' in '{file.parent}'",
                "names that differ only in the section number",
                "rename or remove it",
            )


def _require_consecutive(files: list[Path], numbers: list[int]) -> None:
    for before, after, a, b in zip(files, files[1:], numbers, numbers[1:], strict=False):
        if a == b:
            raise FormatError(
                f"'{before.name}' and '{after.name}' have the same number {a}", "one file per section", "remove one"
            )
        if b != a + 1:
            missing = f"section {a + 1} is" if b == a + 2 else f"sections {a + 1} to {b - 1} are"
            raise FormatError(
                f"In '{before.parent}' {missing} missing between '{before.name}' and '{after.name}'",
                "consecutive numbers",
                "add what is missing, or renumber the files if the sections are really neighbours",
            )


def _stack(path: Path, files: list[Path], format_name: str, notes: tuple[str, ...]) -> Source:
    headers = [_header(f) for f in files]
    for file, header in zip(files, headers, strict=True):
        _require_same(files[0], headers[0], file, header)
    height, width, samples, dtype, voxel_nm = headers[0]
    rgb = samples > 1
    shape = (*((samples,) if rgb else ()), len(files), height, width)
    return Source(
        path=path,
        format=format_name,
        data=LazyArray.whole(partial(_read_box, tuple(files), headers[0]), shape, dtype, path),
        axes="CZYX" if rgb else "ZYX",
        voxel_nm=voxel_nm,
        channels=GREY_NAMES[:samples] if rgb else (),
        rgb=rgb,
        chunk=(*((samples,) if rgb else ()), 1, height, width),
        notes=notes,
    )


def _require_same(first: Path, a: Header, file: Path, b: Header) -> None:
    if a[:4] != b[:4]:
        raise ShapeError(
            f"'{first.name}' is {_show(a)}, '{file.name}' is {_show(b)}", "one size and one type", "crop or convert the sections"
        )
    if a[4] != b[4]:
        raise UnitError(
            f"'{first.name}' says a voxel is {show_nm(a[4])} nm, '{file.name}' {show_nm(b[4])} nm",
            "one voxel size",
            "correct the files",
        )


def _show(header: Header) -> str:
    height, width, samples, dtype, _ = header
    return f"{height} x {width} {dtype}" + (f" with {samples} samples" if samples > 1 else "")


def _header(file: Path) -> Header:
    """Size, type and voxel size, without decoding the pixels."""
    suffix = file.suffix.lower()
    if suffix in tiff.SUFFIXES:
        source = tiff.read(file)
        channels, (depth, height, width) = source.data.shape[:-3], source.data.shape[-3:]
        if depth != 1 or (channels and not source.rgb):
            raise FormatError(f"'{file}' holds {depth} sections", "one section per file", "give the file itself, not the folder")
        return height, width, (*channels, 1)[0], str(source.data.dtype), source.voxel_nm
    with file.open("rb") as opened:
        head = opened.read(2**16)
    try:
        height, width, samples, dtype = _png_header(head) if head.startswith(b"\x89PNG") else _jpeg_header(head)
    except (struct.error, KeyError, IndexError) as error:
        raise _damaged(file, error) from error
    return height, width, samples, dtype, (None, None, None)


def _png_header(head: bytes) -> tuple[int, int, int, str]:
    width, height, bits, colour = struct.unpack(">IIBB", head[16:26])
    return height, width, PNG_SAMPLES[colour], "uint16" if bits == 16 else "uint8"


def _jpeg_header(head: bytes) -> tuple[int, int, int, str]:
    """Walk over the segments to the frame header, which has the size."""
    at = 2
    while True:
        marker, length = struct.unpack(">HH", head[at : at + 4])
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            _, height, width, samples = struct.unpack(">BHHB", head[at + 4 : at + 10])
            return height, width, samples, "uint8"
        if marker >> 8 != 0xFF:
            raise KeyError("no frame header")
        at += 2 + length


def _read_box(files: tuple[Path, ...], header: Header, ranges: Ranges) -> np.ndarray:
    z_range, y_range, x_range = ranges[-3:]
    planes = [_decode(f, header)[..., slice(*y_range), slice(*x_range)] for f in files[slice(*z_range)]]
    stack = np.stack(planes, axis=-3)
    return stack[slice(*ranges[0])] if len(ranges) == 4 else stack


def _decode(file: Path, header: Header) -> np.ndarray:
    """One section, (y, x) or (samples, y, x)."""
    if file.suffix.lower() in tiff.SUFFIXES:
        return np.asarray(tiff.read(file).data[..., 0, :, :])
    try:
        encoded = file.read_bytes()
        decode: Any = imagecodecs.png_decode if encoded.startswith(b"\x89PNG") else imagecodecs.jpeg8_decode
        pixels = np.asarray(decode(encoded))
    except (ValueError, RuntimeError, OSError) as error:
        raise _damaged(file, error) from error
    pixels = np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels
    if pixels.shape[-2:] != header[:2]:
        raise _damaged(file, ValueError(f"its pixels are {pixels.shape}"))
    return pixels


def _damaged(file: Path, error: Exception) -> FormatError:
    return FormatError(f"Section '{file}' is damaged ({error})", "a complete picture", "copy or download it again")
