"""A study of synapses from volumes and a table of sites to its reports, in one folder.

volumes, sites --check--> sites.csv --cut--> crops.zarr --measure, embed--> features.h5ad --group--> clusters in the same table
table --pair, size, compare--> *.csv      crops, network --explain--> attention.zarr      all of it --report--> pages
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurotome import synapses
from neurotome.core import InputError, Progress, UnknownNameError, silent
from neurotome.flows.synapses.config import StudyConfig, read_study
from neurotome.flows.synapses.files import Tables, opened_study
from neurotome.io import RunFolder, read_label_table

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["STEPS", "StudyJob", "run_study"]

STEPS = ("sites", "crops", "features", "clusters", "presynapses", "sizes", "labels", "attention", "views", "report")
"""In this order; each needs those before it that it reads."""


@dataclass(frozen=True)
class StudyJob:
    """What is to be done: only these steps, or all but those skipped. workers: processes that cut and measure."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    workers: int = 1

    def __post_init__(self) -> None:
        for name in (*self.only, *self.skip):
            if name not in STEPS:
                raise UnknownNameError("step", name, STEPS)
        if self.only and self.skip:
            raise InputError("--only and --skip at once", "one of them", "leave out the other")

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(name for name in STEPS if (name in self.only if self.only else name not in self.skip))


def run_study(
    path: Path,
    out: Path,
    job: StudyJob | None = None,
    *,
    changes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """`neurotome synapses run`: the study in the file `path` into the folder `out`; goes on where an interrupted run stopped.

    changes: keys of the study to change, "clusters.k" for one of a part. Returns the facts of run.json: how many sites, kept and
    discarded, clusters and what to think of them, notes. Raises InputError and its kin for all that is wrong with what was given,
    before anything is written; a step that cannot be done for want of synapses leaves a note, and the others are done.
    """
    study, job = read_study(Path(path), changes), job or StudyJob()
    volumes, sites, discarded, notes = opened_study(study, progress)
    out = Path(out).absolute()
    config = {**study.resolved(), "sites_sha256": synapses.table_sha256(sites)}
    with RunFolder.start(out, command="synapses run", config=config, overwrite=overwrite, progress=progress) as run:
        run.keep({"notes": list(dict.fromkeys([*run.facts.get("notes", ()), *notes]))})
        work = _Work(study, run, Tables(out), volumes, job.workers, progress)
        for name in job.steps:
            if not run.done(name):
                with run.step(name):
                    work.sites(sites, discarded) if name == "sites" else work.of(name)()
        if "report" in job.steps and run.done("report"):
            work.report()
    return dict(run.facts)


class _Work:
    """The steps of a study, each from files of the run folder to files of the run folder."""

    def __init__(
        self, study: StudyConfig, run: RunFolder, tables: Tables, volumes: Mapping[str, Any], workers: int, progress: Progress
    ) -> None:
        self.study, self.run, self.tables, self.volumes = study, run, tables, volumes
        self.workers, self.progress = workers, progress

    def of(self, name: str) -> Callable[[], None]:
        """The step of this name. Raises InputError where what it reads was never made."""
        self.tables.require_for(name)
        step: Callable[[], None] = getattr(self, name)
        return step

    def sites(self, sites: Any, discarded: Any) -> None:
        self.tables.write_sites(sites, discarded)
        self.run.keep({"sites": len(sites) + len(discarded)})
