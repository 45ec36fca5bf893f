"""How good a trained network is: a threshold chosen on validation neurons, and scores of every neuron held back at it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurotome.io import atomic_target
from neurotome.measure.occupancy import best_threshold, occupancy_scores, occupied, summarised, threshold_sweep
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import voxelise
from neurotome.morphology.training.data import ShapeData

__all__ = ["Judgement", "judged"]

HELD = ("val", "test")
QUOTED = ("f1", "iou", "precision", "recall", "f1_1vox", "chamfer_vox", "cldice")

Judgement = tuple[dict[str, float], tuple[dict[str, Any], ...]]
"""For a card: thresholds by name, and scores."""


def judged(encoder: ShapeEncoder, data: ShapeData, out: Path) -> Judgement:
    """Thresholds with the highest mean F1 over the validation neurons, and what the card says of validation and test at them.

    There is one for each way of reconstruction: "threshold" of the usual one, "threshold_" and its name of the others.
    Writes thresholds.csv, a row per way and threshold, and scores.csv, a row per way and neuron held back.
    """
    thresholds, sweeps, tables, told = {}, [], [], []
    for source in encoder.reconstructions:
        validation = data.rows("val")
        probabilities = (grid for grid, _ in _answers(encoder, source, data, validation))
        sweep = threshold_sweep(probabilities, (_truth(data, row) for row in validation))
        threshold = best_threshold(sweep)
        usual = source == encoder.reconstructions[0]
        thresholds["threshold" if usual else f"threshold_{source}"] = threshold
        sweeps.append(sweep.assign(source=source))
        for part in HELD:
            table = _scores(encoder, source, data, part, threshold)
            tables.append(table)
            told += _told(table, {"part": part, "source": source, "threshold": threshold})
    _write(pd.concat(sweeps), out / "thresholds.csv")
    _write(pd.concat(tables), out / "scores.csv")
    return thresholds, tuple(told)


def _scores(encoder: ShapeEncoder, source: str, data: ShapeData, part: str, threshold: float) -> pd.DataFrame:
    """All scores of each neuron of a part at a threshold."""
    found = []
    for row, (grid, voxel_nm) in zip(data.rows(part), _answers(encoder, source, data, data.rows(part)), strict=True):
        scores = occupancy_scores(occupied(grid, threshold), _truth(data, row), voxel_nm=voxel_nm)
        found.append({"name": data.shapes[row].name, "part": part, "source": source, **scores})
    return pd.DataFrame(found)


def _answers(encoder: ShapeEncoder, source: str, data: ShapeData, rows: list[int]) -> Iterator[tuple[np.ndarray, float]]:
    """For each neuron the probabilities, and the side of a voxel in nm."""
    for row in rows:
        drawn = voxelise(data.shapes[row], data.settings)
        half_um = (drawn.frame.hi_nm - drawn.frame.lo_nm) / 2000.0
        grid = drawn.data if drawn.data.dtype.kind == "f" else drawn.data.astype(np.uint8)
        yield encoder.reconstruct(grid[None], np.array([math.log(half_um)], np.float32), source)[0], drawn.frame.voxel_nm


def _truth(data: ShapeData, row: int) -> np.ndarray:
    """A voxel of a soft grid is occupied when half of it is."""
    return np.asarray(voxelise(data.shapes[row], data.settings).data >= 0.5)


def _told(table: pd.DataFrame, of: dict[str, Any]) -> list[dict[str, Any]]:
    """Mean, median and the bootstrap interval of the mean over neurons, of the scores that are quoted. Nothing for no neurons."""
    if not len(table):
        return []
    finite = table[list(QUOTED)].replace([np.inf], np.nan).dropna(axis=1)
    return [
        {
            "metric": name,
            "value": round(float(row["mean"]), 4),
            **{key: round(float(row[key]), 4) for key in ("median", "low", "high")},
            "neurons": len(table),
            **of,
        }
        for name, row in summarised(finite).iterrows()
    ]


def _write(table: pd.DataFrame, path: Path) -> None:
    with atomic_target(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
