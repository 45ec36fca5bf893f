"""Predicted labels: a vote of neighbours, and scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurotome.core import UnknownNameError

__all__ = ["SCORES", "accuracy", "balanced_accuracy", "macro_f1", "score_of", "votes"]


def accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The share of rows that are right."""
    return float((truth == predicted).mean())


def balanced_accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The mean over the classes of the truth of the share of their rows that are right: a constant answer gets 1 / classes.

    >>> balanced_accuracy(np.repeat([0, 1], [90, 10]), np.zeros(100, int))
    0.5
    """
    return float(np.mean([(predicted[truth == name] == name).mean() for name in np.unique(truth)]))


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The mean over the classes of the truth of 2 TP / (2 TP + FP + FN).

    >>> round(macro_f1(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])), 4)
    0.7333
    """
    return float(
        np.mean(
            [
                2 * ((truth == name) & (predicted == name)).sum() / ((truth == name).sum() + (predicted == name).sum())
                for name in np.unique(truth)
            ]
        )
    )


SCORES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "balanced_accuracy": balanced_accuracy,
    "accuracy": accuracy,
    "macro_f1": macro_f1,
}


def score_of(name: str) -> Callable[[np.ndarray, np.ndarray], float]:
    """The score of this name, (truth, predicted) -> a number."""
    if name not in SCORES:
        raise UnknownNameError("score", name, SCORES)
    return SCORES[name]


def votes(neighbours: np.ndarray, classes: int) -> np.ndarray:
    """The commonest label (q,) of labels (q, k), ordered from near to far; of equally common ones that of the nearest voter.

    >>> votes(np.array([[1, 0, 0], [2, 1, 0]]), 3).tolist()
    [0, 2]
    """
    counts = np.zeros((len(neighbours), classes))
    for column in neighbours.T:
        counts[np.arange(len(counts)), column] += 1
    common = counts[np.arange(len(counts))[:, None], neighbours]
    return neighbours[np.arange(len(counts)), np.argmax(common == counts.max(1, keepdims=True), axis=1)]
