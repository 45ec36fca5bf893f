"""What the script of the page needs, as one JSON object: places, columns, neighbours, drawings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurotome.report.morphology.columns import OTHERS, SCALE, Column
from neurotome.report.morphology.drawings import Drawings
from neurotome.report.morphology.run import MAP_NAMES, ShapeRun
from neurotome.report.results import Row

__all__ = ["first_shown", "page_json"]

MOST_NEIGHBOURS = 10


def page_json(
    run: ShapeRun, columns: Sequence[Column], others: Sequence[Column], label: Column | None, drawings: Drawings, pinned: int
) -> str:
    """JSON that is safe inside a script element. others: told of a neuron only. pinned: the row shown when the page opens."""
    widths = drawings.widths * run.extent_um / 2
    data = {
        "ids": run.ids,
        "maps": [_map(run, label, short, places) for short, places in run.maps.items()],
        "columns": [_column(column) for column in columns],
        "told": [{"title": column.title, "texts": [column.text(row) for row in range(len(run.ids))]} for column in others],
        "label": label.name if label else None,
        "neighbours": _neighbours(run),
        "drawings": drawings.to_json(),
        # The side of each drawing in um, for its scale bar; a dot has none.
        "widths": [round(w, 3) if np.isfinite(w) and w > 0 else None for w in widths.tolist()],
        "pinned": pinned,
        "others": OTHERS,
        "scale": SCALE,
    }
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def first_shown(run: ShapeRun, label: Column | None, examples: Sequence[int]) -> int:
    """The row that is shown first: of `examples` the first that has neighbours and is not the only one of its label."""

    def has_company(row: int) -> bool:
        return bool(run.neighbours[row]) and (label is None or label.counts[label.values[row]] > 1)

    return next((row for row in examples if has_company(row)), next(iter(examples), 0))


def _map(run: ShapeRun, label: Column | None, short: str, places: np.ndarray) -> Mapping[str, Any]:
    said = {(str(row["measure"]), str(row.get("target", ""))): row["value"] for row in run.quality if _space(row) == short}
    notes = [
        f"trustworthiness {value:.2f} (1: nothing torn)" for (measure, _), value in said.items() if measure == "trustworthiness"
    ]
    if label and (value := said.get(("knn5_balanced_accuracy", label.name))) is not None:
        notes.append(f"its {label.title} is that of the 5 nearest on this map in {100 * value:.0f} % (mean of the classes)")
    x, y = (_short_numbers(axis) for axis in places.T)
    return {"key": short, "name": MAP_NAMES[short], "x": x, "y": y, "note": "; ".join(notes)}


def _space(row: Row) -> str:
    """
    >>> _space({"map": "X_umap"}), _space({"space": "t-SNE"})
    ('umap', 'tsne')
    """
    named = str(row.get("space") or row.get("map") or row.get("features") or "")
    return named.lower().removeprefix("x_").replace("-", "")


def _column(column: Column) -> Mapping[str, Any]:
    shared = {"name": column.name, "title": column.title, "unknown": column.unknown, "missing": column.missing}
    if column.is_number:
        low, high = column.limits
        beyond = int(((column.values < low) | (column.values > high)).sum())
        return {**shared, "values": _short_numbers(column.values), "low": low, "high": high, "beyond": beyond}
    marks = {"colours": column.colours, "symbols": column.symbols, "counts": column.counts}
    return {**shared, "codes": column.values.tolist(), "groups": column.groups, **marks}


def _neighbours(run: ShapeRun) -> Mapping[str, Any]:
    nearest = [pairs[:MOST_NEIGHBOURS] for pairs in run.neighbours]
    return {
        "rows": [[row for row, _ in pairs] for pairs in nearest],
        "distances": [_short_numbers(np.array([distance for _, distance in pairs])) for pairs in nearest],
    }


def _short_numbers(values: np.ndarray) -> list[float | None]:
    """Five digits are more than a screen shows; a value that is missing is null.

    >>> _short_numbers(np.array([1234567.0, 0.123456789, np.nan]))
    [1234600.0, 0.12346, None]
    """
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist()]
