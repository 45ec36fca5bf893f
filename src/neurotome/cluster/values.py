"""What every part of this room asks of the numbers and labels it is given."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurotome.core import InputError, ShapeError, ValueRangeError

__all__ = ["codes_of", "labelled", "numbers_of", "same_length"]


def numbers_of(values: np.ndarray, what: str = "values", *, missing: bool = False) -> np.ndarray:
    """values as a table (n, d), n and d > 0, of finite float32 or float64 (other types become float64).

    missing: NaN are let through. Raises ShapeError for another shape, ValueRangeError naming the first row that is not finite.

    >>> numbers_of(np.array([[1, 2]])).dtype
    dtype('float64')
    """
    values = np.asarray(values)
    if values.ndim != 2 or 0 in values.shape:
        raise ShapeError(f"{what} has shape {values.shape}", "rows x columns, at least one of each")
    if values.dtype.kind not in "fiub":
        raise ValueRangeError(f"{what} has type {values.dtype}", "numbers", "leave out columns of text")
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    bad = np.isinf(values).any(1) if missing else ~np.isfinite(values).all(1)
    if bad.any():
        raise ValueRangeError(
            f"{what} has {int(bad.sum())} rows that are not finite, the first is row {int(np.argmax(bad))}",
            "finite numbers",
            "repair or leave out these rows",
        )
    return np.ascontiguousarray(values)


def labelled(labels: np.ndarray) -> np.ndarray:
    """(n,) bool: which rows have a label: not None, NaN or empty text.

    >>> labelled(np.array(["a", None, ""], object)).tolist()
    [True, False, False]
    """
    given = np.asarray(labels, dtype=object)
    return ~(pd.isna(given) | np.array([isinstance(value, str) and not value for value in given], bool))


def codes_of(labels: np.ndarray, what: str = "labels") -> tuple[np.ndarray, list[str]]:
    """Labels of any kind as numbers 0, 1, ... in the order of their sorted names, and these names.

    Raises InputError where a label is missing (None, NaN, empty text).

    >>> codes_of(np.array(["b", "a", "b"]))
    (array([1, 0, 1]), ['a', 'b'])
    """
    given = np.asarray(labels, dtype=object)
    missing = ~labelled(given)
    if missing.any():
        raise InputError(
            f"{what} misses {int(missing.sum())} of {len(given)} values, the first in row {int(np.argmax(missing))}",
            "a label for every row",
            "leave out these rows",
        )
    # Text after numbers, so that a mixed column has an order too.
    kinds = sorted(set(given), key=lambda value: (isinstance(value, str), value))
    number = {value: at for at, value in enumerate(kinds)}
    return np.array([number[value] for value in given], np.int64), [str(value) for value in kinds]


def same_length(n: int, **columns: np.ndarray | None) -> None:
    """Raises ShapeError unless every column that is given has n entries."""
    for name, column in columns.items():
        if column is not None and len(column) != n:
            raise ShapeError(f"{name} has {len(column)} entries", f"{n}, one per row of the values")
