"""How good a trained network is: a threshold chosen on validation neurons, and scores of every neuron held back at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from neurotome.io import atomic_target
from neurotome.measure.occupancy import best_threshold, occupancy_scores, occupied, summarised, threshold_sweep
from neurotome.morphology.occupancy import voxelise
from neurotome.morphology.training.data import ShapeData
from neurotome.nn.occupancy.residual import VoxelAutoencoder

__all__ = ["judged", "probability"]

HELD = ("val", "test")


def judged(network: Any, data: ShapeData, out: Path, batch: int) -> tuple[float, tuple[dict[str, Any], ...]]:
    """The threshold with the highest mean F1 over the validation neurons, and what the card says of validation and test at it.

    Writes thresholds.csv, a row per threshold, and scores.csv, a row per neuron held back.
    """
    rows = {part: data.rows(part) for part in HELD}
    probabilities = (grid for grid, _ in _answers(network, data, rows["val"], batch))
    sweep = threshold_sweep(probabilities, (_truth(data, row) for row in rows["val"]))
    threshold = best_threshold(sweep)
    found = []
    for part in HELD:
        for row, (grid, voxel_nm) in zip(rows[part], _answers(network, data, rows[part], batch), strict=True):
            scores = occupancy_scores(occupied(grid, threshold), _truth(data, row), voxel_nm=voxel_nm)
            found.append({"name": data.shapes[row].name, "part": part, **scores})
    table = pd.DataFrame(found)
    _write(sweep, out / "thresholds.csv")
    _write(table, out / "scores.csv")
    return threshold, tuple(_told(table[table.part == part], part, threshold) for part in HELD if rows[part])


def probability(network: Any, grids: torch.Tensor, log_extent: torch.Tensor) -> torch.Tensor:
    """What a network makes of grids (b, g, g, g): the probability of each voxel, same shape, float32. Of ours, from z alone."""
    if isinstance(network, VoxelAutoencoder):
        answer: torch.Tensor = torch.sigmoid(network(grids[:, None].float())[:, 0].float())
        return answer
    return network.from_bottleneck(network(grids, log_extent).z).float()


def _answers(network: Any, data: ShapeData, rows: list[int], batch: int) -> Iterator[tuple[np.ndarray, float]]:
    """For each neuron the probabilities, and the side of a voxel in nm."""
    for start in range(0, len(rows), batch):
        drawn = [voxelise(data.shapes[row], data.settings) for row in rows[start : start + batch]]
        grids = torch.from_numpy(np.stack([one.data for one in drawn]))
        half_um = [(one.frame.hi_nm - one.frame.lo_nm) / 2000.0 for one in drawn]
        with torch.inference_mode():
            found = probability(network, grids, torch.tensor(half_um, dtype=torch.float32).log()).numpy()
        yield from zip(found, (one.frame.voxel_nm for one in drawn), strict=True)


def _truth(data: ShapeData, row: int) -> np.ndarray:
    """Soft grids hold what they cover by half."""
    return voxelise(data.shapes[row], data.settings).data >= 0.5


def _told(table: pd.DataFrame, part: str, threshold: float) -> dict[str, Any]:
    """Mean, median and the bootstrap interval of the mean over neurons, of the scores that are ever quoted."""
    quoted = summarised(table[["f1", "iou", "precision", "recall", "f1_1vox"]])
    values = {
        name: {key: round(float(row[key]), 4) for key in ("mean", "median", "low", "high")} for name, row in quoted.iterrows()
    }
    return {"part": part, "threshold": threshold, "neurons": len(table), **values}


def _write(table: pd.DataFrame, path: Path) -> None:
    with atomic_target(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
