"""What synapses can be coloured by: cluster, volume, what the user knows of them, and everything that was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurotome.report.atlas.columns import Column, column_of, offered
from neurotome.report.synapses.run import SynapseRun

__all__ = ["QUALITY", "SITE", "VOLUME_COLOURS", "columns_of", "label_of", "measures_of", "numbers_of_families", "size_columns"]

VOLUME_COLOURS = ("#ff0000", "#00ffff", "#ffa500", "#800080", "#808080", "#0000ff", "#000000")
"""Of the volumes 1 to 7 in the published maps of SynapseClusterEM; not apart for every eye, so only where asked for."""
_PLACES = tuple(f"{what}_{axis}" for what in ("center", "side1", "side2", "crop") for axis in "zyx")
SITE = (
    "dataset", "synapse_id", *_PLACES, "pre_side", "slice_z", "pre_id", "post_id", "pre_label", "post_label", "side1_label",
    "side2_label", "side_source", "o1", "o2", "link", "voxel_z_nm", "voxel_y_nm", "voxel_x_nm",
)  # fmt: skip
"""Columns that say where a synapse lies and whom it joins; told of a synapse, but no colour."""
TOLD = ("synapse_id", "pre_id", "post_id", "center_z", "center_y", "center_x", "side_source")
QUALITY = (
    "margin", "valid_fraction", "border", "cleft_truncated", "cleft_touch_border", "cluster_probability", "outlier_score",
    *(f"{name}_{end}" for name in ("vesicles", "cleft", "cleft2", "mitochondria")
      for end in ("distance_nm", "runner_up_nm", "ambiguous", "touch_border")),
)  # fmt: skip
"""Columns that say how far a crop can be trusted; offered last."""
MOST_OF_A_FAMILY = 80
"""Columns of a network's features beyond that many are no colours: none of them has a meaning of its own."""
SIZES = ("percent_crop", "volume_um3", "area_um2")


def columns_of(
    run: SynapseRun, main: SynapseRun, *, reference_colours: bool = False
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Columns to colour by, and columns that are only told. main: the run's own table, which has the measures."""
    obs = run.table.obs
    own = [name for name in map(str, obs.columns) if name not in (*SITE, *QUALITY, "cluster", "volume")]
    first = [column_of(name, obs[name]) for name in ("cluster", "volume") if name in obs]
    if reference_colours:
        first = [_in_reference_colours(column) if column.name == "volume" else column for column in first]
    labels = [column_of(name, obs[name]) for name in own]
    quality = [column_of(name, obs[name]) for name in QUALITY if name in obs]
    shown = offered((*first, *labels, *measures_of(run, main), *size_columns(run, main), *quality), ("cluster", "volume"))
    told = tuple(column_of(name, obs[name].astype(str)) for name in TOLD if name in obs)
    return shown, told


def measures_of(run: SynapseRun, main: SynapseRun) -> tuple[Column, ...]:
    """What was measured in nm, for the rows of a table, whichever look it is of."""
    names = numbers_of_families(main).get("morphometry", ())
    return tuple(Column(name, _aligned(run, main, name)) for name in names)


def numbers_of_families(run: SynapseRun) -> dict[str, tuple[str, ...]]:
    """Family -> names of its columns."""
    names = [str(name) for name in run.table.var_names]
    families = [str(name) for name in run.table.var["family"]] if "family" in run.table.var else ["features"] * len(names)
    return {family: tuple(n for n, f in zip(names, families, strict=True) if f == family) for family in dict.fromkeys(families)}


def size_columns(run: SynapseRun, main: SynapseRun) -> tuple[Column, ...]:
    """The columns of sizes.csv that are not among the measures."""
    rows = {str(row.get("key")): row for row in main.rows("sizes")}
    known = set(map(str, main.table.var_names))
    first = next(iter(rows.values()), {})
    names = [name for name in first if name.endswith(SIZES) and name not in known]
    return tuple(Column(name, np.array([_number(rows.get(key, {}).get(name)) for key in run.ids])) for name in names)


def label_of(columns: tuple[Column, ...]) -> Column | None:
    """What neighbours are compared by: the cluster."""
    return next((column for column in columns if column.name == "cluster" and column.groups), None)


def _aligned(run: SynapseRun, main: SynapseRun, name: str) -> np.ndarray:
    values = np.asarray(main.table.X)[:, main.table.var_names.get_loc(name)].astype(np.float64)
    if run is main:
        return values
    return np.array([values[main.row_of[key]] if key in main.row_of else np.nan for key in run.ids])


def _in_reference_colours(column: Column) -> Column:
    """The volume whose name ends in 3 has the third colour."""
    ends = [
        int(digits) if (digits := "".join(filter(str.isdigit, name[-2:]))) else at + 1 for at, name in enumerate(column.groups)
    ]
    return replace(column, palette=tuple(VOLUME_COLOURS[(end - 1) % len(VOLUME_COLOURS)] for end in ends))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")
