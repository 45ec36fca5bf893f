"""The page of shapes: maps to walk on, neighbours to compare, scores and clusters with what they are worth."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import ModelCard
from neurotome.io import atomic_write_text
from neurotome.report.atlas.choice import choice_charts, chosen
from neurotome.report.atlas.pictures import MAP_NAMES
from neurotome.report.cite import shape_methods
from neurotome.report.facts import Fact, card_of_run, number, one_by_one, score_lines, settings, timing
from neurotome.report.morphology.clusters import Cluster, clusters_of, reason, stability
from neurotome.report.morphology.columns import Column, columns_of, label_of, offered
from neurotome.report.morphology.drawings import Drawings, packed
from neurotome.report.morphology.page_data import first_shown, page_json
from neurotome.report.morphology.pictures import write_maps
from neurotome.report.morphology.reconstruction import reconstruction_of
from neurotome.report.morphology.run import NEURON, ShapeRun, rows_by_id
from neurotome.report.morphology.scores import ScoreBar, ScoreTable, score_tables
from neurotome.report.page import PAGE, script, template

__all__ = ["write_shape_report"]

MOST_OUTLIERS = 12
KINDS = {"skeleton": "skeletons", "points": "point clouds", "mesh": "meshes", "voxels": "objects of a volume"}
CENTRES = {
    "soma": "the soma",
    "mean": "the mean of the shape, as no soma is known",
    "root": "the root",
    "soma_xz": "the soma in the plane, depth as given",
    "none": "the origin",
}
CLIPPED = 0.001


def write_shape_report(folder: Path | str, *, colour: Sequence[str] = ()) -> Path:
    """Write report.html into the folder of `morphology embed`, one file that needs no other, and maps/ beside it.

    colour: columns to offer first. What the folder lacks is left out. Returns the path of the page.
    Raises RunFolderError where there is no run, MissingFileError where it has no table, FormatError for a file that cannot be
    read, UnknownNameError for a colour that is no column.
    """
    run = ShapeRun.open(folder)
    columns = columns_of(run, colour)
    shown = offered(columns, colour)
    pictures = write_maps(run, shown)
    path = run.folder / PAGE
    content = _content(run, shown, [column for column in columns if column not in shown], label_of(run, shown, colour))
    atomic_write_text(path, template("morphology.html").render(content | {"pictures": len(pictures)}))
    return path


def _content(run: ShapeRun, columns: Sequence[Column], others: Sequence[Column], label: Column | None) -> dict[str, Any]:
    """others: columns that are told of a neuron, but not offered as colours."""
    from plotly.offline import get_plotlyjs

    drawings = packed(run.segments, run.offsets)
    cluster_column = next((column for column in columns if column.name == "cluster"), None)
    clusters = clusters_of(run, cluster_column, label)
    tables = score_tables(run.scores)
    pinned = first_shown(run, label, [row for one in sorted(clusters, key=lambda one: -one.size) for row in one.examples])
    card = card_of_run(run.results)
    return {
        "run": run,
        "record": run.results.record,
        "title": _title(run),
        "headline": _headline(run, clusters, tables, card),
        "notes": (*run.results.facts.get("notes", ()), *_left_out(drawings)),
        "maps": tuple(MAP_NAMES[short] for short in run.maps),
        "columns": columns,
        "label": label,
        "view": _view(run),
        "scores": tables,
        "choice": choice_charts(run.choice, row="neuron"),
        "clusters": clusters,
        "reason": reason(run),
        "outliers": _outliers(run),
        "reconstruction": reconstruction_of(run),
        "frames": _frames(run),
        "settings": settings(one_by_one(run.results)),
        "card": card,
        "card_scores": score_lines(card.scores) if card else (),
        "timing": timing(run.results),
        "peak_gb": run.results.record.get("peak_memory_bytes", 0) / 1e9,
        "methods": shape_methods(_parts(run, clustered=bool(clusters))),
        "plotly": get_plotlyjs(),
        "script": script("atlas.js", "morphology.js"),
        "data": page_json(run, columns, others, label, drawings, pinned),
    }


def _parts(run: ShapeRun, *, clustered: bool) -> set[str]:
    """What the page rests on, in the words of cite.SHAPE_METHODS."""
    measured = {"quality"} if any(row.get("measure") == "trustworthiness" for row in run.quality) else set()
    return {*run.maps, *measured, *(["clusters"] if clustered else []), *(str(row["features"]) for row in run.scores)}


def _title(run: ShapeRun) -> str:
    return f"Shapes of {number(run.table.n_obs)} neuron{'s' if run.table.n_obs != 1 else ''}"


def _headline(
    run: ShapeRun, clusters: Sequence[Cluster], tables: Sequence[ScoreTable], card: ModelCard | None
) -> tuple[Fact, ...]:
    obs = run.table.obs
    kinds = obs["kind"].astype(str).value_counts().to_dict() if "kind" in obs else {}
    what = ", ".join(
        f"{number(count)} {KINDS.get(kind, kind)}" if len(kinds) > 1 else KINDS.get(kind, kind) for kind, count in kinds.items()
    )
    found = [Fact("neurons", number(run.table.n_obs), what)]
    if clusters:
        steady = stability(run)
        note = "how stable is not known" if steady is None else f"stability {steady:.2f}; 1: the same in every sample"
        found.append(Fact("clusters", number(len(clusters)), note))
    elif (taken := chosen(run.choice)) and taken["k"] == 1:
        found.append(Fact("clusters", "none", "no groups beyond chance, or none that are stable"))
    if best := _best(tables):
        table, bar = best
        rival = f"; {table.rival.name} {table.rival.value:.2f}" if table.rival else ""
        chance = f"chance {table.chance:.2f}" if table.chance is not None else table.support
        found.append(Fact(table.title, f"{bar.value:.2f}", f"{chance}{rival}"))
    encoder = Path(str(run.embedding.get("model") or (card.name if card else "")))
    found.append(Fact("numbers per neuron", number(run.table.n_vars), f"by the encoder {encoder.name}" if encoder.name else ""))
    return tuple(found)


def _best(tables: Sequence[ScoreTable]) -> tuple[ScoreTable, ScoreBar] | None:
    """The learned features by the judge that gave the highest score to any features, on the first column that was scored.

    The judge that likes the learned ones most would flatter them.
    """
    found = [(table, table.learned) for table in tables if table.learned and table.target == tables[0].target]
    return max(found, key=lambda pair: max(bar.value for bar in pair[0].bars), default=None)


def _left_out(drawings: Drawings) -> tuple[str, ...]:
    if drawings.every == 1:
        return ()
    return (f"The page carries the drawing of every {drawings.every}th neuron only; more would make it too large to open.",)


def _outliers(run: ShapeRun) -> tuple[Mapping[str, Any], ...]:
    known = [(run.row_of[name], row) for name, row in rows_by_id(run.folder / "outliers.csv", *NEURON) if name in run.row_of]
    found = []
    for row, said in known[:MOST_OUTLIERS]:
        score = said.get("score")
        shown = f"{score:.3g}" if isinstance(score, (int, float)) else ""
        found.append({"row": row, "id": run.ids[row], "score": shown, "reason": str(said.get("reason") or "")})
    return tuple(found)


def _view(run: ShapeRun) -> str:
    """From where the drawings are seen."""
    orientation = _grid_settings(run).get("orientation")
    seen = {
        "principal": "along the shortest axis of each neuron, its longest axis down",
        "given": "along z, y down and x to the right",
    }
    return seen.get(str(orientation), "along one axis of the frame")


def _frames(run: ShapeRun) -> tuple[Fact, ...]:
    """How shapes were put on their grid, and what happened to these."""
    obs, said, count = run.table.obs, _grid_settings(run), run.table.n_obs
    found = [Fact(name.replace("_", " "), _plain(value)) for name, value in said.items() if value is not None]
    if "centre" in obs:
        used = obs["centre"].astype(str).value_counts().to_dict()
        found.append(
            Fact("centred on", "; ".join(f"{CENTRES.get(key, key)}: {number(n)} of {number(count)}" for key, n in used.items()))
        )
    sides = run.extent_um[np.isfinite(run.extent_um)]
    if len(sides):
        low, middle, high = (number(value) for value in np.percentile(sides, [0, 50, 100]).tolist())
        reach = (f"{low} µm", "") if low == high else (f"{low} to {high} µm", f"half of them up to {middle} µm")
        found.append(Fact("side of the frames", *reach))
        if isinstance(size := said.get("size"), int) and size > 0:
            found.append(Fact("voxel of the grid", f"{number(float(np.median(sides)) * 1000 / size)} nm", "in the median frame"))
    if "clipped_fraction" in obs:
        clipped = int((obs["clipped_fraction"].to_numpy(np.float64, na_value=np.nan) > CLIPPED).sum())
        found.append(Fact("leave the grid", f"{number(clipped)} of {number(count)}", "with more than 0.1 % of their shape"))
    return tuple(found)


def _grid_settings(run: ShapeRun) -> Mapping[str, Any]:
    said = run.embedding.get("settings") or "{}"
    return json.loads(said) if isinstance(said, str) else dict(said)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    return str(value)
