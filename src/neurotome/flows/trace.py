"""Light microscopy: a stack in, trees out.

image --predict--> probability.ome.zarr --count, gather--> bricks in memory --trace--> skeletons/NAME.swc, neurons.csv, ...
image --project--> projections.npz      trees, truth --score--> scores.json, errors.csv      all of it --report--> report.html
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neurotome import tracing
from neurotome.blocks import Engine, Step, blocks_of
from neurotome.core import Grid, InputError, Progress, Skeleton, UnitError, silent
from neurotome.core.geometry import Int3, Nm3
from neurotome.flows.predict import model_id
from neurotome.flows.score_trees import write_tree_scores
from neurotome.flows.workers import Workforce, chosen_block, engine_of, pyramid_step
from neurotome.io import (
    RunFolder,
    absolute_path,
    atomic_write_text,
    open_image,
    pyramid_grids,
    read_swc,
    require_free_space,
    save_arrays,
    write_node_table,
    write_swc,
)
from neurotome.measure.trees import sholl, tree_summary
from neurotome.report import write_tracing_report

__all__ = ["TraceJob", "trace"]

PROBABILITY, PROJECTIONS = "probability.ome.zarr", "projections.npz"
TEMPORARY = ("blocks", "counts", "bricks", "views")
SHOLL_STEP_NM = 10_000.0


@dataclass(frozen=True)
class TraceJob:
    """What decides the result. One of probability (a map somebody else made), raw (the grey values as they are) and model.

    seed: voxels as "z,y,x"; seeds: a file of them. options: settings of `tracing.TraceSettings`, or of another method, by name.
    """

    image: str
    voxel_nm: Nm3 | None = None
    channel: str | None = None
    probability: str | None = None
    raw: bool = False
    model: str | Path | None = None
    method: str = "scooping"
    threshold: float | None = None
    seed: tuple[str, ...] = ()
    seeds: str | None = None
    truth: str | None = None
    truth_unit: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = [name for name, value in self._sources().items() if value]
        if len(given) > 1:
            raise InputError(f"--{' and --'.join(given)} at once", "one of them", "leave out the others")

    def _sources(self) -> dict[str, Any]:
        return {"probability": self.probability, "raw": self.raw, "model": self.model}


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A job of which all that can be wrong has been checked, as far as that is quick."""

    job: TraceJob
    grid: Grid
    prediction: tracing.NeuritePrediction | None
    settings: tracing.TraceSettings
    seeds: Any
    truth: Skeleton | None
    config: Mapping[str, Any]

    def source(self, out: Path) -> tracing.ValuesFile:
        """Where the values to trace are, or will be."""
        job = self.job
        if self.prediction is not None:
            return tracing.ValuesFile(str(out / PROBABILITY))
        if job.raw:
            return tracing.ValuesFile(absolute_path(job.image), "image", self.grid.voxel_nm, job.channel)
        return tracing.ValuesFile(absolute_path(str(job.probability)), "probability", self.grid.voxel_nm)


