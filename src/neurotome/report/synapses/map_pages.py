"""Pages that are all map: synapses themselves at their places, in space, and two maps side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neurotome.io import atomic_write_text
from neurotome.report.atlas.columns import OTHERS, SCALE
from neurotome.report.atlas.page_data import column_json, safe_json, short_numbers
from neurotome.report.atlas.pictures import MAP_NAMES
from neurotome.report.page import script, template
from neurotome.report.synapses.clusters import balanced_order
from neurotome.report.synapses.page import Look
from neurotome.report.synapses.sheets import PER_SECOND, Sheet, Sheets

__all__ = ["PAGES", "write_map_pages"]

PAGES = {
    "gif_map.html": ("Synapses on the map, moving", "Every tile runs through the sections of one synapse."),
    "slice_map.html": ("Sections of synapses on the map", "Every tile is the centre section of one synapse."),
    "projection_map.html": ("Means of synapses on the map", "Every tile is the mean of the central cube along one axis."),
    "map3d.html": ("The map in space", "Three dimensions tear fewer neighbours apart than two."),
    "linked_maps.html": ("Two maps of the same synapses", "What lies together on both maps is no accident of one of them."),
}
"""File in pages/, title, and a sentence on what it shows."""


def write_map_pages(look: Look, sheets: Sheets | None) -> list[Path]:
    """Write the pages that this run has something for; returns their paths."""
    made: dict[str, str] = {}
    if sheets is not None and sheets.movie and sheets.means and look.run.maps:
        moving = {"largest": sheets.largest, "perSecond": PER_SECOND}
        made["gif_map.html"] = _tiles(look, "gif_map.html", sheets.movie, moving)
        made["slice_map.html"] = _tiles(look, "slice_map.html", sheets.slices, {})
        made["projection_map.html"] = _tiles(look, "projection_map.html", sheets.means, {})
    if look.run.maps_in_space:
        made["map3d.html"] = _space(look, sheets)
    if len(look.run.maps) > 1:
        made["linked_maps.html"] = _linked(look, sheets)
    written = []
    for name, page in made.items():
        path = look.run.folder / "pages" / name
        atomic_write_text(path, page)
        written.append(path)
    return written


def _tiles(look: Look, name: str, sheet: Sheet, more: dict[str, Any]) -> str:
    data = _shared(look) | {"order": balanced_order(look.run), "sheets": {"tiles": sheet.to_json()}} | more
    return _page("synapse_tiles.html", look, name, data, "synapse_pictures.js", "synapse_tiles.js")


def _space(look: Look, sheets: Sheets | None) -> str:
    from plotly.offline import get_plotlyjs

    data = _shared(look) | _slices(sheets)
    data["columns"] = [column_json(column) for column in look.columns]
    data["space"] = [
        {"key": short, "name": MAP_NAMES[short], **dict(zip("xyz", map(short_numbers, places.T), strict=True))}
        for short, places in look.run.maps_in_space.items()
    ]
    scripts = ("atlas.js", "synapse_pictures.js", "synapse_space.js")
    return _page("synapse_space.html", look, "map3d.html", data, *scripts, plotly=get_plotlyjs())


def _linked(look: Look, sheets: Sheets | None) -> str:
    return _page(
        "synapse_linked.html",
        look,
        "linked_maps.html",
        _shared(look) | _slices(sheets),
        "synapse_pictures.js",
        "synapse_linked.js",
    )


def _page(name: str, look: Look, file: str, data: dict[str, Any], *scripts: str, **more: Any) -> str:
    title, sentence = PAGES[file]
    content = {
        "title": title,
        "sentence": sentence,
        "study": look.run.name,
        "count": len(look.run.ids),
        "maps": [MAP_NAMES[short] for short in look.run.maps],
        "columns": look.columns,
        "moving": "largest" in data,
        "data": safe_json(data),
        "script": script(*scripts),
        **more,
    }
    return str(template(name).render(content))


def _shared(look: Look) -> dict[str, Any]:
    """Names, places between 0 and 1, clusters and volumes, links."""
    run = look.run
    groups = [column for column in look.columns if column.name in ("cluster", "volume") and not column.is_number]
    return {
        "ids": run.ids,
        "maps": [{"key": short, "name": MAP_NAMES[short], **_places(places)} for short, places in run.maps.items()],
        "groups": [column_json(column) for column in groups],
        "links": run.links,
        "others": OTHERS,
        "scale": SCALE,
    }


def _places(places: np.ndarray) -> dict[str, Any]:
    """One scale for both axes, the middle of the map at 0.5."""
    low, high = places.min(0), places.max(0)
    span = max(float((high - low).max()), 1e-9)
    x, y = (0.5 + (places[:, axis] - (low[axis] + high[axis]) / 2) / span for axis in (0, 1))
    return {"x": short_numbers(x), "y": short_numbers(1 - y)}


def _slices(sheets: Sheets | None) -> dict[str, Any]:
    return {"sheets": {} if sheets is None else {"slices": sheets.slices.to_json()}}
