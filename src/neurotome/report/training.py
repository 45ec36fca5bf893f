"""The page of a training: what learnt what from which tissue, how it went, and what it answers now."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from imageio.v3 import imread

from neurotome.boundary import EpochPictures
from neurotome.core import ModelCard, spread
from neurotome.io import atomic_write_text, gif_bytes
from neurotome.report.charts import Curve, line_chart
from neurotome.report.colours import MERGE, SPLIT
from neurotome.report.facts import Fact, duration, number
from neurotome.report.page import PAGE, template
from neurotome.report.pictures import data_uri, grey, thinned
from neurotome.report.results import Row, csv_rows, record_of
from neurotome.report.sections import Panel

__all__ = ["write_training_report"]

LARGEST_PICTURE = 800
LARGEST_FRAME, MOST_FRAMES = 256, 40
"""Animations are in the folder as they are; the page carries small ones."""

LOSSES = {"train_loss": "training", "val_loss": "validation"}
AGREEMENT = {"val_v_rand": "V_rand", "val_v_info": "V_info"}


@dataclass(frozen=True)
class _SectionOfTraining:
    """A named section: its panels, its animation as a data URI, and a word on how that was made smaller."""

    number: int
    panels: tuple[Panel, ...]
    animation: str
    note: str


@dataclass(frozen=True)
class _Training:
    """What a training folder holds."""

    folder: Path
    record: Mapping[str, Any]
    card: ModelCard
    history: Sequence[Row]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> Row:
        """The epoch whose weights are kept."""
        return next((row for row in self.history if row["step"] == self.facts.get("kept_step")), self.history[-1])


def write_training_report(folder: Path | str) -> Path:
    """Write report.html into the folder of a finished training: one file that needs no other. Returns its path.

    Raises RunFolderError where the folder holds no run, FormatError where one of its files cannot be read.
    """
    folder = Path(folder)
    record = record_of(folder)
    card = ModelCard.from_json(json.loads((folder / "card.json").read_text(encoding="utf-8")), str(folder / "card.json"))
    training = _Training(folder, record, card, csv_rows(folder / "history.csv"), record.get("facts") or {})
    content = {
        "record": record,
        "card": card,
        "headline": _headline(training),
        "charts": _charts(training),
        "sections": tuple(_section(training, z, frames) for z, frames in EpochPictures.found(folder).items()),
        "epochs": len(training.history),
        "settings": _settings(training),
        "inputs": tuple((Path(path).name, digest[:12]) for path, digest in record.get("inputs", {}).items()),
        "command": f"neurotome boundary predict IMAGE --model {folder.name} -o OUT",
    }
    path = folder / PAGE
    atomic_write_text(path, template("training.html").render(content))
    return path


def _headline(training: _Training) -> tuple[Fact, ...]:
    """Score of what is kept, parameters, steps, time."""
    best, facts = training.best, training.facts
    found = []
    if isinstance(best.get("val_v_rand"), (int, float)):
        found.append(Fact("V_rand, validation", f"{best['val_v_rand']:.4f}", f"V_info {best['val_v_info']:.4f}"))
    found.append(Fact("validation loss", f"{best['val_loss']:.4f}", f"training {best['train_loss']:.4f}"))
    found.append(Fact("parameters", number(facts.get("parameters", 0)), training.card.family))
    found.append(Fact("steps", number(facts.get("steps", 0)), f"weights of step {number(facts.get('kept_step', 0))} are kept"))
    device = training.record.get("device", "cpu")
    found.append(Fact("of training", duration(60 * facts.get("minutes", 0)), f"on {'a ' if device == 'cpu' else ''}{device}"))
    return tuple(found)


def _charts(training: _Training) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Title, SVG and the names of its lines, for losses and, where the network was judged, V_rand and V_info."""
    kept = float(training.facts.get("kept_step", 0))
    found = []
    for title, y_label, columns in (("Loss", "loss", LOSSES), ("Agreement with the truth", "score", AGREEMENT)):
        curves = []
        for kind, (column, name) in enumerate(columns.items(), 1):
            points = [(row["step"], row[column]) for row in training.history if isinstance(row.get(column), (int, float))]
            if points:
                curves.append(Curve(name, [x for x, _ in points], [y for _, y in points], kind))
        if curves:
            # Losses are never far from 0 and scores never far from 1: where the interesting part lies.
            bottom = math.floor(10 * min(y for c in curves for y in c.y)) / 10 if columns is AGREEMENT else 0.0
            svg = line_chart(curves, "training steps", y_label, title, kept, mark="kept", bottom=min(bottom, 0.9))
            found.append((title, svg, tuple(c.name for c in curves)))
    return tuple(found)


