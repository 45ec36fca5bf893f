"""Where the middle of a crop goes: towards the presynapse, but never so far that the cleft is cut."""

from __future__ import annotations

import math

from neurotome.core import Box, CropRecipe
from neurotome.core.geometry import Int3, Nm3

__all__ = ["clefts_of_site", "crop_centre", "guarded_centre", "is_truncated", "smart_centre"]

# A centre of mass that is a whole number on paper may come out a hair below it.
_ROUNDING = 1e-9


def crop_centre(site: Int3, pre_middle: Nm3 | None, cleft: Box | None, recipe: CropRecipe) -> Int3:
    """The voxel that is to be the middle of the crop: the site itself, or nearer to the presynapse where one is known."""
    if recipe.centring == "site":
        return site
    centre = site if pre_middle is None else smart_centre(site, pre_middle, recipe.weight)
    return centre if recipe.guard_vox is None else guarded_centre(centre, cleft, recipe.size, recipe.guard_vox)


def smart_centre(site: Int3, pre_middle: Nm3, weight: float) -> Int3:
    """floor of the weighted mean of the site and the mean position of the presynapse, voxels.

    >>> smart_centre((60, 65, 83), (59.5, 64.5, 55.5), 0.7)
    (59, 64, 63)
    """
    z, y, x = (math.floor(c + weight * (g - c) + _ROUNDING) for c, g in zip(site, pre_middle, strict=True))
    return z, y, x


def guarded_centre(centre: Int3, cleft: Box | None, size: int, margin: int) -> Int3:
    """The centre nearest to the one given from which a crop of `size` holds the cleft with `margin` voxels around it.

    Along an axis on which the cleft is too large the crop is centred on it.

    >>> guarded_centre((49, 49, 58), Box((40, 40, 100), (60, 60, 106)), 80, 4)
    (49, 49, 70)
    """
    if cleft is None:
        return centre
    half = size // 2
    z, y, x = (
        min(max(c, hi + margin - half), lo - margin + half) if hi - lo <= size - 2 * margin else (lo + hi) // 2
        for c, lo, hi in zip(centre, cleft.start, cleft.stop, strict=True)
    )
    return z, y, x


def clefts_of_site(clefts: list[tuple[float, Box]], site: Int3, recipe: CropRecipe) -> Box | None:
    """The box that the guard keeps in the crop, around the clefts that belong to the site.

    clefts: the closest component of each cleft label, its distance and its box. One that does not reach into the crop around the
    site belongs to another synapse; where both together are too large for a crop, the nearer one counts.
    """
    half, margin = recipe.size // 2, recipe.guard_vox or 0
    around = Box(tuple(c - half for c in site), tuple(c + half for c in site))  # type: ignore[arg-type]
    near = [box for _, box in sorted(clefts, key=lambda found: found[0]) if box.intersect(around).size]
    if not near:
        return None
    both = _hull(near)
    return both if max(both.shape) <= recipe.size - 2 * margin else near[0]


def is_truncated(cleft: Box | None, crop: Box, recipe: CropRecipe) -> bool:
    """Whether the crop cannot hold the cleft of its site with the guard's margin, or does not hold all of it."""
    if cleft is None:
        return False
    margin = recipe.guard_vox or 0
    return max(cleft.shape) > recipe.size - 2 * margin or cleft.intersect(crop) != cleft


def _hull(boxes: list[Box]) -> Box:
    starts, stops = zip(*((b.start, b.stop) for b in boxes), strict=True)
    return Box(tuple(map(min, zip(*starts, strict=True))), tuple(map(max, zip(*stops, strict=True))))  # type: ignore[arg-type]
