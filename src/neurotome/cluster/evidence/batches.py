"""Are the clusters only the batches (acquisition volumes, animals, days) that the rows come from?

Three questions, each with a permutation test: do clusters and batches go together (Cramer's V), do the features of batches differ
(PERMANOVA), and can the batch be told from a row's neighbours (kNN)? A difference has two possible causes that ask for opposite
answers. Either the same things look different in each batch: correct them. Or the batches hold different things: a correction
would erase that. Inside a cluster only the first cause is left, so features are also compared between batches within clusters.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from neurotome.cluster.agreement import cramers_v, cross_table, cross_table_of_codes
from neurotome.cluster.evidence.permutation import permutation_p, shuffled_within
from neurotome.cluster.neighbours import Neighbours
from neurotome.cluster.scores import balanced_accuracy, votes
from neurotome.cluster.values import codes_of, numbers_of, same_length
from neurotome.core import InputError

__all__ = ["BatchEffect", "BatchSettings", "Permanova", "batch_effect", "permanova"]

BATCH_ALIKE = 0.8
"""From this (corrected) Cramer's V on, a cluster is practically a batch: within clusters there is nothing left to compare."""


@dataclass(frozen=True)
class BatchSettings:
    """Permutations of the table and of the features; k of the neighbours; alpha of each test.

    least: an effect smaller than this (V; R^2 within clusters) counts as none, however significant.
    """

    table_permutations: int = 9999
    feature_permutations: int = 999
    k: int = 15
    alpha: float = 0.05
    least: float = 0.05
    seed: int = 42


@dataclass(frozen=True)
class Permanova:
    """f: pseudo-F; r2: the share of the squared distances that lies between groups; p: by permutation."""

    f: float
    r2: float
    p: float


@dataclass(frozen=True, eq=False)
class BatchEffect:
    """verdict: "none", "present" (features shift with the batch) or "confounded" (the batches hold other shares of the clusters).

    cramers_v (bias-corrected), v_p: cluster with batch. features: PERMANOVA of the batch; within: the same within clusters.
    knn_accuracy: balanced, of telling the batch from neighbours; knn_chance: with shuffled batches; knn_p. residuals: clusters
    down, batches across, (seen - expected) / sd: beyond 3 in size, a cell is no chance.
    """

    verdict: str
    reason: str
    cramers_v: float
    v_p: float
    features: Permanova
    within: Permanova
    knn_accuracy: float
    knn_chance: float
    knn_p: float
    residuals: pd.DataFrame = field(repr=False)


def permanova(
    values: np.ndarray,
    labels: np.ndarray,
    *,
    strata: np.ndarray | None = None,
    permutations: int = 999,
    seed: int = 42,
) -> Permanova:
    """Do rows of one label lie nearer to each other than rows of several? Euclidean distances. Source: Anderson 2001.

    strata (n,): labels are compared, and shuffled, only within each stratum; r2 then is the share of what lies within strata.

    >>> found = permanova(np.array([[0.0], [1], [10], [11], [20], [21]]), np.repeat(["a", "b", "c"], 2), permutations=99)
    >>> round(found.f, 6), round(found.r2, 6)
    (400.0, 0.996264)
    """
    values = numbers_of(values).astype(np.float64)
    same_length(len(values), labels=labels, strata=strata)
    codes, names = codes_of(labels)
    layer = np.zeros(len(values), np.int64) if strata is None else codes_of(strata, "strata")[0]
    if len(names) < 2:
        raise InputError(f"One label only, '{names[0]}'", "at least two to compare")
    centred = values - _means(values, layer, int(layer.max()) + 1)[layer]
    total = float((centred**2).sum())
    cells = layer * len(names) + codes
    groups, layers = len(np.unique(cells)), len(np.unique(layer))
    size = (int(layer.max()) + 1) * len(names)
    between = _between(centred, cells, size)
    rng = np.random.default_rng(seed)
    drawn = [_between(centred, layer * len(names) + shuffled_within(codes, layer, rng), size) for _ in range(permutations)]
    free = len(values) - groups
    if total == 0 or groups == layers:
        return Permanova(0.0, 0.0, 1.0)
    left = (total - between) / free if free else 0.0
    f = between / (groups - layers) / left if left > 0 else float("inf")
    return Permanova(f, between / total, permutation_p(between, np.array(drawn)))


