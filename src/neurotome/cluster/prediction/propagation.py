"""A few labelled rows, many that are not: labels that spread to the neighbours, with a probability that can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurotome.cluster.neighbours import Neighbours
from neurotome.cluster.partitions import kmeans, medoids
from neurotome.cluster.values import codes_of, labelled, numbers_of, same_length
from neurotome.core import InputError, ValueRangeError

__all__ = ["Propagation", "PropagationSettings", "calibration_error", "propagated", "worth_labelling"]


@dataclass(frozen=True)
class PropagationSettings:
    """k: neighbours that a row is tied to. reach: below 1, how far a label spreads. checked: labelled rows, at most, whose label
    is taken away in turn to learn how far the probabilities can be believed.
    """

    k: int = 15
    reach: float = 0.9
    checked: int = 64
    seed: int = 42

    def __post_init__(self) -> None:
        if self.k < 1 or not 0 < self.reach < 1 or self.checked < 1:
            raise ValueRangeError(
                f"k = {self.k}, reach = {self.reach:g}, checked = {self.checked}", "1 or more, between 0 and 1, 1 or more"
            )


@dataclass(frozen=True, eq=False)
class Propagation:
    """codes (n,) into names, of the most probable label; labelled rows keep theirs. probability (n, names).

    sharpness: the power that the shares of labels are raised to. left_out_accuracy: of labelled rows without their own label;
    NaN where no label is there twice.
    """

    names: tuple[str, ...]
    codes: np.ndarray
    probability: np.ndarray = field(repr=False)
    sharpness: float
    left_out_accuracy: float

    @property
    def confidence(self) -> np.ndarray:
        """(n,) probability of the label that each row gets."""
        return self.probability[np.arange(len(self.codes)), self.codes]


def propagated(values: np.ndarray, labels: np.ndarray, settings: PropagationSettings | None = None) -> Propagation:
    """Labels of all rows (n, p), scaled, from those that have one (labels (n,), None or "" for the others).

    Each row is tied to its nearest, more strongly the nearer they are for how dense the rows lie there, and labels spread over
    these ties. Raises InputError unless two different labels are given. Source: Zhou et al. 2004 (spreading), Zelnik-Manor and
    Perona 2004 (ties), Guo et al. 2017 (one power for all probabilities).
    """
    settings = settings or PropagationSettings()
    values = numbers_of(values)
    same_length(len(values), labels=labels)
    rows = np.flatnonzero(labelled(labels))
    known, names = codes_of(np.asarray(labels, object)[rows]) if len(rows) else (rows, [])
    if len(names) < 2:
        raise InputError(
            f"{len(rows)} labelled rows of {len(names)} kinds", "labels of two kinds at least", "label some rows of each kind"
        )
    ties = _ties(values, settings)
    starts = np.zeros((len(values), len(names)))
    starts[rows, known] = 1
    # Each kind sends out as much, whatever the number of its labels: how many are labelled says little of how many there are.
    starts /= starts.sum(0)
    shares = _shares(_spread(ties, starts, settings.reach))
    sharpness, accuracy, doubt = _calibration(ties, rows, known, len(names), settings)
    probability = _sharpened(shares, sharpness)
    probability = (1 - doubt) * probability + doubt / len(names)
    codes = np.argmax(probability, axis=1)
    codes[rows] = known
    probability[rows] = np.eye(len(names))[known]
    return Propagation(tuple(names), codes, probability, sharpness, accuracy)


def worth_labelling(values: np.ndarray, count: int, *, seed: int = 42) -> np.ndarray:
    """Row numbers of `count` rows that stand for all (n, p): label these first. The middle rows of as many clusters."""
    values = numbers_of(values)
    return np.sort(medoids(values, kmeans(values, count, seed=seed).labels))


def calibration_error(confidence: np.ndarray, right: np.ndarray, *, bins: int = 10) -> float:
    """The expected difference between confidence (n,) and the share of answers that are right (n,) bool, over equal bins of 0..1.

    Source: Naeini et al. 2015.

    >>> round(calibration_error(np.array([0.9, 0.9, 0.9, 0.9]), np.array([True, True, True, False])), 6)
    0.15
    """
    confidence = np.asarray(confidence, np.float64)
    right = np.asarray(right)
    same_length(len(confidence), right=right)
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    said, true = (np.bincount(place, weights=given, minlength=bins) for given in (confidence, right.astype(np.float64)))
    return float(np.abs(said - true).sum() / len(confidence))


def _ties(values: np.ndarray, settings: PropagationSettings) -> Any:
    """Sparse (n, n), symmetric: D^-1/2 W D^-1/2."""
    from scipy import sparse

    n = len(values)
    k = min(settings.k, n - 1)
    found = Neighbours.of(values).of_every_row(k)
    width = np.maximum(found.distances[:, -1], 1e-12)
    weight = np.exp(-(found.distances**2) / (width[:, None] * width[found.rows]))
    one_way = sparse.csr_matrix((weight.ravel(), found.rows.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    both = one_way.maximum(one_way.T)
    degree = np.sqrt(np.maximum(np.asarray(both.sum(1)).ravel(), 1e-300))
    return sparse.diags(1 / degree) @ both @ sparse.diags(1 / degree)


def _spread(ties: Any, starts: np.ndarray, reach: float) -> np.ndarray:
    """(1 - reach * ties)^-1 starts, column by column."""
    from scipy.sparse import identity
    from scipy.sparse.linalg import cg

    system = identity(len(starts), format="csr") - reach * ties
    return np.maximum(np.stack([cg(system, column, rtol=1e-8, maxiter=2000)[0] for column in starts.T], axis=1), 0)


def _shares(scores: np.ndarray) -> np.ndarray:
    """Rows that add up to 1; a row that no label reaches is of all kinds alike."""
    total = scores.sum(1, keepdims=True)
    return np.where(total > 1e-12 * total.max(), scores / np.maximum(total, 1e-300), 1 / scores.shape[1])


def _sharpened(shares: np.ndarray, power: float) -> np.ndarray:
    logs = power * np.log(np.maximum(shares, 1e-12))
    raised = np.exp(logs - logs.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def _calibration(
    ties: Any, rows: np.ndarray, known: np.ndarray, kinds: int, settings: PropagationSettings
) -> tuple[float, float, float]:
    """The power, the share that is right without the own label, and the least doubt that so few labels leave."""
    doubt = 0.5 / (len(rows) + 1)
    twice = np.flatnonzero(np.bincount(known, minlength=kinds)[known] > 1)
    if len(twice) == 0:
        return 1.0, float("nan"), doubt
    checked = np.sort(np.random.default_rng(settings.seed).permutation(twice)[: settings.checked])
    single = np.zeros((ties.shape[0], len(checked)))
    single[rows[checked], np.arange(len(checked))] = 1
    # The system is symmetric: column c of its inverse says what every labelled row sends to row c, its own part left out.
    received = _spread(ties, single, settings.reach)[rows]
    received[checked, np.arange(len(checked))] = 0
    others = np.bincount(known, minlength=kinds) - np.eye(kinds, dtype=np.int64)[known[checked]]
    scores = (received.T @ np.eye(kinds)[known]) / np.maximum(others, 1)
    shares, truth = _shares(scores), known[checked]
    powers = np.geomspace(0.25, 32, 57)
    costs = [_cost(_sharpened(shares, power), truth, doubt) for power in powers]
    accuracy = float((np.argmax(shares, axis=1) == truth).mean())
    return float(powers[int(np.argmin(costs))]), accuracy, doubt


def _cost(probability: np.ndarray, truth: np.ndarray, doubt: float) -> float:
    """Mean surprise at the true kinds."""
    true = (1 - doubt) * probability[np.arange(len(truth)), truth] + doubt / probability.shape[1]
    return float(-np.log(true).mean())
