"""Which voxels decide: maps of attention over tissue, on one grey scale, and what they say of the structures below them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from neurotome.io import atomic_target, atomic_write_json
from neurotome.report.pictures import data_uri
from neurotome.report.synapses.figures import file_part
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.synapses.sheets import grey_frame, seen
from neurotome.report.tables import Table, table_of

__all__ = ["AttentionFigure", "AttentionMaps", "attention_figures", "attention_tables", "heat"]

RAMP = ("#000004", "#420a68", "#932667", "#dd513a", "#fca50a", "#fcffa4")
"""Inferno (van der Walt and Smith 2015) in five equal steps: even to every eye."""
SECTIONS, TILE, GAP, LEFT, TOP, BAR = 7, 150, 6, 150, 64, 100
MOST_ON_PAGE, MOST_REGIONS = 8, 12
INK, SOFT = "#1f2630", "#5b6673"
SUMMARY = {
    "layer": "Layer", "operand": "Structure", "n": "Synapses", "auc": "AUC", "auc_low": "from", "auc_high": "to",
    "enrichment": "Enrichment", "ratio": "Inside / outside", "dice": "Dice", "p": "p", "p_bh": "p, corrected",
}  # fmt: skip
REGIONS = {
    "key": "Synapse", "layer": "Layer", "rank": "Rank", "mass_share": "Share of attention", "volume_um3": "Volume (µm³)",
    "mean": "Mean",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Maps of some synapses, not normalised: `read(at)` gives (layers, s, s, s) of keys[at]."""

    path: Path
    keys: tuple[str, ...]
    layers: tuple[str, ...]
    target: str

    @classmethod
    def of(cls, run: SynapseRun) -> AttentionMaps | None:
        path = run.folder / "attention.zarr"
        about = _attributes(path)
        if about is None:
            return None
        layers = tuple(str(name) for name in about["layers"])
        return cls(path, tuple(map(str, about["keys"])), layers, str(about.get("target") or ""))

    def read(self, at: int) -> np.ndarray:
        from neurotome.io.store import kvstore, open_store, read_box

        place = self.path / "maps" if (self.path / "maps").is_dir() else self.path
        array = open_store({"driver": "zarr3", "kvstore": kvstore(place)}, open=True)
        whole = [(0, int(n)) for n in array.shape[1:]]
        return read_box(place, array, ((at, at + 1), *whole))[0]


@dataclass(frozen=True)
class AttentionFigure:
    """One synapse as a picture: tissue above, its maps below, sections from left to right."""

    key: str
    path: str
    uri: str
    note: str


def attention_figures(run: SynapseRun, folder: Path) -> tuple[AttentionFigure, ...]:
    """attention_KEY.png and .json of every synapse with maps; the first of them also as text for the page."""
    maps = AttentionMaps.of(run)
    if maps is None or run.crops is None:
        return ()
    found = []
    for at, key in enumerate(maps.keys):
        if key not in run.row_of:
            continue
        (tissue,) = seen(run, run.row_of[key], [run.look.with_(mask="0", alpha=0.0)])
        if tissue is None:
            continue
        values = maps.read(at)
        picture, told = _figure(key, maps, grey_frame(tissue.values, tissue.limits), values)
        name = f"attention_{file_part(key)}"
        stored = io.BytesIO()
        picture.save(stored, "PNG")
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_target(folder / f"{name}.png") as temporary:
            temporary.write_bytes(stored.getvalue())
        atomic_write_json(folder / f"{name}.json", told)
        empty = [layer for layer, most in zip(maps.layers, told["maxima"], strict=True) if not most > 0]
        note = f"Nothing decides in {', '.join(empty)}." if empty else ""
        uri = data_uri(np.asarray(picture), quality=70) if len(found) < MOST_ON_PAGE else ""
        found.append(AttentionFigure(key, f"figures/{name}.png", uri, note))
    return tuple(found)


