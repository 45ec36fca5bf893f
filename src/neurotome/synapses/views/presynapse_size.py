"""A presynapse made smaller or larger, so that its size cannot tell synapses apart; other structures stay as they are."""

from __future__ import annotations

import numpy as np

from neurotome.core.geometry import Nm3
from neurotome.synapses.views.neighbourhood import dilated

__all__ = ["resized_presynapse"]

_MOST_LAYERS = 10


def resized_presynapse(
    pre: np.ndarray, background: np.ndarray, fraction: float, *, tolerance: float = 0.1, voxel_nm: Nm3 = (1.0, 1.0, 1.0)
) -> tuple[np.ndarray, bool]:
    """A presynapse that takes up `fraction` of its crop, and whether that could be reached.

    Within `tolerance` (a share of the wanted size) it is left alone. A larger one keeps the voxels nearest its centroid, ties in
    z, y, x order. A smaller one grows by layers of face neighbours, ten at most and into `background` only; of the last layer
    the voxels nearest the centroid are taken.

    >>> rod = np.zeros((4, 4, 4), bool)
    >>> rod[1, 1] = True
    >>> resized_presynapse(rod, ~rod, 2 / 64)[0][1, 1].astype(int).tolist()
    [0, 1, 1, 0]
    """
    # A product such as 0.29 * 512000 may end a hair below the whole number it stands for.
    goal = int(np.floor(pre.size * fraction + 1e-6))
    count = int(pre.sum())
    if abs(count - goal) <= tolerance * goal:
        return pre, True
    if count == 0:
        return pre, False
    centre = _Centre(pre, voxel_nm)
    if count > goal:
        return centre.nearest(pre, goal), True
    grown = _grown(pre, background, goal, centre)
    return grown, int(grown.sum()) >= (1 - tolerance) * goal


def _grown(pre: np.ndarray, background: np.ndarray, goal: int, centre: _Centre) -> np.ndarray:
    count = int(pre.sum())
    for _ in range(_MOST_LAYERS):
        layer = dilated(pre, 1) & background & ~pre
        found = int(layer.sum())
        if found == 0 or count >= goal:
            break
        if count + found > goal:
            layer = centre.nearest(layer, goal - count)
            found = goal - count
        pre = pre | layer
        count += found
    return pre


class _Centre:
    """The centroid of a mask. Positions are multiplied by its number of voxels: whole numbers, so that ties are ties."""

    def __init__(self, mask: np.ndarray, voxel_nm: Nm3) -> None:
        places = np.nonzero(mask)
        count = len(places[0])
        smallest = min(voxel_nm)
        self._squares = [
            ((count * np.arange(n) - int(axis.sum())).astype(np.float64) * (nm / smallest)) ** 2
            for n, axis, nm in zip(mask.shape, places, voxel_nm, strict=True)
        ]

    def nearest(self, mask: np.ndarray, count: int) -> np.ndarray:
        """The `count` voxels of a mask that are nearest, ties in z, y, x order."""
        if count == 0:
            return np.zeros_like(mask)
        places = np.nonzero(mask)
        distances = sum(squares[axis] for squares, axis in zip(self._squares, places, strict=True))
        last = np.partition(distances, count - 1)[count - 1]
        kept = distances < last
        ties = np.flatnonzero(distances == last)
        kept[ties[: count - int(kept.sum())]] = True
        chosen = np.zeros_like(mask)
        chosen[tuple(axis[kept] for axis in places)] = True
        return chosen
