"""The worst errors as small pictures of the place, with the command that opens the viewer there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurotome.core import Box, Grid
from neurotome.report.links import view_command
from neurotome.report.pictures import data_uri, grey, grey_range
from neurotome.report.results import Results

__all__ = ["ErrorCard", "error_cards"]

SIDE_NM = 1600.0
SIDE_PIXELS = (96, 320)

PART, OTHER, REST = (232, 89, 12), (11, 114, 133), (173, 181, 189)
"""Orange is the part in error, petrol what it should have been one with or kept apart from, grey the neighbours."""


@dataclass(frozen=True)
class ErrorCard:
    """One row of errors.csv, with pictures (name, data URI) of its place and what happened in words."""

    row: Mapping[str, Any]
    pictures: tuple[tuple[str, str], ...]
    story: str
    command: str


def error_cards(results: Results, wanted: int = 10) -> tuple[ErrorCard, ...]:
    """Cards for the first rows of errors.csv; pictures only where neurons or truth are at hand."""
    limits = grey_range(results.image) if results.image is not None and results.errors else None
    labels = results.truth_labels
    return tuple(_card(results, row, limits, labels) for row in results.errors[:wanted])


def _card(results: Results, row: Mapping[str, Any], limits: tuple[float, float] | None, labels: Mapping[int, int]) -> ErrorCard:
    place = (int(row["z"]), int(row["y"]), int(row["x"]))
    # Where the truth was cut into components, the ids of errors.csv are components: the volume holds their labels.
    in_volume = {**row, **{key: labels.get(int(row[key]), int(row[key])) for key in ("truth_id", "other_truth_id")}}
    pictures = _pictures(results, in_volume, place, limits) if results.grid is not None else ()
    return ErrorCard(row, pictures, _story(row), view_command(results.folder, place))


def _story(row: Mapping[str, Any]) -> str:
    if row["kind"] == "split":
        return f"Truth {row['truth_id']} is cut: neuron {row['segment_id']} should be part of neuron {row['other_segment_id']}."
    return f"Neuron {row['segment_id']} joins two cells: truth {row['truth_id']} and truth {row['other_truth_id']}."


def _pictures(
    results: Results, row: Mapping[str, Any], place: tuple[int, int, int], limits: tuple[float, float] | None
) -> tuple[tuple[str, str], ...]:
    assert results.grid is not None
    box = _box_around(results.grid, place)
    tissue = (
        grey(results.image.read(box)[0], limits) if results.image is not None else np.full((*box.shape[1:], 3), 245, np.uint8)
    )
    target = tuple(p - s for p, s in zip(place[1:], box.start[1:], strict=True))
    found = [("EM", _marked(tissue, target))] if results.image is not None else []
    for name, volume, part, other in (
        ("Neurons", results.neurons, row["segment_id"], row["other_segment_id"]),
        ("Truth", results.truth, row["truth_id"], row["other_truth_id"]),
    ):
        if volume is not None:
            found.append((name, _marked(_two_parts(tissue, volume.read(box)[0], int(part), int(other)), target)))
    return tuple((name, data_uri(picture)) for name, picture in found)


def _box_around(grid: Grid, place: tuple[int, int, int]) -> Box:
    """A square of about SIDE_NM in the section of the place, moved inside the volume."""
    z, *centre = place
    start, stop = [z], [z + 1]
    for c, n, size in zip(centre, grid.shape[1:], grid.voxel_nm[1:], strict=True):
        side = min(n, int(np.clip(round(SIDE_NM / size), *SIDE_PIXELS)))
        first = int(np.clip(c - side // 2, 0, n - side))
        start.append(first)
        stop.append(first + side)
    return Box(tuple(start), tuple(stop))  # type: ignore[arg-type]


def _two_parts(tissue: np.ndarray, labels: np.ndarray, part: int, other: int) -> np.ndarray:
    """Only the two objects of the error have colour."""
    roles = np.zeros(labels.shape, np.uint8)
    roles[labels > 0] = 3
    roles[labels == other] = 2
    roles[labels == part] = 1
    colours = np.array([(0, 0, 0), PART, OTHER, REST], np.float32)
    weight = np.array([0.0, 0.55, 0.55, 0.12], np.float32)
    return np.round(tissue * (1 - weight[roles][..., None]) + colours[roles] * weight[roles][..., None]).astype(np.uint8)


def _marked(picture: np.ndarray, target: tuple[int, ...], gap: int = 6, arm: int = 8) -> np.ndarray:
    """Four short white strokes with a dark rim, pointing at the place without covering it."""
    marked = picture.copy()
    y, x = target
    for rim, colour in ((1, 0), (0, 255)):
        for near, far in ((-gap - arm, -gap), (gap, gap + arm)):
            _fill(marked, (y + near - rim, y + far + rim), (x - rim, x + 1 + rim), colour)
            _fill(marked, (y - rim, y + 1 + rim), (x + near - rim, x + far + rim), colour)
    return marked


def _fill(picture: np.ndarray, rows: tuple[int, int], columns: tuple[int, int], value: int) -> None:
    (y0, y1), (x0, x1) = ((max(a, 0), max(b, 0)) for a, b in (rows, columns))
    picture[y0:y1, x0:x1] = value
