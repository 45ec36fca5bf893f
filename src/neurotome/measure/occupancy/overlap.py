"""Voxels in common: what two sets of voxels share, exactly or to within one voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from neurotome.core import ShapeError, ValueRangeError

__all__ = ["Overlap", "harmonic", "occupied", "overlap", "sets_of_voxels", "tolerant_overlap"]


@dataclass(frozen=True)
class Overlap:
    """Shares of two sets. precision: of the prediction that is true. recall: of the truth that was predicted. Both in [0, 1].

    Two empty sets agree (all scores 1); an empty and another do not (all 0).
    """

    precision: float
    recall: float
    iou: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall. Exact overlap obeys f1 = 2 iou / (1 + iou)."""
        return harmonic(self.precision, self.recall)


def occupied(probability: np.ndarray, threshold: float) -> np.ndarray:
    """The voxels whose probability lies above the threshold, compared in single precision. Same shape, bool.

    >>> occupied(np.array([0.4, 0.55, 0.7], np.float32), 0.55).tolist()
    [False, False, True]
    """
    return np.asarray(probability, np.float32) > np.float32(threshold)


def overlap(prediction: np.ndarray, truth: np.ndarray) -> Overlap:
    """Exact overlap: with p predicted voxels, t true ones and b that are both, b / p, b / t and b / (p + t - b).

    prediction, truth: same shape, bool or 0 and 1. Raises ShapeError, and ValueRangeError for other values.

    >>> found = overlap(np.array([1, 1, 0, 0]), np.array([0, 1, 1, 0]))
    >>> found.precision, found.recall, round(found.iou, 4), found.f1
    (0.5, 0.5, 0.3333, 0.5)
    """
    prediction, truth = sets_of_voxels(prediction, truth)
    both, p, t = (int(np.count_nonzero(voxels)) for voxels in (prediction & truth, prediction, truth))
    return Overlap(_share(both, p, t), _share(both, t, p), _share(both, p + t - both, p + t - both))


def tolerant_overlap(prediction: np.ndarray, truth: np.ndarray) -> Overlap:
    """Overlap to within one voxel: a voxel is matched by one of the other set that is itself or one of its 26 neighbours.

    prediction, truth: (z, y, x), bool or 0 and 1. The IoU here is matched voxels over all voxels of both sets.
    """
    prediction, truth = sets_of_voxels(prediction, truth)
    p, t = int(np.count_nonzero(prediction)), int(np.count_nonzero(truth))
    near_truth, near_prediction = int(_count_near(prediction, truth)), int(_count_near(truth, prediction))
    return Overlap(_share(near_truth, p, t), _share(near_prediction, t, p), _share(near_truth + near_prediction, p + t, p + t))


def harmonic(a: float, b: float) -> float:
    """The harmonic mean of two shares; 0 where both are 0."""
    return 2 * a * b / (a + b) if a + b > 0 else 0.0


def sets_of_voxels(prediction: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as contiguous bool arrays. Raises ShapeError where the shapes differ, ValueRangeError for other values."""
    prediction, truth = _voxels(prediction, "prediction"), _voxels(truth, "truth")
    if prediction.shape != truth.shape:
        raise ShapeError(f"A prediction of shape {prediction.shape} and a truth of shape {truth.shape}", "the same shape")
    return prediction, truth


def _voxels(values: np.ndarray, what: str) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype != bool and not ((values == 0) | (values == 1)).all():
        raise ValueRangeError(
            f"A {what} with values from {values.min()} to {values.max()}", "bool, or 0 and 1", "compare it with a threshold first"
        )
    return np.ascontiguousarray(values, bool)


def _share(part: int, whole: int, other: int) -> float:
    """Part of a set; of an empty one 1 where the other is empty too, else 0."""
    return part / whole if whole else float(other == 0)


@njit(cache=True, nogil=True)
def _count_near(voxels, others):  # type: ignore[no-untyped-def]
    """How many of the voxels lie on or beside one of the others."""
    nz, ny, nx = voxels.shape
    count = 0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if voxels[z, y, x]:
                    around = others[max(0, z - 1) : z + 2, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
                    count += around.any()
    return count
