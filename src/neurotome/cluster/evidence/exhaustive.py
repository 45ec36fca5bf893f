"""Every way to deal labels anew, where there are few: then a test by shuffling needs no chance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import factorial, prod

import numpy as np

__all__ = ["arrangements", "how_many_arrangements"]


def how_many_arrangements(codes: np.ndarray, strata: np.ndarray) -> int:
    """In how many different orders codes (n,) can stand if they stay within their stratum (n,).

    >>> how_many_arrangements(np.array([0, 0, 1, 1, 2, 2]), np.zeros(6, int))
    90
    """
    counts = (np.unique(codes[strata == layer], return_counts=True)[1] for layer in np.unique(strata))
    return prod(factorial(int(one.sum())) // prod(factorial(int(c)) for c in one) for one in counts)


def arrangements(codes: np.ndarray, strata: np.ndarray) -> Iterator[np.ndarray]:
    """All these orders (n,), that of `codes` among them, each once.

    >>> [one.tolist() for one in arrangements(np.array([0, 1, 1]), np.zeros(3, int))]
    [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """
    layers = [np.flatnonzero(strata == layer) for layer in np.unique(strata)]
    for chosen in product(*(list(_orders(sorted(codes[rows].tolist()))) for rows in layers)):
        arranged = np.empty_like(codes)
        for rows, order in zip(layers, chosen, strict=True):
            arranged[rows] = order
        yield arranged


def _orders(values: list[int]) -> Iterator[list[int]]:
    if not values:
        yield []
    for first in sorted(set(values)):
        rest = values.copy()
        rest.remove(first)
        for order in _orders(rest):
            yield [first, *order]