def attention_tables(run: SynapseRun) -> tuple[Table | None, Table | None, Table | None]:
    """How attention agrees with structures over all synapses, and the regions that hold most of it, and what grey does."""
    rows = run.rows("attention_summary") or run.rows("attention")
    known = {key: title for key, title in SUMMARY.items() if rows and key in rows[0]}
    summary = table_of(rows, known, most=60) if "auc" in known else None
    regions = sorted(run.rows("attention_regions"), key=lambda row: -float(row.get("mass_share") or 0))
    occlusion = table_of(run.rows("attention_occlusion"), most=MOST_REGIONS)
    inside = {
        name: f"in {name.removeprefix('inside_').replace('_', ' ')}" for name in next(iter(regions), {}) if name[:7] == "inside_"
    }
    return summary, table_of(regions, {**REGIONS, **inside}, most=MOST_REGIONS), occlusion


def heat(values: np.ndarray) -> np.ndarray:
    """Colours (..., 3) float of values 0 to 1 on RAMP."""
    anchors = np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in RAMP], np.float64)
    steps = np.clip(values, 0, 1) * (len(RAMP) - 1)
    return np.stack([np.interp(steps, np.arange(len(RAMP)), channel) for channel in anchors.T], axis=-1)


def _figure(key: str, maps: AttentionMaps, tissue: np.ndarray, values: np.ndarray) -> tuple[Image.Image, dict[str, Any]]:
    """tissue: (s, s, s) uint8 on one grey scale for all sections. values: (layers, s, s, s), each layer on one scale, too."""
    size = len(tissue)
    shown = [round((at + 0.5) * size / SECTIONS) for at in range(SECTIONS)]
    maxima = [float(layer.max()) for layer in values]
    width, height = LEFT + SECTIONS * (TILE + GAP) + BAR, TOP + (1 + len(values)) * (TILE + GAP) + GAP
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((12, 10), f"{key}   target: {maps.target or 'not stated'}", INK, ImageFont.load_default(19))
    for at, z in enumerate(shown):
        pen.text((LEFT + at * (TILE + GAP) + TILE // 2, TOP - 12), f"z {z}", SOFT, ImageFont.load_default(15), "mm")
    grey_bar = np.repeat(np.linspace(255, 0, TILE)[:, None, None], 3, -1)
    _row(picture, 0, "tissue", [np.repeat(tissue[z][..., None], 3, -1) for z in shown], grey_bar, ("1", "0"))
    for down, (layer, most, name) in enumerate(zip(values, maxima, maps.layers, strict=True), 1):
        share = layer / most if most > 0 else np.zeros_like(layer)
        overlays = [_overlay(tissue[z], share[z]) for z in shown]
        _row(picture, down, name, overlays, heat(np.linspace(1, 0, TILE)[:, None]), (f"{most:.2g}", "0"))
    return picture, {"key": key, "target": maps.target, "layers": list(maps.layers), "sections": shown, "maxima": maxima}


def _row(
    picture: Image.Image, down: int, name: str, panels: Sequence[np.ndarray], bar: np.ndarray, ends: tuple[str, str]
) -> None:
    pen, y = ImageDraw.Draw(picture), TOP + down * (TILE + GAP)
    pen.text((12, y + TILE // 2), name, INK, ImageFont.load_default(17), "lm")
    for at, panel in enumerate(panels):
        small = Image.fromarray(np.round(panel).astype(np.uint8)).resize((TILE, TILE), Image.Resampling.BILINEAR)
        picture.paste(small, (LEFT + at * (TILE + GAP), y))
    x = LEFT + len(panels) * (TILE + GAP) + 6
    picture.paste(Image.fromarray(np.round(np.broadcast_to(bar, (TILE, 16, 3))).astype(np.uint8)), (x, y))
    for end, place, anchor in zip(ends, (y, y + TILE), ("lt", "lb"), strict=True):
        pen.text((x + 22, place), end, SOFT, ImageFont.load_default(14), anchor)


def _overlay(tissue: np.ndarray, share: np.ndarray) -> np.ndarray:
    weight = 0.75 * np.clip(share, 0, 1)[..., None] ** 0.7
    return tissue[..., None] * (1 - weight) + heat(share) * weight


def _attributes(path: Path) -> dict[str, Any] | None:
    """What attention.zarr says of itself, of version 3 or 2; None where there is none."""
    for file in (path / "zarr.json", path / ".zattrs", path / "maps" / "zarr.json"):
        if file.is_file():
            told = json.loads(file.read_text(encoding="utf-8"))
            found = told.get("attributes", told)
            found = found.get("neurotome", found)
            if "keys" in found and "layers" in found:
                return dict(found)
    return None
