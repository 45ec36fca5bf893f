"""All looks of a study side by side, masks and grey outside, each on a page of its own; and the presynaptic neurons of all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurotome.core import Progress, silent
from neurotome.io import atomic_write_text
from neurotome.report.page import template
from neurotome.report.synapses.attention import attention_figures
from neurotome.report.synapses.figures import write_samples
from neurotome.report.synapses.page import Look, look_at_run, page_content
from neurotome.report.synapses.partners import Presynapses, presynapses_of
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.synapses.sheets import make_sheets
from neurotome.synapses.views import preset_of

__all__ = ["FOLDER", "write_comprehensive_report", "write_presynapse_summary"]

FOLDER = "comprehensive_reports"
STUDY = "study"
"""The name of the page of the run's own table; the others are called like their look."""


@dataclass(frozen=True)
class LookLine:
    """A look as the index tells of it."""

    name: str
    page: str
    mask: str
    what: str
    alpha: float
    synapses: int
    discarded: int
    clusters: int
    structure: str
    stability: float | None
    volume: str


def write_comprehensive_report(out: Path | str, stamp: str, *, progress: Progress = silent) -> Path:
    """Write comprehensive_reports/report_STAMP/: index.html with a tab per mask and a table of all looks, and their pages.

    Raises as `write_synapse_report`.
    """
    main = SynapseRun.open(out)
    folder = main.folder / FOLDER / f"report_{stamp}"
    home = f"{os.path.relpath(main.folder, folder)}/"
    looks = _looks(main)
    lines = [_line(name, look) for name, look in looks.items()]
    for done, (line, look) in enumerate(zip(lines, looks.values(), strict=True)):
        progress("pages of looks", done, len(lines))
        _write_page(folder / line.page, look, home, lines)
    content = {
        "title": f"All looks at {main.name}",
        "stamp": stamp,
        "home": home,
        "lines": lines,
        "masks": {line.mask: line.what for line in lines[1:] or lines},
        "alphas": sorted({line.alpha for line in lines[1:] or lines}, reverse=True),
        "record": main.results.record,
        "summary": any((main.folder / FOLDER).glob("presynapse_summary_*")),
    }
    path = folder / "index.html"
    atomic_write_text(path, template("synapse_index.html").render(content))
    progress("pages of looks", len(lines), len(lines))
    return path


def write_presynapse_summary(out: Path | str, stamp: str) -> Path:
    """Write comprehensive_reports/presynapse_summary_STAMP/presynapse_summary.html: neurons with several synapses."""
    main = SynapseRun.open(out)
    folder = main.folder / FOLDER / f"presynapse_summary_{stamp}"
    parts = [
        {"line": _line(name, look), "found": found, "name": name}
        for name, look in _looks(main).items()
        if (found := presynapses_of(look.run)) is not None
    ]
    content: dict[str, Any] = {
        "title": f"Presynaptic neurons of {main.name}",
        "home": f"{os.path.relpath(main.folder, folder)}/",
        "stamp": stamp,
        "parts": parts,
        "shared": [_groups(part["found"]) for part in parts],
        "reason": "" if parts else "No presynaptic neuron is known: not applicable.",
    }
    path = folder / "presynapse_summary.html"
    atomic_write_text(path, template("synapse_partners.html").render(content))
    return path


def _looks(main: SynapseRun) -> dict[str, Look]:
    """The run's own table first, then its views."""
    found = {STUDY: look_at_run(main, main)}
    for name in main.views:
        found[name] = look_at_run(SynapseRun.open(main.folder, name), main)
    return found


def _line(name: str, look: Look) -> LookLine:
    groups = [one for one in look.clusters if one.name != "-1"]
    steady = [one.stability for one in groups if one.stability is not None]
    lost = len({row["key"] for row in look.run.rows("discarded")})
    return LookLine(
        name,
        "study.html" if name == STUDY else f"{name}.html",
        look.run.look.mask,
        preset.name.replace("_", " ") if (preset := preset_of(look.run.look.mask)) else "",
        look.run.look.alpha,
        len(look.run.ids),
        lost,
        len(groups),
        next((one.answer for one in look.verdicts if one.question.startswith("Is there")), "not sorted"),
        min(steady, default=None) if len(groups) > 1 else None,
        next((one.answer for one in look.verdicts if one.question.endswith("volumes?")), ""),
    )


def _write_page(path: Path, look: Look, home: str, lines: list[LookLine]) -> None:
    attention = attention_figures(look.run, look.main.folder / "figures") if look.run is look.main else ()
    links = [
        (line.page, f"mask {line.mask}, {line.alpha:g}" if line.name != STUDY else "the study's own features", "")
        for line in lines
    ]
    content = page_content(look, make_sheets(look.run, movies=False), figures=attention, home=home, others=links)
    write_samples(look.run, look.clusters, path.parent / "figures" / path.stem)
    atomic_write_text(path, template("synapses.html").render(content | {"grey_figures": [], "gifs": 0}))


def _groups(found: Presynapses) -> int:
    return len(found.heat) + found.left_out
