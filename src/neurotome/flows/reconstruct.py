"""The main job: EM stack in, neurons out.

image --predict--> boundary.ome.zarr --segment--> fragments, region graph, merges --> neurons.ome.zarr, neurons.csv
                                              truth --score--> scores.json, errors.csv, objects.csv, threshold_curve.csv
                                                       report --> report.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from neurotome import boundary, measure, neurons
from neurotome.blocks import Engine, Step, blocks_of
from neurotome.core import Grid, Image, Progress, silent
from neurotome.core.geometry import Nm3
from neurotome.flows.predict import RESULT as BOUNDARY
from neurotome.flows.predict import image_file, least_bytes, model_id, predict_step
from neurotome.flows.score import compare_step, headline, truth_file, write_comparison
from neurotome.flows.segment import NEURONS, method_settings, segment_step, stored_segmentation, table_step, tidy
from neurotome.flows.workers import Workforce, chosen_block, engine_of, pyramid_step
from neurotome.io import RunFolder, absolute_path, atomic_write_text, ome_zarr, open_image, pyramid_grids, require_free_space
from neurotome.neurons.blockwise import BlockSegmentation, ProbabilityFile
from neurotome.nn import load_card
from neurotome.report import write_report

__all__ = ["Job", "ReconstructSettings", "prepare", "reconstruct"]

ON_MODEL_GRID = "on_model_grid"
"""With --rescale: the folder of what lies on the network's voxels and not on the image's."""

CURVE = tuple(n / 20 for n in range(2, 19))
"""Thresholds of threshold_curve.csv: to look at, never to choose by."""


@dataclass(frozen=True)
class ReconstructSettings:
    """What decides the result. None means: as the network's card says, where it was chosen on validation data."""

    image: str
    voxel_nm: Nm3 | None = None
    truth: str | None = None
    truth_voxel_nm: Nm3 | None = None
    model: str | Path | None = None
    method: str = "agglomerate"
    threshold: float | None = None
    averaging: int = 4
    min_voxels: int | None = None
    rescale: bool = False
    channel: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def reconstruct(
    settings: ReconstructSettings,
    out: Path,
    *,
    workforce: Workforce | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Everything from image to report, in the folder `out`; goes on where an interrupted run stopped.

    workforce: who does the blocks (default: this process); the result is the same.
    Returns the number of neurons and, with a truth, the headline scores.
    Bad input is found before anything is written: see the errors of `io.open_image`, `boundary.prepared` and `neurons.segment`.
    """
    force = workforce or Workforce()
    job = prepare(settings, Path(out).absolute(), force)
    require_free_space(out, least_bytes(job.ready.image.grid, len(job.ready.channels)))
    inputs = {"image": settings.image} | ({"truth": settings.truth} if settings.truth else {})
    start = {"inputs": inputs, "overwrite": overwrite, "progress": progress, "device": job.ready.device}
    with RunFolder.start(out, command="reconstruct", config=job.config, **start) as run:
        if not (run.done("neurons") and (job.truth is None or run.done("score"))):
            with force.executor() as executor:
                _compute(run, job, engine_of(run, executor, progress))
        tidy(run, job.segmentation)
        with run.step("report"):
            write_report(out, progress=progress)
    # Once more, now that the record is complete: the page shows the time and memory of every step.
    write_report(out)
    return {k: run.facts[k] for k in ("neurons", "scores") if k in run.facts}


@dataclass(frozen=True, eq=False)
class Job:
    """A reconstruction of which all that can be wrong has been checked."""

    ready: boundary.Prediction
    image_grid: Grid
    truth: measure.LabelFile | None
    segmentation: BlockSegmentation
    config: Mapping[str, Any]


def prepare(settings: ReconstructSettings, out: Path, workforce: Workforce) -> Job:
    """Check everything and decide everything; nothing is written. Reads the image once, for its grey values."""
    model = settings.model or boundary.DEFAULT_MODEL
    image = open_image(settings.image, voxel_nm=settings.voxel_nm, channel=settings.channel)
    truth = _truth(settings, image)
    card, _ = load_card(model)
    how = method_settings(
        settings.method, card.segmentation, threshold=settings.threshold, min_voxels=settings.min_voxels, options=settings.options
    )
    seen = image_file(settings.image, model, voxel_nm=settings.voxel_nm, channel=settings.channel, rescale=settings.rescale)
    channels = tuple(card.segmentation.get("channels", ())) or None
    ready = boundary.prepared(seen, model, channels=channels, averaging=settings.averaging)
    block = chosen_block(ready.image.grid, workforce.block)
    config = {
        **asdict(settings),
        "image": absolute_path(settings.image),
        "truth": absolute_path(settings.truth) if settings.truth else None,
        "voxel_nm": image.grid.voxel_nm,
        "model": model_id(model),
        "threshold": how.threshold,  # type: ignore[attr-defined]
        "settings": vars(how),
        "block": block,
    }
    folder = out / ON_MODEL_GRID if settings.rescale else out
    segmentation = BlockSegmentation(ProbabilityFile(str(out / BOUNDARY)), ready.image.grid, how, folder, block)
    return Job(ready, image.grid, truth, segmentation, config)


def _truth(settings: ReconstructSettings, image: Image) -> measure.LabelFile | None:
    if settings.truth is None:
        return None
    truth = truth_file(absolute_path(settings.truth), settings.truth_voxel_nm, image.grid)
    truth.open().grid.require_same(image.grid, f"truth '{settings.truth}'", f"image '{settings.image}'")
    return truth


def _compute(run: RunFolder, job: Job, engine: Engine) -> None:
    """Every step on blocks. What is finished is not done again; what was damaged since is."""
    labels = run / NEURONS
    if not run.done("neurons"):
        predict_step(run, job.ready, engine)
        segment_step(run, job.segmentation, engine)
        if job.ready.source.resample_nm:
            _bring_back(job, labels, engine)
        run.keep({"channels": job.ready.channels, "model_card": job.ready.card.to_json()})
        table_step(run, engine, labels)
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
