"""Which class is taken for which: a confusion matrix as a picture and on paper."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from neurotome.io import atomic_target

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["confusion_picture", "write_confusion"]

SIDE = 1400
"""Pixels of the square of cells, divided among the classes."""
LARGEST_CELL, SMALLEST_CELL = 120, 26
INK, SOFT = "#1f2630", "#5b6673"
FULL = np.array([11, 114, 133])
"""The colour of a share of 1, the accent of the pages; 0 is white."""


def write_confusion(path: Path, shares: pd.DataFrame, *, title: str) -> list[Path]:
    """Write PATH.png and PATH.pdf: true classes down, predicted ones across, the share of each true class. Returns the paths."""
    picture = confusion_picture(shares, title=title)
    written = []
    for kind in ("PNG", "PDF"):
        stored = io.BytesIO()
        picture.save(stored, kind, **({"resolution": 200.0} if kind == "PDF" else {}))
        target = path.with_name(f"{path.name}.{kind.lower()}")
        with atomic_target(target, overwrite=True) as temporary:
            temporary.write_bytes(stored.getvalue())
        written.append(target)
    return written


def confusion_picture(shares: pd.DataFrame, *, title: str) -> Image.Image:
    """shares: rows are true classes and add up to 1, columns predicted ones."""
    names, values = [str(name) for name in shares.index], shares.to_numpy(np.float64)
    cell = int(np.clip(SIDE // max(len(names), 1), SMALLEST_CELL, LARGEST_CELL))
    font = ImageFont.load_default(min(24, round(cell * 0.55)))
    margin = 30 + round(max(font.getlength(name) for name in names))
    left, top = margin + 40, margin + 110
    picture = Image.new("RGB", (left + cell * len(names) + 60, top + cell * len(names) + 40), "white")
    pen = ImageDraw.Draw(picture)
    large = ImageFont.load_default(28)
    pen.text((30, 24), title, INK, large)
    pen.text((30, 64), "down: true, across: predicted; share of each true class in percent", SOFT, ImageFont.load_default(20))
    for row, name in enumerate(names):
        middle = top + cell * row + cell // 2
        pen.text((left - 10, middle), name, INK, font, "rm")
        _upright(picture, (left + cell * row + cell // 2, top - 8), name, font)
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
