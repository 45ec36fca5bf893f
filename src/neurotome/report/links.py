"""An error as a link that outlives the port of today's viewer: a command, and a neuroglancer state for a running one."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from neurotome.report.colours import MERGE, SPLIT
from neurotome.report.results import Results

__all__ = ["error_link", "link_token", "run_token", "view_command", "with_links"]

Row = Mapping[str, Any]
LINKED = 200
"""Rows that get a link: a state per row would make a table of thousands of rows slow to open."""


def view_command(run_folder: Path | str, place: Iterable[int] = ()) -> str:
    """The command that opens the viewer, at a voxel (z, y, x) if one is given.

    >>> view_command("my out", (3, 20, 100))
    "neurotome view 'my out' --at 3 20 100"
    """
    at = " ".join(str(int(v)) for v in place)
    return f"neurotome view {shlex.quote(str(run_folder))}" + (f" --at {at}" if at else "")


def run_token(record: Mapping[str, Any]) -> str:
    """The name of a run in the address of its viewer: a link into one run can never show another.

    >>> run_token({"command": "reconstruct", "config": {"threshold": 0.5}})
    'run-9aa66b4f2cc3'
    """
    what = {key: record.get(key) for key in ("command", "config", "inputs", "seed")}
    return "run-" + hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]


def link_token(record: Mapping[str, Any]) -> str:
    """The name of the viewer that reads its state from the address."""
    return f"{run_token(record)}-at"


def error_link(results: Results, row: Row) -> str:
    """What column `link` of errors.csv holds: `neurotome view OUT --at Z Y X`, a space, `/v/TOKEN/#!STATE`.

    The command works at any time. The path works behind the host and port of a viewer of this run that is running already: it is
    a complete neuroglancer state with the two objects chosen and the error in the middle.
    """
    place = tuple(int(row[axis]) for axis in "zyx")
    state = json.dumps(_state(results, row, place), separators=(",", ":"))
    return f"{view_command(results.folder, place)} /v/{link_token(results.record)}/#!{quote(state, safe=':,/')}"


def with_links(results: Results, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows of an error table with column `link` filled for the worst LINKED."""
    return [{**row, "link": error_link(results, row) if i < LINKED else ""} for i, row in enumerate(rows)]


def _state(results: Results, row: Row, place: tuple[int, ...]) -> dict[str, Any]:
    assert results.grid is not None
    scales = {axis: [round(v * 1e-9, 15), "m"] for axis, v in zip("zyx", results.grid.voxel_nm, strict=True)}
    centre = [v + 0.5 for v in reversed(place)]
    layers = []
    if results.image is not None:
        layers.append({"type": "image", "name": "EM", "source": _source(results, "EM")})
    for name, volume, ids in (
        ("truth", results.truth, [results.truth_labels.get(int(i), i) for i in (row["truth_id"], row["other_truth_id"])]),
        ("predicted", results.neurons, (row["segment_id"], row["other_segment_id"])),
    ):
        if volume is not None:
            shown = {"segments": [str(i) for i in dict.fromkeys(ids)], "visible": name == "predicted"}
            layers.append({"type": "segmentation", "name": name, "source": _source(results, name), **shown})
    point = {"type": "point", "id": str(row["rank"]), "point": centre, "description": row["kind"]}
    colour = {"annotationColor": SPLIT if row["kind"] == "split" else MERGE}
    layers.append({"type": "annotation", "name": "error", "source": "local://annotations", "annotations": [point], **colour})
    return {
        "dimensions": {axis: scales[axis] for axis in "xyz"},
        "position": centre,
        "crossSectionScale": 0.5,
        "layers": layers,
        "layout": "4panel",
        "showAxisLines": False,
        "showSlices": False,
    }


def _source(results: Results, layer: str) -> str:
    return f"python://volume/{run_token(results.record)}.{layer}"
