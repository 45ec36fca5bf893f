"""Neurons in, a table of what their shapes have in common out.

files --read, voxelise--> occupancy.zarr --encode--> embedding.h5ad --describe, group, compare--> the same table, *.csv
neurons --rebuild--> reconstruction/      frames --draw--> previews.npz      all of it --report--> report.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurotome import morphology
from neurotome.core import InputError, Progress, UnknownNameError, ValueRangeError, silent
from neurotome.core.geometry import Nm3
from neurotome.datasets import read_split
from neurotome.flows.shapes.files import collection_of, given_shapes, labels_beside, require_elsewhere
from neurotome.flows.shapes.train import train_encoder
from neurotome.io import (
    RunFolder,
    absolute_path,
    atomic_write_text,
    read_feature_table,
    read_label_table,
    save_arrays,
    write_feature_csv,
    write_feature_table,
)
from neurotome.report import write_shape_report

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["EmbedJob", "embed_shapes", "report_shapes"]

TABLE = "embedding.h5ad"
REBUILT = 200
"""Neurons that are put through the encoder and compared with what comes back; evenly spread over the table."""
SHOWN = 6
TRAINED_FAMILY = "cube_autoencoder"
"""What --train trains."""


@dataclass(frozen=True)
class EmbedJob:
    """What decides the result. options: settings of the grid that the encoder must have been trained with, by name.

    train_minutes: train an encoder on these neurons first; None takes `model`. split: a file that says which of them it may see.
    """

    shapes: tuple[str, ...]
    labels: Path | None = None
    unit: str | None = None
    voxel_nm: Nm3 | None = None
    somata: Path | None = None
    model: str | None = None
    train_minutes: float | None = None
    pooling: str | None = None
    clusters: int | None = None
    split: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    skip_bad: bool = False

    def __post_init__(self) -> None:
        if self.model is not None and self.train_minutes is not None:
            raise InputError("--model and --train at once", "one of them", "leave out the other")
        if self.split is not None and self.train_minutes is None:
            raise InputError("--split without --train", "a split for a training", "add --train, or leave it out")
        if self.train_minutes is not None and self.train_minutes <= 0:
            raise ValueRangeError(f"--minutes {self.train_minutes:g}", "more than 0", "raise it")

    @property
    def label_file(self) -> Path | None:
        """The labels that were named, or those that lie beside the neurons."""
        return self.labels or labels_beside(self.shapes)

    def config(self) -> dict[str, Any]:
        """As it stands in run.json."""
        model = Path(self.model) if self.model is not None and Path(self.model).exists() else None
        paths = {"somata": self.somata, "split": self.split, "labels": self.label_file, **({"model": model} if model else {})}
        return {
            **vars(self),
            "shapes": [absolute_path(path) for path in self.shapes],
            **{name: absolute_path(path) if path else None for name, path in paths.items()},
        }


def embed_shapes(
    job: EmbedJob, out: Path, *, colour: Sequence[str] = (), overwrite: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """`neurotome morphology embed`: everything from files to page, in the folder `out`; goes on where an interrupted run stopped.

    Returns how many neurons there are, what groups they form, notes and the headline scores.
    """
    out = Path(out).absolute()
    require_elsewhere(job.shapes, out, overwrite=overwrite)
    shapes = given_shapes(job.shapes, job.unit, job.voxel_nm, job.somata, skip_bad=job.skip_bad)
    # What can be refused is refused before the folder is made: the same command, corrected, is another run.
    encoder = _encoder_asked(job)
    _require_possible(job, shapes, colour)
    shapes = shapes.readable(progress)
    config = {**job.config(), "encoder": encoder.identity if encoder else None, "shapes_sha256": shapes.sha256}
    with RunFolder.start(out, command="morphology embed", config=config, overwrite=overwrite, progress=progress) as run:
        run.keep({"skipped": [vars(one) for one in shapes.skipped]})
        encoder = encoder or _trained(job, run, shapes, progress)
        if not run.done("embed"):
            with run.step("embed"):
                grids = collection_of(run / "occupancy.zarr", shapes, encoder.settings, progress)
                table = morphology.embed(shapes, encoder, pooling=job.pooling, grids=grids, progress=progress)
                _write(run.path, table)
            run.keep({"model_card": encoder.card.to_json()})
        _examine(run, job, shapes, progress)
        if not run.done("rebuild"):
            with run.step("rebuild"):
                _rebuild(run, shapes, encoder, progress)
        if not run.done("draw"):
            with run.step("draw"):
                save_arrays(
                    run / "previews.npz", **morphology.drawings_of(shapes, read_feature_table(run / TABLE), progress=progress)
                )
        if not run.done("report"):
            with run.step("report"):
                write_shape_report(out, colour=colour)
    # Once more, now that the record is complete: the page shows the time and memory of every step.
    write_shape_report(out, colour=colour)
    return dict(run.facts)


def report_shapes(
    out: Path, *, colour: Sequence[str] = (), labels: Path | None = None, progress: Progress = silent
) -> tuple[Path, list[str]]:
    """`neurotome morphology report`: the page anew; with `labels`, the table gets these columns first and is tested with them.

    Returns the page and what a person should know of the labels.
    """
    notes: list[str] = []
    if labels is not None:
        table = read_feature_table(out / TABLE)
        notes = morphology.add_labels(table, read_label_table(labels))
        notes += morphology.compare_features(table, progress=progress)
        morphology.judge_maps(table)
        _write(out, table)
    return write_shape_report(out, colour=colour), notes


def _encoder_asked(job: EmbedJob) -> Any:
    """None where one is to be trained."""
    if job.train_minutes is not None:
        morphology.require_pooling(job.pooling, TRAINED_FAMILY)
        return None
    encoder = morphology.load_encoder(job.model or morphology.DEFAULT_ENCODER, asked=job.options)
    morphology.require_pooling(job.pooling, encoder.card.family)
    return encoder


def _require_possible(job: EmbedJob, shapes: Any, colour: Sequence[str]) -> None:
    """Labels, split, columns and numbers that suit these neurons. Raises InputError and what the readers do."""
    labels = _labels(job, shapes.names)
    known = [*morphology.TABLE_COLUMNS, *(map(str, labels.columns) if labels is not None else ())]
    for column in colour:
        if column not in known:
            raise UnknownNameError("column to colour by", column, known)
    if job.split is not None:
        read_split(job.split, shapes.names)
    if job.clusters is not None and not 1 <= job.clusters < max(2, len(shapes)):
        raise ValueRangeError(
            f"--clusters {job.clusters} for {len(shapes)} neurons", f"1 to {max(1, len(shapes) - 1)}", "choose another number"
        )


def _labels(job: EmbedJob, names: Sequence[str]) -> Any:
    """The table of labels. Of other neurons, one that was named is refused; one that only lies beside the files is None."""
    if job.label_file is None:
        return None
    labels = read_label_table(job.label_file)
    if job.labels is None and set(labels.index).isdisjoint(names):
        return None
    morphology.require_labels(labels, names)
    return labels


def _trained(job: EmbedJob, run: RunFolder, shapes: Any, progress: Progress) -> Any:
    if not run.done("train"):
        with run.step("train"):
            fit = {"minutes": job.train_minutes}
            train_encoder(shapes, run / "model", split=job.split, options=job.options, fit=fit, progress=progress)
    return morphology.load_encoder(run / "model")


def _examine(run: RunFolder, job: EmbedJob, shapes: Any, progress: Progress) -> None:
    """Hand-made features, labels, maps, groups, neighbours, tests: one table, written once more after each step."""
    table = read_feature_table(run / TABLE)
    notes = morphology.reading_notes(table, run.facts["skipped"])
    if not run.done("describe"):
        with run.step("describe"):
            morphology.add_descriptors(table, shapes, progress=progress)
            labels = _labels(job, list(table.obs_names))
            if labels is not None:
                notes += morphology.add_labels(table, labels)
            elif job.label_file is not None:
                notes.append(f"'{job.label_file}' is not used, it has none of these neurons")
            _write(run.path, table)
        run.keep({"notes": notes})
    if not run.done("group"):
        with run.step("group"):
            notes = [*run.facts["notes"], *morphology.find_groups(table, clusters=job.clusters, progress=progress)]
            _write(run.path, table)
        run.keep({"notes": notes})
    if not run.done("compare"):
        with run.step("compare"):
            notes = [*run.facts["notes"], *morphology.compare_features(table, progress=progress)]
            morphology.judge_maps(table)
            _write(run.path, table)
        run.keep({"notes": notes, "headline": morphology.headline(table)})
    run.keep({"neurons": table.n_obs, "clusters": morphology.groups_in_words(table)})


def _write(out: Path, table: AnnData) -> None:
    """The table, and what of it a spreadsheet can show."""
    write_feature_table(out / TABLE, table)
    write_feature_csv(out / "neurons.csv", table)
    for name, rows in morphology.side_tables(table).items():
        if rows is None:
            (out / f"{name}.csv").unlink(missing_ok=True)
        else:
            atomic_write_text(out / f"{name}.csv", rows.to_csv(index=False))


def _rebuild(run: RunFolder, shapes: Any, encoder: Any, progress: Progress) -> None:
    """What the encoder remembers of some of the neurons: scores, curve, histogram, and a few grids to look at."""
    some = morphology.spread_over(shapes.names, REBUILT)
    shown = morphology.spread_over(some, SHOWN)
    found = morphology.reconstruct(shapes.take(some), encoder, keep=shown, progress=progress)
    found.write(run / "reconstruction")
    run.keep({"threshold": found.threshold, "rebuilt": len(some)})
