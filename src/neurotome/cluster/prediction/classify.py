"""Nested cross-validation: the best classifier of several families, chosen and judged on different rows.

Outer folds judge. Within the training rows of each outer fold, inner folds choose family and settings by the chosen score; the
winner is fitted to all these rows and predicts the outer fold once. Scaling is learned from the training rows of each fit.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurotome.cluster.prediction.classification import Classification
from neurotome.cluster.prediction.folds import Task, dealt, task_of
from neurotome.cluster.prediction.grids import Candidate, grid_of
from neurotome.cluster.scaling import Scaler, ScalingSettings
from neurotome.cluster.scores import score_of
from neurotome.cluster.values import numbers_of, same_length
from neurotome.core import Progress, ValueRangeError, silent

__all__ = ["ClassifySettings", "OuterFold", "classify", "outer_folds"]


@dataclass(frozen=True)
class ClassifySettings:
    """outer, inner: folds. score: what is tuned and reported. grid: "full", "quick" or candidates. small: see `task_of`.

    permutations: runs of the outer folds with shuffled labels and the setting that was chosen most often, for `chance`.
    """

    outer: int = 10
    inner: int = 10
    score: str = "balanced_accuracy"
    grid: str | tuple[Candidate, ...] = "full"
    small: str = "refuse"
    permutations: int = 20
    seed: int = 42

    def __post_init__(self) -> None:
        score_of(self.score)
        grid_of(self.grid)
        if self.outer < 2 or self.inner < 2:
            raise ValueRangeError(f"{self.outer} outer and {self.inner} inner folds", "2 at least of each")


@dataclass(frozen=True)
class OuterFold:
    """What one outer fold gave. rows: its place in the task, predicted: codes; inner_score: that of its winner.

    unconverged: fits that stopped at their step limit, of all that were made.
    """

    fold: int
    rows: tuple[int, ...]
    predicted: tuple[int, ...]
    score: float
    inner_score: float
    family: str
    chosen: Mapping[str, Any]
    family_scores: Mapping[str, float] = field(default_factory=dict)
    unconverged: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "rows": list(self.rows), "predicted": list(self.predicted)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> OuterFold:
        return cls(**{**plain, "rows": tuple(plain["rows"]), "predicted": tuple(plain["predicted"])})


def classify(
    values: np.ndarray,
    labels: np.ndarray,
    settings: ClassifySettings | None = None,
    *,
    groups: np.ndarray | None = None,
    done: Mapping[int, OuterFold] | None = None,
    keep: Callable[[OuterFold], None] | None = None,
    progress: Progress = silent,
) -> Classification:
    """Nested cross-validation of labels (n,) on values (n, p).

    groups (n,): never in training and test at once, in inner folds neither. done: outer folds of an earlier run with the same
    data and settings, which are not computed again; keep: called with each new one (`FoldLedger` of this folder does both).
    """
    settings = settings or ClassifySettings()
    values = numbers_of(values)
    same_length(len(values), labels=labels, groups=groups)
    task = task_of(labels, settings.outer, small=settings.small, groups=groups)
    found = []
    # Matrices this small are multiplied faster by one thread than by several, which wait for one another.
    with importlib.import_module("threadpoolctl").threadpool_limits(1, "blas"):
        for outer in outer_folds(values[task.rows], task, settings, done=done or {}, progress=progress):
            if keep is not None and outer.fold not in (done or {}):
                keep(outer)
            found.append(outer)
        commonest = _commonest(found)
        chances = [
            _shuffled_score(values[task.rows], task, commonest, settings, number) for number in range(settings.permutations)
        ]
    return Classification.of(task, found, settings, np.array(chances))


def outer_folds(
    values: np.ndarray, task: Task, settings: ClassifySettings, *, done: Mapping[int, OuterFold], progress: Progress = silent
) -> Iterator[OuterFold]:
    """One after the other, as they are finished; those in `done` as they are. values: the rows of the task."""
    fold = dealt(task.codes, settings.outer, seed=settings.seed, groups=task.groups)
    numbers = np.unique(fold)
    grid = grid_of(settings.grid)
    for at, number in enumerate(numbers.tolist()):

        def step(candidates: int, at: int = at) -> None:
            progress("classifiers", at * len(grid) + candidates, len(numbers) * len(grid))

        if number in done:
            yield done[number]
        else:
            yield _outer_fold(values, task, fold == number, number, settings, step)
        step(len(grid))


def _outer_fold(
    values: np.ndarray, task: Task, test: np.ndarray, number: int, settings: ClassifySettings, step: Callable[[int], None]
) -> OuterFold:
    train = np.flatnonzero(~test)
    codes = task.codes[train]
    groups = None if task.groups is None else np.unique(task.groups[train], return_inverse=True)[1]
    inner = dealt(codes, _inner_folds(codes, groups, settings.inner), seed=settings.seed + 1 + number, groups=groups)
    splits = [_split(values[train], codes, inner == part) for part in np.unique(inner)]
    scores, unconverged = [], 0
    for at, candidate in enumerate(grid_of(settings.grid)):
        value, failed = _inner_score(candidate, splits, settings)
        scores.append((value, candidate))
        unconverged += failed
        step(at)
    # The first of equals: grids begin with the milder settings.
    best_score, best = max(scores, key=lambda pair: pair[0])
    predicted, failed = _fitted(best, *_split(values, task.codes, test)[:3], settings.seed)
    families = {name: max(v for v, c in scores if c.family == name) for name in dict.fromkeys(c.family for _, c in scores)}
    return OuterFold(
        number,
        tuple(np.flatnonzero(test).tolist()),
        tuple(int(code) for code in predicted),
        score_of(settings.score)(task.codes[test], predicted),
        float(best_score),
        best.family,
        dict(best.settings),
        families,
        unconverged + failed,
    )


def _inner_folds(codes: np.ndarray, groups: np.ndarray | None, asked: int) -> int:
    """As many as asked for, fewer where no class has that many rows (or all rows are of fewer groups)."""
    most = int(np.bincount(codes).max()) if groups is None else int(groups.max()) + 1
    return max(2, min(asked, most))


Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _split(values: np.ndarray, codes: np.ndarray, test: np.ndarray) -> Split:
    """Training features and codes, test features and codes; scaled by the training rows alone."""
    scaler = Scaler.fit(values[~test], ScalingSettings(clip=None))
    return scaler.apply(values[~test]), codes[~test], scaler.apply(values[test]), codes[test]


def _inner_score(candidate: Candidate, splits: list[Split], settings: ClassifySettings) -> tuple[float, int]:
    """The score over the predictions of all inner folds together, so that a small class counts though some folds hold none."""
    truth, predicted, unconverged = [], [], 0
    for features, codes, held_out, held_codes in splits:
        guess, failed = _fitted(candidate, features, codes, held_out, settings.seed)
        truth.append(held_codes)
        predicted.append(guess)
        unconverged += failed
    return score_of(settings.score)(np.concatenate(truth), np.concatenate(predicted)), unconverged


def _fitted(candidate: Candidate, features: np.ndarray, codes: np.ndarray, test: np.ndarray, seed: int) -> tuple[np.ndarray, int]:
    """Predicted codes, and 1 if the fit stopped at its step limit."""
    if len(np.unique(codes)) < 2:
        return np.full(len(test), codes[0]), 0
    stopped = importlib.import_module("sklearn.exceptions").ConvergenceWarning
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", stopped)
        model = candidate.model(seed).fit(features, codes)
    return model.predict(test), int(any(issubclass(warning.category, stopped) for warning in said))


def _commonest(found: list[OuterFold]) -> Candidate:
    named = [Candidate(outer.family, outer.chosen) for outer in found]
    texts = [candidate.named() for candidate in named]
    return named[max(range(len(texts)), key=lambda at: (texts.count(texts[at]), -at))]


def _shuffled_score(values: np.ndarray, task: Task, candidate: Candidate, settings: ClassifySettings, number: int) -> float:
    codes = np.random.default_rng((settings.seed, number)).permutation(task.codes)
    fold = dealt(codes, settings.outer, seed=settings.seed, groups=task.groups)
    predicted = np.empty(len(codes), np.int64)
    for part in np.unique(fold):
        predicted[fold == part] = _fitted(candidate, *_split(values, codes, fold == part)[:3], settings.seed)[0]
    return score_of(settings.score)(codes, predicted)
