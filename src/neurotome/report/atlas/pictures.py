"""A map as a picture for a slide, and the numbers it was drawn from."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from neurotome.report.atlas.columns import OTHERS, SCALE, Column
from neurotome.report.charts import nice_ticks
from neurotome.report.facts import number

__all__ = ["MAP_NAMES", "colours_of_numbers", "file_names", "map_numbers", "map_picture"]

MAP_NAMES = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}
WIDTH, HEIGHT = 1600, 1100
SMOOTH = 2
"""Drawn that many times larger and made smaller, so that no edge has steps."""
LEFT, RIGHT, TOP, BOTTOM = 120, 400, 90, 110
INK, SOFT, LINE = "#1f2630", "#5b6673", "#d5dade"
MOST_ENTRIES = 28
"""Of the legend; the groups after these are counted in one line."""
OPACITY = 215


@dataclass(frozen=True)
class _Plot:
    """Where the points lie: one scale for both axes, as distances are what a map shows."""

    low: np.ndarray
    scale: float

    @classmethod
    def of(cls, places: np.ndarray) -> _Plot:
        low, high = places.min(0), places.max(0)
        room = np.array([WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM], np.float64)
        middle, span = (low + high) / 2, np.maximum(high - low, 1e-9) * 1.08
        scale = float((room / span).min())
        return cls(middle - room / scale / 2, scale)

    def at(self, places: np.ndarray) -> np.ndarray:
        """(n, 2) x and y in pixels of the picture."""
        shifted = (places - self.low) * self.scale
        return np.stack([LEFT + shifted[:, 0], HEIGHT - BOTTOM - shifted[:, 1]], axis=1)


def map_picture(places: np.ndarray, column: Column, name: str, rows: str) -> bytes:
    """A PNG of a map (n, 2), coloured by a column, with axes and a legend. rows: what they are, in plural."""
    picture = Image.new("RGB", (WIDTH * SMOOTH, HEIGHT * SMOOTH), "white")
    # Straight to RGBA: points that lie on each other show that they do.
    pen = ImageDraw.Draw(picture, "RGBA")
    plot = _Plot.of(places)
    _axes(pen, plot, name)
    _upright_text(picture, (34, (TOP + HEIGHT - BOTTOM) // 2), f"{name} 2", 23)
    _text(pen, (LEFT, TOP - 42), f"{name}, {number(len(places))} {rows}, coloured by {column.title}", 26, INK, "lm")
    _points(pen, plot.at(places), column)
    (_scale_legend if column.is_number else _group_legend)(pen, column)
    stored = io.BytesIO()
    picture.reduce(SMOOTH).save(stored, "PNG")
    return stored.getvalue()


def colours_of_numbers(column: Column) -> np.ndarray:
    """(n, 3) uint8: the colour of each number of a column on SCALE; grey where there is none."""
    low, high = column.limits
    steps = np.nan_to_num(np.clip((column.values - low) / (high - low), 0, 1)) * (len(SCALE) - 1)
    anchors = np.array([ImageColor.getrgb(colour) for colour in SCALE], np.float64)
    colours = np.stack([np.interp(steps, np.arange(len(SCALE)), channel) for channel in anchors.T], axis=1)
    colours[~np.isfinite(column.values)] = ImageColor.getrgb(OTHERS)
    return np.round(colours).astype(np.uint8)


def map_numbers(ids: Sequence[str], places: np.ndarray, column: Column, name: str, rows: str) -> Mapping[str, Any]:
    """What the picture shows: ids, places, and the value of each row, null where it has none. rows: what a row is, in plural."""
    if column.is_number:
        values = [value if np.isfinite(value) else None for value in column.values.tolist()]
        legend: Mapping[str, Any] = {"range": list(column.limits)}
    else:
        values = [column.groups[code] if code >= 0 else None for code in column.values.tolist()]
        marks = zip(column.colours, column.symbols, column.counts, strict=True)
        legend = {"groups": {g: {"colour": c, "symbol": s, rows: k} for g, (c, s, k) in zip(column.groups, marks, strict=True)}}
    axes = {"x": np.round(places[:, 0], 5).tolist(), "y": np.round(places[:, 1], 5).tolist()}
    return {"map": name, "column": column.name, **legend, rows: list(ids), **axes, "values": values}


def _points(pen: ImageDraw.ImageDraw, at: np.ndarray, column: Column) -> None:
    """Rows without a value first, so that they hide none that has one."""
    radius = float(np.clip(260 / max(len(at), 1) ** 0.5, 3.5, 11))
    if column.is_number:
        colours, symbols = [tuple(c) for c in colours_of_numbers(column).tolist()], ["circle"] * len(at)
        known = np.isfinite(column.values)
    else:
        rgb = [ImageColor.getrgb(colour) for colour in [*column.colours, OTHERS]]
        colours, symbols = [rgb[code] for code in column.values], [[*column.symbols, "circle"][code] for code in column.values]
        known = column.values >= 0
    for row in np.argsort(known, kind="stable").tolist():
        _symbol(pen, at[row], radius, symbols[row], (*colours[row][:3], OPACITY))


def _symbol(pen: ImageDraw.ImageDraw, at: Sequence[float], radius: float, symbol: str, colour: Any) -> None:
    x, y, r = float(at[0]) * SMOOTH, float(at[1]) * SMOOTH, radius * SMOOTH
    style = {"fill": colour, "outline": (255, 255, 255, OPACITY), "width": SMOOTH}
    if symbol == "circle":
        pen.ellipse((x - r, y - r, x + r, y + r), **style)
        return
    corners = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
        "triangle-up": ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    }[symbol]
    pen.polygon([(x + a * r, y + b * r) for a, b in corners], **style)


def _axes(pen: ImageDraw.ImageDraw, plot: _Plot, name: str) -> None:
    right, foot = WIDTH - RIGHT, HEIGHT - BOTTOM
    high = plot.low + np.array([right - LEFT, foot - TOP]) / plot.scale
    for value in nice_ticks(float(plot.low[0]), float(high[0])):
        x = LEFT + (value - plot.low[0]) * plot.scale
        _line(pen, (x, foot), (x, foot + 8), SOFT)
        _text(pen, (x, foot + 26), f"{value:g}", 20, SOFT, "mm")
    for value in nice_ticks(float(plot.low[1]), float(high[1])):
        y = foot - (value - plot.low[1]) * plot.scale
        _line(pen, (LEFT - 8, y), (LEFT, y), SOFT)
        _text(pen, (LEFT - 16, y), f"{value:g}", 20, SOFT, "rm")
    pen.rectangle([n * SMOOTH for n in (LEFT, TOP, right, foot)], outline=LINE, width=2 * SMOOTH)
    _text(pen, ((LEFT + right) / 2, foot + 68), f"{name} 1", 23, INK, "mm")


def _group_legend(pen: ImageDraw.ImageDraw, column: Column) -> None:
    x, y, step = WIDTH - RIGHT + 44, TOP + 14, 31
    shown = list(zip(column.groups, column.colours, column.symbols, column.counts, strict=True))
    for name, colour, symbol, count in shown[:MOST_ENTRIES]:
        _symbol(pen, (x, y), 9, symbol, (*ImageColor.getrgb(colour)[:3], 255))
        _text(pen, (x + 24, y), f"{_short(name)}  {number(count)}", 21, INK, "lm")
        y += step
    if rest := shown[MOST_ENTRIES:]:
        _text(pen, (x - 9, y), f"{len(rest)} more groups  {number(sum(entry[3] for entry in rest))}", 21, SOFT, "lm")
        y += step
    if column.unknown:
        _symbol(pen, (x, y), 9, "circle", (*ImageColor.getrgb(OTHERS)[:3], 255))
        _text(pen, (x + 24, y), f"{column.missing}  {number(column.unknown)}", 21, SOFT, "lm")


def _scale_legend(pen: ImageDraw.ImageDraw, column: Column) -> None:
    x, width, height = WIDTH - RIGHT + 44, 30, 420
    low, high = column.limits
    bar = Column(column.name, np.linspace(low, high, height))
    for step, colour in enumerate(colours_of_numbers(bar).tolist()):
        foot = TOP + 40 + height - step
        pen.rectangle([n * SMOOTH for n in (x, foot - 1, x + width, foot)], fill=tuple(colour))
    _text(pen, (x, TOP + 14), _short(column.title, 30), 21, INK, "lm")
    for value in nice_ticks(low, high):
        y = TOP + 40 + height - (value - low) / (high - low) * height
        _line(pen, (x + width, y), (x + width + 8, y), SOFT)
        _text(pen, (x + width + 16, y), number(value), 20, SOFT, "lm")
    if column.unknown:
        y = TOP + 40 + height + 44
        _symbol(pen, (x + 9, y), 9, "circle", (*ImageColor.getrgb(OTHERS)[:3], 255))
        _text(pen, (x + 30, y), f"{column.missing}  {number(column.unknown)}", 21, SOFT, "lm")


def _line(pen: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    pen.line([(x * SMOOTH, y * SMOOTH) for x, y in (start, end)], fill=colour, width=2 * SMOOTH)


def _text(pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, colour: str, anchor: str) -> None:
    font = ImageFont.load_default(size * SMOOTH)
    # The font that Pillow carries has no micro sign.
    pen.text((at[0] * SMOOTH, at[1] * SMOOTH), text.replace("µ", "u"), colour, font, anchor)


def _upright_text(picture: Image.Image, at: tuple[int, int], text: str, size: int) -> None:
    """Text that runs upwards, its middle at a place."""
    stamp = Image.new("L", (len(text) * size * SMOOTH, 2 * size * SMOOTH))
    font = ImageFont.load_default(size * SMOOTH)
    ImageDraw.Draw(stamp).text((stamp.width / 2, stamp.height / 2), text, 255, font, "mm")
    stamp = stamp.rotate(90, expand=True)
    picture.paste(INK, (at[0] * SMOOTH - stamp.width // 2, at[1] * SMOOTH - stamp.height // 2), stamp)


def _short(text: str, most: int = 22) -> str:
    return text if len(text) <= most else f"{text[: most - 2]}.."


def file_names(columns: Sequence[str]) -> list[str]:
    """Names that every file system takes, no two the same even where capitals do not count.

    >>> file_names(["cell type/2", "cell_type_2", "layer"])
    ['cell_type_2', 'cell_type_2-2', 'layer']
    """
    names: list[str] = []
    for column in columns:
        name = re.sub(r"[^\w.-]+", "_", column).strip("._") or "column"
        taken = sum(1 for other in names if re.sub(r"-\d+$", "", other).lower() == name.lower())
        names.append(f"{name}-{taken + 1}" if taken else name)
    return names
