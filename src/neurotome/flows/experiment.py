"""A named experiment: two stacks and a recipe in, a score out.

stack, truth --cut--> quadrants/            train --> models/STAGE/          one stage after the other, each on what came before
             predict --> predicted/STAGE-QUADRANT/        join --> boundary.ome.zarr
             segment --> neurons.ome.zarr    score --> scores.json, errors.csv    report --> report.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurotome import boundary, measure, neurons
from neurotome.blocks import Engine
from neurotome.core import Box, Image, InputError, Labels, Progress, ShapeError, ValueRangeError, silent
from neurotome.core.geometry import Nm3
from neurotome.datasets import quadrants
from neurotome.flows.experiment_config import IMAGE, ExperimentConfig, StageConfig, read_experiment
from neurotome.flows.predict import RESULT as BOUNDARY
from neurotome.flows.predict import predict_file
from neurotome.flows.score import compare_step, open_truth, write_comparison
from neurotome.flows.segment import NEURONS, method_settings, segment_step, table_step, tidy
from neurotome.flows.workers import Workforce, chosen_block, engine_of
from neurotome.io import RunFolder, absolute_path, open_image, open_probability, save
from neurotome.neurons.blockwise import BlockSegmentation, ProbabilityFile
from neurotome.report import write_report, write_training_report

__all__ = ["ExperimentSettings", "experiment"]

REFERENCE = ("split_errors", "merge_errors", "ari_all_voxels", "foreground_precision", "foreground_recall")
"""The numbers that the reference reports."""
SHOWN = ("adapted_rand_error", "voi_split", "voi_merge", *REFERENCE)


@dataclass(frozen=True)
class ExperimentSettings:
    """What decides the result. budget: a factor on the steps of every stage. minutes: wall time of training, all stages together,
    shared by their steps. quick: the recipe's small variant. sections: "first:last" of the stack, in place of the recipe's.
    """

    recipe: Path
    image: str
    truth: str
    voxel_nm: Nm3 | None = None
    budget: float = 1.0
    minutes: float | None = None
    quick: bool = False
    sections: str = ""
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.budget <= 0 or (self.minutes is not None and self.minutes <= 0):
            raise ValueRangeError(f"Budget {self.budget:g}, minutes {self.minutes}", "more than 0", "raise it")
        if self.minutes is not None and self.budget != 1.0:
            raise InputError(f"Budget {self.budget:g} and {self.minutes:g} minutes", "one of the two", "leave one out")


@dataclass(frozen=True, eq=False)
class _Job:
    """An experiment of which all that can be wrong has been checked, and the folder it happens in."""

    config: ExperimentConfig
    settings: ExperimentSettings
    image: Image
    truth: Labels
    out: Path
    how: neurons.SegmentSettings

    @classmethod
    def prepare(cls, settings: ExperimentSettings, out: Path) -> _Job:
        config = read_experiment(settings.recipe, quick=settings.quick, sections=settings.sections)
        image = open_image(settings.image, voxel_nm=settings.voxel_nm)
        truth = open_truth(settings.truth, None, image.grid)
        truth.grid.require_same(image.grid, f"truth '{settings.truth}'", f"image '{settings.image}'")
        how = method_settings(config.segment.method, {}, options=config.segment.settings)
        job = cls(config, settings, image, truth, out, how)
        job.box(config.test_on)
        return job

    def box(self, quadrant: str) -> Box:
        """Where a quadrant lies in the stack: with the sections of the experiment, to validate only the middle of them."""
        depth, *_ = self.image.grid.shape
        first, last = (int(n) for n in (self.config.sections or f"0:{depth}").split(":"))
        least = max(2, self.config.validate_sections)
        if not 0 <= first < last <= depth or last - first < least:
            raise ShapeError(
                f"Sections {first}:{last} of a stack of {depth}", f"at least {least} of them, inside the stack", "give --sections"
            )
        if quadrant == self.config.validate_on:
            first += (last - first - self.config.validate_sections) // 2
            last = first + self.config.validate_sections
        place = quadrants(self.image.grid.shape)[quadrant]
        return Box((first, *place.start[1:]), (last, *place.stop[1:]))

    def cut(self, quadrant: str, what: str) -> Path:
        """The file of a quadrant; what: image or truth."""
        return self.out / "quadrants" / f"{quadrant}-{what}.ome.zarr"

    def model(self, stage: StageConfig) -> Path:
        return self.out / "models" / stage.name

    def answer(self, stage: str, quadrant: str) -> Path:
        """The run folder of what a stage says about a quadrant."""
        return self.out / "predicted" / f"{stage}-{quadrant}"

    def seen(self, stage: StageConfig, quadrant: str) -> Path:
        """What a stage looks at in a quadrant."""
        return self.cut(quadrant, IMAGE) if stage.source == IMAGE else self.answer(stage.source, quadrant) / BOUNDARY

    def quadrants(self) -> list[str]:
        trained = {q for stage in self.config.stages for q in stage.train_on}
        return sorted({*trained, self.config.validate_on, self.config.test_on})

    def record(self) -> Mapping[str, Any]:
        """What run.json says: image and truth are those of the test quadrant, which all results are about."""
        config, settings = self.config, self.settings
        return {
            "experiment": config.name,
            "image": str(self.cut(config.test_on, IMAGE)),
            "truth": str(self.cut(config.test_on, "truth")),
            "voxel_nm": self.image.grid.voxel_nm,
            "stack": absolute_path(settings.image),
            "stack_truth": absolute_path(settings.truth),
            "sections": config.sections or None,
            "quick": settings.quick,
            "budget": settings.budget,
            "minutes": settings.minutes,
            "validate_on": config.validate_on,
            "test_on": config.test_on,
            "method": config.segment.method,
            "threshold": self.how.threshold,  # type: ignore[attr-defined]
            "settings": vars(self.how),
            "stages": {s.name: s.model_dump(mode="json", exclude_defaults=True, by_alias=True) for s in config.stages},
        }


def experiment(
    settings: ExperimentSettings, out: Path, *, overwrite: bool = False, progress: Progress = silent
) -> list[dict[str, Any]]:
    """`neurotome experiment`: train, predict, segment and score as the recipe says; an interrupted one goes on where it stopped.

    Returns the scores worth a line, as they stand in scores.json.
    Everything wrong with recipe, stacks and settings is found before anything is written.
    """
    job = _Job.prepare(settings, Path(out).absolute())
    inputs = {"image": settings.image, "truth": settings.truth}
    record = {"command": "experiment", "config": job.record(), "inputs": inputs}
    with RunFolder.start(job.out, overwrite=overwrite, progress=progress, **record) as run:  # type: ignore[arg-type]
        _cut_quadrants(run, job, progress)
        for stage in job.config.stages:
            _train(run, job, stage, progress)
            _predict(run, job, stage, progress)
        if not run.done("score"):
            _judge(run, job, progress)
        with run.step("report"):
            write_report(job.out, progress=progress)
    # Once more, now that the record is complete: the page shows the time and memory of every step.
    write_report(job.out)
    return list(run.facts["scores"])


def _cut_quadrants(run: RunFolder, job: _Job, progress: Progress) -> None:
    if run.done("quadrants"):
        return
    with run.step("quadrants"):
        for quadrant in job.quadrants():
            box = job.box(quadrant)
            save(job.image.crop(box), job.cut(quadrant, IMAGE), overwrite=True, progress=progress)
            save(job.truth.crop(box), job.cut(quadrant, "truth"), overwrite=True, progress=progress)


def _train(run: RunFolder, job: _Job, stage: StageConfig, progress: Progress) -> None:
    """Train a stage; `boundary.train` goes on by itself where it was interrupted."""
    if run.done(f"train {stage.name}"):
        return
    volumes = tuple(_volume(job, stage, quadrant) for quadrant in (*stage.train_on, job.config.validate_on))
    recipe = stage.recipe(volumes, {**_share(job, stage), "device": job.settings.device})
    with run.step(f"train {stage.name}"):
        boundary.train(recipe, job.model(stage), progress=progress)
        write_training_report(job.model(stage))


def _volume(job: _Job, stage: StageConfig, quadrant: str) -> boundary.VolumeConfig:
    """All sections of a quadrant, to train on or to validate on."""
    sections = f"0:{job.box(quadrant).shape[0]}"
    held = quadrant == job.config.validate_on
    return boundary.VolumeConfig(
        image=job.seen(stage, quadrant),
        image_channel=job.config.image_channel(stage),
        truth=job.cut(quadrant, "truth"),
        truth_is="instances",
        train="" if held else sections,
        validate_on=sections if held else "",
    )


def _share(job: _Job, stage: StageConfig) -> dict[str, Any]:
    """The options of `fit` that say how long a stage is trained: its steps by the budget, its share of the minutes."""
    plan = {s.name: boundary.fit_settings(s) for s in job.config.stages}
    mine = plan[stage.name]
    steps = max(1, round(mine.steps * job.settings.budget))
    share: dict[str, Any] = {"steps": steps, "validate_every": min(mine.validate_every, steps)}
    if job.settings.minutes is not None:
        share["minutes"] = job.settings.minutes * mine.steps / sum(s.steps for s in plan.values())
    return share


def _predict(run: RunFolder, job: _Job, stage: StageConfig, progress: Progress) -> None:
    """What the stage says about every quadrant that somebody asks it for, each in a run folder of its own."""
    if run.done(f"predict {stage.name}"):
        return
    with run.step(f"predict {stage.name}"):
        for quadrant in job.config.answers(stage):
            predict_file(
                str(job.seen(stage, quadrant)),
                job.answer(stage.name, quadrant),
                model=job.model(stage),
                averaging=stage.averaging,
                channel=job.config.image_channel(stage),
                progress=progress,
            )


def _judge(run: RunFolder, job: _Job, progress: Progress) -> None:
    """Join the answers for the test quadrant, segment them, and compare with the truth."""
    joined = run / BOUNDARY
    if not joined.exists():
        parts = [open_probability(job.answer(name, job.config.test_on) / BOUNDARY) for name in job.config.segment.of]
        save(boundary.combined(parts), joined, progress=progress)
    grid = open_probability(joined).grid
    block = chosen_block(grid, None)
    segmentation = BlockSegmentation(ProbabilityFile(str(joined)), grid, job.how, job.out, block)
    with Workforce().executor() as executor:
        engine = engine_of(run, executor, progress)
        if not run.done("neurons"):
            segment_step(run, segmentation, engine)
            table_step(run, engine, segmentation.neurons)
        _score(run, job, engine)
    tidy(run, segmentation)


def _score(run: RunFolder, job: _Job, engine: Engine) -> None:
    labels, truth = (measure.LabelFile(str(path)) for path in (run / NEURONS, job.cut(job.config.test_on, "truth")))
    with run.step("score"):
        scores = write_comparison(run, compare_step(engine, labels, truth, truth_parts="components"), engine.progress)
        # The adapted Rand error once, by the convention that leads.
        shown = [s for s in scores.to_json() if s["metric"] in SHOWN and (s["metric"], s["convention"]) != (SHOWN[0], "cremi")]
        run.keep({"scores": shown})
