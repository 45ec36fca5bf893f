"""A neuron as a small line drawing, so that a page can show a thousand of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurotome.core import Frame, Occupancy, Progress, Skeleton, silent
from neurotome.morphology.occupancy import GridSettings, Shape, voxelise

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["drawing_of_grid", "drawing_of_tree", "drawings_of", "joined"]

MOST_SEGMENTS = 700
"""Of a drawing: more are not seen at the size of a hand."""
_VIEWS = {"principal": (0, 1), "given": (1, 2)}
"""Axes down and across the paper: the two longest where the neuron was turned to them, else y and x as in every SWC viewer."""


def drawings_of(shapes: Iterable[Shape], table: AnnData, *, progress: Progress = silent) -> dict[str, np.ndarray]:
    """The drawings of all neurons of a table that `embed` made, in its order, as `joined` gives them."""
    settings = GridSettings.from_json(json.loads(table.uns["morphology"]["settings"]))
    frames = dict(zip(table.obs_names, table.uns["frames"], strict=True))
    drawn: dict[str, np.ndarray] = {}
    for shape in shapes:
        frame = Frame.from_json(json.loads(frames[shape.name]))
        if isinstance(shape, Skeleton):
            drawn[shape.name] = drawing_of_tree(shape, frame, settings.orientation)
        else:
            drawn[shape.name] = drawing_of_grid(voxelise(shape, settings, frame), settings.orientation)
        progress("drawn neurons", len(drawn), table.n_obs)
    return joined([drawn[name] for name in table.obs_names])


def drawing_of_tree(skeleton: Skeleton, frame: Frame, orientation: str = "principal") -> np.ndarray:
    """The tree seen along one axis of its frame: segments (m, 4) float16, from y0, x0 to y1, x1, down and across, -1 to 1.

    Tips, branch points and roots stay where they are; between them so many nodes are left out that at most MOST_SEGMENTS remain
    (or one for each branch). A node alone is a segment without length.
    """
    points = frame.unit(skeleton.points_nm)[:, _VIEWS[orientation]]
    kept = (skeleton.children != 1) | (skeleton.parent_rows < 0)
    spare = MOST_SEGMENTS - int(kept.sum())
    between = np.flatnonzero(~kept)
    if spare > 0 and len(between):
        kept[between[:: -(-len(between) // spare)]] = True
    above = _nearest_kept_above(skeleton.parent_rows, kept)
    rows = np.flatnonzero(kept & (above >= 0)) if len(skeleton) > 1 else np.zeros(1, np.int64)
    return np.hstack([points[np.maximum(above[rows], 0)], points[rows]]).astype(np.float16)


def drawing_of_grid(occupancy: Occupancy, orientation: str = "principal") -> np.ndarray:
    """What is occupied, seen along one axis: a dot, a segment without length, for each pixel, at most MOST_SEGMENTS of them."""
    down, across = _VIEWS[orientation]
    seen = (occupancy.data > 0).any(3 - down - across)
    pixels = np.argwhere(seen)
    pixels = pixels[:: max(1, -(-len(pixels) // MOST_SEGMENTS))]
    centres = (pixels + 0.5) * (2.0 / occupancy.frame.grid) - 1.0
    return np.hstack([centres, centres]).astype(np.float16)


def joined(drawings: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Drawings one after the other: `segments` (m, 4), and `offsets` (n + 1,), where each begins."""
    offsets = np.concatenate([[0], np.cumsum([len(d) for d in drawings])]).astype(np.int64)
    segments = np.concatenate(list(drawings)) if drawings else np.empty((0, 4), np.float16)
    return {"segments": segments, "offsets": offsets}


def _nearest_kept_above(parents: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(n,) the row of the nearest ancestor that is kept, -1 for none. Parents come before their children."""
    above = np.full(len(parents), -1, np.int64)
    for row, parent in enumerate(parents.tolist()):
        if parent >= 0:
            above[row] = parent if kept[parent] else above[parent]
    return above
