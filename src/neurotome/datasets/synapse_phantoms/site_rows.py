"""The table that says where synapses are, as every phantom gives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.core.geometry import Int3, Nm3
from neurotome.datasets.synapse_phantoms.anatomy import POST, PRE, bent

if TYPE_CHECKING:
    from neurotome.datasets.synapse_phantoms.contents import Canvas

__all__ = ["SITE_TABLE_COLUMNS", "Site", "find_site", "site_table"]

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


@dataclass(frozen=True)
class Site:
    """A place in the cleft, and one in the neuron on each side, in voxels."""

    center: Int3
    pre: Int3
    post: Int3


def find_site(canvas: Canvas, shape: np.ndarray, rng: np.random.Generator) -> Site:
    """Where somebody would click: in the middle of a cleft (beside its hole), and some way into both neurons."""
    along = np.zeros(3)
    if shape["hole"][2] > 0:
        along[:2] = -0.6 * shape["radius"] * shape["hole"][:2] / np.hypot(*shape["hole"][:2])
    along[2] = bent(shape, along[:2])
    middle = shape["centre"] + along @ shape["frame"]
    center = _nearest(canvas.organelles, canvas.marks["cleft"], middle, canvas.voxel_nm)
    sides = []
    for side, way in ((PRE, -1.0), (POST, 1.0)):
        target = middle + way * rng.uniform(60, 110) * shape["frame"][2]
        sides.append(_nearest(canvas.neurons, int(shape["ids"][side]), target, canvas.voxel_nm))
    return Site(center, sides[0], sides[1])


def _nearest(labels: np.ndarray, label: int, place_nm: np.ndarray, voxel_nm: Nm3, reach: int = 6) -> Int3:
    """The voxel with a label that is nearest to a place."""
    at = np.round(place_nm / voxel_nm).astype(int)
    low = np.maximum(at - reach, 0)
    window = labels[tuple(slice(a, b + reach + 1) for a, b in zip(low, at, strict=True))]
    found = np.argwhere(window == label) + low
    z, y, x = (int(i) for i in found[np.argmin((((found - at) * voxel_nm) ** 2).sum(axis=1))])
    return z, y, x
