"""The main job: EM stack in, neurons out.

image --predict--> boundary.ome.zarr --segment--> fragments, region graph, merges --> neurons.ome.zarr, neurons.csv, skeletons/
                                              truth --score--> scores.json, errors.csv, objects.csv, threshold_curve.csv
                                                       report --> report.html
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from neurotome import boundary, measure, neurons
from neurotome.blocks import Engine, Plan, Step, blocks_of
from neurotome.core import Progress, silent
from neurotome.flows.plan import plan_of
from neurotome.flows.predict import least_bytes, predict_step
from neurotome.flows.prepare import Job, ReconstructSettings, prepare
from neurotome.flows.score import compare_step, headline, write_comparison
from neurotome.flows.segment import NEURONS, segment_step, stored_segmentation, table_step, tidy
from neurotome.flows.skeletons import skeleton_step
from neurotome.flows.workers import Workforce, engine_of, pyramid_step
from neurotome.io import RunFolder, atomic_write_text, ome_zarr, pyramid_grids, require_free_space
from neurotome.report import write_report

__all__ = ["reconstruct"]

CURVE = tuple(n / 20 for n in range(2, 19))
"""Thresholds of threshold_curve.csv: to look at, never to choose by."""


def reconstruct(
    settings: ReconstructSettings,
    out: Path,
    *,
    workforce: Workforce | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
    announce: Callable[[Plan], None] | None = None,
) -> dict[str, Any]:
    """Everything from image to report, in the folder `out`; goes on where an interrupted run stopped.

    workforce: who does the blocks (default: this process); the result is the same. announce: told the plan before work begins.
    Returns the number of neurons and, with a truth, the headline scores.
    Bad input is found before anything is written: see the errors of `io.open_image`, `boundary.prepared` and `neurons.segment`.
    """
    force = workforce or Workforce()
    job = prepare(settings, Path(out).absolute(), force)
    if announce is not None:
        announce(plan_of(job, settings, force))
    require_free_space(out, least_bytes(job.ready.image.grid, len(job.ready.channels)))
    inputs = {"image": settings.image} | ({"truth": settings.truth} if settings.truth else {})
    start = {"inputs": inputs, "overwrite": overwrite, "progress": progress, "device": job.ready.device}
    with RunFolder.start(out, command="reconstruct", config=job.config, **start) as run:
        if not all(run.done(step) for step in job.steps):
            with force.executor() as executor:
                _compute(run, job, engine_of(run, executor, progress))
        tidy(run, job.segmentation)
        with run.step("report"):
            write_report(out, progress=progress)
    # Once more, now that the record is complete: the page shows the time and memory of every step.
    write_report(out)
    return {k: run.facts[k] for k in ("neurons", "scores") if k in run.facts}


def _compute(run: RunFolder, job: Job, engine: Engine) -> None:
    """Every step on blocks. What is finished is not done again; what was damaged since is."""
    labels = (run / NEURONS).absolute()
    if not run.done("neurons"):
        predict_step(run, job.ready, engine)
        segment_step(run, job.segmentation, engine)
        if job.ready.source.resample_nm:
            _bring_back(job, labels, engine)
        run.keep({"channels": job.ready.channels, "model_card": job.ready.card.to_json()})
        table_step(run, engine, labels)
    if job.skeletons and not run.done("skeletons"):
        skeleton_step(run, engine, labels)
    if job.truth is not None and not run.done("score"):
        _score(run, engine, labels, job.truth)


def _bring_back(job: Job, labels: Path, engine: Engine) -> None:
    """Neurons on the grid of the image, where they were found on the network's."""
    if not labels.exists():
        levels = len(pyramid_grids(job.image_grid))
        ome_zarr.create(labels, shape=job.image_grid.shape, dtype="uint64", grid=job.image_grid, kind="labels", levels=levels)
    work = boundary.BringBack(job.segmentation.neurons, labels)
    engine.run(Step("bring-back", blocks_of(job.image_grid, ome_zarr.SHARD), work, "back to the image's voxels"))
    pyramid_step(engine, labels)


def _score(run: RunFolder, engine: Engine, labels: Path, truth: measure.LabelFile) -> None:
    with run.step("score"):
        comparison = compare_step(engine, measure.LabelFile(str(labels)), truth, truth_parts="components")
        scores = write_comparison(run, comparison, engine.progress)
        stored = stored_segmentation(run.path)
        if stored is not None:
            curve = neurons.threshold_table(stored, truth.open(), CURVE)
            atomic_write_text(run / "threshold_curve.csv", curve.to_csv(index=False))
        run.keep({"scores": headline(scores)})
