"""What is seen of every synapse, each in one small picture: sections one after the other, slices, means along the axes.

A thousand synapses have to fit a page, so frames are stored once, side by side in one picture per synapse, as large and as many
as a budget of bytes allows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from neurotome.core import Crop, CropLook, Progress, silent, spread
from neurotome.report.pictures import data_uri
from neurotome.report.synapses.run import SynapseRun
from neurotome.synapses.views import View, look_at, spread_frames

__all__ = ["PER_SECOND", "STRUCTURES", "Sheet", "Sheets", "grey_frame", "make_sheets", "seen", "structures_frame"]

BUDGETS = (8_000_000, 11_000_000, 3_000_000)
"""Bytes of a page for the slices, the movies and the means of all synapses."""
SLICES = ("centre, as shown", "centre, tissue", "centre, structures", "largest cleft, tissue")
MEANS = ("along z", "along y", "along x")
STEPS = ((80, 20, 60), (80, 20, 40), (80, 16, 35), (64, 16, 35), (64, 12, 30), (48, 12, 30), (48, 8, 20))
"""Side, frames and quality, from the best: the first that fits is taken."""
TRIED = 12
PER_SECOND = 8
"""Frames of a movie on a page: all of them in two or three seconds."""
CENTRAL = 25
"""Voxels along a side of the cube whose means are shown."""
STRUCTURES = (
    ("post", "postsynapse", "#e69f00", 0.28),
    ("pre", "presynapse", "#56b4e9", 0.30),
    ("mitochondria", "mitochondrion", "#cc79a7", 0.55),
    ("vesicles", "vesicles", "#009e73", 0.50),
    ("cleft2", "second cleft label", "#f0e442", 0.60),
    ("cleft", "cleft", "#d55e00", 0.70),
)
"""Operand, name, colour and opacity, painted in this order: small things lie over large ones."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """Pictures of all synapses that are alike: `frames` of side x side pixels in rows of `columns`, named.

    uris: one per synapse, None where nothing is shown of it. moving: grey frames that follow each other.
    """

    side: int
    columns: int
    frames: tuple[str, ...]
    uris: list[str | None] = field(repr=False)
    moving: bool = False

    def to_json(self) -> Mapping[str, Any]:
        shared = {"side": self.side, "columns": self.columns, "frames": list(self.frames), "uris": self.uris}
        return {**shared, "moving": self.moving}

    @property
    def bytes(self) -> int:
        return sum(len(uri) for uri in self.uris if uri)


@dataclass(frozen=True, eq=False)
class Sheets:
    """movie: sections from the first to the last. slices: the centre as shown, as tissue, with structures, and the largest cleft.

    means: of the central cube along z, y and x. largest: of each synapse the frame of the movie nearest to its largest section of
    cleft, -1 without cleft.
    """

    slices: Sheet
    movie: Sheet | None = None
    means: Sheet | None = None
    largest: list[int] = field(default_factory=list)


def seen(run: SynapseRun, row: int, looks: Sequence[CropLook]) -> list[View | None]:
    """Looks at the crop of a row; None where a mask has nothing to show."""
    crop = run.crop(row)
    if crop is None:
        return [None] * len(looks)
    shown = look_at(crop, looks, undetermined=run.undetermined(row), on_undetermined="side2", pad="grey")
    return [one if isinstance(one, View) else None for one in shown]


def make_sheets(run: SynapseRun, *, movies: bool = True, progress: Progress = silent) -> Sheets | None:
    """Pictures of all synapses of a table in its look; None where the run kept no crops. movies: False for slices alone."""
    if run.crops is None or not run.ids:
        return None
    count = len(run.ids)
    tried = [_seen_once(run, row) for row in spread(count, TRIED)]
    made = (_slice_frames, _movie_frames, _mean_frames) if movies else (_slice_frames,)
    steps = [_fitting(tried, count, budget, frames) for budget, frames in zip(BUDGETS, made)]
    uris: list[list[str | None]] = [[] for _ in made]
    largest = []

    def drawn(row: int) -> tuple[int, list[str | None]]:
        what = _seen_once(run, row)
        drawings = (frames(what, step[1]) for frames, step in zip(made, steps, strict=True))
        return what.largest, [_sheet_uri(some, step) if some else None for some, step in zip(drawings, steps, strict=True)]

    # Reading and packing let other threads run.
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for done, (z, sheets) in enumerate(pool.map(drawn, range(count))):
            progress("pictures", done, count)
            largest.append(z)
            for kept, uri in zip(uris, sheets, strict=True):
                kept.append(uri)
    size = len(tried[0].tissue)
    slices = Sheet(steps[0][0], 2, SLICES, uris[0])
    if not movies:
        return Sheets(slices)
    shown = spread_frames(size, steps[1][1])
    nearest = [-1 if z < 0 else int(np.argmin([abs(z - frame) for frame in shown])) for z in largest]
    movie = Sheet(steps[1][0], _columns(len(shown)), tuple(map(str, shown)), uris[1], moving=True)
    return Sheets(slices, movie, Sheet(steps[2][0], 2, MEANS, uris[2]), nearest)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A crop as the page needs it: grey values of tissue, the look, and the section with the largest cleft."""

    crop: Crop
    tissue: np.ndarray
    view: View | None
    limits: tuple[float, float]
    largest: int


