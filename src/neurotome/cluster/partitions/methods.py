"""The ways to sort rows into clusters. All of them work on the features, not on a map of them."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurotome.cluster.neighbours import Neighbours
from neurotome.cluster.partitions.elbow import farthest_below_chord
from neurotome.cluster.partitions.kmeans import kmeans
from neurotome.cluster.values import numbers_of, same_length
from neurotome.core import InputError, UnknownNameError, ValueRangeError

__all__ = ["ALGORITHMS", "NEED_K", "NOISE", "Partition", "medoids", "numbered_by_size", "partition_rows"]

NOISE = -1
NEED_K = ("kmeans", "ward", "gaussians")


@dataclass(frozen=True, eq=False)
class Partition:
    """labels (n,) int64: 0 is the largest cluster, -1 noise. probability (n,) of belonging to it, where the method gives one."""

    labels: np.ndarray
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    probability: np.ndarray | None = None

    @property
    def k(self) -> int:
        return int(self.labels.max()) + 1


def numbered_by_size(labels: np.ndarray) -> np.ndarray:
    """Clusters renumbered: 0 is the largest, of equal ones that with the earlier first row; -1 stays.

    >>> numbered_by_size(np.array([7, 3, 3, -1, 7, 3])).tolist()
    [1, 0, 0, -1, 1, 0]
    """
    labels = np.asarray(labels)
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    real = names != NOISE
    order = np.lexsort((first[real], -counts[real]))
    numbers = {int(name): at for at, name in enumerate(names[real][order])} | {NOISE: NOISE}
    return np.array([numbers[int(label)] for label in labels], np.int64)


def partition_rows(
    values: np.ndarray, method: str = "kmeans", k: int | None = None, *, seed: int = 42, **settings: Any
) -> Partition:
    """values (n, p), scaled, sorted into clusters by "kmeans", "ward" or "gaussians" (these need k), "hdbscan" or "dbscan".

    Raises UnknownNameError for another method and ValueRangeError where there are no more than k rows.
    """
    if method not in ALGORITHMS:
        raise UnknownNameError("clustering", method, ALGORITHMS)
    values = numbers_of(values).astype(np.float64)
    if method not in NEED_K:
        if k is not None:
            raise InputError(f"k = {k} for '{method}'", f"no k: it finds their number; k goes with {', '.join(NEED_K)}")
        return ALGORITHMS[method](values, **settings)
    if k is None:
        raise InputError(f"No k for '{method}'", "the number of clusters", "give k, or let it be chosen (`choose_k`)")
    if not 1 <= k < len(values):
        raise ValueRangeError(f"k = {k} clusters of {len(values)} rows", f"1 to {len(values) - 1}", "ask for fewer clusters")
    return ALGORITHMS[method](values, k, seed, **settings)


def medoids(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Per cluster 0, 1, ... the row whose distances to the others of its cluster add up to the least, the first of equals.

    >>> medoids(np.array([[0.0], [1], [5], [9]]), np.array([0, 0, 0, 1])).tolist()
    [1, 3]
    """
    values = numbers_of(values).astype(np.float64)
    same_length(len(values), labels=labels)
    found = []
    for cluster in range(int(np.max(labels)) + 1):
        rows = np.flatnonzero(labels == cluster)
        sums = [np.linalg.norm(values[rows] - values[row], axis=1).sum() for row in rows]
        found.append(rows[int(np.argmin(np.round(sums, 9)))])
    return np.array(found, np.int64)


def _kmeans(values: np.ndarray, k: int, seed: int, *, starts: int = 10) -> Partition:
    found = kmeans(values, k, starts=starts, seed=seed)
    return Partition(numbered_by_size(found.labels), "kmeans", {"k": k, "starts": starts, "seed": seed})


def _ward(values: np.ndarray, k: int, seed: int) -> Partition:
    from scipy.cluster import hierarchy

    labels = hierarchy.fcluster(hierarchy.linkage(values, "ward"), k, "maxclust")
    return Partition(numbered_by_size(labels), "ward", {"k": k})


def _gaussians(values: np.ndarray, k: int, seed: int) -> Partition:
    """Columns independent within a cluster: with full covariances, clusters smaller than the number of columns have none."""
    mixture = importlib.import_module("sklearn.mixture")
    start = kmeans(values, k, seed=seed)
    least = 1e-4
    spread = np.stack([values[start.labels == cluster].var(0) for cluster in range(k)]) + least
    # All three starts or none: those it would find itself number the clusters in another order.
    model = mixture.GaussianMixture(
        k,
        covariance_type="diag",
        weights_init=np.bincount(start.labels, minlength=k) / len(values),
        means_init=start.centres,
        precisions_init=1 / spread,
        reg_covar=least,
        max_iter=500,
        random_state=seed,
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        chances = model.fit(values).predict_proba(values)
    labels = np.argmax(chances, axis=1)
    settings = {"k": k, "seed": seed, "converged": not said}
    return Partition(numbered_by_size(labels), "gaussians", settings, chances[np.arange(len(labels)), labels])


def _hdbscan(values: np.ndarray, *, least: int | None = None) -> Partition:
    """least: rows of the smallest cluster."""
    least = least or max(5, round(0.02 * len(values)))
    if len(values) < least:
        raise ValueRangeError(f"{len(values)} rows", f"at least {least}, the smallest cluster", "give a smaller `least`")
    model = importlib.import_module("sklearn.cluster").HDBSCAN(min_cluster_size=least, copy=True).fit(values)
    return Partition(numbered_by_size(model.labels_), "hdbscan", {"least": least}, np.asarray(model.probabilities_))


def _dbscan(values: np.ndarray, *, eps: float | None = None, least: int = 5) -> Partition:
    """eps None: the knee of the sorted distances to the `least`-th neighbour."""
    if eps is None:
        if len(values) <= least:
            raise ValueRangeError(f"{len(values)} rows", f"more than {least}, to see how dense they lie")
        ranked = np.sort(Neighbours.of(values).of_every_row(least).distances[:, -1])
        eps = float(ranked[farthest_below_chord(np.arange(len(ranked)), ranked)])
    model = importlib.import_module("sklearn.cluster").DBSCAN(eps=eps or 1e-12, min_samples=least).fit(values)
    return Partition(numbered_by_size(model.labels_), "dbscan", {"eps": eps, "least": least})


ALGORITHMS: dict[str, Callable[..., Partition]] = {
    "kmeans": _kmeans,
    "ward": _ward,
    "gaussians": _gaussians,
    "hdbscan": _hdbscan,
    "dbscan": _dbscan,
}