def _section(training: _Training, z: int, frames: Mapping[int, Path]) -> _SectionOfTraining:
    """Input, output of the last epoch and, where there is a truth, target and error."""
    output = imread(frames[max(frames)])
    factor = math.ceil(max(output.shape) / LARGEST_PICTURE)
    pictures = [
        ("Input", _kept(training.folder, z, "input")),
        ("Output", output),
        ("Target", _kept(training.folder, z, "target")),
    ]
    panels = [_panel(name, _shown(values, factor), z) for name, values in pictures if values is not None]
    if (target := pictures[-1][1]) is not None:
        panels.append(_panel("Error", _error(output, target, factor), z))
    animation, note = _animation([frames[epoch] for epoch in sorted(frames)])
    return _SectionOfTraining(z, tuple(panels), animation, note)


def _kept(folder: Path, z: int, what: str) -> np.ndarray | None:
    path = EpochPictures.path_of(folder, z, what)
    return imread(path) if path.is_file() else None


def _shown(values: np.ndarray, factor: int) -> np.ndarray:
    return grey(thinned(values, factor, mean=True), (0, 255))


def _error(output: np.ndarray, target: np.ndarray, factor: int) -> np.ndarray:
    """White where the answer is right; orange where it is too high, petrol where too low, the stronger the further off."""
    off = thinned(output.astype(np.float32) - target, factor, mean=True) / 255
    colours = [np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.float32) for colour in (SPLIT, MERGE)]
    towards = np.where((off > 0)[..., None], colours[0], colours[1])
    return np.round(255 + (towards - 255) * np.abs(off)[..., None]).astype(np.uint8)


def _panel(name: str, picture: np.ndarray, z: int) -> Panel:
    return Panel(name, data_uri(picture), f"{name} of section {z}", picture.shape[1], picture.shape[0])


def _animation(paths: Sequence[Path]) -> tuple[str, str]:
    """The frames as a small animation, and what was left out of it."""
    chosen = [paths[k] for k in spread(len(paths), MOST_FRAMES)]
    frames = [imread(path) for path in chosen]
    factor = math.ceil(max(frames[0].shape) / LARGEST_FRAME)
    small = [np.round(thinned(frame, factor, mean=True)).astype(np.uint8) for frame in frames]
    uri = f"data:image/gif;base64,{base64.b64encode(gif_bytes(small, per_second=EpochPictures.per_second)).decode('ascii')}"
    left_out = [f"{len(chosen)} of {len(paths)} epochs"] if len(chosen) < len(paths) else []
    left_out += [f"{factor} x {factor} pixels shown as one"] if factor > 1 else []
    return uri, "; ".join(left_out)


def _settings(training: _Training) -> tuple[Fact, ...]:
    """What was fitted and how, in words."""
    config, card = training.record.get("config") or {}, training.card
    found = [
        Fact("channels", ", ".join(card.channels)),
        Fact("network", card.family, _listed(card.config)),
        Fact("voxel size", " x ".join(f"{v:g}" for v in card.voxel_nm) + " nm", "z, y, x"),
        Fact("grey values", card.normalization.replace("_", " ")),
    ]
    for name, value in card.training.items():
        if name not in ("parameters", "kept_step"):
            found.append(Fact(name.replace("_", " "), _listed(value) if isinstance(value, Mapping) else _plain(value)))
    found.append(Fact("augmentation", _listed(config.get("augmentation") or {}) or "as usual"))
    return tuple(found)


def _listed(values: Mapping[str, Any]) -> str:
    """
    >>> _listed({"sections": 3, "widths": [8, 16]})
    'sections 3, widths 8 16'
    """
    return ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in values.items() if value is not None)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " ".join(_plain(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else number(value) if isinstance(value, int) else str(value)
