"""Everything the folder of `neurotome morphology embed` holds; what is not there is None or empty."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurotome.core import FormatError, MissingFileError
from neurotome.io import load_arrays
from neurotome.io.feature_table import read_feature_table
from neurotome.report.atlas.table import maps_of, neighbours_of, rows_of
from neurotome.report.results import Results, Row, csv_rows, record_of

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["NEURON", "ShapeRun", "rows_by_id"]

TABLE = "embedding.h5ad"
NEURON = ("neuron", "neuron_id")
"""What the column of ids is called."""


@dataclass(frozen=True, eq=False)
class ShapeRun:
    """A run, its table of neurons, and what was found out about them. Rows of the table are counted from 0.

    segments, offsets: line drawings, those of row r are segments[offsets[r]:offsets[r + 1]], each y0, x0, y1, x1 in halves of
    the frame's side. clusters: what each of them is worth; profiles: what sets it apart.
    """

    results: Results
    table: AnnData
    segments: np.ndarray
    offsets: np.ndarray
    scores: tuple[Row, ...] = ()
    choice: tuple[Row, ...] = ()
    quality: tuple[Row, ...] = ()
    clusters: tuple[Row, ...] = ()
    profiles: tuple[Row, ...] = ()

    @classmethod
    def open(cls, folder: Path | str) -> ShapeRun:
        """Raises RunFolderError where there is no run, MissingFileError where it has no table, FormatError for a damaged file."""
        folder = Path(folder)
        results = Results(folder, record_of(folder))
        if not (folder / TABLE).is_file():
            raise MissingFileError(f"'{folder}' holds no {TABLE}", "the folder of `neurotome morphology embed`", "run that first")
        table = read_feature_table(folder / TABLE)
        rows = (rows_of(folder, table, name) for name in ("scores", "choice", "quality", "clusters", "profiles"))
        return cls(results, table, *_drawings(folder / "previews.npz", table.n_obs), *rows)

    @property
    def folder(self) -> Path:
        return self.results.folder

    @cached_property
    def ids(self) -> list[str]:
        return [str(name) for name in self.table.obs_names]

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def maps(self) -> Mapping[str, np.ndarray]:
        """Short name -> (n, 2) float64, of the maps in the table that have two axes."""
        return maps_of(self.table)

    @cached_property
    def extent_um(self) -> np.ndarray:
        """(n,) the side of each neuron's frame, NaN where it is not known."""
        if "extent_um" not in self.table.obs:
            return np.full(self.table.n_obs, np.nan)
        return np.asarray(self.table.obs["extent_um"].to_numpy(np.float64, na_value=np.nan))

    @cached_property
    def neighbours(self) -> list[list[tuple[int, float]]]:
        """Of each row the rows that are nearest in the features, without itself, and how far they are."""
        return neighbours_of(self.table)

    @cached_property
    def embedding(self) -> Mapping[str, Any]:
        """What the table says of its features: model, pooling, settings."""
        return dict(self.table.uns.get("morphology") or {})


def rows_by_id(path: Path, *columns: str) -> list[tuple[str, Row]]:
    """The rows of a table with the id as it is written there, in the first of `columns`: 007 and 1e5 are names and no numbers.

    Raises FormatError where the table has none of the columns.
    """
    rows = csv_rows(path)
    if not rows:
        return []
    column = next((name for name in columns if name in rows[0]), None)
    if column is None:
        raise FormatError(f"'{path}' has the columns {', '.join(rows[0])}", f"a column {columns[0]}", "run again")
    with path.open(newline="", encoding="utf-8") as file:
        return [(str(written[column]), row) for written, row in zip(csv.DictReader(file), rows, strict=True)]


def _drawings(path: Path, neurons: int) -> tuple[np.ndarray, np.ndarray]:
    if not path.is_file():
        return np.empty((0, 4), np.float16), np.zeros(neurons + 1, np.int64)
    stored = load_arrays(path, "segments", "offsets")
    segments, offsets = stored["segments"], stored["offsets"]
    if segments.ndim != 2 or segments.shape[1] != 4 or len(offsets) != neurons + 1 or offsets[-1] != len(segments):
        raise FormatError(f"'{path}' does not fit the table of {neurons} neurons", "one drawing for each of them", "run again")
    return segments, offsets
