"""Figures as files: maps, sample sheets, clusters by volumes, grey levels side by side; each a PNG with its numbers as JSON.

GIFs and sections of single synapses, too. Grey limits are fixed: no picture is stretched to what it happens to hold.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from neurotome.core import CropLook
from neurotome.io import atomic_target, atomic_write_json
from neurotome.io.gif import save_gif
from neurotome.report.atlas.columns import Column
from neurotome.report.atlas.pictures import MAP_NAMES, file_names, map_numbers, map_picture
from neurotome.report.atlas.shares import shares_picture
from neurotome.report.synapses.clusters import Cluster
from neurotome.report.synapses.evidence import CrossTable
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.synapses.sheets import grey_frame, seen
from neurotome.synapses.facts import slug_of

__all__ = [
    "Panel", "file_part", "gif_name", "montage", "write_crop_comparison", "write_cross_table", "write_maps", "write_movies",
    "write_normalisations", "write_samples",
]  # fmt: skip

Panel = tuple[str, np.ndarray | None]
"""Caption and grey values (y, x) or colours (y, x, 3), uint8; None: nothing is shown."""
NORMALISATIONS = ("percentile", "crop_minmax", "slice_minmax", "zscore", "mean")
PER_SECOND, DOTS_PER_INCH = 10, 300
INK, SOFT, NOTHING = "#1f2630", "#5b6673", "#e3e7eb"
TILE, GAP, LEFT, TOP, CAPTION = 240, 12, 190, 70, 30


def file_part(key: str) -> str:
    """A key as a part of file names.

    >>> file_part("study/v 1/7")
    'study_v_1_7'
    """
    return re.sub(r"[^A-Za-z0-9.-]+", "_", key)


def gif_name(key: str, look: CropLook) -> str:
    """
    >>> gif_name("study/v1/7", CropLook())
    'study_v1_7_11_alpha1.gif'
    """
    return f"{file_part(key)}_{slug_of(look)}.gif"


def write_maps(run: SynapseRun, columns: Sequence[Column], folder: Path) -> list[Path]:
    """map_<map>_<column>.png and .json of each map and column. Returns the paths of the pictures."""
    written = []
    for short, places in run.maps.items():
        for column, name in zip(columns, file_names([column.name for column in columns]), strict=True):
            path = folder / f"map_{short}_{name}.png"
            told = map_numbers(run.ids, places, column, MAP_NAMES[short], "synapses")
            written.append(_write(path, map_picture(places, column, MAP_NAMES[short], "synapses"), told))
    return written


def write_samples(run: SynapseRun, clusters: Sequence[Cluster], folder: Path) -> Path | None:
    """samples.png: a row per cluster, its medoid and members drawn by chance, centre sections in the run's look."""
    if run.crops is None or not clusters:
        return None
    rows = []
    for one in clusters:
        panels = [(run.ids[row], _centre(run, row)) for row in one.samples]
        rows.append((f"cluster {one.name}\n{one.size} synapses", panels))
    told = {one.name: [run.ids[row] for row in one.samples] for one in clusters}
    picture = montage(rows, f"Samples, mask {run.look.mask}: the medoid, then by chance")
    return _write(folder / "samples.png", picture, {"look": slug_of(run.look), "clusters": told})


def write_cross_table(table: CrossTable | None, folder: Path) -> Path | None:
    """cluster_by_volume.png: the share of each volume's synapses in each cluster."""
    if table is None:
        return None
    import pandas as pd

    names = [f"cluster {name}" for name in table.clusters]
    shares = pd.DataFrame(table.counts / np.maximum(table.counts.sum(0), 1), names, list(table.volumes))
    said = "down: clusters, across: volumes; share of each volume's synapses in percent"
    stored = io.BytesIO()
    shares_picture(shares, title="Clusters and volumes", said=said).save(stored, "PNG")
    told: dict[str, Any] = {"clusters": table.clusters, "volumes": table.volumes, "counts": table.counts.tolist()}
    return _write(folder / "cluster_by_volume.png", stored.getvalue(), told)