def _seen_once(run: SynapseRun, row: int) -> _Seen:
    crop = run.crop(row)
    assert crop is not None
    raw, shown = seen(run, row, (run.look.with_(mask="0", alpha=0.0, legacy_8bit=False), run.look))
    tissue = np.zeros(crop.image.shape, np.float32) if raw is None else raw.values
    return _Seen(crop, tissue, shown, (0.0, 1.0) if raw is None else raw.limits, run.largest_cleft[row])


def grey_frame(section: np.ndarray, limits: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    """(y, x) uint8 of grey values between fixed limits: nothing is stretched to what a section happens to hold."""
    low, high = limits
    return np.round(255 * np.clip((section - low) / (high - low), 0, 1)).astype(np.uint8)


def structures_frame(crop: Crop, tissue: np.ndarray, z: int) -> np.ndarray:
    """(y, x, 3) uint8: structures in their colours over grey tissue (y, x) uint8."""
    picture = np.repeat(tissue[..., None], 3, axis=-1).astype(np.float32)
    for name, _, colour, opacity in STRUCTURES:
        inside = crop.operand(name)[z]
        rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.float32)
        picture[inside] = picture[inside] * (1 - opacity) + rgb * opacity
    return np.round(picture).astype(np.uint8)


def _movie_frames(what: _Seen, count: int) -> list[np.ndarray]:
    if what.view is None:
        return []
    return [grey_frame(what.view.values[z], what.limits) for z in spread_frames(len(what.tissue), count)]


def _slice_frames(what: _Seen, _: int) -> list[np.ndarray]:
    middle = len(what.tissue) // 2
    tissue = grey_frame(what.tissue[middle], what.limits)
    masked = np.full_like(tissue, 200) if what.view is None else grey_frame(what.view.values[middle], what.limits)
    cleft = tissue if what.largest < 0 else grey_frame(what.tissue[what.largest], what.limits)
    return [masked, tissue, structures_frame(what.crop, tissue, middle), cleft]


def _mean_frames(what: _Seen, _: int) -> list[np.ndarray]:
    values = what.tissue if what.view is None else what.view.values
    start = (len(values) - CENTRAL) // 2
    middle = slice(max(0, start), max(0, start) + CENTRAL)
    return [grey_frame(values[middle, middle, middle].mean(axis), what.limits) for axis in range(3)]


def _fitting(
    tried: Sequence[_Seen], count: int, budget: int, frames: Callable[[_Seen, int], list[np.ndarray]]
) -> tuple[int, int, int]:
    """The best of STEPS with which pictures of all synapses are likely to fit the budget; the last if none does."""
    for step in STEPS:
        sizes = [len(_sheet_uri(some, step)) for what in tried if (some := frames(what, step[1]))] or [0]
        if np.mean(sizes) * count <= 0.95 * budget:
            break
    return step


def _columns(count: int) -> int:
    return int(np.ceil(np.sqrt(count)))


def _sheet_uri(frames: Sequence[np.ndarray], step: tuple[int, int, int]) -> str:
    """The frames side by side, from left to right and downwards, each side x side."""
    side, _, quality = step
    columns = _columns(len(frames))
    picture = np.full((side * -(-len(frames) // columns), side * columns, 3), 255, np.uint8)
    for at, frame in enumerate(frames):
        small = frame if frame.shape[0] <= CENTRAL or frame.shape[:2] == (side, side) else _resized(frame, side)
        # Small pictures are enlarged by the reader's browser, without smoothing.
        small = _resized(small, side, smooth=False) if small.shape[:2] != (side, side) else small
        y, x = side * (at // columns), side * (at % columns)
        picture[y : y + side, x : x + side] = small if small.ndim == 3 else small[..., None]
    return data_uri(picture, quality=quality)


def _resized(frame: np.ndarray, side: int, *, smooth: bool = True) -> np.ndarray:
    how = (
        Image.Resampling.BOX
        if smooth and side < len(frame)
        else Image.Resampling.BILINEAR
        if smooth
        else Image.Resampling.NEAREST
    )
    return np.asarray(Image.fromarray(frame).resize((side, side), how))
