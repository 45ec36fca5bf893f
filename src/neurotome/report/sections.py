"""Sections side by side: tissue, probability, neurons over tissue, truth over tissue, all of the same crop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neurotome.core import Box, Grid, Probability
from neurotome.report.colours import matching_labels
from neurotome.report.pictures import data_uri, grey, grey_range, overlay, painted, spread, thinned
from neurotome.report.results import Results
from neurotome.report.scale_bar import scale_bar

__all__ = ["Panel", "SectionRow", "boundary_section", "matching_truth", "section_rows", "window"]

LARGEST_CROP = 2400
LARGEST_PICTURE = 800


@dataclass(frozen=True)
class Panel:
    """A picture with its name and what a reader needs to read it."""

    name: str
    uri: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class SectionRow:
    """The panels of one section. bar_percent: width of the scale bar as a share of the picture's; bar_name: its length."""

    z: int
    panels: tuple[Panel, ...]
    bar_percent: float
    bar_name: str
    shown: str


def section_rows(results: Results, wanted: int = 3) -> tuple[SectionRow, ...]:
    """Evenly spread sections; a volume that is missing leaves its panel out. Reads one section of each volume at a time."""
    if results.grid is None:
        return ()
    limits = grey_range(results.image) if results.image is not None else None
    known = matching_truth(results, wanted)
    return tuple(_row(results, z, limits, known) for z in spread(results.grid.shape[0], wanted))


def matching_truth(results: Results, wanted: int = 3) -> dict[int, int]:
    """Truth label -> the neuron whose colour it takes: partners by overlap in the sections that are shown."""
    if results.truth is None or results.neurons is None:
        return {}
    grid = results.neurons.grid
    y, x, factor = window(grid)
    boxes = [Box((z, y.start, x.start), (z + 1, y.stop, x.stop)) for z in spread(grid.shape[0], wanted)]
    both = (results.truth, results.neurons)
    truth, neurons = (np.stack([thinned(volume.read(box)[0], factor, mean=False) for box in boxes]) for volume in both)
    return matching_labels(truth, neurons)


def window(grid: Grid) -> tuple[slice, slice, int]:
    """The centre of a section that is shown, and how many pixels become one.

    >>> window(Grid((1, 1024, 5000), (30, 6, 6)))
    (slice(0, 1024, None), slice(1300, 3700, None), 3)
    """
    _, height, width = grid.shape
    starts = [max(0, (n - LARGEST_CROP) // 2) for n in (height, width)]
    rows, columns = (slice(a, a + min(n, LARGEST_CROP)) for a, n in zip(starts, (height, width), strict=True))
    side = max(rows.stop - rows.start, columns.stop - columns.start)
    return rows, columns, math.ceil(side / LARGEST_PICTURE)


def _row(results: Results, z: int, limits: tuple[float, float] | None, known: Mapping[int, int]) -> SectionRow:
    grid = results.grid
    assert grid is not None
    y, x, factor = window(grid)
    box = Box((z, y.start, x.start), (z + 1, y.stop, x.stop))
    tissue = None
    panels = []
    if results.image is not None:
        tissue = grey(thinned(results.image.read(box)[0], factor, mean=True), limits)
        panels.append(_panel("EM", tissue, z))
    if results.probability is not None:
        values, what = boundary_section(results.probability, box)
        panels.append(_panel("Probability", grey(thinned(values, factor, mean=True), (0.0, 1.0)), z, what))
    if results.neurons is not None:
        neurons = thinned(results.neurons.read(box)[0], factor, mean=False)
        panels.append(_panel("Neurons", _over(tissue, neurons), z))
    if results.truth is not None:
        truth = thinned(results.truth.read(box)[0], factor, mean=False)
        panels.append(_panel("Truth", _over(tissue, truth, known), z))
    width_nm = (x.stop - x.start) * grid.voxel_nm[2]
    length_nm, name = scale_bar(width_nm)
    return SectionRow(z, tuple(panels), 100 * length_nm / width_nm, name, _shown(grid, y, x, factor))


def boundary_section(probability: Probability, box: Box) -> tuple[np.ndarray, str]:
    """One section (y, x) in [0, 1] in which boundaries are dark, and which channels it shows.

    The smaller of the two nearest affinities in the section; else inside or cytoplasm; else 1 - membrane; else the first channel.
    """
    names = probability.channels
    near = tuple(c for c in ("affinity:0,1,0", "affinity:0,0,1") if c in names)
    chosen = near or next(((c,) for c in ("inside", "cytoplasm", "membrane") if c in names), names[:1])
    values = probability.read(chosen, box)[:, 0]
    lowest = (values.astype(np.float32) / (255 if values.dtype == np.uint8 else 1)).min(axis=0)
    return (1 - lowest, "1 - membrane") if chosen == ("membrane",) else (lowest, " and ".join(chosen))


def _over(tissue: np.ndarray | None, labels: np.ndarray, known: Mapping[int, int] | None = None) -> np.ndarray:
    return painted(labels, known) if tissue is None else overlay(tissue, labels, known)


def _panel(name: str, picture: np.ndarray, z: int, what: str = "") -> Panel:
    alt = f"{name} of section {z}" + (f" ({what})" if what else "")
    return Panel(name, data_uri(picture), alt, picture.shape[1], picture.shape[0])


def _shown(grid: Grid, y: slice, x: slice, factor: int) -> str:
    shown = (y.stop - y.start, x.stop - x.start)
    part = "centre {} x {} of {} x {} pixels".format(*shown, *grid.shape[1:])
    part = "whole section" if shown == grid.shape[1:] else part
    return part if factor == 1 else f"{part}, {factor} x {factor} pixels shown as one"
