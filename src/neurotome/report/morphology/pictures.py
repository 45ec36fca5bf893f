"""The maps as pictures for a slide, each with the numbers it was drawn from beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neurotome.io import atomic_target, atomic_write_json
from neurotome.report.atlas.pictures import MAP_NAMES, colours_of_numbers, file_names, map_numbers, map_picture
from neurotome.report.morphology.columns import Column
from neurotome.report.morphology.run import ShapeRun

__all__ = ["colours_of_numbers", "write_maps"]


def write_maps(run: ShapeRun, columns: Sequence[Column]) -> list[Path]:
    """Write maps/<map>-<column>.png and .json for every map and column. Returns the paths of the pictures."""
    names = file_names([column.name for column in columns])
    written = []
    for short, places in run.maps.items():
        for column, name in zip(columns, names, strict=True):
            path = run.folder / "maps" / f"{short}-{name}.png"
            path.parent.mkdir(exist_ok=True)
            with atomic_target(path, overwrite=True) as temporary:
                temporary.write_bytes(map_picture(places, column, MAP_NAMES[short], "neurons"))
            atomic_write_json(path.with_suffix(".json"), map_numbers(run.ids, places, column, MAP_NAMES[short], "neurons"))
            written.append(path)
    return written
