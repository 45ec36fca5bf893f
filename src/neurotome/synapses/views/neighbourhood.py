"""What lies around a mask: rounds of the cross of six neighbours, and distances in nanometres.

Nothing is known outside a crop. A mask does not grow in from there and is not eaten away from there, so that
eroding is dilating what is left: `eroded(a, n) == ~dilated(~a, n)`.
"""

from __future__ import annotations

import numpy as np

from neurotome.core.geometry import Nm3

__all__ = ["dilated", "eroded", "extent", "within"]


def extent(mask: np.ndarray) -> tuple[slice, slice, slice] | None:
    """The smallest box around a 3D mask, or None if it is empty.

    >>> extent(np.eye(3, dtype=bool)[None])
    (slice(0, 1, None), slice(0, 3, None), slice(0, 3, None))
    """
    flat = np.any(mask, axis=0)
    lines = (np.any(mask, axis=(1, 2)), np.any(flat, axis=1), np.any(flat, axis=0))
    if not lines[0].any():
        return None
    z, y, x = (slice(int(line.argmax()), len(line) - int(line[::-1].argmax())) for line in lines)
    return z, y, x


def dilated(mask: np.ndarray, rounds: int) -> np.ndarray:
    """A 3D mask grown `rounds` times by the six face neighbours: all voxels within that city-block distance.

    >>> seed = np.zeros((5, 5, 5), bool)
    >>> seed[2, 2, 2] = True
    >>> int(dilated(seed, 2).sum())
    25
    """
    box = extent(mask)
    if box is None or rounds < 1:
        return mask.copy()
    # Beyond the sum of the sides nothing can change any more.
    rounds = min(rounds, sum(mask.shape))
    around = tuple(slice(max(0, s.start - rounds), min(n, s.stop + rounds)) for s, n in zip(box, mask.shape, strict=True))
    grown = mask.copy()
    grown[around] = _crosses(mask[around], rounds)
    return grown


def eroded(mask: np.ndarray, rounds: int) -> np.ndarray:
    """A 3D mask without what lies within `rounds` face neighbours of a voxel that is not in it."""
    return ~dilated(~mask, rounds)


def within(mask: np.ndarray, distance_nm: float, voxel_nm: Nm3) -> np.ndarray:
    """All voxels whose centre is at most `distance_nm` from the centre of one of a 3D mask, the mask included.

    >>> seed = np.zeros((3, 3, 3), bool)
    >>> seed[1, 1, 1] = True
    >>> int(within(seed, 8, (8.0, 8.0, 8.0)).sum()), int(within(seed, 12, (8.0, 8.0, 8.0)).sum())
    (7, 19)
    """
    import edt

    box = extent(mask)
    if box is None:
        return mask.copy()
    # One voxel more than needed, so that rounding decides nothing.
    margins = [int(distance_nm / nm) + 1 for nm in voxel_nm]
    around = tuple(slice(max(0, s.start - m), min(n, s.stop + m)) for s, m, n in zip(box, margins, mask.shape, strict=True))
    squares = edt.edtsq(np.ascontiguousarray(~mask[around]), anisotropy=voxel_nm, black_border=False, parallel=1)
    near = mask.copy()
    near[around] = squares <= distance_nm**2 * (1 + 1e-6)
    return near


def _crosses(mask: np.ndarray, rounds: int) -> np.ndarray:
    now = np.ascontiguousarray(mask)
    for _ in range(rounds):
        after = now.copy()
        for axis in range(3):
            ahead = (slice(None),) * axis + (slice(1, None),)
            behind = (slice(None),) * axis + (slice(None, -1),)
            after[ahead] |= now[behind]
            after[behind] |= now[ahead]
        now = after
    return now
