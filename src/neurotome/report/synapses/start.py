"""The report of a run: its start page, the map pages, figures and GIFs."""

from __future__ import annotations

from pathlib import Path

from neurotome.core import Progress, silent
from neurotome.io import atomic_write_text
from neurotome.report.atlas.choice import finite
from neurotome.report.atlas.columns import Column
from neurotome.report.page import PAGE, template
from neurotome.report.pictures import data_uri
from neurotome.report.results import Row
from neurotome.report.synapses.attention import attention_figures
from neurotome.report.synapses.columns import QUALITY
from neurotome.report.synapses.evidence import cross_table
from neurotome.report.synapses.figures import write_cross_table, write_maps, write_movies, write_normalisations, write_samples
from neurotome.report.synapses.map_pages import PAGES, write_map_pages
from neurotome.report.synapses.page import Look, look_at_run, page_content
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.synapses.sheets import make_sheets

__all__ = ["write_synapse_report"]

MOST_NUMBERS = 4


def write_synapse_report(
    out: Path | str,
    *,
    samples: int = 4,
    all_gifs: bool = False,
    reference_colours: bool = False,
    progress: Progress = silent,
) -> Path:
    """Write report.html, pages/, figures/ and gifs/ into the folder of `synapses run`; returns the path of report.html.

    samples: of each cluster, beside its medoid. all_gifs: of every synapse, not of the samples only. reference_colours: volumes
    in the colours of SynapseClusterEM. Whatever the folder lacks is left out.
    Raises RunFolderError where there is no run, MissingFileError where it has no table, FormatError for a damaged file.
    """
    run = SynapseRun.open(out)
    look = look_at_run(run, run, samples=samples, reference_colours=reference_colours)
    sheets = make_sheets(run, progress=progress)
    figures = run.folder / "figures"
    steps = ("maps", "pictures of samples", "GIFs", "attention", "pages")
    progress(steps[0], 0, len(steps))
    write_maps(run, _pictured(look), figures)
    write_cross_table(cross_table(run), figures)
    progress(steps[1], 1, len(steps))
    write_samples(run, look.clusters, figures)
    write_normalisations(run, figures)
    progress(steps[2], 2, len(steps))
    wanted = range(len(run.ids)) if all_gifs else dict.fromkeys(row for one in look.clusters for row in one.samples)
    gifs = write_movies(run, list(wanted), run.folder / "gifs") if run.crops is not None else []
    progress(steps[3], 3, len(steps))
    attention = attention_figures(run, figures)
    progress(steps[4], 4, len(steps))
    pages = [path.name for path in write_map_pages(look, sheets)]
    links = [(f"pages/{name}", *PAGES[name]) for name in pages]
    content = page_content(look, sheets, figures=attention, others=links)
    content |= {"grey_figures": _grey_figures(figures), "gifs": len(gifs)}
    path = run.folder / PAGE
    atomic_write_text(path, template("synapses.html").render(content))
    progress("report", len(steps), len(steps))
    return path


def _pictured(look: Look) -> list[Column]:
    """Labels, and the measures that set clusters most apart: the page has all, a folder of a thousand pictures helps nobody."""
    groups = [column for column in look.columns if not column.is_number and column.name not in QUALITY]
    numbers = {column.name: column for column in look.columns if column.is_number}
    telling = dict.fromkeys(str(row["feature"]) for row in sorted(look.run.rows("profiles"), key=_strength))
    return [*groups, *(numbers[name] for name in [*telling, *numbers] if name in numbers)][: len(groups) + MOST_NUMBERS]


def _strength(row: Row) -> float:
    return -abs(finite(row.get("effect")) or 0.0)


def _grey_figures(folder: Path) -> list[tuple[str, str, str]]:
    """Title, picture and note of the comparisons of normalisations and of crops that were drawn."""
    import numpy as np
    from PIL import Image

    said = {
        "normalisations": ("Grey values", "One synapse of each volume, all panels between the same limits."),
        "crop_comparison": ("Crops", "Where a crop is cut, down; how large its presynapse is shown, across."),
    }
    found = []
    for path in sorted(folder.glob("*.png")):
        kind = next((name for name in said if path.stem.startswith(name)), None)
        if kind:
            with Image.open(path) as picture:
                found.append((said[kind][0], data_uri(np.asarray(picture.convert("RGB")), quality=75), said[kind][1]))
    return found
