"""How often a mask is pierced: Euler number and holes."""

from __future__ import annotations

import numpy as np

from neurotome.measure.surfaces.axes import bounding_slices
from neurotome.measure.surfaces.checks import require_mask

__all__ = ["cavities_filled", "euler_number", "holes"]


def euler_number(mask: np.ndarray) -> int:
    """Parts minus tunnels plus cavities of a mask whose voxels hang together by faces, edges and corners (26 neighbours).

    Counted on the union of the voxels as closed cubes: corners - edges + faces - cubes. mask: (z, y, x) bool.

    >>> ring = np.ones((1, 3, 3), bool)
    >>> ring[0, 1, 1] = False
    >>> euler_number(ring), euler_number(np.ones((3, 3, 3), bool))
    (0, 1)
    """
    return sum(sign * int(np.count_nonzero(cells)) for cells, sign in _cells(np.pad(require_mask(mask), 1), 3, -1))


def _cells(cubes: np.ndarray, axes: int, sign: int) -> list[tuple[np.ndarray, int]]:
    """Cubes, and the faces, edges and corners that they have along the last of their first `axes` axes, each once."""
    if axes == 0:
        return [(cubes, sign)]
    axis = axes - 1
    before, after = (slice(None),) * axis + (slice(None, -1),), (slice(None),) * axis + (slice(1, None),)
    return _cells(cubes, axis, sign) + _cells(cubes[before] | cubes[after], axis, -sign)


def cavities_filled(mask: np.ndarray) -> np.ndarray:
    """The mask with every space filled from which no path of voxels that share faces leads out of the array."""
    import cc3d

    outside = cc3d.connected_components(~np.pad(require_mask(mask), 1), connectivity=6)
    filled: np.ndarray = outside[1:-1, 1:-1, 1:-1] != outside[0, 0, 0]
    return filled


def holes(mask: np.ndarray) -> int:
    """How often a mask in one part is pierced: 0 for a plate, 1 for a ring, 2 for a figure of eight; 1 - Euler number.

    Cavities are filled first. mask: (z, y, x) bool, in one part with 26 neighbours; n parts count as 1 - n holes more.

    >>> holes(np.ones((2, 4, 4), bool))
    0
    """
    # Only the box around it: filling takes time by volume.
    return 1 - euler_number(cavities_filled(mask[bounding_slices(mask)]))
