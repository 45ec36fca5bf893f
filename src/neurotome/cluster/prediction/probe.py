"""A probe: can a simple classifier read the label off these features? The features are judged, not the classifier.

Every row is predicted once per seed by a classifier that never saw it. Scaling, and the removal of confounders, are learned from
the training rows of each fold alone. The score is taken over all predictions of a seed together, so a small class counts even
where some folds hold none of it.
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass, field, replace

import numpy as np

from neurotome.cluster.neighbours import Neighbours
from neurotome.cluster.prediction.folds import Task, dealt, task_of
from neurotome.cluster.prediction.residuals import Residuals
from neurotome.cluster.scaling import Scaler, ScalingSettings
from neurotome.cluster.scores import score_of, votes
from neurotome.cluster.values import numbers_of, same_length
from neurotome.core import UnknownNameError, ValueRangeError

__all__ = ["PROBES", "ProbeScore", "ProbeSettings", "fold_predictions", "probe"]

PROBES = ("knn", "linear")


@dataclass(frozen=True)
class ProbeSettings:
    """kind: "knn" (the vote of the k nearest) or "linear" (logistic regression, classes weighted alike, penalty 1 / strength).

    scaling "none" leaves the features as they are; metric is that of kNN. small: see `task_of`. permutations: runs with shuffled
    labels for `chance`. draws: bootstrap samples of the interval.
    """

    kind: str = "knn"
    k: int = 5
    strength: float = 1.0
    metric: str = "euclidean"
    scaling: str = "standard"
    score: str = "balanced_accuracy"
    folds: int = 10
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    small: str = "refuse"
    permutations: int = 10
    draws: int = 1000

    def __post_init__(self) -> None:
        if self.kind not in PROBES:
            raise UnknownNameError("probe", self.kind, PROBES)
        score_of(self.score)
        if not self.seeds or self.k < 1 or self.strength <= 0:
            raise ValueRangeError(
                f"seeds {self.seeds}, k {self.k}, strength {self.strength:g}",
                "at least one seed, k of 1 or more, strength above 0",
            )


@dataclass(frozen=True, eq=False)
class ProbeScore:
    """value: the mean over seeds. low, high: 95 % interval over rows (drawn anew within their class) and seeds.

    seeds_low, seeds_high: 95 % t interval over the seeds only, that is over how the folds fell; it says nothing about other rows.
    chance, chance_sd: mean and standard deviation over runs with shuffled labels. predictions (seeds, m) and truth (m,) are codes
    into task.names, for the rows task.rows.
    """

    value: float
    low: float
    high: float
    seeds_low: float
    seeds_high: float
    chance: float
    chance_sd: float
    per_seed: tuple[float, ...]
    settings: ProbeSettings
    task: Task = field(repr=False)
    predictions: np.ndarray = field(repr=False)

    @property
    def truth(self) -> np.ndarray:
        return self.task.codes

    def row(self, features: str, target: str) -> dict[str, object]:
        """One row of the table of scores."""
        named = f"{self.settings.kind}{self.settings.k if self.settings.kind == 'knn' else ''}_{self.settings.score}"
        return {
            "features": features,
            "target": target,
            "measure": named,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "chance": self.chance,
            "n": len(self.task.rows),
            "classes": len(self.task.names),
            "folds": self.settings.folds,
        }


def probe(
    values: np.ndarray,
    labels: np.ndarray,
    settings: ProbeSettings | None = None,
    *,
    groups: np.ndarray | None = None,
    confounders: np.ndarray | None = None,
) -> ProbeScore:
    """How well labels (n,) can be read off values (n, p). Rows without a label do not take part.

    groups (n,): rows of one group (animal, parent object) are never in training and test at once. confounders (n, c): what they
    explain linearly is taken out of the features first, learned in each training fold.
    """
    settings = settings or ProbeSettings()
    values = numbers_of(values)
    same_length(len(values), labels=labels, groups=groups, confounders=confounders)
    task = task_of(labels, settings.folds, small=settings.small, groups=groups)
    values = values[task.rows]
    confounders = None if confounders is None else numbers_of(confounders, "confounders", missing=True)[task.rows]
    score = score_of(settings.score)
    # Matrices this small are multiplied faster by one thread than by several, which wait for one another.
    with importlib.import_module("threadpoolctl").threadpool_limits(1, "blas"):
        predictions = np.stack([fold_predictions(values, task, settings, seed, confounders) for seed in settings.seeds])
        chances = [_by_chance(values, task, settings, number, confounders) for number in range(settings.permutations)]
    per_seed = np.array([score(task.codes, row) for row in predictions])
    low, high = _interval(task.codes, predictions, settings)
    seeds_low, seeds_high = _t_interval(per_seed)
    return ProbeScore(
        float(per_seed.mean()),
        low,
        high,
        seeds_low,
        seeds_high,
        float(np.mean(chances)) if chances else float("nan"),
        float(np.std(chances, ddof=1)) if len(chances) > 1 else float("nan"),
        tuple(per_seed.tolist()),
        settings,
        task,
        predictions,
    )


def fold_predictions(
    values: np.ndarray, task: Task, settings: ProbeSettings, seed: int, confounders: np.ndarray | None = None
) -> np.ndarray:
    """The predicted code of every row of the task by the classifier of the fold that it is not in. values: its rows only."""
    fold = dealt(task.codes, settings.folds, seed=seed, groups=task.groups)
    predicted = np.empty(len(task.codes), np.int64)
    for number in np.unique(fold):
        test = fold == number
        features = _prepared(values, confounders, ~test, settings)
        predicted[test] = _predicted(features, task.codes, test, len(task.names), settings)
    return predicted


def _prepared(values: np.ndarray, confounders: np.ndarray | None, train: np.ndarray, settings: ProbeSettings) -> np.ndarray:
    """Features of all rows, by what was learned from the training rows."""
    if confounders is not None:
        values = Residuals.fit(values[train], confounders[train]).apply(values, confounders)
    # Not clipped: a classifier may use how far away a row is.
    return Scaler.fit(values[train], ScalingSettings(settings.scaling, clip=None)).apply(values)


def _predicted(features: np.ndarray, codes: np.ndarray, test: np.ndarray, classes: int, settings: ProbeSettings) -> np.ndarray:
    known = codes[~test]
    if settings.kind == "knn":
        k = min(settings.k, len(known))
        rows = Neighbours.of(features[~test], settings.metric, threads=1).nearest(features[test], k, threads=1).rows
        return votes(known[rows], classes)
    if len(np.unique(known)) < 2:
        return np.full(int(test.sum()), known[0])
    features = _within_span(features, ~test)
    linear = importlib.import_module("sklearn.linear_model")
    model = linear.LogisticRegression(C=settings.strength, class_weight="balanced", max_iter=2000, tol=1e-3)
    with warnings.catch_warnings():
        # A probe that stops a little early is still a probe.
        warnings.simplefilter("ignore", importlib.import_module("sklearn.exceptions").ConvergenceWarning)
        return model.fit(features[~test], known).predict(features[test])


def _within_span(features: np.ndarray, train: np.ndarray) -> np.ndarray:
    """More columns than training rows, turned to as many: the same rows, and to a linear model with an L2 penalty the same task.

    Its weights lie in the span of the training rows, so what stands out of that span never counts.
    """
    if features.shape[1] <= int(train.sum()):
        return features
    axes = np.linalg.svd(features[train], full_matrices=False)[2]
    return features @ axes.T


def _by_chance(values: np.ndarray, task: Task, settings: ProbeSettings, number: int, confounders: np.ndarray | None) -> float:
    shuffled = replace(task, codes=_shuffled(task, np.random.default_rng((7, number))))
    predicted = fold_predictions(values, shuffled, settings, number, confounders)
    return score_of(settings.score)(shuffled.codes, predicted)


def _shuffled(task: Task, rng: np.random.Generator) -> np.ndarray:
    """Labels in another order; where the rows of each group share theirs, groups change labels as wholes."""
    if task.groups is None:
        return rng.permutation(task.codes)
    first = np.unique(task.groups, return_index=True)[1]
    of_group = task.codes[first]
    if not (of_group[task.groups] == task.codes).all():
        return rng.permutation(task.codes)
    return rng.permutation(of_group)[task.groups]


def _interval(codes: np.ndarray, predictions: np.ndarray, settings: ProbeSettings) -> tuple[float, float]:
    """Percentiles over draws of rows, within each class and with replacement, and of one seed each."""
    if settings.draws < 1:
        return float("nan"), float("nan")
    rng = np.random.default_rng(11)
    score = score_of(settings.score)
    classes = [np.flatnonzero(codes == name) for name in np.unique(codes)]
    values = []
    for _ in range(settings.draws):
        rows = np.concatenate([members[rng.integers(len(members), size=len(members))] for members in classes])
        values.append(score(codes[rows], predictions[rng.integers(len(predictions)), rows]))
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def _t_interval(values: np.ndarray) -> tuple[float, float]:
    if len(values) < 2:
        return float("nan"), float("nan")
    from scipy import stats

    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)
