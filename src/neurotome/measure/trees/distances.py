"""How far two trees run from each other, and how much of each lies near the other: formulas over weighted distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FAR", "Agreement", "Apart", "agreement", "apart", "false_rate", "is_far", "is_near"]

FAR = 2.0
"""From here on a point counts as missed, in voxels as in micrometres."""

_ROUNDING = 1e-7


@dataclass(frozen=True)
class Agreement:
    """Share of the test tree that lies near the gold tree (precision), of gold near test (recall), and their harmonic mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both > 0 else 0.0


@dataclass(frozen=True)
class Apart:
    """Distances between two trees, after Peng et al. 2010 and 2011.

    esa: mean of the two mean distances (entire structure average).
    pds: mean of the two shares that are far, 0..1 (percentage of different structure).
    dsa: mean of the two mean distances over what is far, or the one there is, or 0 (different structure average).
    ssd: the same with 0 for a direction in which nothing is far (substantial spatial distance).
    dist_max: the smaller of the two largest distances; hausdorff: the larger.
    """

    esa: float
    dsa: float
    pds: float
    ssd: float
    dist_max: float
    hausdorff: float


def is_near(distance: np.ndarray, tau: float) -> np.ndarray:
    """Within tau, tau included (up to the rounding of coordinates)."""
    return np.asarray(distance <= tau + _ROUNDING)


def is_far(distance: np.ndarray, far: float = FAR) -> np.ndarray:
    """At `far` or beyond, `far` included (up to the rounding of coordinates)."""
    return np.asarray(distance >= far - _ROUNDING)


def agreement(test: np.ndarray, gold: np.ndarray, test_weights: np.ndarray, gold_weights: np.ndarray) -> Agreement:
    """Precision and recall from what is near: of each test sample to the gold tree, of each gold sample to the test tree.

    test, gold: true or false, or the share of each sample that is near.

    >>> agreement(np.array([True, False]), np.array([True]), np.array([3.0, 1.0]), np.array([1.0])).precision
    0.75
    """
    return Agreement(_mean(test, test_weights), _mean(gold, gold_weights))


def apart(test: np.ndarray, gold: np.ndarray, test_weights: np.ndarray, gold_weights: np.ndarray, far: float = FAR) -> Apart:
    """ESA, DSA, PDS, SSD and the largest distances, from the same; weights of 1 where points count alike.

    >>> two = np.ones(2)
    >>> found = apart(np.array([0.0, 0.0]), np.array([0.0, 6.0]), two, two)
    >>> found.esa, found.dsa, found.pds, found.ssd
    (1.5, 6.0, 0.25, 3.0)
    """
    sides = ((test, test_weights), (gold, gold_weights))
    missed = [is_far(distance, far) for distance, _ in sides]
    means = [_mean(d[m], w[m]) for (d, w), m in zip(sides, missed) if m.any()]
    return Apart(
        esa=sum(_mean(d, w) for d, w in sides) / 2,
        dsa=sum(means) / len(means) if means else 0.0,
        pds=sum(_mean(m, w) for (_, w), m in zip(sides, missed)) / 2,
        ssd=sum(means) / 2,
        dist_max=float(min(test.max(), gold.max())),
        hausdorff=float(max(test.max(), gold.max())),
    )


def false_rate(distance: np.ndarray, weights: np.ndarray, sigma: float = FAR) -> float:
    """Weighted mean of 1 - exp(-d^2 / 2 sigma^2): geometric false positives from test to gold, false negatives from gold to test.

    Mayerich et al. 2012 (NetMets).

    >>> round(false_rate(np.array([3.0]), np.array([1.0])), 4)
    0.6753
    """
    return _mean(-np.expm1(-(distance**2) / (2 * sigma**2)), weights)


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float((values * weights).sum() / weights.sum())
