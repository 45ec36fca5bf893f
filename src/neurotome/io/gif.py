"""Animated GIF of grey pictures (GIF89a): one frame for each picture, also where two that follow each other are equal."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import getdata

from neurotome.core import ShapeError
from neurotome.io.atomic import atomic_target

__all__ = ["gif_bytes", "save_gif"]

FOR_EVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
GREY_TABLE, FULL_TABLE = bytes(v for level in range(256) for v in (level,) * 3), 0xF7
END = b"\x3b"


def save_gif(frames: Sequence[np.ndarray], path: Path | str, *, per_second: float) -> None:
    """Write `gif_bytes` to a file."""
    with atomic_target(path) as temporary:
        temporary.write_bytes(gif_bytes(frames, per_second=per_second))


def gif_bytes(frames: Sequence[np.ndarray], *, per_second: float) -> bytes:
    """The frames, (y, x) uint8 of one shape, as a GIF that begins anew for ever.

    Writers of animations join equal neighbours into one frame, so the file is put together here: header, the 256 grey values,
    then each frame as Pillow compresses it.
    Raises ShapeError for no frame, or frames of different shapes.
    """
    shapes = sorted({frame.shape for frame in frames})
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise ShapeError(f"Frames of shape {', '.join(map(str, shapes)) or '(none)'}", "one shape (y, x)", "crop them alike")
    height, width = shapes[0]
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, FULL_TABLE, 0, 0), GREY_TABLE, FOR_EVER]
    for frame in frames:
        parts += getdata(Image.fromarray(np.ascontiguousarray(frame, np.uint8)), duration=round(1000 / per_second))
    return b"".join([*parts, END])
