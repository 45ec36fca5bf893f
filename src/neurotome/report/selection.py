"""One picture of the images that were chosen: each seen from above, with its name and scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from neurotome.core import FormatError, Image
from neurotome.io import atomic_target
from neurotome.report.pictures import grey

__all__ = ["Thumbnail", "selection_picture", "thumbnail", "write_selection_picture"]

Thumbnail = np.ndarray
"""(SIDE, SIDE, 3) uint8 at most."""
SIDE, GAP, LINE = 176, 8, 15
WORDS = 130
"""Pixels that the scores take up."""
MOST_COLUMNS = 12


def thumbnail(image: Image) -> Thumbnail:
    """The brightest value along z, squares of pixels joined by their brightest, black and white at percentiles 1 and 99.8."""
    seen = image.read().max(0)
    step = math.ceil(max(seen.shape) / SIDE)
    rows, columns = (np.arange(0, n, step) for n in seen.shape)
    small = np.maximum.reduceat(np.maximum.reduceat(seen, rows, 0), columns, 1)
    times = max(1, SIDE // max(small.shape))
    low, high = (float(v) for v in np.percentile(small, [1, 99.8]))
    return grey(small, (low, high)).repeat(times, 0).repeat(times, 1)


def write_selection_picture(chosen: Sequence[tuple[str, str, Thumbnail]], out: Path) -> None:
    """Save `selection_picture` as PNG. Raises FormatError for another suffix."""
    if out.suffix.lower() != ".png":
        raise FormatError(f"Picture '{out}'", "a name that ends in .png", "choose another name")
    with atomic_target(out) as temporary:
        Picture.fromarray(selection_picture(chosen)).save(temporary, format="PNG", optimize=True)


def selection_picture(chosen: Sequence[tuple[str, str, Thumbnail]]) -> np.ndarray:
    """(name, scores in words, thumbnail) each, row by row in the order given; (y, x, 3) uint8."""
    columns = min(MOST_COLUMNS, max(1, math.ceil(math.sqrt(len(chosen)))))
    rows = math.ceil(len(chosen) / columns)
    side = max(WORDS, *(max(seen.shape[:2]) for _, _, seen in chosen))
    wide, high = side + GAP, side + 2 * LINE + GAP
    sheet = Picture.new("RGB", (columns * wide + GAP, rows * high + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for k, (name, words, seen) in enumerate(chosen):
        x, y = GAP + k % columns * wide, GAP + k // columns * high
        pen.text((x, y), _fitting(name, font, side), fill="black", font=font)
        pen.text((x, y + LINE - 2), words, fill=(90, 90, 90), font=font)
        sheet.paste(Picture.fromarray(seen), (x, y + 2 * LINE))
    return np.asarray(sheet)


def _fitting(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The name, shortened in the middle where it is too long: names differ at their ends."""
    if font.getlength(name) <= width:
        return name
    half = len(name) // 2
    while half > 1 and font.getlength(f"{name[:half]}…{name[-half:]}") > width:
        half -= 1
    return f"{name[:half]}…{name[-half:]}"
