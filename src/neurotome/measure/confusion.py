"""How well classes agree voxel by voxel (membrane, mitochondria, synapse): Jaccard, Dice and conformity per class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from neurotome.core import ArrayLike, InputError, Score, Scores
from neurotome.measure.contingency import Contingency, contingency

__all__ = ["ClassOverlap", "class_overlap", "class_scores"]


@dataclass(frozen=True)
class ClassOverlap:
    """Voxels of one class in both volumes, only in the prediction, only in the truth."""

    both: int
    only_predicted: int
    only_truth: int

    @property
    def jaccard(self) -> float:
        return self.both / (self.both + self.only_predicted + self.only_truth)

    @property
    def dice(self) -> float:
        return 2 * self.both / (2 * self.both + self.only_predicted + self.only_truth)

    @property
    def conformity(self) -> float:
        """(2 J - 1) / J with the Jaccard index J; minus infinity where nothing agrees."""
        return (2 * self.jaccard - 1) / self.jaccard if self.both else -math.inf


def class_overlap(table: Contingency, class_id: int) -> ClassOverlap:
    """Count one class in a contingency table of class ids; class 0 is a class like any other.

    Raises InputError for a class in neither volume, for which every measure is 0 / 0. Source: Jaccard 1912, Dice 1945, Chang et
    al. 2009.

    >>> import numpy as np
    >>> one = class_overlap(contingency(np.array([1, 1, 1, 0]), np.array([1, 1, 0, 1])), 1)
    >>> one, one.jaccard, one.conformity
    (ClassOverlap(both=2, only_predicted=1, only_truth=1), 0.5, 0.0)
    """
    true, predicted = table.truth == class_id, table.segmentation == class_id
    both = int(table.voxels[true & predicted].sum())
    overlap = ClassOverlap(both, int(table.voxels[predicted].sum()) - both, int(table.voxels[true].sum()) - both)
    if overlap == ClassOverlap(0, 0, 0):
        raise InputError(
            f"Class {class_id} occurs neither in the prediction nor in the truth", "a voxel of it in one of them", "leave it out"
        )
    return overlap


def class_scores(predicted: ArrayLike, truth: ArrayLike, names: Mapping[int, str]) -> Scores:
    """Jaccard, Dice and conformity of each named class.

    predicted, truth: class ids, whole numbers of one shape (z, y, x); may be lazy. names: class id -> name, used as the
    convention of its scores ("class membrane"). Conformity is left out where nothing of a class agrees, because it is minus
    infinity there.
    """
    table = contingency(truth, predicted)
    scores = []
    for class_id, name in names.items():
        overlap = class_overlap(table, class_id)
        values = {"jaccard": overlap.jaccard, "dice": overlap.dice, "conformity": overlap.conformity}
        scores += [
            Score(metric, value, "", "higher", f"class {name}") for metric, value in values.items() if math.isfinite(value)
        ]
    return Scores(tuple(scores))
