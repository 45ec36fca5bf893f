"""Tests by shuffling."""

from __future__ import annotations

import numpy as np

__all__ = ["permutation_p", "shuffled_within"]


def permutation_p(observed: float, drawn: np.ndarray, *, larger: bool = True) -> float:
    """(1 + draws that reach it) / (1 + draws): never 0. Equal up to rounding counts as reaching. Source: Phipson and Smyth 2010.

    >>> permutation_p(3.0, np.array([1.0, 2, 3]))
    0.5
    """
    tolerance = 1e-9 * max(1.0, abs(observed))
    reached = (drawn >= observed - tolerance) if larger else (drawn <= observed + tolerance)
    return float((1 + reached.sum()) / (1 + len(drawn)))


def shuffled_within(codes: np.ndarray, strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Codes (n,) in another order within each stratum (n,); every order is equally likely."""
    drawn = rng.permutation(len(codes))
    shuffled = np.empty_like(codes)
    shuffled[np.argsort(strata, kind="stable")] = codes[drawn[np.argsort(strata[drawn], kind="stable")]]
    return shuffled
