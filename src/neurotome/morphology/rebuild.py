"""What an encoder remembers, as files: scores and curves for a page, trees and surfaces for everybody else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from neurotome.core import Progress, silent
from neurotome.io import atomic_write_json, atomic_write_text, save_arrays
from neurotome.morphology.decode import write_decoded
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import Shape
from neurotome.morphology.reconstruct import Reconstructed, reconstructions

__all__ = ["write_all_decoded", "write_reconstruction"]


def write_reconstruction(folder: Path, found: Reconstructed) -> None:
    """Write scores.csv (a row per neuron), curve.csv, histogram.csv, numbers.json and, of the grids that were kept, examples.npz.

    examples.npz: names; truth, eight voxels in a byte along the last axis; probability, uint8, 255 for 1.
    """
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write_text(folder / "scores.csv", found.table.rename_axis("neuron").to_csv())
    atomic_write_text(folder / "curve.csv", found.curve.to_csv(index=False))
    atomic_write_text(folder / "histogram.csv", found.histogram.to_csv(index=False))
    atomic_write_json(folder / "numbers.json", found.to_json())
    if found.kept:
        save_arrays(
            folder / "examples.npz",
            names=np.array([one.name for one in found.kept]),
            truth=np.stack([np.packbits(one.truth.data, axis=-1) for one in found.kept]),
            probability=np.stack([np.rint(255 * one.probability.data).astype(np.uint8) for one in found.kept]),
        )


def write_all_decoded(
    folder: Path,
    shapes: Iterable[Shape],
    encoder: ShapeEncoder,
    *,
    threshold: float,
    files: Sequence[str] = ("swc", "obj"),
    progress: Progress = silent,
) -> list[str]:
    """Write what comes back of each neuron, in nm of its own space; those that are there already stay.

    Returns the names of neurons of which no voxel came back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = len(shapes) if hasattr(shapes, "__len__") else 0
    empty = []
    for done, one in enumerate(reconstructions(shapes, encoder), 1):
        progress("decoded neurons", done, max(total, done))
        if all((folder / f"{one.name}.{kind}").is_file() for kind in files):
            continue
        if float(one.probability.data.max()) > threshold:
            write_decoded(folder, one.probability, threshold=threshold, files=files)
        else:
            empty.append(one.name)
    return empty
