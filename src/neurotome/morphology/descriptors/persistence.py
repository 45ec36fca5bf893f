"""Barcodes as vectors of fixed length: image, Betti curve, landscape, statistics; each neuron in its own scale, which is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from neurotome.core import Skeleton, ValueRangeError
from neurotome.morphology.descriptors.barcode import DISTANCES, barcode
from neurotome.morphology.descriptors.body import Body, body_of

__all__ = [
    "PersistenceSettings",
    "bar_statistics",
    "betti_curve",
    "persistence",
    "persistence_columns",
    "persistence_image",
    "persistence_landscape",
]

NM_PER_UM = 1000.0
STATISTICS = (
    *("mean_fork", "sd_fork", "mean_tip", "sd_tip", "mean_length", "sd_length"),
    *("length_10", "length_25", "length_50", "length_75", "length_90", "entropy"),
)


@dataclass(frozen=True)
class PersistenceSettings:
    """distances: of `DISTANCES`. image: pixels along a side. betti: places along a Betti curve. landscape: how many landscapes
    of `betti` places each. spread: standard deviation of a bar in the image, as a share of its side. extent_um: what is 1; None
    for the largest distance of each neuron itself, which makes the vectors free of size.

    Raises ValueRangeError for numbers out of range, UnknownNameError (from `barcode`) for unknown distances.
    """

    distances: tuple[str, ...] = DISTANCES
    image: int = 8
    betti: int = 16
    landscape: int = 0
    spread: float = 0.08
    extent_um: float | None = None

    def __post_init__(self) -> None:
        if min(self.image, self.betti, self.landscape) < 0:
            raise ValueRangeError(f"Persistence with {self.image} pixels, {self.betti} places", "0 (none) or more of each")
        if not self.spread > 0 or (self.extent_um is not None and not self.extent_um > 0):
            raise ValueRangeError(f"A spread of {self.spread}, an extent of {self.extent_um} um", "more than 0")


def persistence(skeleton: Skeleton | Body, settings: PersistenceSettings | None = None) -> np.ndarray:
    """(p,) float64, for each distance: ln(1 + scale in um), ln(1 + bars), statistics, Betti curve, image, landscapes.

    Names: `persistence_columns`. A neuron without tips, as one of a single node, is 0 throughout.
    """
    settings = settings or PersistenceSettings()
    body = body_of(skeleton)
    return np.concatenate([_vector(barcode(body, distance), settings) for distance in settings.distances])


def persistence_columns(settings: PersistenceSettings | None = None) -> tuple[str, ...]:
    """The names of the entries of `persistence`."""
    settings = settings or PersistenceSettings()
    names = ["log_scale_um", "log_bars", *STATISTICS, *(f"betti_{i}" for i in range(settings.betti))]
    names += [f"image_{fork}_{tip}" for fork in range(settings.image) for tip in range(settings.image)]
    names += [f"landscape_{level}_{i}" for level in range(settings.landscape) for i in range(settings.betti)]
    return tuple(f"{distance}_{name}" for distance in settings.distances for name in names)


def betti_curve(bars: np.ndarray, places: int) -> np.ndarray:
    """(places,) how many bars hold the middles of so many equal parts of 0..1. bars: (b, 2), ends in any order.

    >>> betti_curve(np.array([[0.0, 1.0], [0.5, 0.8]]), 4).tolist()
    [1.0, 1.0, 2.0, 1.0]
    """
    lower, upper = np.sort(bars.min(1)), np.sort(bars.max(1))
    middles = (np.arange(places) + 0.5) / places
    return (np.searchsorted(lower, middles, "right") - np.searchsorted(upper, middles, "right")).astype(np.float64)


def persistence_image(bars: np.ndarray, pixels: int, spread: float) -> np.ndarray:
    """(pixels, pixels) of the unit square, fork value by tip value: each bar a Gaussian of mass |tip - fork|, integrated exactly.

    The masses sum to 1 before what falls outside the square is lost; no bars give 0. Bars that hardly last hardly count, so
    that a lost twig changes little. bars: (b, 2) in 0..1. Source: Adams et al. 2017, on the bars of Kanari et al. 2018.
    """
    borders = np.linspace(0.0, 1.0, pixels + 1)
    fork, tip = (np.diff(ndtr((borders - values[:, None]) / spread), axis=1) for values in bars.T)
    mass = np.abs(bars[:, 1] - bars[:, 0])
    return np.asarray((fork * mass[:, None]).T @ tip / max(mass.sum(), np.finfo(float).tiny))


def persistence_landscape(bars: np.ndarray, levels: int, places: int) -> np.ndarray:
    """(levels, places) the largest, second largest, ... of the tents min(t - lower, upper - t) over the bars, at the middles of
    so many equal parts of 0..1; 0 where there are fewer bars. Source: Bubenik 2015.

    >>> persistence_landscape(np.array([[0.0, 1.0], [0.25, 0.75]]), 2, 2).tolist()
    [[0.25, 0.25], [0.0, 0.0]]
    """
    middles = (np.arange(places) + 0.5) / places
    tents = np.minimum(middles - bars.min(1)[:, None], bars.max(1)[:, None] - middles)
    padded = np.concatenate([np.maximum(tents, 0.0), np.zeros((levels, places))])
    return np.asarray(-np.sort(-padded, axis=0)[:levels])


def bar_statistics(bars: np.ndarray) -> np.ndarray:
    """(12,) `STATISTICS`: means and standard deviations of forks, tips and lengths, percentiles of the lengths, their entropy.

    The entropy is over that of as many equal lengths, so 1 at most; 0 for one bar. No bars give 0.
    """
    if not len(bars):
        return np.zeros(len(STATISTICS))
    lengths = np.abs(bars[:, 1] - bars[:, 0])
    moments = [f(values) for values in (bars[:, 0], bars[:, 1], lengths) for f in (np.mean, np.std)]
    return np.array([*moments, *np.percentile(lengths, (10, 25, 50, 75, 90)), _evenness(lengths)])


def _evenness(lengths: np.ndarray) -> float:
    shares = lengths[lengths > 0] / max(lengths.sum(), np.finfo(float).tiny)
    return float(-(shares * np.log(shares)).sum() / np.log(len(lengths))) if len(shares) > 1 else 0.0


def _vector(bars_nm: np.ndarray, settings: PersistenceSettings) -> np.ndarray:
    largest_um = float(bars_nm.max(initial=0.0)) / NM_PER_UM
    bars = bars_nm / NM_PER_UM / (settings.extent_um or largest_um or 1.0)
    return np.concatenate(
        [
            [np.log1p(largest_um), np.log1p(len(bars))],
            bar_statistics(bars),
            np.log1p(betti_curve(bars, settings.betti)),
            persistence_image(bars, settings.image, settings.spread).ravel(),
            persistence_landscape(bars, settings.landscape, settings.betti).ravel(),
        ]
    )