def batch_effect(
    values: np.ndarray, labels: np.ndarray, batches: np.ndarray, settings: BatchSettings | None = None
) -> BatchEffect:
    """How far clusters `labels` (n,) and features (n, p), scaled, go with the batches (n,). Noise is one more cluster."""
    settings = settings or BatchSettings()
    values = numbers_of(values)
    same_length(len(values), labels=labels, batches=batches)
    codes, names = codes_of(batches, "batches")
    if len(names) < 2:
        raise InputError(f"One batch only, '{names[0]}'", "rows of at least two batches", "leave the test out")
    v, v_p = _table_test(codes_of(labels)[0], codes, settings)
    how = {"permutations": settings.feature_permutations, "seed": settings.seed}
    features = permanova(values, codes, **how)
    within = permanova(values, codes, strata=labels, **how)
    knn, chance, knn_p = _neighbour_test(values, codes, settings)
    verdict, reason = _verdict(v, v_p, features, within, settings)
    return BatchEffect(verdict, reason, v, v_p, features, within, knn, chance, knn_p, _residuals(labels, batches))


def _verdict(v: float, v_p: float, features: Permanova, within: Permanova, settings: BatchSettings) -> tuple[str, str]:
    linked = v_p <= settings.alpha and v >= settings.least
    shifted = within.p <= settings.alpha and within.r2 >= settings.least
    if linked and v >= BATCH_ALIKE:
        return "present", (
            f"clusters and batches are nearly the same thing (V = {v:.2f}): whether batches look different or hold different "
            "things cannot be told from these rows"
        )
    if shifted:
        return "present", f"within clusters, features differ between batches (R2 = {within.r2:.3f}, p = {within.p:.3g})"
    if linked:
        return "confounded", (
            f"batches hold different shares of the clusters (V = {v:.2f}, p = {v_p:.3g}), but within clusters they look alike: "
            "a correction per batch would erase what they truly differ in"
        )
    if features.p <= settings.alpha and features.r2 >= settings.least:
        return "present", f"features differ between batches (R2 = {features.r2:.3f}, p = {features.p:.3g}), clusters do not"
    return "none", f"clusters do not go with batches (V = {v:.2f}, p = {v_p:.3g}), nor do features (R2 = {features.r2:.3f})"


def _table_test(clusters: np.ndarray, batches: np.ndarray, settings: BatchSettings) -> tuple[float, float]:
    sides = int(clusters.max()) + 1, int(batches.max()) + 1
    observed = cross_table_of_codes(clusters, batches, *sides)
    # With fixed margins, V grows with the sum of squares over the product of the margins.
    weight = 1 / np.outer(observed.sum(1), observed.sum(0))
    rng = np.random.default_rng(settings.seed)
    drawn = np.empty(settings.table_permutations)
    for at in range(len(drawn)):
        drawn[at] = (cross_table_of_codes(clusters, rng.permutation(batches), *sides) ** 2 * weight).sum()
    return cramers_v(observed), permutation_p(float((observed**2 * weight).sum()), drawn)


def _neighbour_test(values: np.ndarray, batches: np.ndarray, settings: BatchSettings) -> tuple[float, float, float]:
    rows = Neighbours.of(values).of_every_row(min(settings.k, len(values) - 1)).rows
    classes = int(batches.max()) + 1
    observed = balanced_accuracy(batches, votes(batches[rows], classes))
    rng = np.random.default_rng(settings.seed)
    drawn = np.empty(min(settings.feature_permutations, 199))
    for at in range(len(drawn)):
        shuffled = rng.permutation(batches)
        drawn[at] = balanced_accuracy(shuffled, votes(shuffled[rows], classes))
    return observed, float(drawn.mean()), permutation_p(observed, drawn)


def _residuals(labels: np.ndarray, batches: np.ndarray) -> pd.DataFrame:
    """Adjusted standardised residuals (Haberman 1973)."""
    table = cross_table(labels, batches)
    n, down, across = table.sum(), table.sum(1, keepdims=True), table.sum(0, keepdims=True)
    expected = down * across / n
    variance = expected * (1 - down / n) * (1 - across / n)
    values = np.divide(table - expected, np.sqrt(variance), out=np.zeros(table.shape), where=variance > 0)
    return pd.DataFrame(values, index=codes_of(labels)[1], columns=codes_of(batches)[1])


def _between(centred: np.ndarray, cells: np.ndarray, size: int) -> float:
    """Sum over cells of rows times the squared distance of their mean from the mean of their stratum."""
    means = _means(centred, cells, size)
    return float((np.bincount(cells, minlength=size)[:, None] * means**2).sum())


def _means(values: np.ndarray, cells: np.ndarray, size: int) -> np.ndarray:
    from scipy import sparse

    n = len(values)
    member = sparse.csr_matrix((np.ones(n), (cells, np.arange(n))), shape=(size, n))
    return (member @ values) / np.maximum(np.bincount(cells, minlength=size), 1)[:, None]
