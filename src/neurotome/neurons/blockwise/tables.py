"""Looking things up in tables that are sorted by name and mapped into memory."""

from __future__ import annotations

import numpy as np

__all__ = ["look_up", "positions_of", "values_of"]


def positions_of(rising: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where names stand in a rising list, and whether they do (where not, the place means nothing).

    >>> place, there = positions_of(np.array([3, 8]), np.array([8, 5]))
    >>> place[there].tolist(), there.tolist()
    ([1], [True, False])
    """
    if not len(rising):
        return np.zeros(len(names), np.int64), np.zeros(len(names), np.bool_)
    place = np.minimum(np.searchsorted(rising, names), len(rising) - 1)
    return place, rising[place] == names


def values_of(table: np.ndarray, names: np.ndarray, missing: int) -> np.ndarray:
    """The second column of a table (n, 2) at these names, which stand rising in the first; `missing` for those not in it.

    >>> values_of(np.array([[3, 1], [8, 2]], np.uint64), np.array([8, 5], np.uint64), 0).tolist()
    [2, 0]
    """
    place, there = positions_of(table[:, 0], names)
    values = np.full(len(names), missing, np.uint64)
    values[there] = table[place[there], 1]
    return values


def look_up(table: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Names under a table (n, 2) of old and new ones, rising; names that are not in it stay.

    >>> look_up(np.array([[3, 1], [8, 2]], np.uint64), np.array([8, 5, 3], np.uint64)).tolist()
    [2, 5, 1]
    """
    place, there = positions_of(table[:, 0], names)
    new = names.copy()
    new[there] = table[place[there], 1]
    return new
