"""Where somebody would mark a phantom synapse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurotome.core.geometry import Int3, Nm3
from neurotome.datasets.synapse_phantoms.anatomy import POST, PRE, bent

if TYPE_CHECKING:
    from neurotome.datasets.synapse_phantoms.contents import Canvas

__all__ = ["Site", "find_site"]


@dataclass(frozen=True)
class Site:
    """A place in the cleft, and one in the neuron on each side, in voxels."""

    center: Int3
    pre: Int3
    post: Int3


def find_site(canvas: Canvas, shape: np.ndarray, rng: np.random.Generator) -> Site:
    """Where somebody would click: in the middle of a cleft (beside its hole), and some way into both neurons."""
    along = np.zeros(3)
    if shape["hole"][2] > 0:
        along[:2] = -0.6 * shape["radius"] * shape["hole"][:2] / np.hypot(*shape["hole"][:2])
    along[2] = bent(shape, along[:2])
    middle = shape["centre"] + along @ shape["frame"]
    center = _nearest(canvas.organelles, canvas.marks["cleft"], middle, canvas.voxel_nm)
    sides = []
    for side, way in ((PRE, -1.0), (POST, 1.0)):
        target = middle + way * rng.uniform(60, 110) * shape["frame"][2]
        sides.append(_nearest(canvas.neurons, int(shape["ids"][side]), target, canvas.voxel_nm))
    return Site(center, sides[0], sides[1])


def _nearest(labels: np.ndarray, label: int, place_nm: np.ndarray, voxel_nm: Nm3, reach: int = 6) -> Int3:
    """The voxel with a label that is nearest to a place."""
    at = np.round(place_nm / voxel_nm).astype(int)
    low = np.maximum(at - reach, 0)
    window = labels[tuple(slice(a, b + reach + 1) for a, b in zip(low, at, strict=True))]
    found = np.argwhere(window == label) + low
    z, y, x = (int(i) for i in found[np.argmin((((found - at) * voxel_nm) ** 2).sum(axis=1))])
    return z, y, x
