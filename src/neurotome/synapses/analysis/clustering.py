"""Clusters of a study's synapses, where one odd synapse must not count as a kind of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurotome import cluster
from neurotome.cluster import Choice, ChoiceSettings, FeatureSettings, Partition, ScalingSettings
from neurotome.cluster.partitions import NEED_K, numbered_by_size
from neurotome.core import Progress, silent

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["AS_SCALED", "QUICK_CHOICE", "SLOT", "Clustering", "least_of_a_kind", "write_clusters"]

SLOT = "X_scaled"
"""Where the matrix lies that distances, clusters and maps were made from: what others compare synapses by."""
AS_SCALED = FeatureSettings(features=(SLOT,), scaling=ScalingSettings("none"), most_columns=None)
QUICK_CHOICE = ChoiceSettings(most_rows=800, test_rows=400)
"""Silhouettes and clouds of so many synapses tell what those of all would, in seconds."""
FEWEST_FOR_CHOICE = 20
MOST_ROUNDS = 5


@dataclass(frozen=True)
class Clustering:
    """How synapses are sorted; k None: chosen where the method needs it."""

    method: str = "kmeans"
    k: int | None = None
    choice: ChoiceSettings = QUICK_CHOICE

    @property
    def chooses(self) -> bool:
        return self.k is None and self.method in NEED_K


def least_of_a_kind(n: int) -> int:
    """Synapses that a cluster must have to count as a kind: 1 % of n, and at least 3."""
    return max(3, -(-n // 100))


def write_clusters(
    table: AnnData, how: Clustering, progress: Progress = silent
) -> tuple[Partition, Choice | None, list[str], list[str]]:
    """Sorts the rows of obsm["X_scaled"] as `cluster.partition` does, into the same slots; also the keys set aside, and notes.

    Where the number of clusters is chosen, a cluster of less than `least_of_a_kind` rows is none: its rows are set aside, the
    choice is made again without them, and they join the cluster with the nearest centre. Else one synapse whose crop went wrong
    would add a cluster or not, as the seed falls.
    """
    if not how.chooses:
        return *_partition(table, how, how.k, progress), [], []
    if table.n_obs < FEWEST_FOR_CHOICE:
        note = f"{table.n_obs} synapses are too few to choose a number of clusters: at least {FEWEST_FOR_CHOICE}"
        found, chosen = _partition(table, how, 1, progress)
        table.uns["cluster"]["reason"] = note
        return found, chosen, [], [note]
    rows = np.arange(table.n_obs)
    part, found, chosen = _chosen(table, rows, how, progress)
    for _ in range(MOST_ROUNDS):
        small = np.flatnonzero(np.bincount(found.labels) < least_of_a_kind(table.n_obs))
        kept = rows[~np.isin(found.labels, small)]
        if len(small) == 0 or len(kept) < FEWEST_FOR_CHOICE:
            break
        rows = kept
        part, found, chosen = _chosen(table, rows, how, progress)
    return _taken_over(table, part, rows, found), chosen, *_aside(table, rows)


def _partition(table: AnnData, how: Clustering, k: int | None, progress: Progress) -> tuple[Partition, Choice | None]:
    return cluster.partition(table, how.method, k, AS_SCALED, choice=how.choice, progress=progress, seed=how.choice.seed)


def _chosen(table: AnnData, rows: np.ndarray, how: Clustering, progress: Progress) -> tuple[AnnData, Partition, Choice | None]:
    """Clusters of some rows, in a table of their own."""
    import anndata

    part = anndata.AnnData(obs=pd.DataFrame(index=table.obs_names[rows]))
    part.obsm[SLOT] = np.asarray(table.obsm[SLOT])[rows]
    return part, *_partition(part, how, None, progress)


def _taken_over(table: AnnData, part: AnnData, rows: np.ndarray, found: Partition) -> Partition:
    """Clusters of some rows as clusters of all: the others go to the nearest centre, with probability 0 where there is one."""
    values = np.asarray(table.obsm[SLOT])
    centres = np.stack([values[rows][found.labels == at].mean(0) for at in range(found.k)])
    labels = np.argmin(((values[:, None] - centres) ** 2).sum(2), axis=1)
    labels[rows] = found.labels
    labels = numbered_by_size(labels)
    names = [str(label) for label in range(found.k)]
    table.obs["cluster"] = pd.Categorical([str(label) for label in labels], categories=names)
    if "cluster_probability" in table.obs:
        del table.obs["cluster_probability"]
    probability = None
    if found.probability is not None:
        probability = np.zeros(len(values), np.float32)
        probability[rows] = found.probability
        table.obs["cluster_probability"] = probability
    for slot in ("cluster", "choice"):
        table.uns[slot] = part.uns[slot]
    return replace(found, labels=labels, probability=probability)


def _aside(table: AnnData, rows: np.ndarray) -> tuple[list[str], list[str]]:
    keys = [str(name) for name in table.obs_names[np.setdiff1d(np.arange(table.n_obs), rows)]]
    if not keys:
        return [], []
    named = ", ".join(keys[:5]) + (" ..." if len(keys) > 5 else "")
    kind = "is unlike all others and was" if len(keys) == 1 else "are unlike all others and were"
    return keys, [f"{len(keys)} of {table.n_obs} synapses {kind} set aside when clusters were chosen: {named}"]
