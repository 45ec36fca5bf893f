"""Everything a run folder holds, opened but not read: what is missing is None or empty, and `missing` says so."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from neurotome.core import FormatError, Grid, Image, InputError, Labels, NeurotomeError, Probability, RunFolderError, Skeleton
from neurotome.io import open_image, open_labels, open_probability, read_swc

__all__ = ["Results", "Row", "csv_rows", "json_rows", "read_results", "record_of"]

Row = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Results:
    """A run, as its folder tells it. Volumes are lazy; table rows have numbers where the file has numbers.

    record: run.json as a mapping (keys of core.Record, and "facts"). trees, reference: of a tracing, what was traced and what it
    was scored against. missing: what could not be shown, and why.
    """

    folder: Path
    record: Mapping[str, Any]
    image: Image | None = None
    truth: Labels | None = None
    probability: Probability | None = None
    fragments: Labels | None = None
    neurons: Labels | None = None
    table: tuple[Row, ...] = ()
    scores: tuple[Row, ...] = ()
    errors: tuple[Row, ...] = ()
    objects: tuple[Row, ...] = ()
    curve: tuple[Row, ...] = ()
    trees: Skeleton | None = None
    reference: Skeleton | None = None
    missing: tuple[str, ...] = field(default=())

    @property
    def config(self) -> Mapping[str, Any]:
        return self.record.get("config") or {}

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.record.get("facts") or {}

    @property
    def truth_labels(self) -> Mapping[int, int]:
        """Truth id of errors.csv -> label in the truth volume: another one only where the truth was cut into components."""
        return {int(o["id"]): int(o["label"]) for o in self.objects if o.get("kind") == "truth"}

    @property
    def grid(self) -> Grid | None:
        """The grid of the first volume there is: all volumes of a run share it."""
        for volume in (self.neurons, self.image, self.probability, self.truth, self.fragments):
            if volume is not None:
                return volume.grid
        return None


def read_results(run_folder: Path | str) -> Results:
    """Open a run folder. Volumes whose grid differs from the neurons' are left out and named in `missing`.

    Raises RunFolderError where there is no run.json, FormatError where a file of the folder is not readable.
    """
    folder = Path(run_folder)
    record = record_of(folder)
    config, missing = record.get("config") or {}, []

    def volume(what: str, opener: Callable[..., T], path: Path | str | None, **options: Any) -> T | None:
        try:
            return opener(path, **options) if path else None
        except NeurotomeError as error:
            missing.append(f"{what}: {error}")
            return None

    def own(what: str, opener: Callable[..., T], name: str) -> T | None:
        return volume(what, opener, folder / name) if (folder / name).exists() else None

    voxel_nm, truth_voxel_nm = (tuple(config.get(key) or ()) or None for key in ("voxel_nm", "truth_voxel_nm"))
    facts = record.get("facts") or {}
    traced = folder / str(facts["swc"]) if facts.get("swc") else None
    truth = config.get("truth")
    opened: dict[str, Any] = {
        "neurons": own("Neurons", open_labels, "neurons.ome.zarr"),
        "image": volume("Image", open_image, config.get("image"), voxel_nm=voxel_nm, channel=config.get("channel")),
        "truth": volume("Truth", open_labels, None if traced else truth, voxel_nm=truth_voxel_nm or voxel_nm),
        "probability": own("Probability", open_probability, "boundary.ome.zarr")
        or own("Probability", open_probability, "probability.ome.zarr")
        or volume("Probability", _given_probability, config.get("probability") if traced else None, voxel_nm=voxel_nm),
        "fragments": own("Fragments", open_labels, "fragments.ome.zarr"),
    }
    trees = volume("Trees", read_swc, traced)
    reference = volume("Reference", read_swc, truth if traced else None, unit=config.get("truth_unit"), voxel_nm=voxel_nm)
    _drop_misfits(opened, missing)
    return Results(
        folder,
        record,
        **opened,
        table=csv_rows(folder / "neurons.csv"),
        scores=json_rows(folder / "scores.json"),
        errors=csv_rows(folder / "errors.csv"),
        objects=csv_rows(folder / "objects.csv"),
        curve=csv_rows(folder / "threshold_curve.csv"),
        trees=trees.skeleton if trees else None,
        reference=reference.skeleton if reference else None,
        missing=tuple(missing),
    )


def record_of(folder: Path) -> Mapping[str, Any]:
    """run.json of a folder. Raises RunFolderError where there is none, FormatError where it cannot be read."""
    if not (folder / "run.json").is_file():
        given = f"'{folder}' holds no run.json" if folder.is_dir() else f"'{folder}' is not a folder"
        raise RunFolderError(given, "the output folder of a run", "give the folder named with --out")
    record = _json(folder / "run.json")
    if not isinstance(record, dict):
        raise FormatError(f"'{folder / 'run.json'}' holds no record", "an object with command and config", "run again")
    return record


def _given_probability(path: str, *, voxel_nm: Any) -> Probability:
    """A map that somebody else made: one channel, often without a name."""
    try:
        return open_probability(path, voxel_nm=voxel_nm)
    except InputError:
        return open_probability(path, voxel_nm=voxel_nm, channels=("probability",))


def _drop_misfits(opened: dict[str, Any], missing: list[str]) -> None:
    """A layer on another grid would show the wrong place."""
    leader = next((v for v in opened.values() if v is not None), None)
    for what, volume in opened.items():
        if volume is None or leader is None:
            continue
        try:
            leader.grid.require_same(volume.grid, leader.name, what)
        except InputError as error:
            missing.append(f"{what.capitalize()}: {error}")
            opened[what] = None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"'{path}' is not JSON ({error})", "the file as the run wrote it", "run again") from error


def json_rows(path: Path) -> tuple[Row, ...]:
    """The entries of a list; none where there is no file."""
    return tuple(_json(path)) if path.is_file() else ()


def csv_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a table, numbers where the file has numbers; none where there is no file."""
    if not path.is_file():
        return ()
    with path.open(newline="", encoding="utf-8") as file:
        return tuple({key: _number(value) for key, value in row.items() if key is not None} for row in csv.DictReader(file))


def _number(text: str | None) -> Any:
    """
    >>> _number("7"), _number("0.5"), _number("True"), _number("split"), _number("")
    (7, 0.5, True, 'split', '')
    """
    if text is None:
        return ""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
