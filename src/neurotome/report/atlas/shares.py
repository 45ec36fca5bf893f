"""Shares as a picture: rows and columns with names, each cell as dark as its share is large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FULL", "shares_picture"]

SIDE = 1400
"""Pixels of the square of cells, divided among the classes."""
LARGEST_CELL, SMALLEST_CELL = 120, 26
INK, SOFT = "#1f2630", "#5b6673"
FULL = np.array([11, 114, 133])
"""The colour of a share of 1, the accent of the pages; 0 is white."""


def shares_picture(shares: pd.DataFrame, *, title: str, said: str) -> Image.Image:
    """shares: 0 to 1, rows and columns named. said: a sentence on what they are."""
    names, across = [str(name) for name in shares.index], [str(name) for name in shares.columns]
    values = shares.to_numpy(np.float64)
    cell = int(np.clip(SIDE // max(len(names), len(across), 1), SMALLEST_CELL, LARGEST_CELL))
    font = ImageFont.load_default(min(24, round(cell * 0.55)))
    margin = 30 + round(max(font.getlength(name) for name in (*names, *across)))
    left, top = margin + 40, margin + 110
    width = max(left + cell * len(across), 30 + round(ImageFont.load_default(20).getlength(said)))
    picture = Image.new("RGB", (width + 60, top + cell * len(names) + 40), "white")
    pen = ImageDraw.Draw(picture)
    large = ImageFont.load_default(28)
    pen.text((30, 24), title, INK, large)
    pen.text((30, 64), said, SOFT, ImageFont.load_default(20))
    for column, name in enumerate(across):
        _upright(picture, (left + cell * column + cell // 2, top - 8), name, font)
    for row, name in enumerate(names):
        middle = top + cell * row + cell // 2
        pen.text((left - 10, middle), name, INK, font, "rm")
        for column, share in enumerate(values[row]):
            corner = (left + cell * column, top + cell * row)
            _cell(pen, corner, cell, float(share), font)
    return picture


def _cell(pen: ImageDraw.ImageDraw, corner: tuple[int, int], side: int, share: float, font: ImageFont.ImageFont) -> None:
    colour = tuple(int(v) for v in np.rint(255 + (FULL - 255) * np.clip(share, 0, 1)))
    pen.rectangle((*corner, corner[0] + side, corner[1] + side), colour, "#e3e7eb")
    if share >= 0.005:
        middle = (corner[0] + side // 2, corner[1] + side // 2)
        pen.text(middle, f"{100 * share:.0f}", "white" if share > 0.5 else INK, font, "mm")


def _upright(picture: Image.Image, foot: tuple[int, int], text: str, font: ImageFont.ImageFont) -> None:
    """Text that runs upwards from a point."""
    width, height = round(font.getlength(text)) + 4, round(font.size * 1.4)
    label = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(label).text((0, height // 2), text, INK, font, "lm")
    turned = label.rotate(90, expand=True)
    picture.paste(turned, (foot[0] - turned.width // 2, foot[1] - turned.height))
