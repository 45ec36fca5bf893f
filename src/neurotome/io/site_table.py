"""A table of synapse sites: its columns, and how rows become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

__all__ = ["SITE_TABLE_COLUMNS", "site_table"]

SITE_TABLE_COLUMNS = (
    "dataset",
    "volume",
    "synapse_id",
    *(f"{what}_{axis}" for what in ("center", "side1", "side2") for axis in "zyx"),
)
"""Whose synapse it is, and in voxels of its volume: the middle of the cleft and one voxel in the neuron on each side of it."""


def site_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A row per synapse, indexed by its key "dataset/volume/id".

    Parameters
    ----------
    rows
        Each with dataset, volume, synapse_id (text) and center, side1, side2 (three whole numbers each, z, y, x).

    >>> row = dict(dataset="d", volume="v", synapse_id="7", center=(1, 2, 3), side1=(1, 2, 0), side2=(1, 2, 5))
    >>> site_table([row]).loc["d/v/7", ["center_x", "side2_x"]].tolist()
    [3, 5]
    """
    flat = [[r["dataset"], r["volume"], r["synapse_id"], *r["center"], *r["side1"], *r["side2"]] for r in rows]
    table = pd.DataFrame(flat, columns=list(SITE_TABLE_COLUMNS))
    table = table.astype(dict.fromkeys(SITE_TABLE_COLUMNS[3:], "int64"))
    key = table["dataset"] + "/" + table["volume"] + "/" + table["synapse_id"]
    return table.set_index(pd.Index(key, name="key"))