def write_normalisations(run: SynapseRun, folder: Path) -> Path | None:
    """normalisations.png: one synapse of each volume under each normalisation of grey values, all between the same limits."""
    volumes = run.column("volume")
    if run.crops is None or not volumes:
        return None
    rows, told = [], {}
    for volume in sorted(set(volumes)):
        row = volumes.index(volume)
        looks = [run.look.with_(mask="0", alpha=0.0, normalization=how) for how in NORMALISATIONS]
        shown = seen(run, row, looks)
        panels = [(how.replace("_", " "), _middle(one)) for how, one in zip(NORMALISATIONS, shown, strict=True)]
        rows.append((volume, panels))
        told[volume] = run.ids[row]
    picture = montage(rows, "The same synapse under different normalisations of its grey values")
    return _write(folder / "normalisations.png", picture, {"normalisations": NORMALISATIONS, "synapses": told})


def write_crop_comparison(folder: Path | str, key: str, rows: Mapping[str, Mapping[str, np.ndarray | None]]) -> Path:
    """crop_comparison_KEY.png: centrings down, sizes of the presynapse across; (y, x) values from 0 to 1 in each cell."""
    panels = [
        (name, [(what, None if values is None else grey_frame(values)) for what, values in cells.items()])
        for name, cells in rows.items()
    ]
    path = Path(folder) / "figures" / f"crop_comparison_{file_part(key)}.png"
    told = {"key": key, "rows": list(rows), "columns": list(next(iter(rows.values()), {}))}
    return _write(path, montage(panels, f"{key}: where it is cut, and how large its presynapse is shown"), told)


def write_movies(run: SynapseRun, rows: Sequence[int], folder: Path) -> list[Path]:
    """KEY_SLUG.gif with all sections of each row, ten a second, and its centre section KEY_SLUG.png for print.

    Rows of which the mask shows nothing have none. Returns the paths of the GIFs.
    """
    written = []
    for row in rows:
        (shown,) = seen(run, row, [run.look])
        if shown is None:
            continue
        path = folder / gif_name(run.ids[row], run.look)
        frames = [grey_frame(section, shown.limits) for section in shown.values]
        save_gif(frames, path, per_second=PER_SECOND)
        with atomic_target(path.with_suffix(".png")) as temporary:
            Image.fromarray(frames[len(frames) // 2]).save(temporary, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
        written.append(path)
    return written


def montage(rows: Sequence[tuple[str, Sequence[Panel]]], title: str) -> bytes:
    """A PNG of rows of pictures, each row with its name on the left and each picture with its caption below."""
    across = max((len(panels) for _, panels in rows), default=0)
    size = (LEFT + across * (TILE + GAP) + GAP, TOP + len(rows) * (TILE + CAPTION + GAP) + GAP)
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    pen.text((GAP, 20), _plain(title), INK, ImageFont.load_default(24))
    for down, (name, panels) in enumerate(rows):
        y = TOP + down * (TILE + CAPTION + GAP)
        pen.multiline_text((GAP, y + TILE // 2), _plain(name), INK, ImageFont.load_default(18), "lm")
        for at, (caption, pixels) in enumerate(panels):
            x = LEFT + at * (TILE + GAP)
            if pixels is None:
                pen.rectangle((x, y, x + TILE, y + TILE), NOTHING)
                pen.text((x + TILE // 2, y + TILE // 2), "nothing is shown", SOFT, ImageFont.load_default(15), "mm")
            else:
                picture.paste(Image.fromarray(pixels).convert("RGB").resize((TILE, TILE), Image.Resampling.NEAREST), (x, y))
            pen.text((x, y + TILE + 5), _fitting(_plain(caption)), SOFT, ImageFont.load_default(14))
    stored = io.BytesIO()
    picture.save(stored, "PNG")
    return stored.getvalue()


def _write(path: Path, picture: bytes, told: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_target(path) as temporary:
        temporary.write_bytes(picture)
    atomic_write_json(path.with_suffix(".json"), told)
    return path


def _centre(run: SynapseRun, row: int) -> np.ndarray | None:
    (shown,) = seen(run, row, [run.look])
    return _middle(shown)


def _middle(shown: Any) -> np.ndarray | None:
    return None if shown is None else grey_frame(shown.values[len(shown.values) // 2], shown.limits)


def _fitting(text: str, most: int = 30) -> str:
    """The end of a name tells it apart."""
    return text if len(text) <= most else f"..{text[2 - most :]}"


def _plain(text: str) -> str:
    """The font that Pillow carries has no micro sign."""
    return text.replace("µ", "u")
