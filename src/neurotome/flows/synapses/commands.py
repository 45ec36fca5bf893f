"""What is asked of a finished run: the like of a synapse, agreement with people, links, labels from few, the pages anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from neurotome import synapses
from neurotome.core import MissingFileError, ModelCard, Progress, RunFolderError, silent
from neurotome.core.geometry import Int3
from neurotome.flows.synapses.config import read_study
from neurotome.flows.synapses.files import TABLE, Tables
from neurotome.flows.synapses.run import StudyJob, run_study
from neurotome.io import atomic_write_json, atomic_write_text, read_feature_table
from neurotome.report.results import record_of
from neurotome.report.synapses import write_comprehensive_report, write_presynapse_summary, write_synapse_report

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = [
    "agree_with_labels",
    "compare_tables",
    "label_from_few",
    "nearest_synapses",
    "report_study",
    "train_contrast",
    "write_links",
]

SUGGESTED = 8
"""Synapses that are named as worth a label."""


def nearest_synapses(run: Path, key: str, top: int = 20) -> list[dict[str, Any]]:
    """The synapses of a run that are most like one of them, in the space that the clusters were made in."""
    found = synapses.SynapseIndex.of(_table(run)).nearest(key, top)
    return found.to_dict("records")


def compare_tables(first: Path, second: Path, out: Path) -> dict[str, Any]:
    """Whether two tables find the same synapses alike: comparison.json, pairs.csv and map.csv in `out`; the scores."""
    found = synapses.compare_synapses(_table(first), _table(second))
    out.mkdir(parents=True, exist_ok=True)
    atomic_write_json(out / "comparison.json", found.described())
    atomic_write_text(out / "pairs.csv", found.pairs.to_csv(index=False))
    atomic_write_text(out / "map.csv", found.arrows.to_csv(index=True, index_label="key"))
    return found.described()


def agree_with_labels(run: Path, labels: Path, other: Path | None = None) -> list[dict[str, Any]]:
    """Agreement of people's labels with clusters and measures, and of two people; manual_agreement.csv in the run."""
    tables, given = Tables(Path(run)), synapses.read_manual_labels(labels)
    found = synapses.manual_agreement(_table(run), given)
    if other is not None:
        found = pd.concat([found, synapses.annotator_agreement(given, synapses.read_manual_labels(other))], ignore_index=True)
    tables.write("manual_agreement", found)
    return found.to_dict("records")


def write_links(run: Path, base: str, template: str, *, nml: bool = False) -> list[Path]:
    """links.csv, and sites.nml if asked for, in the run. Links count from the corner of the data set, as the study says."""
    run = Path(run)
    table, config = _table(run), record_of(run)["config"]
    origins: dict[str, Int3] = {name: tuple(told["origin_vox"]) for name, told in config.get("volumes", {}).items()}
    written = [run / "links.csv"]
    found = synapses.site_links(table.obs, synapses.LinkTemplate(base, template, origins))
    atomic_write_text(written[0], found.rename("link").to_csv(index_label="key"))
    if nml:
        written.append(run / "sites.nml")
        crops = Tables(run).crops
        synapses.write_nml(
            written[1], table.obs, next(iter(crops.volumes.values())).voxel_nm, experiment=config["name"], origins=origins
        )
    return written


def label_from_few(run: Path, column: str, labels: Path) -> dict[str, Any]:
    """Labels of some synapses given to all, with confidence: COLUMN_propagated.csv in the run, and which to label next."""
    run, table, given = Path(run), _table(run), synapses.read_manual_labels(labels)
    synapses.take_labels(table, given, column)
    found = synapses.propagate_labels(table, column)
    path = run / f"{column}_propagated.csv"
    atomic_write_text(path, table.obs[[column, f"{column}_propagated", f"{column}_confidence"]].to_csv(index_label="key"))
    known = int(table.obs[column].notna().sum())
    facts = {"path": path, "known": known, "synapses": table.n_obs, "next": synapses.synapses_to_label(table, SUGGESTED)}
    atomic_write_json(run / f"{column}_propagated.json", {**facts, "path": path.name, "types": list(found.names)})
    return facts


def train_contrast(
    study: Path,
    out: Path,
    *,
    crops: Path | None = None,
    minutes: float = 30.0,
    steps: int | None = None,
    mask: str | None = None,
    side: int = 32,
    workers: int = 1,
    progress: Progress = silent,
) -> ModelCard:
    """Train a trunk on the crops of a study; they are cut into OUT-crops first unless a run that has them is named."""
    read_study(study)
    if crops is None:
        crops = out.with_name(out.name + "-crops")
        run_study(study, crops, StudyJob(only=("sites", "crops"), workers=workers), progress=progress)
    found = Tables(crops).crops
    recipe = synapses.contrast_recipe(found, name=out.name, minutes=minutes, steps=steps, mask=mask, side=side)
    return synapses.train_trunk(found, out, recipe, progress=progress)


def report_study(run: Path, *, progress: Progress = silent) -> Path:
    """The pages of a run anew. Raises RunFolderError where there is no run, MissingFileError where it has no table yet."""
    run = Path(run).absolute()
    record = record_of(run)
    stamp = record.get("facts", {}).get("report_stamp", "anew")
    _table(run)
    asked = record["config"]["report"]
    told = {"samples": asked["samples_per_cluster"], "all_gifs": asked["gifs"]}
    page: Path = write_synapse_report(run, progress=progress, **told)
    write_comprehensive_report(run, stamp, progress=progress)
    write_presynapse_summary(run, stamp)
    return page


def _table(place: Path) -> AnnData:
    """Of a run folder, or a file."""
    place = Path(place)
    if place.is_dir():
        if not (place / "run.json").is_file():
            raise RunFolderError(f"'{place}' is no run", "a folder that `synapses run` has written", "check the path")
        if not (place / TABLE).is_file():
            raise MissingFileError(f"'{place}' has no {TABLE} yet", "a run whose features are made", "finish the run first")
        place = place / TABLE
    return read_feature_table(place)
