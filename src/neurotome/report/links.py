"""An error as a link that outlives the port of today's viewer: a command, and a path in a viewer that is running."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["error_link", "place_path", "run_token", "view_command", "with_links"]

Row = Mapping[str, Any]


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


def place_path(record: Mapping[str, Any], place: Iterable[int]) -> str:
    """The path that moves a running viewer of this run to a voxel (z, y, x).

    >>> place_path({"command": "reconstruct", "config": {"threshold": 0.5}}, (3, 20, 100))
    '/at/run-9aa66b4f2cc3/3,20,100'
    """
    return f"/at/{run_token(record)}/{','.join(str(int(v)) for v in place)}"


def error_link(run_folder: Path | str, record: Mapping[str, Any], row: Row) -> str:
    """What column `link` of errors.csv holds: `neurotome view OUT --at Z Y X`, a space, `/at/RUN/Z,Y,X`.

    The command works at any time. The path works behind the host and port of a viewer of this run that is running already
    (http://127.0.0.1:PORT/at/RUN/Z,Y,X): it chooses the two objects of the error and moves there.
    """
    place = tuple(int(row[axis]) for axis in "zyx")
    return f"{view_command(run_folder, place)} {place_path(record, place)}"


def with_links(run_folder: Path | str, record: Mapping[str, Any], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows of an error table with column `link` filled; record as in run.json (`Record.to_json`)."""
    return [{**row, "link": error_link(run_folder, record, row)} for row in rows]
