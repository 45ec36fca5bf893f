"""The table that says where synapses are, from whichever form it has, with canonical columns and one key per row.

    key = dataset/volume/id: dataset, volume, synapse_id, center_{z,y,x}, side1_{z,y,x}, side2_{z,y,x}, pre_side, slice_z, others

Coordinates are voxels of that volume, 0 at its corner. side1 and side2: a voxel in the neuron on each side of the cleft.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from neurotome.core import FormatError, InputError, UnknownNameError, ValueRangeError
from neurotome.io import SITE_TABLE_COLUMNS
from neurotome.io.label_table import listed
from neurotome.synapses.study.table_files import VOLUME_COLUMNS, read_tables

__all__ = ["COORDINATES", "PRESETS", "SIDE_IDS", "keyed", "read_sites"]

NAMES, COORDINATES = SITE_TABLE_COLUMNS[:3], SITE_TABLE_COLUMNS[3:]
OPTIONAL = ("pre_side", "slice_z")
SIDE_IDS = (
    ("side1_id", "side2_id"),
    ("side1_label", "side2_label"),
    ("pre_id", "post_id"),
    ("pre_label", "post_label"),
    ("pre", "post"),
)
"""Columns in which a table may say which neurons its sides lie in."""
_TEXT = {*NAMES, *VOLUME_COLUMNS, *(name for pair in SIDE_IDS for name in pair)}
# 1, 2, 3 are x, y, z: what is called z here is their third.
_SCE = {
    f"{ours}_{axis}": f"{theirs}_{number}"
    for ours, theirs in (("center", "central_coord"), ("side1", "side_1_coord"), ("side2", "side_2_coord"))
    for axis, number in (("z", 3), ("y", 2), ("x", 1))
}
PRESETS: Mapping[str, Mapping[str, str]] = {"neurotome": {}, "sce": {"synapse_id": "Var1", **_SCE}}
"""Names of columns: canonical -> theirs, where they differ. "sce" is the layout of SynapseClusterEM."""
_MOST_ROWS = 5


def read_sites(
    path: Path | str,
    *,
    columns: str | Mapping[str, str] = "neurotome",
    order: str | None = None,
    rounding: str | None = None,
    dataset: str = "study",
    volume: str | None = None,
    volumes: Collection[str] | None = None,
) -> pd.DataFrame:
    """A table of synapse sites in canonical columns, its index the key "dataset/volume/id".

    Parameters
    ----------
    path
        CSV, Excel or Parquet with a column volume (or bbox_name), or a folder with one VOLUME.xlsx or VOLUME.csv per volume.
    columns
        "neurotome", "sce", or canonical name -> name in the file for those that differ. Columns that are neither are kept.
    order
        "xyz" where the columns called z, y, x hold x, y, z; for "sce", "zyx" where 1, 2, 3 are z, y, x.
    rounding
        "nearest" takes the nearest voxel of fractional coordinates, which are an error otherwise.
    dataset, volume
        What a table without these columns belongs to; a single file of "sce" is of the volume it is called after.
    volumes
        Only these; each must have a row.

    Raises FormatError for missing, misnamed and empty columns, ValueRangeError for coordinates that are fractional or negative,
    InputError for keys that come twice, UnknownNameError, MissingExtraError, MissingFileError. Messages name the rows.
    """
    naming, swapped = _naming(columns), _swapped(columns, order)
    if rounding not in (None, "nearest"):
        raise UnknownNameError("rounding", rounding, ("nearest",))
    if columns == "sce" and volume is None:
        volume = Path(path).stem
    text = _TEXT | {naming.get(name, name) for name in _TEXT}
    parts = [
        _canonical(file, rows, naming, {"dataset": dataset, "volume": of or volume}, rounding=rounding)
        for file, of, rows in read_tables(path, text, volumes)
    ]
    if not parts:
        raise UnknownNameError("volume of the sites", listed(volumes or ()), [p.stem for p in Path(path).iterdir()])
    table = keyed(pd.concat(parts, ignore_index=True), str(path))
    if swapped:
        table = table.rename(columns={f"{w}_{a}": f"{w}_{b}" for w in ("center", "side1", "side2") for a, b in ("zx", "xz")})
        table = table[_ordered(table.columns)]
    return table if volumes is None else _of_volumes(table, volumes)


def keyed(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """A canonical table with the key as its index. Raises InputError with the first keys that come twice, and their rows."""
    key = table["dataset"] + "/" + table["volume"] + "/" + table["synapse_id"]
    twice = key[key.duplicated(keep=False)]
    if len(twice):
        rows = [f"{name} in rows {listed(at.index.map(_row(table)))}" for name, at in twice.groupby(twice, sort=False)]
        raise InputError(
            f"'{source}' has {twice.nunique()} keys more than once: {'; '.join(rows[:_MOST_ROWS])}",
            "one row per dataset/volume/id",
            "remove the copies, or give them ids of their own",
        )
    return table.drop(columns="_row", errors="ignore").set_index(key.rename("key"))


def _row(table: pd.DataFrame) -> Mapping[int, int]:
    return dict(zip(table.index, table.get("_row", table.index), strict=True))


def _naming(columns: str | Mapping[str, str]) -> Mapping[str, str]:
    if isinstance(columns, str):
        if columns not in PRESETS:
            raise UnknownNameError("set of columns", columns, PRESETS)
        return PRESETS[columns]
    for name in columns:
        if name not in (*SITE_TABLE_COLUMNS, *OPTIONAL):
            raise UnknownNameError("canonical column", name, (*SITE_TABLE_COLUMNS, *OPTIONAL))
    return {str(ours): str(theirs) for ours, theirs in columns.items()}


def _swapped(columns: str | Mapping[str, str], order: str | None) -> bool:
    usual = "xyz" if columns == "sce" else "zyx"
    if order not in (None, "zyx", "xyz"):
        raise UnknownNameError("order of axes", order, ("zyx", "xyz"))
    return order not in (None, usual)


def _canonical(
    file: Path, rows: pd.DataFrame, naming: Mapping[str, str], known: Mapping[str, str | None], *, rounding: str | None
) -> pd.DataFrame:
    """The rows of one file, in whole numbers, with the columns in order and their line in the file in `_row`."""
    naming = {**naming, **_volume_column(rows.columns, naming)}
    told = {name: value for name, value in known.items() if value is not None}
    wanted = {name: naming.get(name, name) for name in SITE_TABLE_COLUMNS}
    _require_columns(file, rows, [theirs for ours, theirs in wanted.items() if ours not in told or theirs in rows])
    if not len(rows):
        raise FormatError(f"'{file}' holds no sites", "a row per synapse", "export it again")
    table = rows.rename(columns={theirs: ours for ours, theirs in naming.items() if theirs in rows.columns})
    if repeated := [str(name) for name in table.columns[table.columns.duplicated()]]:
        raise FormatError(f"'{file}' has both a column {repeated[0]} and one that is read as it", "one of them", "drop the other")
    for name, value in told.items():
        if name not in table.columns:
            table[name] = value
    for name in NAMES:
        table[name] = _names(file, table, name)
    for name in COORDINATES:
        table[name] = _voxels(file, table[name], naming.get(name, name), rounding)
    for name in OPTIONAL:
        if name in table.columns:
            table[name] = _voxels(file, table[name].fillna(0), naming.get(name, name), rounding)
    if "pre_side" in table.columns and not table["pre_side"].isin((0, 1, 2)).all():
        wrong = table.index[~table["pre_side"].isin((0, 1, 2))]
        raise ValueRangeError(f"'{file}' has a pre_side in {_rows(wrong)}", "1, 2, or nothing", "correct it")
    return table[_ordered(table.columns)].assign(_row=table.index)


def _volume_column(columns: pd.Index, naming: Mapping[str, str]) -> dict[str, str]:
    found = next((name for name in VOLUME_COLUMNS if name in columns), None)
    return {} if "volume" in naming or found is None else {"volume": found}


def _require_columns(file: Path, rows: pd.DataFrame, wanted: Sequence[str]) -> None:
    found = [str(column) for column in rows.columns]
    missing = [name for name in wanted if name not in found]
    if missing:
        close = {name: difflib.get_close_matches(name, set(found) - set(wanted), n=1, cutoff=0.5) for name in missing}
        named = [f"{name} (closest: {close[name][0]})" if close[name] else name for name in missing]
        raise FormatError(
            f"'{file}' has no column {', '.join(named)}; it has {listed(found, 20)}",
            f"columns {', '.join(wanted)}",
            "rename them, or say which is which with columns: {canonical: theirs} (columns: sce for those of SynapseClusterEM)",
        )
    for name in wanted:
        empty = rows.index[rows[name].isna() | (rows[name].astype(str).str.strip() == "")]
        if len(empty):
            where = "in every row" if len(empty) == len(rows) else f"in {_rows(empty)}"
            raise FormatError(f"'{file}' has nothing in column {name} {where}", "a value in each row", "fill it or drop the rows")


def _names(file: Path, table: pd.DataFrame, name: str) -> pd.Series:
    names = table[name].astype(str).str.strip()
    if (wrong := names.index[names.str.contains("/")]).size:
        raise ValueRangeError(
            f"'{file}' has a / in {name} in {_rows(wrong)}", "names without /, which keys are made with", "rename"
        )
    return names


def _voxels(file: Path, values: pd.Series, name: str, rounding: str | None) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    if (wrong := numbers.index[~np.isfinite(numbers)]).size:
        raise FormatError(
            f"'{file}', column {name}: {values[wrong[0]]!r} in {_rows(wrong)}", "whole numbers, voxels", "correct it"
        )
    whole = np.floor(numbers + 0.5)
    if rounding is None and (wrong := numbers.index[whole != numbers]).size:
        raise ValueRangeError(
            f"'{file}', column {name}: {numbers[wrong[0]]:g} in {_rows(wrong)}",
            "whole numbers, voxels",
            "say rounding: nearest to take the nearest voxel; positions in nm have to be divided by the voxel size first",
        )
    if (wrong := numbers.index[whole < 0]).size:
        raise ValueRangeError(
            f"'{file}', column {name}: {numbers[wrong[0]]:g} in {_rows(wrong)}",
            "voxels of 0 and more, counted from the corner of the volume",
            "subtract the origin of the volume, or drop the rows",
        )
    return whole.astype(np.int64)


def _rows(index: pd.Index) -> str:
    """The first of these lines of the file, for a message."""
    return f"row{'s' if len(index) > 1 else ''} {listed(index, _MOST_ROWS)}"


def _ordered(columns: pd.Index) -> list[str]:
    first = [*SITE_TABLE_COLUMNS, *(name for name in OPTIONAL if name in columns)]
    return [*first, *(name for name in columns if name not in first)]


def _of_volumes(table: pd.DataFrame, volumes: Collection[str]) -> pd.DataFrame:
    for name in volumes:
        if name not in set(table["volume"]):
            raise UnknownNameError("volume of the sites", name, table["volume"].unique())
    return table[table["volume"].isin(set(volumes))]
