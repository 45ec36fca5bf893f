"""Synapses as connectomes publish them, a centre and the ids of two neurons, as sites with a voxel on each side.

Each column has many names; letter case does not matter, and the first that a table has counts:

    id      id, synapse_id, synid, connector_id, cleft_segid
    pre     pre, pre_id, pre_root_id, pre_pt_root_id, presyn_segid, bodyid_pre, pre_segid; post in the same way
    centre  z_nm, center_z_nm, ctr_pt_position_z, ctr_pos_z, centroid_z, center_z, ctr_z, pos_z, z; x and y in the same way;
            nanometres where the name ends in _nm, micrometres where it ends in _um, else voxels
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import SITE_COLUMNS, FormatError, Labels, SynapseSites, UnitError
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import SITE_TABLE_COLUMNS, site_table
from neurotome.io.label_table import listed
from neurotome.io.open import require_exists
from neurotome.synapses.discarded import Discarded, discard_table
from neurotome.synapses.study.near import nearest_voxel, window
from neurotome.synapses.study.site_table import keyed
from neurotome.synapses.study.table_files import read_table

__all__ = ["SYNONYMS", "locate_partners", "sites_from_partners"]

_PARTNER = ("{}", "{}_id", "{}_root_id", "{}_pt_root_id", "{}syn_segid", "bodyid_{}", "{}_segid")
_CENTRE = (
    "{}_nm",
    "{}_um",
    "center_{}_nm",
    "ctr_pt_position_{}",
    "ctr_pos_{}",
    "centroid_{}",
    "center_{}",
    "ctr_{}",
    "pos_{}",
    "{}",
)
SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": ("id", "synapse_id", "synid", "connector_id", "cleft_segid"),
    **{name: tuple(form.format(name) for form in _PARTNER) for name in ("pre", "post")},
    **{axis: tuple(form.format(axis) for form in _CENTRE) for axis in "zyx"},
}
"""What is looked for -> names that public tables give it, in lower case."""


def sites_from_partners(
    table: pd.DataFrame | SynapseSites | Path | str,
    neurons: Labels,
    *,
    dataset: str = "study",
    volume: str | None = None,
    table_voxel_nm: Nm3 | None = None,
    origin_vox: Int3 = (0, 0, 0),
    reach_nm: float = 300.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A site for each synapse of a table with id, pre, post and centre; side 1 is the presynaptic neuron.

    Parameters
    ----------
    table
        Rows, or a file with them (see the module for names of columns), or the synapses of a phantom.
    neurons
        The volume in which the ids are. Its grid places nanometres.
    volume
        What the volume is called (default: the name of `neurons`).
    table_voxel_nm
        Voxel size z, y, x of the table where its centres are voxels of another size than those of the volume.
    origin_vox
        Of the corner of the volume, in the voxels of the table; subtracted from centres that are voxels.
    reach_nm
        How far from the centre the nearest voxel of a partner may be.

    Returns
    -------
    sites
        Canonical columns with pre_side 1, then side1_id, side2_id and what else the table has.
    discarded
        outside_volume (value: voxels outside), and pre_unknown, post_unknown (id 0), pre_not_near, post_not_near (threshold:
        reach_nm).

    Raises FormatError for columns that are not there or hold no numbers, InputError for ids that come twice.
    """
    rows, columns, source = _opened(table)
    centres = _centres(rows, columns, neurons, table_voxel_nm, origin_vox)
    pre, post = (_ids(rows, columns[name], source) for name in ("pre", "post"))
    name = volume or neurons.name
    keys = pd.DataFrame({"dataset": dataset, "volume": name, "synapse_id": rows[columns["id"]].astype(str)}, rows.index)
    keys = keyed(keys, source)
    found, kept, discarded = [], [], []
    for at, key in enumerate(keys.index):
        sides = locate_partners(neurons, key, centres[at], (pre[at], post[at]), reach_nm)
        if isinstance(sides, Discarded):
            discarded.append(sides)
            continue
        whose = {"dataset": dataset, "volume": name, "synapse_id": keys["synapse_id"].iloc[at]}
        found.append({**whose, "center": centres[at].tolist(), "side1": sides[0], "side2": sides[1]})
        kept.append(at)
    sites = site_table(found).assign(pre_side=1, side1_id=[str(pre[at]) for at in kept], side2_id=[str(post[at]) for at in kept])
    others = rows.drop(columns=list(columns.values())).iloc[kept]
    others = others[[name for name in others.columns if name not in SITE_TABLE_COLUMNS]].set_index(sites.index)
    return sites.join(others), discard_table(discarded)


