"""Trees drawn over what is seen of a volume from its three sides: a picture, and lines over it that stay sharp when enlarged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture

from neurotome.core import Grid, Skeleton
from neurotome.core.geometry import Nm3
from neurotome.report.colours import css_colour
from neurotome.report.pictures import data_uri, grey
from neurotome.report.scale_bar import scale_bar

__all__ = ["Line", "Mark", "Projection", "lines_of", "projections"]

VIEWS = (("z", "y", "x", "from above"), ("y", "z", "x", "from the front"), ("x", "z", "y", "from the side"))
"""Axis that is looked along, down, right."""
AXES = "zyx"
MOST_TREES = 400


@dataclass(frozen=True)
class Line:
    """Some of a tree: an SVG path, how it is drawn (a class of the page's style), its colour ("" as the style says), its name."""

    path: str
    style: str
    colour: str
    name: str


@dataclass(frozen=True)
class Mark:
    """A place to look at, in units of the drawing, and its name."""

    x: float
    y: float
    name: str


@dataclass(frozen=True)
class Projection:
    """One view: the picture, its size in units of the drawing (the pixels of a section), lines and marks over it.

    bar: the length of the scale bar in the same units, and in words.
    """

    name: str
    uri: str
    width: float
    height: float
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    bar: float
    bar_name: str


def projections(
    seen: Mapping[str, np.ndarray],
    grid: Grid,
    drawn: Sequence[tuple[Skeleton, str]],
    *,
    marks: Sequence[tuple[str, Nm3]] = (),
    top: float = 99.8,
) -> tuple[Projection, ...]:
    """seen: per axis the largest value along it, thinned or not. drawn: trees, each with the style of its lines.

    marks: names and voxels z, y, x of places to mark. top: percentile of the grey values that is shown white: neurites are few
    voxels, and dim ones should be seen too.
    """
    found = []
    for along, down, right, name in VIEWS:
        if along not in seen:
            continue
        rows, columns = AXES.index(down), AXES.index(right)
        height, width = (grid.shape[k] * grid.voxel_nm[k] for k in (rows, columns))
        unit = min(grid.voxel_nm[1:])
        lines = [line for tree, style in drawn for line in lines_of(tree, grid, rows, columns, style)]
        bar, bar_name = scale_bar(width)
        size = (width / unit, height / unit)
        shown = [
            Mark(*((place[k] + 0.5) * grid.voxel_nm[k] / unit for k in (columns, rows)), what)  # type: ignore[misc]
            for what, place in marks
        ]
        picture = _picture(seen[along], size, top)
        found.append(Projection(name, picture, *size, tuple(lines), tuple(shown), bar / unit, bar_name))
    return tuple(found)


def lines_of(skeleton: Skeleton, grid: Grid, rows: int, columns: int, style: str) -> list[Line]:
    """A line per tree, and one for its bridges; voxel centres are half a pixel inside."""
    unit = min(grid.voxel_nm[1:])
    y, x = ((skeleton.points_nm[:, k] - grid.origin_nm[k] + grid.voxel_nm[k] / 2) / unit for k in (rows, columns))
    jumps = np.asarray(skeleton.features.get("jump", np.zeros(len(skeleton), bool)), bool)
    found = []
    for tree in range(min(len(skeleton.roots), MOST_TREES)):
        of_tree = (skeleton.trees == tree) & (skeleton.parents >= 0)
        colour = "" if style != "tree" else css_colour(tree + 1)
        for some, kind in ((of_tree & ~jumps, style), (of_tree & jumps, "bridge")):
            if some.any():
                path = _path(skeleton.parent_rows, y, x, some)
                found.append(Line(path, kind, colour if kind == style else "", f"tree {tree}"))
    return found


def _path(parents: np.ndarray, y: np.ndarray, x: np.ndarray, some: np.ndarray) -> str:
    """Edges of the nodes `some` to their parents as an SVG path; a run down a branch is one stroke."""
    words: list[str] = []
    last = -1
    for row in np.flatnonzero(some).tolist():
        parent = int(parents[row])
        if parent != last:
            words.append(f"M{x[parent]:.1f} {y[parent]:.1f}")
        words.append(f"L{x[row]:.1f} {y[row]:.1f}")
        last = row
    return "".join(words)


def _picture(seen: np.ndarray, size: tuple[float, float], top: float) -> str:
    low, high = np.percentile(seen, [1, top])
    shown = grey(seen, (float(low), float(max(high, low + 1e-6, seen.max() if high <= low else high))))
    width, height = (max(1, min(1600, round(s))) for s in size)
    return data_uri(np.asarray(Picture.fromarray(shown).resize((width, height), Picture.Resampling.BILINEAR)))
