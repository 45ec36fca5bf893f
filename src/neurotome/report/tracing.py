"""The page of a tracing: the trees over the projections, their measures, the bridges to look at, scores and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neurotome.io import atomic_write_text, load_arrays
from neurotome.report.charts import Curve, line_chart
from neurotome.report.cite import TRACING_METHODS
from neurotome.report.facts import Fact, card_of_run, duration, number, score_lines, settings, timing, training_overlap
from neurotome.report.page import PAGE, template
from neurotome.report.projections import Projection, projections
from neurotome.report.results import Results, Row, csv_rows, read_results

__all__ = ["write_tracing_report"]

MOST_ROWS = 20
MARKED = 10
UNSURE = 0.7
"""Of the bridges with this confidence or less, a quarter and more were wrong (docs/trace.md)."""
TREE_COLUMNS = {
    "tree": "tree",
    "length_um": "length (µm)",
    "bifurcations": "branch points",
    "tips": "tips",
    "strahler": "Strahler order",
    "tortuosity": "tortuosity",
    "mean_radius_um": "mean radius (µm)",
    "nodes": "nodes",
}
SCORES = (
    "f1", "precision", "recall", "esa", "dsa", "pds", "critical_nodes_f1", "splits", "omits", "merges",
    "expected_run_length_share", "length_error", "radius_error",
)  # fmt: skip
"""What the page shows of scores.json."""


@dataclass(frozen=True)
class _Tracing:
    """What the folder of a tracing holds besides what every run has."""

    results: Results
    gaps: Sequence[Row]
    sholl: Sequence[Row]

    @property
    def bridges(self) -> list[Row]:
        """The gaps that were closed, the least sure first."""
        return sorted((row for row in self.gaps if row["verdict"] == "made"), key=lambda row: float(row["confidence"]))


def write_tracing_report(folder: Path | str) -> Path:
    """Write report.html into the folder of a tracing: one file that needs no other. Returns its path.

    Raises RunFolderError where the folder holds no run, FormatError where one of its files cannot be read.
    """
    results = read_results(folder)
    found = _Tracing(results, csv_rows(results.folder / "bridges.csv"), csv_rows(results.folder / "sholl.csv"))
    card = card_of_run(results)
    content = {
        "record": results.record,
        "title": Path(str(results.config["image"])).name,
        "headline": _headline(found),
        "notes": (*results.facts.get("notes", ()), *results.missing),
        "views": _views(found),
        "legend": _legend(found),
        "trees": tuple(_cells(row) for row in found.results.table[:MOST_ROWS]),
        "tree_columns": tuple(TREE_COLUMNS.values()),
        "hidden_trees": max(0, len(found.results.table) - MOST_ROWS),
        "swc": results.facts.get("swc", ""),
        "sholl": _sholl(found),
        "bridges": tuple(_bridge(row) for row in found.bridges[:MOST_ROWS]),
        "hidden_bridges": max(0, len(found.bridges) - MOST_ROWS),
        "open_gaps": len(found.gaps) - len(found.bridges),
        "scores": score_lines([row for row in results.scores if _is_shown(row)]),
        "errors": tuple(_error(row) for row in found.results.errors[:MARKED]),
        "settings": settings(_one_by_one(results)),
        "card": card,
        "card_scores": score_lines(card.scores) if card else (),
        "overlap": training_overlap(results, card) if card else ("", False),
        "timing": timing(results),
        "peak_gb": results.record.get("peak_memory_bytes", 0) / 1e9,
        "methods": tuple(method for method in TRACING_METHODS if card or method[0] != "Network"),
    }
    path = results.folder / PAGE
    atomic_write_text(path, template("tracing.html").render(content))
    return path


def _one_by_one(results: Results) -> Results:
    """The run with its settings beside what else was asked for, without what was left out or is said twice.

    The threshold of the settings is one of them: the one that was used may have been chosen from the values.
    """
    said = ("settings", "options", "tracer")
    every = {**results.config, **{k: v for k, v in (results.config.get("settings") or {}).items() if k != "threshold"}}
    shown = {key: value for key, value in every.items() if key not in said and value not in ([], None)}
    return replace(results, record={**results.record, "config": shown})


def _headline(found: _Tracing) -> tuple[Fact, ...]:
    results = found.results
    lengths = sum(float(row["length_um"]) for row in found.results.table)
    facts = [
        Fact("trees", number(len(found.results.table)), f"{number(results.facts.get('somata', 0))} with a soma"),
        Fact("of neurite", f"{number(lengths)} µm", f"{number(len(found.results.trees))} nodes"),
    ]
    if found.bridges:
        unsure = sum(1 for row in found.bridges if float(row["confidence"]) < UNSURE)
        facts.append(Fact("gaps bridged", number(len(found.bridges)), f"{number(unsure)} with a confidence below {UNSURE}"))
    f1 = next((row for row in results.scores if row["metric"] == "f1" and "voxel" in str(row.get("convention"))), None)
    if f1 is not None and f1["value"] is not None:
        facts.append(Fact("F1 at 2 voxels", f"{float(f1['value']):.3f}", "1 is perfect"))
    if seconds := sum((results.record.get("seconds") or {}).values()):
        facts.append(Fact("of computing", duration(seconds), f"on {results.record.get('device', 'cpu')}"))
    return tuple(facts)


def _views(found: _Tracing) -> tuple[Projection, ...]:
    path = found.results.folder / "projections.npz"
    if not path.is_file():
        return ()
    drawn = [(found.results.trees, "tree")]
    if found.results.reference is not None:
        drawn = [(found.results.reference, "reference"), (found.results.trees, "traced")]
    marks = [(str(row["rank"]), (float(row["z"]), float(row["y"]), float(row["x"]))) for row in found.results.errors[:MARKED]]
    return projections(load_arrays(path, "z", "y", "x"), found.results.grid, drawn, marks=marks)


def _legend(found: _Tracing) -> tuple[tuple[str, str], ...]:
    lines = [("traced", "tree" if found.results.reference is None else "traced")]
    if found.results.reference is not None:
        lines.append(("reference", "reference"))
    if found.bridges:
        lines.append(("bridge", "bridge"))
    return tuple(lines)


def _is_shown(row: Row) -> bool:
    return row["metric"] in SCORES and not str(row.get("convention")).startswith("vaa3d")


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(number(row[key]) if isinstance(row.get(key), (int, float)) else str(row.get(key, "")) for key in TREE_COLUMNS)


def _bridge(row: Row) -> tuple[str, ...]:
    ends = (", ".join(f"{float(row[side + axis]):.0f}" for axis in "zyx") for side in ("", "to_"))
    return f"{float(row['confidence']):.2f}", f"{float(row['gap_nm']) / 1000:.2f}", *ends


def _error(row: Row) -> Mapping[str, Any]:
    return {
        "rank": row["rank"],
        "kind": row["kind"],
        "colour": "merge" if row["kind"] == "missing" else "split",
        "length": f"{float(row['length_um']):.1f}",
        "place": ", ".join(f"{float(row[axis]):.0f}" for axis in "zyx"),
    }


def _sholl(found: _Tracing) -> str:
    if len(found.sholl) < 2:
        return ""
    radii, crossings = ([float(row[key]) for row in found.sholl] for key in ("radius_um", "crossings"))
    return line_chart(
        [Curve("crossings", radii, crossings, 3)], "distance from the root (µm)", "crossings", "Sholl profile", None
    )
