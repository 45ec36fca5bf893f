"""What the script of a map needs, as one JSON object: places, columns, neighbours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurotome.report.atlas.columns import OTHERS, SCALE, Column
from neurotome.report.atlas.pictures import MAP_NAMES
from neurotome.report.results import Row

__all__ = ["Atlas", "column_json", "safe_json", "short_numbers"]

MOST_NEIGHBOURS = 10


@dataclass(frozen=True, eq=False)
class Atlas:
    """Rows of a table that lie on maps. row: what one is called, in singular.

    maps: short name -> (n, 2). columns: to colour by; told: said of a row only. label: the groups that neighbours are compared
    by. neighbours: of each row others and how far they are. quality: what is said of the maps. pinned: the row shown first.
    """

    row: str
    ids: Sequence[str]
    maps: Mapping[str, np.ndarray]
    columns: Sequence[Column]
    told: Sequence[Column] = ()
    label: Column | None = None
    neighbours: Sequence[Sequence[tuple[int, float]]] = ()
    quality: Sequence[Row] = ()
    pinned: int = 0

    def to_json(self) -> dict[str, Any]:
        """For `atlas.js`."""
        told = [{"title": column.title, "texts": [column.text(row) for row in range(len(self.ids))]} for column in self.told]
        return {
            "row": self.row,
            "ids": list(self.ids),
            "maps": [self._map(short, places) for short, places in self.maps.items()],
            "columns": [column_json(column) for column in self.columns],
            "told": told,
            "label": self.label.name if self.label else None,
            "neighbours": self._neighbours(),
            "pinned": self.pinned,
            "others": OTHERS,
            "scale": SCALE,
        }

    def _map(self, short: str, places: np.ndarray) -> Mapping[str, Any]:
        said = {(str(row["measure"]), str(row.get("target", ""))): row["value"] for row in self.quality if _space(row) == short}
        torn = [value for (measure, _), value in said.items() if measure == "trustworthiness"]
        notes = [f"trustworthiness {value:.2f} (1: nothing torn)" for value in torn]
        if self.label and (value := said.get(("knn5_balanced_accuracy", self.label.name))) is not None:
            share = f"{100 * value:.0f} % (mean of the classes)"
            notes.append(f"its {self.label.title} is that of the 5 nearest on this map in {share}")
        x, y = (short_numbers(axis) for axis in places.T)
        return {"key": short, "name": MAP_NAMES[short], "x": x, "y": y, "note": "; ".join(notes)}

    def _neighbours(self) -> Mapping[str, Any]:
        nearest = [pairs[:MOST_NEIGHBOURS] for pairs in self.neighbours] or [() for _ in self.ids]
        return {
            "rows": [[row for row, _ in pairs] for pairs in nearest],
            "distances": [short_numbers(np.array([distance for _, distance in pairs])) for pairs in nearest],
        }


def safe_json(data: Mapping[str, Any]) -> str:
    """JSON that is safe inside a script element."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def column_json(column: Column) -> Mapping[str, Any]:
    """A column for the script: values with their limits, or codes with names and marks of the groups."""
    shared = {"name": column.name, "title": column.title, "unknown": column.unknown, "missing": column.missing}
    if column.is_number:
        low, high = column.limits
        beyond = int(((column.values < low) | (column.values > high)).sum())
        return {**shared, "values": short_numbers(column.values), "low": low, "high": high, "beyond": beyond}
    marks = {"colours": column.colours, "symbols": column.symbols, "counts": column.counts}
    return {**shared, "codes": column.values.tolist(), "groups": column.groups, **marks}


def short_numbers(values: np.ndarray) -> list[float | None]:
    """Five digits are more than a screen shows; a value that is missing is null.

    >>> short_numbers(np.array([1234567.0, 0.123456789, np.nan]))
    [1234600.0, 0.12346, None]
    """
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist()]


def _space(row: Row) -> str:
    """
    >>> _space({"map": "X_umap"}), _space({"space": "t-SNE"})
    ('umap', 'tsne')
    """
    named = str(row.get("space") or row.get("map") or row.get("features") or "")
    return named.lower().removeprefix("x_").replace("-", "")
