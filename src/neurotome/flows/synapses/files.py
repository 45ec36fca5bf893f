"""What a study reads, and the tables that it leaves in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from neurotome import synapses
from neurotome.core import InputError, MissingFileError, Progress, SynapseVolume
from neurotome.datasets.sce_layout import sce_volumes
from neurotome.flows.synapses.config import LayoutConfig, StudyConfig
from neurotome.io import atomic_write_json, atomic_write_text, read_feature_table, write_feature_csv, write_feature_table

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["Tables", "opened_study"]

TABLE = "features.h5ad"
CROPS = "crops.zarr"
VIEWS = "views"
NEEDS = {
    "crops": "sites.csv",
    "features": CROPS,
    "clusters": TABLE,
    "presynapses": "clusters.csv",
    "sizes": "clusters.csv",
    "labels": "clusters.csv",
    "attention": "clusters.csv",
    "views": CROPS,
    "report": TABLE,
}
"""What each step reads that another one makes."""


def opened_study(
    study: StudyConfig, progress: Progress
) -> tuple[dict[str, SynapseVolume], pd.DataFrame, pd.DataFrame, list[str]]:
    """Volumes, usable sites, discarded sites, and what a person should know; all that can be wrong with them is said now."""
    legend = synapses.read_legend(study.path_or_name(study.legend) if isinstance(study.legend, str) else study.legend)
    progress("open volumes", 0, 1)
    volumes = synapses.open_volumes(_entries(study), legend)
    table = study.path(study.sites)
    sites = synapses.read_sites(table, columns=study.columns, rounding=study.rounding, dataset=study.name)
    known = synapses.operand_names([volume.structures for volume in volumes.values()])
    for look in (study.first_look, *study.looks):
        synapses.expression_of(look.mask, known)
    asked = set().union(*(synapses.needed_operands(look.mask) for look in (study.first_look, *study.looks)))
    kept, discarded = synapses.check_sites(
        sites, volumes, snap_sides=study.snap_sides, needs_sides=bool(asked & {"pre", "post", "side1", "side2"})
    )
    if not len(kept):
        reasons = ", ".join(f"{count} {reason}" for reason, count in discarded["reason"].value_counts().items())
        raise InputError(
            f"None of the {len(sites)} sites of '{table}' can be used ({reasons})", "at least one", "correct the table"
        )
    notes = list(synapses.legend_warnings(volumes, kept))
    progress("open volumes", 1, 1)
    return volumes, kept, discarded, notes


class Tables:
    """The files of a run folder by what they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def require_for(self, step: str) -> None:
        """Raises MissingFileError where a step before it was never done."""
        needed = NEEDS.get(step)
        if needed and not (self.folder / needed).exists():
            before = next((name for name, made in _MAKES.items() if made == needed), "an earlier step")
            raise MissingFileError(
                f"Step '{step}' needs {needed}, which is not in '{self.folder}'",
                f"step '{before}' done",
                f"run --only {before} first",
            )

    @property
    def crops(self) -> synapses.CropSet:
        return synapses.CropSet.open(self.folder / CROPS)

    def features(self, view: str = "") -> AnnData:
        return read_feature_table(self._place(view) / TABLE)

    def write_features(self, table: AnnData, view: str = "") -> None:
        """The table, and what of it a spreadsheet can show."""
        place = self._place(view)
        place.mkdir(parents=True, exist_ok=True)
        write_feature_table(place / TABLE, table)
        write_feature_csv(place / "features.csv", table)

    def has_view(self, view: str) -> bool:
        return (self._place(view) / "cluster_selection.json").is_file()

    def write(self, name: str, rows: pd.DataFrame, view: str = "", *, index: bool = False) -> None:
        self._place(view).mkdir(parents=True, exist_ok=True)
        atomic_write_text(self._place(view) / f"{name}.csv", rows.to_csv(index=index, index_label="key" if index else None))

    def write_json(self, name: str, facts: Mapping[str, Any], view: str = "") -> None:
        atomic_write_json(self._place(view) / f"{name}.json", json.loads(json.dumps(facts, default=float)))

    def write_sites(self, sites: pd.DataFrame, discarded: pd.DataFrame) -> None:
        self.write("sites", sites, index=True)
        self.write("discarded", discarded)

    def read_sites(self) -> pd.DataFrame:
        return synapses.read_sites(self.folder / "sites.csv").drop(columns="key", errors="ignore")

    def add_discarded(self, more: pd.DataFrame) -> None:
        """Sites that a later step could not use; a site that was discarded before keeps its first reason."""
        known = pd.read_csv(self.folder / "discarded.csv", dtype={"key": str})
        fresh = more[~more["key"].isin(known["key"])].drop_duplicates("key")
        self.write("discarded", pd.concat([known, fresh], ignore_index=True) if len(known) else fresh)

    @property
    def discarded(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "discarded.csv", dtype={"key": str})

    def _place(self, view: str) -> Path:
        return self.folder / VIEWS / view if view else self.folder


_MAKES = {"sites": "sites.csv", "crops": CROPS, "features": TABLE, "clusters": "clusters.csv"}


def _entries(study: StudyConfig) -> list[synapses.VolumeEntry]:
    if study.layout is not None:
        return _of_layout(study, study.layout)
    return [
        synapses.VolumeEntry(
            name,
            study.path(told.image),
            study.path(told.neurons),
            study.path(told.organelles)
            if isinstance(told.organelles, str)
            else {structure: study.path(file) for structure, file in told.organelles.items()},
            study.path(told.instances) if told.instances else None,
            told.voxel_nm,
            told.origin_vox,
        )
        for name, told in study.volumes.items()
    ]


def _of_layout(study: StudyConfig, layout: LayoutConfig) -> list[synapses.VolumeEntry]:
    found = sce_volumes(*(Path(study.path(folder)) for folder in (layout.raw, layout.seg, layout.mask)))
    if missing := set(layout.volumes) - set(found):
        raise InputError(f"No volume '{min(missing)}' in '{layout.raw}'", f"one of {', '.join(found)}", "correct layout.volumes")
    return [
        synapses.VolumeEntry(name, folders.raw, folders.seg, folders.mask, voxel_nm=layout.voxel_nm)
        for name, folders in found.items()
        if not layout.volumes or name in layout.volumes
    ]
