"""What an encoder remembers: neurons through it and back to trees and surfaces, in place and in nanometres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neurotome import morphology
from neurotome.core import Progress, ValueRangeError, silent
from neurotome.flows.shapes.files import given_shapes, require_elsewhere
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
    require_elsewhere(paths, out, overwrite=overwrite)
    if threshold is not None and not 0 < threshold < 1:
        raise ValueRangeError(f"--threshold {threshold:g}", "a probability between 0 and 1", "choose another one")
    encoder = morphology.load_encoder(model or morphology.DEFAULT_ENCODER)
    # Before the folder is made: the same command with --skip-bad is another run.
    shapes = given_shapes(paths, unit, skip_bad=skip_bad).readable(progress)
    config = {
        "shapes": [absolute_path(path) for path in paths],
        "model": encoder.identity,
        "threshold": threshold,
        "unit": unit,
        "meshes": meshes,
        "skip_bad": skip_bad,
        "shapes_sha256": shapes.sha256,
    }
    with RunFolder.start(out, command="morphology rebuild", config=config, overwrite=overwrite, progress=progress) as run:
        if not run.done("rebuild"):
            with run.step("rebuild"):
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
            left_out = morphology.left_out_notes([vars(one) for one in shapes.skipped])
            run.keep({"notes": [*left_out, *(f"'{name}' has no voxel above the threshold" for name in empty)]})
    return dict(run.facts)
