"""Whether the thin parts hold together: centre lines, components, and how much of a neuron is in one piece."""

from __future__ import annotations

import cc3d
import numpy as np

from neurotome.measure.occupancy.overlap import harmonic, sets_of_voxels

__all__ = ["centre_line", "centre_line_dice", "component_count", "share_in_largest"]


def centre_line(voxels: np.ndarray) -> np.ndarray:
    """The voxels that remain when a set is thinned to curves without a change of its topology. (z, y, x) bool -> the same.

    Source: Lee et al. 1994, as in scikit-image.
    """
    # Not needed by most who import this room, and slow to import.
    from skimage.morphology import skeletonize

    voxels = np.asarray(voxels, bool)
    thin = np.zeros(voxels.shape, bool)
    if voxels.any():
        # Thinning costs time for every voxel of the box, not only for those that are set.
        inside = tuple(slice(int(where.min()), int(where.max()) + 1) for where in np.nonzero(voxels))
        thin[inside] = np.asarray(skeletonize(voxels[inside], method="lee")) > 0  # type: ignore[no-untyped-call]
    return thin


def centre_line_dice(prediction: np.ndarray, truth: np.ndarray) -> float:
    """clDice: the harmonic mean of the share of the predicted centre line inside the truth and of the true one in the prediction.

    prediction, truth: (z, y, x), bool or 0 and 1. In [0, 1]; both empty 1, one empty 0. Source: Shit et al. 2021.
    """
    prediction, truth = sets_of_voxels(prediction, truth)
    return _dice(prediction, truth, centre_line(truth))


def component_count(voxels: np.ndarray) -> int:
    """The number of 26-connected components.

    >>> component_count(np.array([[[1, 0, 0, 1], [0, 1, 0, 1]]], bool))
    2
    """
    return int(cc3d.connected_components(np.asarray(voxels, bool), connectivity=26, return_N=True)[1])


def share_in_largest(prediction: np.ndarray, line: np.ndarray) -> float:
    """The share of a centre line that lies in the largest 26-connected component of a prediction; of equal ones in the first.

    Both (z, y, x) bool. An empty line is held by an empty prediction (1), and not by another (0).
    """
    if not line.any():
        return float(not prediction.any())
    return float(_largest(prediction)[line].mean())


def _dice(prediction: np.ndarray, truth: np.ndarray, line: np.ndarray) -> float:
    predicted_line = centre_line(prediction)
    if not (predicted_line.any() and line.any()):
        return float(not prediction.any() and not truth.any())
    return harmonic(float(truth[predicted_line].mean()), float(prediction[line].mean()))


def _largest(voxels: np.ndarray) -> np.ndarray:
    labels, count = cc3d.connected_components(voxels, connectivity=26, return_N=True)
    if not count:
        return np.zeros(voxels.shape, bool)
    return np.asarray(labels == 1 + int(np.bincount(labels.ravel())[1:].argmax()))
