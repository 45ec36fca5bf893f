"""Grey values, told in units of the crop's own spread: how dark is the cleft, and what lines it."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from neurotome.synapses.morphometry.scene import NotMeasurableError, Scene

__all__ = ["Grey", "median_of"]

SHELL_NM = 24.0
"""What lies this near to the cleft lines it."""
FAR_NM = 150.0
"""What lies farther than this is compared with it."""
_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


class Grey:
    """The crop's grey values by their median and spread: 1.4826 median absolute deviations, standard deviation if that is 0."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @cached_property
    def _centre_and_spread(self) -> tuple[float, float]:
        levels, counts = _histogram(self.scene.image[self.scene.mask("valid")])
        if not len(levels):
            raise NotMeasurableError("no tissue")
        centre = median_of(levels, counts)
        spread = _NORMAL * median_of(np.abs(levels - centre), counts)
        if spread == 0:
            spread = float(np.sqrt(np.cov(levels, fweights=counts, ddof=0))) if len(levels) > 1 else 0.0
        if spread == 0:
            raise NotMeasurableError("all grey values are equal")
        return centre, spread

    def standardised(self, values: np.ndarray | float) -> np.ndarray:
        centre, spread = self._centre_and_spread
        return (np.asarray(values) - centre) / spread

    def mean(self, name: str) -> float:
        """Of an operand."""
        self.scene.require(name)
        return float(self.standardised(self.scene.image[self.scene.mask(name)].mean(dtype=np.float64)))

    @cached_property
    def pre_lining(self) -> float:
        return self._lining("pre")

    @cached_property
    def post_lining(self) -> float:
        return self._lining("post")

    def _lining(self, side: str) -> float:
        """Mean of a side's voxels next to the cleft, without the cleft, less that of its voxels far from it."""
        self.scene.require("cleft", side)
        mask = self.scene.mask(side)
        shell = mask & self.scene.near_cleft(SHELL_NM) & ~self.scene.mask("cleft")
        far = mask & ~self.scene.near_cleft(FAR_NM)
        if not (shell.any() and far.any()):
            raise NotMeasurableError(f"nothing of it {'next to' if far.any() else 'far from'} the cleft")
        near, beyond = (self.scene.image[part].mean(dtype=np.float64) for part in (shell, far))
        return float(self.standardised(near) - self.standardised(beyond))


def median_of(levels: np.ndarray, counts: np.ndarray) -> float:
    """The median of levels that occur so often; between the two in the middle where their number is even.

    >>> median_of(np.array([1.0, 5.0, 2.0]), np.array([1, 2, 1]))
    3.5
    """
    order = np.argsort(levels, kind="stable")
    reached = np.cumsum(counts[order])
    middle = [(reached[-1] - 1) // 2, reached[-1] // 2]
    return float(levels[order][np.searchsorted(reached, middle, side="right")].mean())


def _histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels (float64) and how often each occurs."""
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        counts = np.bincount(values.ravel())
        levels = np.flatnonzero(counts)
        return levels.astype(np.float64), counts[levels]
    found, counts = np.unique(values, return_counts=True)
    return found.astype(np.float64), counts
