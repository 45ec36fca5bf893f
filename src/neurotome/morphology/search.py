"""The neurons of a table that are nearest to one of them, or to a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurotome.cluster import FeatureSettings, Neighbours, Scaler, features_of
from neurotome.cluster.projections import condensing_axes
from neurotome.core import InputError, UnknownNameError
from neurotome.morphology.comparison import label_names
from neurotome.morphology.embedding import embed
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import Shape

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["neighbours_of", "neighbours_of_shape"]


def neighbours_of(table: AnnData, neuron: str, top: int = 10) -> list[dict[str, Any]]:
    """rank, neuron, distance and labels of the nearest other neurons, nearest first. Raises UnknownNameError."""
    if neuron not in table.obs_names:
        raise UnknownNameError("neuron", neuron, list(table.obs_names))
    row = int(table.obs_names.get_loc(neuron))
    values = _preparation(table)(features_of(table)[0])
    return _rows(table, values, values[row], top, skip=row)


def neighbours_of_shape(table: AnnData, shape: Shape, encoder: ShapeEncoder, top: int = 10) -> list[dict[str, Any]]:
    """The same for a neuron that is not in the table, by the encoder that made it.

    Raises InputError for an encoder with other weights than the table was made with.
    """
    made = table.uns["morphology"]
    if made["weights_sha256"] != encoder.identity["weights_sha256"]:
        raise InputError(
            f"Encoder '{encoder.card.name}' has weights {encoder.identity['weights_sha256'][:12]}",
            f"{made['weights_sha256'][:12]}, with which the table was made",
            "give the encoder of the table, or embed the neurons anew",
        )
    query = embed([shape], encoder, pooling=made["pooling"])
    prepare = _preparation(table)
    return _rows(table, prepare(features_of(table)[0]), prepare(np.asarray(query.X))[0], top)


def _preparation(table: AnnData) -> Callable[[np.ndarray], np.ndarray]:
    """From rows like those of the table to what maps, groups and the table's own neighbours see of them (`cluster.prepared`)."""
    settings = FeatureSettings()
    values = features_of(table)[0].astype(np.float64)
    scaler = Scaler.fit(values, settings.scaling)
    axes = None if settings.most_columns is None else condensing_axes(scaler.apply(values), most=settings.most_columns)
    return scaler.apply if axes is None else lambda rows: axes.apply(scaler.apply(rows))


def _rows(table: AnnData, values: np.ndarray, query: np.ndarray, top: int, skip: int = -1) -> list[dict[str, Any]]:
    most = table.n_obs - (skip >= 0)
    if not 1 <= top <= most:
        raise InputError(f"--top {top} of {most} other neurons", f"1 to {most}", "change it")
    found = Neighbours.of(values.astype(np.float32)).nearest(query.astype(np.float32), top, skip=np.array([skip]))
    labels = label_names(table)
    return [
        {
            "rank": rank,
            "neuron": str(table.obs_names[row]),
            "distance": float(distance),
            **{name: table.obs[name].iloc[row] for name in labels},
        }
        for rank, (row, distance) in enumerate(zip(found.rows[0].tolist(), found.distances[0].tolist(), strict=True), 1)
    ]
