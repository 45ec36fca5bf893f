"""At which probability a voxel counts as occupied: scores for each threshold, and the best of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import numpy as np
import pandas as pd
from numba import njit

from neurotome.core import InputError, ShapeError, UnknownNameError, ValueRangeError

__all__ = ["THRESHOLDS", "best_threshold", "mean_histogram", "mean_sweep", "probability_histogram", "threshold_sweep"]

THRESHOLDS = tuple(step / 100 for step in range(10, 100, 5))
"""0.10 to 0.95 in steps of 0.05."""

_METRICS = ("f1", "iou", "precision", "recall")


def threshold_sweep(
    probabilities: Iterable[np.ndarray], truths: Iterable[np.ndarray], thresholds: Sequence[float] = THRESHOLDS
) -> pd.DataFrame:
    """The mean over neurons of F1, IoU, precision and recall at each threshold; a voxel is occupied above it (see `occupied`).

    probabilities, truths: a grid for each neuron, walked through once, of equal shapes; truths bool or 0 and 1.
    Returns a row per threshold: threshold, f1, iou, precision, recall, n.

    Raises InputError for no neuron or a different number of grids, ShapeError, and ValueRangeError for probabilities outside
    [0, 1] and thresholds that do not ascend within it.

    >>> sweep = threshold_sweep([np.array([0.2, 0.6, 0.9])], [np.array([0, 1, 1])], [0.1, 0.5, 0.7])
    >>> sweep.f1.round(3).tolist()
    [0.8, 1.0, 0.667]
    """
    levels = _levels(thresholds)
    shares, count = np.zeros((len(levels), len(_METRICS))), 0
    for probability, truth in zip_longest(probabilities, truths):
        if probability is None or truth is None:
            raise InputError(
                f"Only {count} {'probabilities' if probability is None else 'truths'}", "one truth for each probability"
            )
        shares += _shares(*_voxels_above(probability, truth, levels))
        count += 1
    if not count:
        raise InputError("A threshold for no neurons", "at least one", "look at the split: is its part for validation empty?")
    return _sweep_table(np.asarray(thresholds, np.float64), shares / count, count)


def mean_sweep(sweeps: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The sweep over all neurons of several sweeps with the same thresholds. Raises InputError for none or other thresholds."""
    if not sweeps:
        raise InputError("A sweep of no neurons", "at least one")
    levels = sweeps[0]["threshold"].to_numpy()
    if any(not np.array_equal(sweep["threshold"].to_numpy(), levels) for sweep in sweeps):
        raise InputError("Sweeps with different thresholds", "the same for all", "sweep them again")
    weights = np.array([sweep["n"].iloc[0] for sweep in sweeps], np.float64)
    means = np.average([sweep[list(_METRICS)].to_numpy() for sweep in sweeps], axis=0, weights=weights)
    return _sweep_table(levels, means, int(weights.sum()))


def best_threshold(sweep: pd.DataFrame, metric: str = "f1") -> float:
    """The threshold with the highest mean; of several that have it, the lowest. To be chosen on validation neurons only.

    >>> best_threshold(pd.DataFrame({"threshold": [0.1, 0.2, 0.3], "f1": [0.5, 0.7, 0.7]}))
    0.2
    """
    if metric not in sweep:
        raise UnknownNameError("score of thresholds", metric, _METRICS)
    return float(sweep["threshold"].to_numpy()[int(np.argmax(sweep[metric].to_numpy()))])


def probability_histogram(probability: np.ndarray, truth: np.ndarray, bins: int = 50) -> pd.DataFrame:
    """How many voxels have a probability in each of `bins` equal parts of [0, 1]: those of the truth, and the others.

    Returns columns low, high, occupied, background; the last bin holds 1 too. Raises ShapeError, ValueRangeError.

    >>> probability_histogram(np.array([0.1, 0.9, 1.0]), np.array([0, 0, 1]), 2)[["occupied", "background"]].values.tolist()
    [[0, 1], [1, 1]]
    """
    probability, truth = _pair(probability, truth)
    edges = np.linspace(0, 1, bins + 1)
    true, false = (np.histogram(probability[mask], edges)[0] for mask in (truth, ~truth))
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "occupied": true, "background": false})


def mean_histogram(histograms: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The mean number of voxels per neuron in each bin of histograms with the same bins. Raises InputError for none."""
    if not histograms:
        raise InputError("A histogram of no neurons", "at least one")
    counts = sum(h[["occupied", "background"]].to_numpy(np.float64) for h in histograms) / len(histograms)
    return histograms[0].assign(occupied=counts[:, 0], background=counts[:, 1])


def _sweep_table(thresholds: np.ndarray, means: np.ndarray, count: int) -> pd.DataFrame:
    return pd.DataFrame({"threshold": thresholds, **dict(zip(_METRICS, means.T, strict=True)), "n": count})


def _levels(thresholds: Sequence[float]) -> np.ndarray:
    levels = np.asarray(thresholds, np.float32)
    if not len(levels) or (np.diff(levels) <= 0).any() or levels[0] < 0 or levels[-1] >= 1:
        raise ValueRangeError(f"Thresholds {list(thresholds)}", "ascending numbers of at least 0 and below 1")
    return levels


def _voxels_above(probability: np.ndarray, truth: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Per threshold how many voxels are above it and how many of these are true; and how many are true at all."""
    probability, truth = _pair(probability, truth)
    above = np.asarray(_highest_below(probability.ravel(), truth.ravel(), levels))
    # A voxel above one threshold is above all lower ones too.
    counts = np.cumsum(above[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return counts.sum(0), counts[1], int(np.count_nonzero(truth))


def _shares(above: np.ndarray, both: np.ndarray, true: int) -> np.ndarray:
    """(thresholds, 4) F1, IoU, precision, recall, with the rule for empty sets of `overlap`."""
    agree = np.full(len(above), float(true == 0))

    def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return np.asarray(np.divide(part, whole, out=agree.copy(), where=whole > 0))

    everything = above + true
    precision = share(both, above)
    recall = share(both, np.full(len(above), true)) if true else (above == 0).astype(np.float64)
    return np.column_stack([share(2 * both, everything), share(both, everything - both), precision, recall])


def _pair(probability: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probability, truth = np.ascontiguousarray(probability, np.float32), np.ascontiguousarray(truth, bool)
    if probability.shape != truth.shape:
        raise ShapeError(f"Probabilities of shape {probability.shape} and a truth of shape {truth.shape}", "the same shape")
    # Written so that NaN fails too.
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueRangeError(
            f"Probabilities from {probability.min():g} to {probability.max():g}", "[0, 1]", "apply a sigmoid to logits first"
        )
    return probability, truth


@njit(cache=True, nogil=True)
def _highest_below(probability, truth, levels):  # type: ignore[no-untyped-def]
    """(2, thresholds + 1) voxels, empty and true, by how many thresholds lie below their probability."""
    counts = np.zeros((2, levels.size + 1), np.int64)
    for voxel in range(probability.size):
        k = 0
        while k < levels.size and probability[voxel] > levels[k]:
            k += 1
        counts[1 if truth[voxel] else 0, k] += 1
    return counts
