"""Density maps: how the cable of a neuron, seen from three sides, is spread, and how much lies at each depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.morphology.descriptors.body import Body, body_of
from neurotome.morphology.descriptors.cells import cells_crossed
from neurotome.morphology.occupancy.matter import Shape

__all__ = ["DensitySettings", "density", "density_columns"]

NM_PER_UM = 1000.0
AXES = ("z", "y", "x")
PLANES = ((0, 1), (0, 2), (1, 2))


@dataclass(frozen=True)
class DensitySettings:
    """pixels: along a side of a map. smooth: standard deviation in pixels. orientation: "principal" (longest axis -> z, second ->
    y, third -> x) or "given". centring: "mean" (of the cable) or "soma" (the mean, where none is known). extent_um: from the
    centre to the border of a map; None for that of each neuron itself. depth: places of the profile along `depth_axis`.

    Raises UnknownNameError, ValueRangeError.
    """

    pixels: int = 20
    smooth: float = 1.0
    orientation: str = "principal"
    centring: str = "mean"
    extent_um: float | None = None
    depth: int = 20
    depth_axis: str = "z"

    def __post_init__(self) -> None:
        known = (("orientation", ("principal", "given")), ("centring", ("mean", "soma")), ("depth_axis", AXES))
        for what, names in known:
            if getattr(self, what) not in names:
                raise UnknownNameError(f"{what} of a density map", getattr(self, what), names)
        if self.pixels < 1 or self.depth < 0 or self.smooth < 0:
            raise ValueRangeError(f"Maps of {self.pixels} pixels, {self.depth} depths", "at least 1, and 0 or more depths")
        if self.extent_um is not None and not self.extent_um > 0:
            raise ValueRangeError(f"Maps that reach {self.extent_um} um", "more than 0")


def density(shape: Shape | Body, settings: DensitySettings | None = None) -> np.ndarray:
    """(p,) float64: three maps, the profile of depth, ln(1 + extent in um), the share of the shape outside the maps.

    A map holds the square root of the share of the matter in each pixel, so that the Euclidean distance of two maps is the
    Hellinger distance of what they show, and a dense soma does not hide thin neurites. Lines are cut at the borders of
    pixels, then smoothed; smoothed shares sum to 1. A shape without extent lies in the middle, its extent is 0.
    """
    settings = settings or DensitySettings()
    body = body_of(shape)
    centre = body.mean_nm if settings.centring == "mean" else body.centre_nm
    rotation = body.rotation if settings.orientation == "principal" else np.eye(3)
    starts, ends, own_nm = body.turned(centre, rotation)
    half_nm = settings.extent_um * NM_PER_UM if settings.extent_um else own_nm * (1.0 + 1e-6) or 1.0
    maps, inside = _maps(starts / half_nm, ends / half_nm, body.lines[2], settings)
    depths = _profile(starts / half_nm, ends / half_nm, body.lines[2], settings)
    return np.concatenate([*maps, depths, [np.log1p(own_nm / NM_PER_UM), max(1.0 - inside, 0.0)]])


def density_columns(settings: DensitySettings | None = None) -> tuple[str, ...]:
    """The names of the entries of `density`."""
    settings = settings or DensitySettings()
    pixels = range(settings.pixels)
    maps = [f"{AXES[a]}{AXES[b]}_{i}_{j}" for a, b in PLANES for i in pixels for j in pixels]
    depths = [f"depth_{settings.depth_axis}_{i}" for i in range(settings.depth)]
    return (*maps, *depths, "log_extent_um", "outside")


def _maps(starts: np.ndarray, ends: np.ndarray, weights: np.ndarray, settings: DensitySettings) -> tuple[list[np.ndarray], float]:
    """The three maps, each flat, and the share of the weights inside them. starts, ends: (n, 3), -1 to 1 inside."""
    n = settings.pixels
    cells, shares, pieces = cells_crossed((starts + 1) * (n / 2), (ends + 1) * (n / 2), n)
    parts = shares * weights[pieces]
    flat = [np.bincount(cells[:, a] * n + cells[:, b], parts, n * n).reshape(n, n) for a, b in PLANES]
    return [_rooted(image, settings.smooth).ravel() for image in flat], float(parts.sum())


def _profile(starts: np.ndarray, ends: np.ndarray, weights: np.ndarray, settings: DensitySettings) -> np.ndarray:
    n, axis = settings.depth, AXES.index(settings.depth_axis)
    if not n:
        return np.zeros(0)
    low, high = (np.column_stack([(points[:, axis] + 1) * (n / 2), *np.full((2, len(points)), 0.5)]) for points in (starts, ends))
    cells, shares, pieces = cells_crossed(low, high, n)
    return _rooted(np.bincount(cells[:, 0], shares * weights[pieces], n), settings.smooth)


def _rooted(shares: np.ndarray, smooth: float) -> np.ndarray:
    smoothed = gaussian_filter(shares, smooth, mode="constant") if smooth else shares
    total = smoothed.sum()
    return np.asarray(np.sqrt(smoothed / total)) if total > 0 else smoothed
