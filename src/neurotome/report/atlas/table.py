"""What the verbs of `cluster` left in a table (AnnData): maps, neighbours, small tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurotome.report.atlas.pictures import MAP_NAMES
from neurotome.report.results import Row, csv_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData

__all__ = ["maps_of", "neighbours_of", "rows_of"]


def maps_of(table: AnnData, dimensions: int = 2) -> Mapping[str, np.ndarray]:
    """Short name -> (n, dimensions) float64, of the maps that have so many axes, in the order of MAP_NAMES."""
    end = "" if dimensions == 2 else str(dimensions)
    slots = {name: f"X_{name}{end}" for name in MAP_NAMES}
    found = {name: np.asarray(table.obsm[slot], np.float64) for name, slot in slots.items() if slot in table.obsm}
    return {name: places[:, :dimensions] for name, places in found.items() if places.ndim == 2 and places.shape[1] >= dimensions}


def neighbours_of(table: AnnData) -> list[list[tuple[int, float]]]:
    """Of each row the rows that are nearest in the features, without itself, and how far they are."""
    if "neighbours" not in table.obsm or "neighbour_distances" not in table.obsm:
        return [[] for _ in range(table.n_obs)]
    near, far = (np.asarray(table.obsm[name]) for name in ("neighbours", "neighbour_distances"))
    pairs = (zip(rows, distances, strict=True) for rows, distances in zip(near.tolist(), far.tolist(), strict=True))
    return [[(r, d) for r, d in of_row if r >= 0 and r != row] for row, of_row in enumerate(pairs)]


def rows_of(folder: Path, table: AnnData, name: str) -> tuple[Row, ...]:
    """The small table of this name: its file in the folder, or what the table holds under that name."""
    if rows := csv_rows(folder / f"{name}.csv"):
        return rows
    kept = table.uns.get(name)
    return tuple(kept.to_dict("records")) if hasattr(kept, "to_dict") else ()