def locate_partners(
    neurons: Labels, key: str, centre: Sequence[int], partners: tuple[int, int], reach_nm: float
) -> tuple[Int3, Int3] | Discarded:
    """The voxels of the pre- and the postsynaptic neuron that are nearest a centre, or why there are none."""
    shape = neurons.grid.shape
    beyond = max(max(-c, c - (n - 1)) for c, n in zip(centre, shape, strict=True))
    if beyond > 0:
        return Discarded(key, "sites", "outside_volume", float(beyond), 0.0)
    spacing = neurons.grid.voxel_nm
    box, ids = window(neurons, centre, [math.ceil(reach_nm / v) for v in spacing])
    target = np.asarray(centre) - np.array(box.start)
    places: list[Int3] = []
    for name, neuron in zip(("pre", "post"), partners, strict=True):
        if neuron == 0:
            return Discarded(key, "sites", f"{name}_unknown")
        nearest = nearest_voxel(ids == np.uint64(neuron), target, spacing)
        if nearest is None or nearest[1] > reach_nm:
            return Discarded(key, "sites", f"{name}_not_near", nearest[1] if nearest else float("nan"), reach_nm)
        z, y, x = (int(a + b) for a, b in zip(nearest[0], box.start, strict=True))
        places.append((z, y, x))
    return places[0], places[1]


def _opened(table: pd.DataFrame | SynapseSites | Path | str) -> tuple[pd.DataFrame, dict[str, str], str]:
    """The rows, which of their columns is what, and where they come from."""
    if isinstance(table, SynapseSites):
        # As text: pandas would make floats of large ids next to small ones.
        table = pd.DataFrame(
            [{k: str(v) for k, v in row.items()} for row in table.to_rows()],
            columns=list(SITE_COLUMNS),
        )
    if isinstance(table, pd.DataFrame):
        return table, _columns(table, "The table"), "the table"
    path = require_exists(Path(table))
    columns = _columns(read_table(path).head(0), f"'{path}'")
    return read_table(path, [columns[name] for name in ("id", "pre", "post")]), columns, str(path)


def _columns(table: pd.DataFrame, source: str) -> dict[str, str]:
    lower = {str(column).lower(): str(column) for column in reversed(table.columns)}
    found = {name: next((lower[form] for form in forms if form in lower), None) for name, forms in SYNONYMS.items()}
    missing = [name for name, column in found.items() if column is None]
    if missing:
        raise FormatError(
            f"{source} has no column for {', '.join(missing)}; it has {listed(lower.values(), 20)}",
            "; ".join(f"{name}: {' or '.join(SYNONYMS[name])}" for name in missing),
            "rename the column",
        )
    return {name: str(column) for name, column in found.items()}


def _centres(
    rows: pd.DataFrame, columns: dict[str, str], neurons: Labels, table_voxel_nm: Nm3 | None, origin_vox: Int3
) -> np.ndarray:
    """Nearest voxels (n, 3) int64."""
    named = [columns[axis] for axis in "zyx"]
    numbers = rows[named].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    if (wrong := np.flatnonzero(~np.isfinite(numbers).all(1))).size:
        raise FormatError(
            f"Columns {', '.join(named)} hold no numbers in row {rows.index[wrong[0]]}", "a centre per row", "correct it"
        )
    unit = {name.lower()[-3:] for name in named} & {"_nm", "_um"}
    if unit and len({name.lower()[-3:] for name in named}) > 1:
        raise UnitError(f"Columns {', '.join(named)} are of different units", "one unit", "rename or convert them")
    grid = neurons.grid
    if unit:
        voxels = (numbers * (1e3 if unit == {"_um"} else 1.0) - np.array(grid.origin_nm)) / np.array(grid.voxel_nm) + 0.5
    else:
        # Voxels of two sizes share their corner, not the centre of the first.
        factor = 1.0 if table_voxel_nm is None else np.array(table_voxel_nm) / np.array(grid.voxel_nm)
        voxels = (numbers - np.array(origin_vox) + 0.5) * factor
    return np.asarray(np.floor(voxels), np.int64)


def _ids(rows: pd.DataFrame, column: str, source: str) -> list[int]:
    """Ids as whole numbers; nothing counts as 0, unknown."""
    try:
        return [_whole(value) for value in rows[column]]
    except ValueError as error:
        raise FormatError(f"'{source}', column {column}: {error}", "ids of neurons", "correct the column") from error


def _whole(value: Any) -> int:
    if pd.isna(value) or str(value).strip() == "":
        return 0
    text = str(value).strip()
    # A column with empty cells is read as decimals.
    return int(text.removesuffix(".0"))
