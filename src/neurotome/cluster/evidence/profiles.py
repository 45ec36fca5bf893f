"""What sets each cluster apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neurotome.cluster.evidence.effect_sizes import benjamini_hochberg, hedges_g, rank_sum_p
from neurotome.cluster.partitions.methods import medoids
from neurotome.cluster.partitions.stability import UNSTABLE, Clustering, cluster_jaccard
from neurotome.cluster.values import codes_of, numbers_of, same_length
from neurotome.core import ShapeError

__all__ = ["CLUSTER_COLUMNS", "PROFILE_COLUMNS", "cluster_profiles", "cluster_table"]

CLUSTER_COLUMNS = ("cluster", "rows", "share", "medoid", "jaccard", "stable")
PROFILE_COLUMNS = ("cluster", "feature", "mean", "mean_others", "effect", "low", "high", "p", "q")


def cluster_table(
    values: np.ndarray, labels: np.ndarray, clustering: Clustering | None = None, *, rounds: int = 50, seed: int = 42
) -> pd.DataFrame:
    """`CLUSTER_COLUMNS`, largest cluster first; medoid: a row. jaccard (see `cluster_jaccard`) is NaN without `clustering`."""
    values, labels = numbers_of(values), np.asarray(labels)
    same_length(len(values), labels=labels)
    sizes = np.bincount(labels[labels >= 0])
    back = np.full(len(sizes), np.nan)
    if clustering is not None:
        back = cluster_jaccard(values, labels, clustering, rounds=rounds, seed=seed)
    columns = (np.arange(len(sizes)), sizes, sizes / len(labels), medoids(values, labels), back, back >= UNSTABLE)
    return pd.DataFrame(dict(zip(CLUSTER_COLUMNS, columns)))


def cluster_profiles(
    values: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    *,
    units: np.ndarray | None = None,
    draws: int = 200,
    seed: int = 42,
) -> pd.DataFrame:
    """`PROFILE_COLUMNS` per cluster and column of values (n, p), the largest |effect| of a cluster first.

    effect: Hedges' g of the cluster against all other rows, low and high its 95 % bootstrap interval; where `units` (n,) are
    given (animals, acquisition volumes), these are drawn, not rows. p: rank-sum test, q: Benjamini-Hochberg over the whole table.
    Columns from which the clusters were made differ between them in any case: there, p only ranks. Noise (-1) is among the
    others; a cluster of one row has no effect (NaN).
    """
    values, labels = numbers_of(values).astype(np.float64), np.asarray(labels)
    same_length(len(values), labels=labels, units=units)
    if len(names) != values.shape[1]:
        raise ShapeError(f"{len(names)} names", f"{values.shape[1]}, one per column")
    drawn = _draws(len(values), units, draws, seed)
    parts = []
    for cluster in range(int(labels.max()) + 1):
        inside = labels == cluster
        effect, low, high = _effect(values, inside, drawn)
        part = pd.DataFrame({"cluster": cluster, "feature": list(names), "mean": values[inside].mean(0)})
        others = values[~inside].mean(0) if (~inside).any() else np.nan
        p = rank_sum_p(values, inside) if 0 < inside.sum() < len(values) else np.nan
        part = part.assign(mean_others=others, effect=effect, low=low, high=high, p=p)
        parts.append(part.iloc[np.argsort(-np.abs(np.nan_to_num(effect)), kind="stable")])
    table = pd.concat(parts, ignore_index=True)
    table["q"] = benjamini_hochberg(table["p"].to_numpy())
    return table[list(PROFILE_COLUMNS)]


def _effect(values: np.ndarray, inside: np.ndarray, drawn: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    nothing = np.full(values.shape[1], np.nan)
    if min(inside.sum(), (~inside).sum()) < 2:
        return nothing, nothing, nothing
    again = [
        hedges_g(values[rows][inside[rows]], values[rows][~inside[rows]])
        for rows in drawn
        if min(inside[rows].sum(), (~inside[rows]).sum()) > 1
    ]
    # A column that is one value inside and another outside has no finite effect.
    with np.errstate(invalid="ignore"):
        low, high = np.percentile(again, (2.5, 97.5), axis=0) if again else (nothing, nothing)
    return hedges_g(values[inside], values[~inside]), low, high


def _draws(n: int, units: np.ndarray | None, draws: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    if units is None:
        return [rng.integers(n, size=n) for _ in range(draws)]
    codes, names = codes_of(units, "units")
    members = [np.flatnonzero(codes == unit) for unit in range(len(names))]
    return [np.concatenate([members[unit] for unit in rng.integers(len(names), size=len(names))]) for _ in range(draws)]
