"""The page itself: everything collected, poured into the template, written in one piece."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from neurotome import __version__
from neurotome.core import Progress, silent
from neurotome.io import atomic_write_text
from neurotome.report.charts import Curve, bar_chart, line_chart, log_histogram
from neurotome.report.cite import METHODS
from neurotome.report.facts import card_of_run, headline, number, score_lines, settings, timing, training_overlap
from neurotome.report.links import view_command
from neurotome.report.places import error_cards
from neurotome.report.results import Results, read_results
from neurotome.report.sections import section_rows

__all__ = ["PAGE", "script", "template", "write_report"]

PAGE = "report.html"

CURVE_NAMES = {"adapted_rand_error": "adapted Rand error", "voi_split": "VOI split (bits)", "voi_merge": "VOI merge (bits)"}


def write_report(run_folder: Path | str, *, progress: Progress = silent) -> Path:
    """Write report.html into a run folder: one file that needs no network and no other file. Returns its path.

    Whatever the run does not hold is left out, and the page says what could not be opened.
    Raises RunFolderError where the folder holds no run, FormatError where one of its tables cannot be read.
    """
    results = read_results(run_folder)
    steps = (
        ("numbers", lambda: _numbers(results)),
        ("sections", lambda: {"sections": section_rows(results)}),
        ("errors", lambda: {"errors": error_cards(results)}),
    )
    content: dict[str, Any] = {}
    for done, (what, make) in enumerate(steps):
        progress(f"report: {what}", done, len(steps))
        content |= make()
    progress("report", len(steps), len(steps))
    path = results.folder / PAGE
    atomic_write_text(path, template("page.html").render(content))
    return path


def _numbers(results: Results) -> Mapping[str, Any]:
    card = card_of_run(results)
    return {
        "results": results,
        "title": Path(str(results.config.get("image") or results.folder.name)).name,
        "headline": headline(results),
        "settings": settings(results),
        "scores": score_lines(results.scores),
        "timing": timing(results),
        "peak_gb": results.record.get("peak_memory_bytes", 0) / 1e9,
        "card": card,
        "card_scores": score_lines(card.scores) if card else (),
        "overlap": training_overlap(results, card) if card else ("", False),
        "methods": METHODS,
        "charts": _charts(results),
        "threshold_chart": _threshold_chart(results),
        "view_command": view_command(results.folder),
    }


def _charts(results: Results) -> tuple[tuple[str, str, str], ...]:
    """Name, SVG and a sentence each: sizes of neurons, sections they span."""
    volumes = [float(row["volume_um3"]) for row in results.table if row.get("volume_um3") not in (None, "")]
    spans = [int(row["sections"]) for row in results.table if row.get("sections") not in (None, "")]
    found = []
    if volumes:
        title = "Distribution of volumes"
        middle = number(sorted(volumes)[len(volumes) // 2])
        note = f"Half of them are smaller than {middle} µm³; the largest has {number(max(volumes))} µm³."
        found.append((title, log_histogram(volumes, "volume (µm³, logarithmic)", "neurons", title), note))
    if spans:
        title = "Sections spanned"
        through = sum(1 for s in spans if results.grid is not None and s >= results.grid.shape[0])
        found.append((title, bar_chart(spans, "sections", "neurons", title), f"{number(through)} run through the whole stack."))
    return tuple(found)


def _threshold_chart(results: Results) -> str:
    """The threshold curve, for the measures it has."""
    rows = [row for row in results.curve if isinstance(row.get("threshold"), (int, float))]
    curves = []
    for kind, (column, name) in enumerate(CURVE_NAMES.items(), 1):
        points = [(row["threshold"], row[column]) for row in rows if isinstance(row.get(column), (int, float))]
        if len(points) > 1:
            curves.append(Curve(name, [x for x, _ in points], [y for _, y in points], kind))
    used = results.facts.get("threshold", results.config.get("threshold"))
    marked = float(used) if isinstance(used, (int, float)) else None
    return line_chart(curves, "agglomeration threshold", "error", "Scores by threshold", marked)


@cache
def template(name: str) -> Any:
    """A page of this folder, ready to be filled; its style comes from page.css."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("neurotome", "report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=loader)
    environment.globals |= {"style": (files("neurotome.report") / "page.css").read_text(encoding="utf-8"), "version": __version__}
    return environment.get_template(name)


def script(*names: str) -> str:
    """Scripts of this folder, one after the other, as a page carries them."""
    return "\n".join((files("neurotome.report") / name).read_text(encoding="utf-8") for name in names)
