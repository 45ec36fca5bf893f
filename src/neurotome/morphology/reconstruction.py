"""What an encoder remembers of neurons: each is put through it and compared with what comes back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import InputError, Occupancy, Progress, Scores, silent
from neurotome.io.arrays import save_arrays
from neurotome.io.atomic import atomic_target, atomic_write_json
from neurotome.measure.occupancy import (
    mean_histogram,
    mean_sweep,
    occupancy_scores,
    occupancy_summary,
    occupied,
    overlap,
    probability_histogram,
    summarised,
    threshold_sweep,
)
from neurotome.morphology.embedding import log_extent
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import Shape, voxelise
from neurotome.morphology.thresholds import ThresholdChoice

__all__ = ["ComparedVoxels", "Reconstructed", "Reconstruction", "reconstruct", "reconstructions"]

BORDER = 0.1
"""Around what is drawn of two grids, as a share of its longest side."""


@dataclass(frozen=True, eq=False)
class ComparedVoxels:
    """What a picture of a truth and its reconstruction shows. both, missed, added: (n, 3) int64 voxels, z, y, x.

    box: lowest and highest corner (2, 3) of what is worth showing: all voxels and a border of a tenth around them.
    """

    name: str
    threshold: float
    f1: float
    iou: float
    both: np.ndarray
    missed: np.ndarray
    added: np.ndarray
    box: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in vars(self).items()}


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A neuron and what came back. truth: bool. probability: float32, of being occupied, on the same grid."""

    truth: Occupancy
    probability: Occupancy

    @property
    def name(self) -> str:
        return self.truth.name

    def above(self, threshold: float) -> np.ndarray:
        """The reconstructed voxels, (g, g, g) bool."""
        return occupied(self.probability.data, threshold)

    def scores(self, threshold: float) -> dict[str, float]:
        """As from `occupancy_scores`."""
        return occupancy_scores(self.above(threshold), self.truth.data, voxel_nm=self.truth.frame.voxel_nm)

    def compared(self, threshold: float) -> ComparedVoxels:
        """The voxels of both grids, of one alone, and of the other alone."""
        truth, found = self.truth.data, self.above(threshold)
        agreement = overlap(found, truth)
        both, missed, added = np.argwhere(truth & found), np.argwhere(truth & ~found), np.argwhere(found & ~truth)
        box = _box(np.concatenate([both, missed, added]), len(truth))
        return ComparedVoxels(self.name, threshold, agreement.f1, agreement.iou, both, missed, added, box)


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """Many neurons and what came back, sorted by name.

    table: a row per neuron, a column per score at the threshold. curve: mean scores at every threshold. histogram: mean number of
    voxels per neuron by probability. kept: the grids that were asked for. model: name and weights, and what grids were made from.
    """

    threshold: float
    table: pd.DataFrame
    curve: pd.DataFrame
    histogram: pd.DataFrame
    kept: tuple[Reconstruction, ...]
    model: Mapping[str, str]

    @property
    def summary(self) -> pd.DataFrame:
        """For each score mean, median, and the 95 % interval of the mean over neurons."""
        return summarised(self.table)

    @property
    def scores(self) -> Scores:
        """The means."""
        return occupancy_summary(self.table)

    def choice(self, metric: str = "f1") -> ThresholdChoice:
        """The threshold that suits these neurons best, to be used on others."""
        return ThresholdChoice.of(self.curve, self.table.index, metric)

    def to_json(self) -> dict[str, Any]:
        """The numbers of every figure, but for the voxels."""
        return {
            "model": dict(self.model),
            "threshold": self.threshold,
            "neurons": len(self.table),
            "scores": self.summary.to_dict(orient="index"),
            "curve": self.curve.to_dict(orient="list"),
            "histogram": self.histogram.to_dict(orient="list"),
        }

    def write(self, folder: Path | str) -> list[Path]:
        """Write what figures need: scores.csv (a row per neuron), curve.csv, histogram.csv, reconstruction.json (the same numbers
        and their intervals), and examples.npz with the kept grids.

        examples.npz: names (k,), truth, bits along x, and probability, in 255ths, rounded so that the same voxels as ever are
        above the threshold.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / name for name in ("scores.csv", "curve.csv", "histogram.csv", "reconstruction.json", "examples.npz")]
        tables = (self.table, self.curve.set_index("threshold"), self.histogram.set_index("low"))
        for path, table in zip(paths, tables, strict=False):
            with atomic_target(path) as temporary:
                table.to_csv(temporary)
        atomic_write_json(paths[3], self.to_json())
        save_arrays(
            paths[4],
            compress=True,
            names=np.array([one.name for one in self.kept], dtype=np.str_),
            truth=np.array([np.packbits(one.truth.data, axis=-1) for one in self.kept], np.uint8),
            probability=np.array([_in_255ths(one.probability.data, self.threshold) for one in self.kept], np.uint8),
        )
        return paths


def reconstructions(shapes: Iterable[Shape], encoder: ShapeEncoder, *, source: str | None = None) -> Iterator[Reconstruction]:
    """One neuron after the other through an encoder; only one is held at a time.

    The truth is what the neuron takes up (mode "hits"), also where the encoder looks at soft grids. source: see
    `ShapeEncoder.reconstruct`.
    """
    hits = encoder.settings.but(mode="hits") if encoder.settings.mode in ("soft", "edt") else encoder.settings
    for shape in shapes:
        seen = voxelise(shape, encoder.settings)
        truth = seen if hits is encoder.settings else voxelise(shape, hits, seen.frame)
        extent = np.array([log_extent(seen.frame)], np.float32)
        probability = encoder.reconstruct(seen.data[None], extent, source)[0]
        yield Reconstruction(Occupancy(truth.data > 0, truth.frame, shape.name), Occupancy(probability, truth.frame, shape.name))


def reconstruct(
    shapes: Iterable[Shape],
    encoder: ShapeEncoder,
    *,
    threshold: float | ThresholdChoice | None = None,
    source: str | None = None,
    keep: Collection[str] | None = (),
    progress: Progress = silent,
) -> Reconstructed:
    """Put neurons through an encoder and score what comes back.

    threshold: a number; one chosen on other neurons, refused for those it was chosen on; or that of the encoder. keep: names of
    neurons whose grids are kept, None for all, 5 bytes a voxel each.
    Raises InputError for no neurons, two of one name, names to keep that do not occur, and a neuron the threshold was chosen on.
    """
    level = _level(threshold, encoder, source)
    rows: dict[str, dict[str, float]] = {}
    curves, histograms, kept = [], [], []
    total = len(shapes) if hasattr(shapes, "__len__") else 0
    for one in reconstructions(shapes, encoder, source=source):
        if one.name in rows:
            raise InputError(f"Two neurons are called '{one.name}'", "unique names", "rename one of them")
        if isinstance(threshold, ThresholdChoice):
            threshold.require_unseen([one.name])
        rows[one.name] = one.scores(level)
        curves.append(threshold_sweep([one.probability.data], [one.truth.data]))
        histograms.append(probability_histogram(one.probability.data, one.truth.data))
        if keep is None or one.name in keep:
            kept.append(one)
        progress("reconstructed neurons", len(rows), max(total, len(rows)))
    if not rows:
        raise InputError("No neurons to reconstruct", "at least one", "check the paths")
    if missing := sorted(set(keep or ()) - rows.keys()):
        raise InputError(f"No neuron is called '{missing[0]}'", "names of neurons that are reconstructed", "look at their list")
    table = pd.DataFrame.from_dict(rows, orient="index").sort_index().rename_axis("neuron_id")
    model = {**encoder.identity, "source": source or encoder.reconstructions[0]}
    kept.sort(key=lambda one: one.name)
    return Reconstructed(level, table, mean_sweep(curves), mean_histogram(histograms), tuple(kept), model)


def _level(threshold: float | ThresholdChoice | None, encoder: ShapeEncoder, source: str | None) -> float:
    if isinstance(threshold, ThresholdChoice):
        return threshold.threshold
    return encoder.threshold(source) if threshold is None else float(threshold)


def _in_255ths(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Rounded, but never to the other side of the threshold."""
    last_below = int(np.floor(255 * threshold))
    rounded = np.rint(255 * probability)
    above = occupied(probability, threshold)
    return np.where(above, np.maximum(rounded, last_below + 1), np.minimum(rounded, last_below)).astype(np.uint8)


def _box(voxels: np.ndarray, grid: int) -> np.ndarray:
    if not len(voxels):
        return np.array([[0, 0, 0], [grid, grid, grid]])
    low, high = voxels.min(0), voxels.max(0) + 1
    border = int(np.ceil(BORDER * (high - low).max()))
    return np.array([np.maximum(low - border, 0), np.minimum(high + border, grid)])