def trace(
    job: TraceJob,
    out: Path,
    *,
    workforce: Workforce | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """`neurotome trace`: everything from stack to report, in the folder `out`; goes on where an interrupted run stopped.

    workforce: who does the blocks (default: this process); the trees are the same. Returns the number of trees, their length,
    the SWC file and, with a truth, the headline scores.
    """
    force = workforce or Workforce()
    out = Path(out).absolute()
    ready = _prepared(job, force)
    require_free_space(out, ready.grid.size // 10)
    given = {"image": job.image, "probability": job.probability, "truth": job.truth, "seeds": job.seeds}
    inputs = {name: path for name, path in given.items() if path}
    device = ready.prediction.device if ready.prediction else "cpu"
    start = {"inputs": inputs, "overwrite": overwrite, "progress": progress, "device": device}
    with RunFolder.start(out, command="trace", config=ready.config, **start) as run:
        if not (run.done("trace") and run.done("project")):
            with force.executor() as executor:
                _compute(run, ready, engine_of(run, executor, progress), force)
        if ready.truth is not None and not run.done("score"):
            with run.step("score"):
                traced = read_swc(run / run.facts["swc"]).skeleton
                run.keep({"scores": write_tree_scores(run, traced, ready.truth, ready.grid)})
        for name in TEMPORARY:
            shutil.rmtree(run / name, ignore_errors=True)
        with run.step("report"):
            write_tracing_report(out)
    # Once more, now that the record is complete: the page shows the time and memory of every step.
    write_tracing_report(out)
    return dict(run.facts)


def _prepared(job: TraceJob, workforce: Workforce) -> _Prepared:
    image = open_image(job.image, voxel_nm=job.voxel_nm, channel=job.channel)
    tracing.require_stack(image)
    # What is wrong with the words is found before a network is loaded.
    settings = tracing.trace_settings(job.method, job.options, threshold=job.threshold, raw=job.raw)
    prediction = None
    if job.probability is not None:
        _stored_grid(job.probability, image.grid).require_same(
            image.grid, f"probability '{job.probability}'", f"image '{job.image}'"
        )
    elif not job.raw:
        stack = tracing.StackFile(absolute_path(job.image), image.grid.voxel_nm, job.channel)
        prediction = tracing.prepared_neurites(stack, job.model or tracing.DEFAULT_NEURITE_MODEL)
        tuned = prediction.card.segmentation
        settings = tracing.trace_settings(job.method, job.options, threshold=job.threshold, tuned=tuned)
    config = {
        **vars(job),
        "image": absolute_path(job.image),
        "voxel_nm": image.grid.voxel_nm,
        "probability": absolute_path(job.probability) if job.probability else None,
        "seeds": absolute_path(job.seeds) if job.seeds else None,
        "truth": absolute_path(job.truth) if job.truth else None,
        "model": model_id(prediction.model) if prediction else None,
        "settings": vars(settings),
    }
    seeds = tracing.read_seeds(job.seed, job.seeds, image.grid)
    return _Prepared(job, image.grid, prediction, settings, seeds, _truth(job, image.grid), config)


def _stored_grid(probability: str, grid: Grid) -> Grid:
    """The grid that a map states, with voxels of the image's size where it states none."""
    try:
        return tracing.ValuesFile(absolute_path(probability)).grid()
    except UnitError:
        return tracing.ValuesFile(absolute_path(probability), voxel_nm=grid.voxel_nm).grid()


def _truth(job: TraceJob, grid: Grid) -> Skeleton | None:
    if job.truth is None:
        return None
    try:
        truth = read_swc(job.truth, unit=job.truth_unit, voxel_nm=grid.voxel_nm).skeleton
    except UnitError as error:
        if job.truth_unit is not None:
            raise
        raise UnitError(error.given, "um, nm or voxel", "say which with --truth-unit") from error
    if not truth.length_nm > 0:
        raise InputError(f"'{job.truth}' has {len(truth)} nodes and no length", "a tree to score against", "look at the file")
    return truth


def _compute(run: RunFolder, ready: _Prepared, engine: Engine, workforce: Workforce) -> None:
    if ready.prediction is not None and not run.done("predict"):
        _predict(run, ready, engine)
    if not run.done("trace"):
        _trace(run, ready, engine, chosen_block(ready.grid, workforce.block))
    if not run.done("project"):
        _project(run, ready, engine, chosen_block(ready.grid, workforce.block))


def _predict(run: RunFolder, ready: _Prepared, engine: Engine) -> None:
    """The probability of neurite, as a volume in the run folder."""
    assert ready.prediction is not None
    path = run / PROBABILITY
    with run.step("predict"):
        if not path.exists():
            ready.prediction.create(path, levels=len(pyramid_grids(ready.grid)))
        blocks = blocks_of(ready.grid, ready.prediction.block_shape())
        engine.run(Step("predict", blocks, ready.prediction.work(path), "neurites"))
        pyramid_step(engine, path)
    run.keep({"model_card": ready.prediction.card.to_json()})


def _trace(run: RunFolder, ready: _Prepared, engine: Engine, block: Int3) -> None:
    """The trees, in one process: what is not background fits in memory."""
    with run.step("gather"):
        bricks, settings = _gathered(run, ready, engine, tracing.brick_aligned(block))
    with run.step("trace"):
        traced = tracing.trace(bricks, settings, seeds=ready.seeds, origin_nm=ready.grid.origin_nm, progress=engine.progress)
        _write(run, ready, traced)


def _gathered(run: RunFolder, ready: _Prepared, engine: Engine, block: Int3) -> tuple[tracing.Bricks, tracing.TraceSettings]:
    """What is not background, and the settings with the threshold that is used."""
    blocks = blocks_of(ready.grid, block)
    counting = tracing.CountValues(ready.source(run.path), run / "counts")
    step = Step("count", blocks, counting, "values")
    engine.run(step)
    found = tracing.settled(counting, blocks, ready.settings)
    gathering = tracing.GatherBricks(found.source, found.floor, run / "bricks")
    engine.run(Step("gather", blocks, gathering, "foreground"))
    return gathering.joined(blocks), found.settings


def _write(run: RunFolder, ready: _Prepared, traced: tracing.Tracing) -> None:
    """SWC, table of nodes, and the tables of trees, bridges, pieces and contested places.

    Raises InputError where nothing was large enough to be traced.
    """
    if not len(traced.skeleton):
        raise InputError(
            traced.notes[-1], "a piece that is large enough", "lower --threshold, or --set min_component_voxels to what is wanted"
        )
    name = Path(ready.job.image).name.split(".")[0]
    skeleton = replace(traced.skeleton, name=name)
    swc = f"skeletons/{name}.swc"
    write_swc(run / swc, skeleton, header=tracing.swc_header(run.record, ready.grid))
    write_node_table(run / f"skeletons/{name}.nodes.csv", skeleton)
    tables = {
        "neurons": tree_summary(skeleton),
        "bridges": traced.bridges,
        "components": traced.components,
        "contested": traced.contested,
        "sholl": sholl(skeleton.take(skeleton.trees == 0), SHOLL_STEP_NM),
    }
    for what, table in tables.items():
        atomic_write_text(run / f"{what}.csv", table.to_csv(index=False))
    run.keep(
        {
            "trees": len(skeleton.roots),
            "length_um": skeleton.length_nm / 1000,
            "swc": swc,
            "somata": len(traced.somata),
            "threshold_of_255": traced.threshold,
            "notes": [*(ready.prediction.notes if ready.prediction else ()), *traced.notes],
        }
    )


def _project(run: RunFolder, ready: _Prepared, engine: Engine, block: Int3) -> None:
    """What is seen of the image from three sides, for the page."""
    with run.step("project"):
        blocks = blocks_of(ready.grid, block)
        image = tracing.ValuesFile(absolute_path(ready.job.image), "image", ready.grid.voxel_nm, ready.job.channel)
        work = tracing.ProjectBlock(image, run / "views")
        engine.run(Step("project", blocks, work, "projections"))
        save_arrays(run / PROJECTIONS, **work.joined(blocks, ready.grid.shape))
