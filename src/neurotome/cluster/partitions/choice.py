"""How many clusters, if any? Four kinds of evidence for every k, a test against a cloud without clusters, and one answer.

Silhouette, elbow and stability can all be high for one stretched cloud without any clusters. So the best silhouette is compared
with that of Gaussian clouds of the same mean and covariance; if such clouds reach it, the answer is 1.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numba
import numpy as np
import pandas as pd

from neurotome.cluster.partitions.elbow import farthest_below_chord
from neurotome.cluster.partitions.kmeans import kmeans
from neurotome.cluster.partitions.stability import subsample_stability
from neurotome.cluster.quality import distances_within, silhouette_of, silhouettes_of
from neurotome.cluster.values import numbers_of
from neurotome.core import Progress, ValueRangeError, silent

__all__ = ["Choice", "ChoiceSettings", "NullTest", "choose_k", "null_test"]

Statistic = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class ChoiceSettings:
    """most: the largest k tried (never above n / 10). pairs, share: see `subsample_stability`. stable: what stability must reach.

    clouds: Gaussian clouds of the null test, alpha its level. most_rows: silhouettes, stability and the null test look at so many
    rows, drawn evenly; inertia at all. test_rows: rows of each cloud, and of the data they are compared with.
    """

    most: int = 15
    pairs: int = 15
    share: float = 0.8
    stable: float = 0.75
    clouds: int = 199
    alpha: float = 0.05
    starts: int = 10
    most_rows: int = 4000
    test_rows: int = 1000
    seed: int = 42


@dataclass(frozen=True)
class NullTest:
    """observed: the best silhouette; p: how often clouds without clusters reach it.

    clouds: how many were drawn until that was clear; expected: their mean.
    """

    observed: float
    expected: float
    p: float
    clouds: int


@dataclass(frozen=True, eq=False)
class Choice:
    """k, the reason in words, the test, and a table: k, silhouette, inertia, bend, stability, tied, chosen.

    elbow, best_silhouette: what these two alone would say; `agree`: whether they differ by 1 at most.
    """

    k: int
    reason: str
    test: NullTest
    elbow: int
    best_silhouette: int
    table: pd.DataFrame = field(repr=False)

    @property
    def agree(self) -> bool:
        return abs(self.elbow - self.best_silhouette) <= 1


def choose_k(values: np.ndarray, settings: ChoiceSettings | None = None, *, progress: Progress = silent) -> Choice:
    """The number of k-means clusters of values (n, p), scaled.

    1 if Gaussian clouds reach the best silhouette (p > alpha) or no k is stable; else, of the stable ones, that with the largest
    silhouette. Where others are not behind it by more than the standard error of their difference, rows being the sample, the
    largest of these: what comes back in every subsample and costs nothing is told apart. Raises ValueRangeError for fewer than
    20 rows, of which at most 2 clusters of 10 could be made.
    """
    settings = settings or ChoiceSettings()
    values = numbers_of(values).astype(np.float64)
    most = min(settings.most, len(values) // 10)
    if most < 2:
        raise ValueRangeError(f"{len(values)} rows", "at least 20 to choose a number of clusters", "give k yourself")
    ks = range(2, most + 1)
    table = _table(values, ks, settings, progress)
    test = null_test(_some_rows(values, settings.test_rows, settings.seed), ks, settings, progress=progress)
    k, reason = _decision(table, test, settings)
    table["chosen"] = table["k"] == k
    elbow = int(table["k"].iloc[farthest_below_chord(table["k"].to_numpy(), table["inertia"].to_numpy())])
    return Choice(k, reason, test, elbow, int(table["k"].iloc[int(table["silhouette"].argmax())]), table)


def null_test(values: np.ndarray, ks: range, settings: ChoiceSettings, *, progress: Progress = silent) -> NullTest:
    """Is there more structure than in one Gaussian cloud with the mean and covariance of values (n, p)?

    Statistic: the best silhouette over ks. p = (1 + clouds that reach it) / (1 + clouds); once so many have reached it that p
    must exceed alpha, no more are drawn and p = reached / drawn (Besag and Clifford 1991). Long-tailed columns are no Gaussians
    and would be called structure: take their logarithms first.
    """
    observed = _best_silhouette(values, ks, settings.seed)
    mean, root = values.mean(0), _covariance_root(values)
    enough = int(np.floor(settings.alpha * (1 + settings.clouds))) + 1
    found: list[float] = []
    draw = _clouds(mean, root, len(values), ks, settings)
    for cloud in draw(range(settings.clouds)):
        found.append(cloud)
        progress("clouds without clusters", len(found), settings.clouds)
        if sum(value >= observed for value in found) >= enough:
            break
    reached = sum(value >= observed for value in found)
    p = (1 + reached) / (1 + len(found)) if len(found) == settings.clouds else reached / len(found)
    return NullTest(observed, float(np.mean(found)), p, len(found))


def _table(values: np.ndarray, ks: range, settings: ChoiceSettings, progress: Progress) -> pd.DataFrame:
    some = _some_rows(values, settings.most_rows, settings.seed)
    distances = distances_within(some)
    rows = [(1, np.nan, kmeans(values, 1, seed=settings.seed).inertia, np.nan)]
    silhouettes = []
    for done, k in enumerate(ks):
        progress("numbers of clusters", done, len(ks))
        found = kmeans(values, k, starts=settings.starts, seed=settings.seed)
        # The subsample gets clusters of its own where it is not all rows: its silhouette must be that of a best partition.
        labels = found.labels if len(some) == len(values) else kmeans(some, k, starts=settings.starts, seed=settings.seed).labels
        stability = subsample_stability(
            some,
            lambda part, seed, k=k: kmeans(part, k, starts=settings.starts, seed=seed).labels,
            pairs=settings.pairs,
            share=settings.share,
            seed=settings.seed,
        )
        silhouettes.append(silhouettes_of(distances, labels))
        rows.append((k, float(silhouettes[-1].mean()), found.inertia, stability))
    table = pd.DataFrame(rows, columns=["k", "silhouette", "inertia", "stability"])
    table["tied"] = [False, *_tied(np.array(silhouettes), table["stability"].to_numpy()[1:] >= settings.stable)]
    along = (table["k"] - 1) / (table["k"].max() - 1)
    low, high = table["inertia"].min(), table["inertia"].max()
    table.insert(3, "bend", 1 - along - (table["inertia"] - low) / max(high - low, 1e-300))
    return table


def _decision(table: pd.DataFrame, test: NullTest, settings: ChoiceSettings) -> tuple[int, str]:
    if test.p > settings.alpha:
        return 1, (
            f"no structure beyond one cloud: the best silhouette {test.observed:.3f} is as in Gaussian clouds of the same "
            f"covariance (mean {test.expected:.3f}, p = {test.p:.3g})"
        )
    stable = table[table["stability"] >= settings.stable]
    if stable.empty:
        best = table.loc[table["stability"].idxmax()]
        return 1, (
            f"no number of clusters is stable: the most stable, k = {int(best['k'])}, reaches {best['stability']:.2f}, "
            f"{settings.stable:g} is asked for"
        )
    tied = stable[stable["tied"]]
    best = tied.iloc[-1]
    what = "the largest silhouette" if len(tied) == 1 else f"the most of {len(tied)} with the largest silhouette"
    return int(best["k"]), (
        f"{what} ({best['silhouette']:.3f}) of the {len(stable)} stable numbers of clusters "
        f"(stability {best['stability']:.2f}); clouds without clusters reach {test.expected:.3f} (p = {test.p:.3g})"
    )


def _tied(silhouettes: np.ndarray, stable: np.ndarray) -> np.ndarray:
    """Which of the stable partitions (k, n) are behind the best of them by no more than the standard error of the difference."""
    means = np.where(stable, silhouettes.mean(1), -np.inf)
    behind = silhouettes[means.argmax()] - silhouettes
    error = behind.std(1) / np.sqrt(behind.shape[1])
    tied: np.ndarray = stable & (behind.mean(1) <= error)
    return tied


def _some_rows(values: np.ndarray, most: int, seed: int) -> np.ndarray:
    if len(values) <= most:
        return values
    return values[np.sort(np.random.default_rng(seed).permutation(len(values))[:most])]


def _best_silhouette(values: np.ndarray, ks: range, seed: int) -> float:
    distances = distances_within(values)
    return max(silhouette_of(distances, kmeans(values, k, starts=3, seed=seed).labels) for k in ks)


def _covariance_root(values: np.ndarray) -> np.ndarray:
    """R with R R^T = covariance; eigenvalues that are 0 (fewer rows than columns) stay 0."""
    power, axes = np.linalg.eigh(np.atleast_2d(np.cov(values, rowvar=False)))
    return axes * np.sqrt(np.maximum(power, 0))


def _clouds(mean: np.ndarray, root: np.ndarray, n: int, ks: range, settings: ChoiceSettings) -> Callable:
    def one(number: int) -> float:
        normal = np.random.default_rng((settings.seed, number)).standard_normal((n, len(mean)))
        return _best_silhouette(mean + normal @ root.T, ks, settings.seed)

    def drawn(numbers: range):
        threads = numba.get_num_threads()
        with ThreadPoolExecutor(threads) as pool:
            # A few at a time: an early answer should not wait for clouds that nobody will look at.
            for start in range(numbers.start, numbers.stop, 4 * threads):
                yield from pool.map(one, range(start, min(start + 4 * threads, numbers.stop)))

    return drawn
