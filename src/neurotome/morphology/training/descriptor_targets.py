"""Hand-made measures of neurons, made even enough to be learnt beside the shape itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurotome.morphology.descriptors import describe
from neurotome.morphology.occupancy import Shape

__all__ = ["descriptor_targets", "even"]

WIDE, KEPT = 64, 32
MOST = 4.0
"""Deviations from the mean: farther away, a value is an accident of one neuron."""


def descriptor_targets(shapes: Sequence[Shape], which: Sequence[str], training: Sequence[int]) -> np.ndarray | None:
    """(neurons, p) float64 of the named descriptors side by side, each `even`; None for no names.

    training: the rows that means, deviations and components are taken from. Raises UnknownNameError, InputError for shapes that
    a descriptor cannot be taken of.
    """
    if not which:
        return None
    tables = describe(shapes, which)
    names = [shape.name for shape in shapes]
    return np.concatenate([even(tables[name].loc[names].to_numpy(), training) for name in which], axis=1)


def even(values: np.ndarray, training: Sequence[int]) -> np.ndarray:
    """(n, p) -> (n, q): columns of mean 0 and deviation 1 over the training rows, cut at 4; constant ones are left out.

    Of more than 64 columns the first 32 principal components, of deviation 1 on average, so that one table does not outweigh
    the others.

    >>> even(np.array([[1.0, 5.0], [3.0, 5.0], [99.0, 5.0]]), [0, 1]).tolist()
    [[-1.0], [1.0], [4.0]]
    """
    rows = np.asarray(training)
    deviation = values[rows].std(0)
    # A constant column deviates by rounding.
    varies = deviation > 1e-9 * np.abs(values[rows]).max(0)
    found = (values - values[rows].mean(0))[:, varies] / deviation[varies]
    if found.shape[1] > WIDE:
        axes = np.linalg.svd(found[rows], full_matrices=False)[2][:KEPT]
        # The sign of an axis is arbitrary: its largest component is positive.
        axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
        found = found @ axes.T
        found = found / found[rows].std(0).mean()
    return np.clip(found, -MOST, MOST)
