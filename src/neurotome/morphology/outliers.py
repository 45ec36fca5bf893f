"""Neurons that are like no other, or that the network could not remember: the first to look at for errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from neurotome.cluster.outliers import outlier_scores
from neurotome.core import InputError, ShapeError

__all__ = ["outlier_table", "surprise"]


def surprise(values: np.ndarray) -> np.ndarray:
    """How far values lie above the usual ones: value - median, in units of 1.4826 times the median absolute deviation; 0 below.

    Where more than half of the values are equal, in units of the mean absolute deviation instead. (n,) -> (n,) float64.
    Source: Iglewicz & Hoaglin 1993.

    >>> surprise(np.array([1.0, 2.0, 3.0, 4.0, 13.0])).round(2).tolist()
    [0.0, 0.0, 0.0, 0.67, 6.74]
    """
    above = np.asarray(values, np.float64) - np.median(values)
    spread = 1.4826 * np.median(np.abs(above)) or 1.2533 * np.abs(above).mean() or 1.0
    return np.asarray(np.maximum(above / spread, 0.0))


def outlier_table(
    names: Sequence[str], features: np.ndarray, *, f1: Mapping[str, float] | None = None, k: int = 10
) -> pd.DataFrame:
    """Neurons, the strangest first: how far from their neighbours they lie and how badly they were reconstructed.

    features: (n, d), a row per name. f1: of the reconstruction, by name; None leaves it out. k: neighbours.
    Columns: rank (1, 2, ...), score (the root of the summed squares of both surprises), distance (mean distance to the k nearest
    over its median, see `outlier_scores`), distance_surprise, and with f1 also error (1 - f1) and error_surprise.
    Distances are compared as logarithms, so that a scale that reaches far does not hide the error. Index: names.

    Raises ShapeError, InputError for a name without f1, ValueRangeError for fewer than 3 neurons.
    """
    if len(names) != len(features):
        raise ShapeError(f"{len(names)} names and {len(features)} rows of features", "as many")
    distance = outlier_scores(features, k)
    columns = {"distance": distance, "distance_surprise": surprise(np.log(np.maximum(distance, 1e-12)))}
    if f1 is not None:
        columns["error"] = 1.0 - np.array([_of(f1, name) for name in names])
        columns["error_surprise"] = surprise(columns["error"])
    surprises = [values for key, values in columns.items() if key.endswith("_surprise")]
    table = pd.DataFrame({"score": np.sqrt(np.square(surprises).sum(0)), **columns}, index=pd.Index(names, name="neuron_id"))
    table = table.sort_values("score", ascending=False, kind="stable")
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def _of(f1: Mapping[str, float], name: str) -> float:
    if name not in f1:
        raise InputError(f"Neuron '{name}' was not reconstructed", "an F1 for every name", "reconstruct it, or leave the F1 out")
    return float(f1[name])
