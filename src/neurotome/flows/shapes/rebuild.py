"""What an encoder remembers: neurons through it and back to trees and surfaces, in place and in nanometres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neurotome import morphology
from neurotome.core import Progress, silent
from neurotome.flows.shapes.files import given_shapes
from neurotome.io import RunFolder, absolute_path

__all__ = ["rebuild_shapes"]


def rebuild_shapes(
    paths: Sequence[str],
    out: Path,
    *,
    model: str | None = None,
    threshold: float | None = None,
    unit: str | None = None,
    meshes: bool = True,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """`neurotome morphology rebuild`: decoded/NAME.swc and .obj for each neuron, reconstruction/ with scores and curves.

    Returns the number of neurons and the medians of F1 and IoU. A neuron of which no voxel comes back has no files; it is named
    in the notes.
    """
    shapes = given_shapes(paths, unit, skip_bad=skip_bad)
    encoder = morphology.load_encoder(model or morphology.DEFAULT_ENCODER)
    config = {
        "shapes": [absolute_path(path) for path in paths],
        "model": encoder.identity,
        "threshold": threshold,
        "unit": unit,
        "meshes": meshes,
        "skip_bad": skip_bad,
    }
    with RunFolder.start(out, command="morphology rebuild", config=config, overwrite=overwrite, progress=progress) as run:
        if not run.done("rebuild"):
            with run.step("rebuild"):
                shapes = shapes.readable(progress)
                found = morphology.reconstruct(shapes, encoder, threshold=threshold, keep=(), progress=progress)
                found.write(run / "reconstruction")
            medians = found.summary["median"]
            run.keep(
                {
                    "neurons": len(found.table),
                    "f1": float(medians["f1"]),
                    "iou": float(medians["iou"]),
                    "threshold": found.threshold,
                }
            )
        if not run.done("decode"):
            with run.step("decode"):
                files = ("swc", "obj") if meshes else ("swc",)
                empty = morphology.write_all_decoded(
                    run / "decoded", shapes, encoder, threshold=run.facts["threshold"], files=files, progress=progress
                )
            run.keep({"notes": [f"'{name}' has no voxel above the threshold" for name in empty]})
    return dict(run.facts)
