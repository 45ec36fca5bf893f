"""Everything the folder of `neurotome synapses run` holds; what is not there is None or empty."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurotome.core import Crop, CropLook, MissingFileError
from neurotome.io.feature_table import read_feature_table
from neurotome.report.atlas.table import maps_of, neighbours_of
from neurotome.report.results import Results, Row, csv_rows, record_of

if TYPE_CHECKING:
    from anndata import AnnData

    from neurotome.synapses.crops.crop_set import CropSet

__all__ = ["TABLE", "SynapseRun"]

TABLE = "features.h5ad"


@dataclass(frozen=True, eq=False)
class SynapseRun:
    """A run and one of its tables of synapses. Rows of the table are counted from 0.

    place: the folder of that table: the run's own, or one of its views (another mask, another grey).
    """

    results: Results
    table: AnnData
    place: Path

    @classmethod
    def open(cls, folder: Path | str, view: str = "") -> SynapseRun:
        """view: the name of a folder in views/. Raises RunFolderError where there is no run, MissingFileError without a table."""
        folder = Path(folder)
        results = Results(folder, record_of(folder))
        place = folder / "views" / view if view else folder
        if not (place / TABLE).is_file():
            raise MissingFileError(f"'{place}' holds no {TABLE}", "the folder of `neurotome synapses run`", "run that first")
        return cls(results, read_feature_table(place / TABLE), place)

    @property
    def folder(self) -> Path:
        return self.results.folder

    @property
    def views(self) -> list[str]:
        """Names of the other looks that have a table."""
        return sorted(path.parent.name for path in self.folder.glob(f"views/*/{TABLE}"))

    @property
    def name(self) -> str:
        """What the study is called."""
        config = self.results.config
        inner = config.get("study")
        said = inner.get("name") if isinstance(inner, Mapping) else None
        return str(said or config.get("name") or self.folder.name)

    @cached_property
    def ids(self) -> list[str]:
        return [str(name) for name in self.table.obs_names]

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def maps(self) -> Mapping[str, np.ndarray]:
        return maps_of(self.table)

    @cached_property
    def maps_in_space(self) -> Mapping[str, np.ndarray]:
        return maps_of(self.table, 3)

    @cached_property
    def neighbours(self) -> list[list[tuple[int, float]]]:
        return neighbours_of(self.table)

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """Recipe, look, structures, model: as the run wrote them, unpacked."""
        kept = self.table.uns.get("synapses") or {}
        return {name: _unpacked(value) for name, value in kept.items()}

    @cached_property
    def look(self) -> CropLook:
        return CropLook(**(self.said.get("look") or {}))

    @cached_property
    def clusters(self) -> list[str]:
        """Names of the clusters in their order, noise last; none where nothing was sorted."""
        if "cluster" not in self.table.obs:
            return []
        names = {str(name) for name in self.table.obs["cluster"].astype(str)}
        return sorted(names, key=lambda name: (name == "-1", int(name) if name.lstrip("-").isdigit() else 0, name))

    @cached_property
    def cluster_of(self) -> np.ndarray:
        """(n,) place of each row's cluster in `clusters`, -1 without clusters."""
        if not self.clusters:
            return np.full(self.table.n_obs, -1)
        place = {name: at for at, name in enumerate(self.clusters)}
        return np.array([place[name] for name in self.table.obs["cluster"].astype(str)], np.int64)

    @cached_property
    def crops(self) -> CropSet | None:
        """The cubes, None where they were not kept."""
        if not (self.folder / "crops.zarr").exists():
            return None
        from neurotome.synapses.crops.crop_set import CropSet

        return CropSet.open(self.folder / "crops.zarr")

    def crop(self, row: int) -> Crop | None:
        """The cube of a row of the table."""
        crops = self.crops
        return None if crops is None else crops[crops.row(self.ids[row])]

    def undetermined(self, row: int) -> bool:
        """Whether it is not known which side is presynaptic."""
        obs = self.table.obs
        return "pre_side" in obs and str(obs["pre_side"].iloc[row]) in ("0", "0.0")

    def rows(self, name: str, *, shared: bool = True) -> tuple[Row, ...]:
        """The small table of this name; one that is not shared is that of this look alone, else the run's will do."""
        kept = self.table.uns.get(name)
        own = tuple(kept.to_dict("records")) if hasattr(kept, "to_dict") else csv_rows(self.place / f"{name}.csv")
        return own or (csv_rows(self.folder / f"{name}.csv") if shared else ())

    def json(self, name: str, *, shared: bool = True) -> Any:
        """What NAME.json holds, of this look or, if shared, of the run; None where there is none."""
        for folder in dict.fromkeys((self.place, *([self.folder] if shared else []))):
            if (path := folder / f"{name}.json").is_file():
                return json.loads(path.read_text(encoding="utf-8"))
        return None

    @cached_property
    def largest_cleft(self) -> list[int]:
        """Of each synapse the section of its crop with the largest cleft, -1 where there is none or sizes were not taken."""
        told = {str(row.get("key")): row.get("largest_z") for row in csv_rows(self.folder / "sizes.csv")}
        return [int(z) if isinstance(z := told.get(key), (int, float)) and z >= 0 else -1 for key in self.ids]

    @cached_property
    def links(self) -> list[str]:
        """Where each synapse can be looked at in its volume, "" where it is not known: links.csv, else a column of the sites."""
        told = {str(row.get("key")): str(row.get("link") or "") for row in csv_rows(self.folder / "links.csv")}
        own = self.column("link")
        return [told.get(key) or (own[row] if own else "") for row, key in enumerate(self.ids)]

    def column(self, name: str) -> Sequence[str]:
        """A column of the sites as text, "" for what is missing; empty where there is no such column."""
        if name not in self.table.obs:
            return ()
        column = self.table.obs[name]
        return ["" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]


def _unpacked(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in "{[":
        return json.loads(value)
    return value
