"""How far apart two sets of points lie: Chamfer distances, and whether their surfaces look the same way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from neurotome.core import ShapeError
from neurotome.measure.occupancy.overlap import sets_of_voxels

__all__ = ["Chamfer", "chamfer", "normal_consistency", "voxel_chamfer"]


@dataclass(frozen=True)
class Chamfer:
    """Distances d from each point to the nearest of the other set, averaged over the points of a set.

    squared: mean d^2 of one set + mean d^2 of the other. symmetric: the mean of the two mean d.
    Two empty sets are 0 apart, an empty and another infinitely far.
    """

    squared: float
    symmetric: float


def chamfer(points: np.ndarray, others: np.ndarray) -> Chamfer:
    """Chamfer distances of two sets of points, (n, 3) and (m, 3), in their unit.

    >>> chamfer(np.array([[0.0, 0, 0], [0, 0, 4]]), np.array([[0.0, 0, 1]]))
    Chamfer(squared=6.0, symmetric=1.5)
    """
    if not (len(points) and len(others)):
        apart = 0.0 if len(points) == len(others) else float("inf")
        return Chamfer(apart, apart)
    there, back = KDTree(others).query(points)[0], KDTree(points).query(others)[0]
    return Chamfer(float((there**2).mean() + (back**2).mean()), float((there.mean() + back.mean()) / 2))


def voxel_chamfer(prediction: np.ndarray, truth: np.ndarray) -> Chamfer:
    """Chamfer distances between the centres of two sets of voxels, in voxels.

    prediction, truth: (z, y, x), bool or 0 and 1.
    """
    prediction, truth = sets_of_voxels(prediction, truth)
    if not (prediction.any() and truth.any()):
        return chamfer(np.argwhere(prediction), np.argwhere(truth))
    there, back = _directed(prediction, truth), _directed(truth, prediction)
    return Chamfer(there[1] + back[1], (there[0] + back[0]) / 2)


def normal_consistency(points: np.ndarray, normals: np.ndarray, others: np.ndarray, other_normals: np.ndarray) -> float:
    """The mean |cosine| between the normal of a point and that of the nearest point of the other set, both ways; in [0, 1].

    Normals need not have unit length. Source: Mescheder et al. 2019 (occupancy networks). Raises ShapeError.
    """
    for place, arrows in ((points, normals), (others, other_normals)):
        if np.shape(place) != np.shape(arrows) or not len(place):
            raise ShapeError(f"{np.shape(place)} points with {np.shape(arrows)} normals", "as many, at least one, (n, 3) each")
    unit, other_unit = (n / np.linalg.norm(n, axis=1, keepdims=True) for n in (normals, other_normals))
    there = np.abs((unit * other_unit[KDTree(others).query(points)[1]]).sum(1)).mean()
    back = np.abs((other_unit * unit[KDTree(points).query(others)[1]]).sum(1)).mean()
    return float((there + back) / 2)


def _directed(voxels: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """Mean d and mean d^2 from voxels to others. Common voxels are at 0, so only the rest is looked up."""
    apart = np.argwhere(voxels & ~others)
    if not len(apart):
        return 0.0, 0.0
    far = KDTree(np.argwhere(others)).query(apart)[0]
    count = np.count_nonzero(voxels)
    return float(far.sum() / count), float((far**2).sum() / count)
