"""How well the encoder keeps a shape: the threshold, the probabilities, and truth beside prediction in space."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.io import load_arrays
from neurotome.report.charts import Curve, histogram, line_chart
from neurotome.report.facts import card_of_run, number
from neurotome.report.morphology.run import NEURON, ShapeRun, rows_by_id
from neurotome.report.results import Row, csv_rows

__all__ = ["Reconstruction", "reconstruction_of"]

SHOWN = {
    "f1": "F1",
    "iou": "IoU",
    "precision": "precision",
    "recall": "recall",
    "f1_1vox": "F1, one voxel of tolerance",
    "cldice": "clDice",
    "chamfer_nm": "Chamfer distance (nm)",
}
LEAST_SHOWN = 0.4
"""Of the histogram of probabilities: nearly all voxels are empty and far below."""


@dataclass(frozen=True)
class Reconstruction:
    """rows: score, median, quartiles, as text. said: where the threshold comes from, and the best on these neurons.

    figures: name and Plotly figure of each example, as JSON for the page.
    """

    neurons: int
    said: str
    rows: tuple[tuple[str, str, str], ...]
    curve: str
    histogram: str
    figures: tuple[Mapping[str, Any], ...]

    @property
    def figures_json(self) -> str:
        return json.dumps(self.figures).replace("<", "\\u003c")


def reconstruction_of(run: ShapeRun) -> Reconstruction | None:
    """What the folder reconstruction/ holds; None where there is none."""
    folder = run.folder / "reconstruction"
    if not folder.is_dir():
        return None
    rows = rows_by_id(folder / "scores.csv", *NEURON)
    threshold = _number(run.results.facts.get("threshold"))
    scores, curve, card = [row for _, row in rows], csv_rows(folder / "curve.csv"), card_of_run(run.results)
    return Reconstruction(
        len(rows),
        _about_threshold(curve, threshold, from_card=threshold == _number((card.segmentation if card else {}).get("threshold"))),
        tuple(_summary(scores, key, name) for key, name in SHOWN.items() if scores and key in scores[0]),
        _curve(curve, threshold),
        _histogram(csv_rows(folder / "histogram.csv"), threshold),
        tuple(_figures(folder / "examples.npz", threshold, dict(rows))),
    )


def _summary(rows: Sequence[Row], key: str, name: str) -> tuple[str, str, str]:
    values = [value for row in rows if (value := _number(row.get(key))) is not None]
    if not values:
        return name, "-", ""
    low, middle, high = np.percentile(values, [25, 50, 75]).tolist()
    plain = number if key.endswith("_nm") else "{:.3f}".format
    return name, plain(middle), f"{plain(low)} to {plain(high)}"


def _about_threshold(curve: Sequence[Row], threshold: float | None, *, from_card: bool) -> str:
    known = [(value, row["threshold"]) for row in curve if (value := _number(row.get("f1"))) is not None]
    said = []
    if threshold is not None:
        said.append(f"{threshold:g}, {'the threshold of the encoder' if from_card else 'the threshold of this run'}, was used.")
    if known:
        best, where = max(known, key=lambda pair: (pair[0], -pair[1]))
        said.append(f"On these neurons F1 is highest at {where:g} ({best:.3f}).")
    return " ".join(said)


def _curve(rows: Sequence[Row], threshold: float | None) -> str:
    curves = []
    for kind, key in enumerate(("f1", "iou"), 1):
        points = [(row["threshold"], value) for row in rows if (value := _number(row.get(key))) is not None]
        if len(points) > 1:
            curves.append(Curve(SHOWN[key], [x for x, _ in points], [y for _, y in points], kind))
    return line_chart(curves, "threshold", "mean over neurons", "Scores by threshold", threshold, mark="used")


def _histogram(rows: Sequence[Row], threshold: float | None) -> str:
    bins = [row for row in rows if row["low"] >= LEAST_SHOWN - 1e-9]
    edges = [float(row["low"]) for row in bins] + [float(row["high"]) for row in bins[-1:]]
    parts = [key for key in ("occupied", "background", "count") if bins and key in bins[0]]
    stacks = {name: [float(row[name]) for row in bins] for name in parts}
    return histogram(edges, stacks, "probability", "voxels per neuron", "Probabilities", threshold, mark="threshold")


def _figures(path: Path, threshold: float | None, scores: Mapping[str, Row]) -> list[Mapping[str, Any]]:
    if not path.is_file() or threshold is None:
        return []
    from neurotome.report.occupancy3d import occupancy_figure

    stored = load_arrays(path, "names", "truth", "probability")
    side = stored["probability"].shape[-1]
    found: list[Mapping[str, Any]] = []
    for name, bits, probability in zip(stored["names"].tolist(), stored["truth"], stored["probability"], strict=True):
        truth = np.unpackbits(bits, axis=-1, count=side).astype(bool)
        figure = occupancy_figure(truth, probability / 255 > threshold)
        found.append({"name": str(name), "figure": json.loads(figure.to_json())})
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) else None
