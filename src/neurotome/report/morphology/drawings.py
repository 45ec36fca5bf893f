"""Line drawings of all neurons in a form that a page can carry: corners on a fine grid, as text."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["Drawings", "packed"]

SIDES = (800, 400, 200, 100)
"""Steps along the side of a drawing: the most for which all of them fit the page."""
MOST_SEGMENTS = 1_200_000
"""13 MB of page."""


@dataclass(frozen=True, eq=False)
class Drawings:
    """Drawings on squares of side x side steps, each fitted to its own square.

    segments: (m, 4) uint16, y0, x0, y1, x1; offsets: (n + 1,). widths: (n,) the side of each square in halves of the frame's
    side. every: only each `every`-th neuron has a drawing.
    """

    side: int
    segments: np.ndarray
    offsets: np.ndarray
    widths: np.ndarray
    every: int = 1

    def to_json(self) -> Mapping[str, Any]:
        """For the page: the corners as base64 of little-endian 16-bit numbers."""
        data = base64.b64encode(self.segments.astype("<u2").tobytes()).decode("ascii")
        return {"side": self.side, "offsets": self.offsets.tolist(), "data": data}


def packed(segments: np.ndarray, offsets: np.ndarray) -> Drawings:
    """Drawings (m, 4) of any float, one after the other, on the finest grid of SIDES on which they fit the page.

    What looks the same on that grid is drawn once. A drawing in one point is a dot in the middle of its square.

    >>> drawings = packed(np.array([[0.0, 0.0, 1.0, 0.5], [0.5, 0.5, 0.5, 0.5]]), np.array([0, 1, 2]))
    >>> drawings.segments.tolist(), drawings.widths.tolist()
    ([[0, 200, 800, 600], [400, 400, 400, 400]], [1.0, 0.0])
    """
    pieces = [np.asarray(segments[a:b], np.float64) for a, b in pairwise(offsets.tolist())]
    every, side = 1, SIDES[0]
    for side in SIDES:
        fitted = [_fitted(piece, side) for piece in pieces]
        if sum(len(corners) for corners, _ in fitted) <= MOST_SEGMENTS:
            break
    while every < len(fitted) and sum(len(corners) for corners, _ in fitted[::every]) > MOST_SEGMENTS:
        every += 1
    shown = [corners if row % every == 0 else corners[:0] for row, (corners, _) in enumerate(fitted)]
    ends = np.concatenate([[0], np.cumsum([len(corners) for corners in shown])]).astype(np.int64)
    corners = np.concatenate(shown) if shown else np.empty((0, 4), np.uint16)
    return Drawings(side, corners, ends, np.array([width for _, width in fitted]), every)


def _fitted(piece: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """(k, 4) uint16, centred in the square, and how wide the square is in the piece's own unit."""
    if not len(piece):
        return np.empty((0, 4), np.uint16), 0.0
    ends = piece.reshape(-1, 2)
    low, high = ends.min(0), ends.max(0)
    width = float((high - low).max())
    steps = np.round((ends - (low + high) / 2) / (width or 1.0) * side + side / 2).astype(np.uint16).reshape(-1, 4)
    return _without_repeats(steps), width


def _without_repeats(corners: np.ndarray) -> np.ndarray:
    """Each segment once, in the order of their first appearance; dots only where nothing is drawn otherwise."""
    moves = (corners[:, :2] != corners[:, 2:]).any(1)
    kept = corners[moves] if moves.any() else corners
    _, first = np.unique(kept, axis=0, return_index=True)
    return kept[np.sort(first)]
