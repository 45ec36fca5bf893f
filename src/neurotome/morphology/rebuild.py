"""What an encoder remembers of each neuron, as trees and surfaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from neurotome.core import Progress, silent
from neurotome.morphology.decode import write_decoded
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import Shape
from neurotome.morphology.reconstruction import reconstructions

__all__ = ["write_all_decoded"]


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
