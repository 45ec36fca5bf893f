"""How much of a score is due to things that are not asked about: position, size, completeness, who corrected the object?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from neurotome.cluster.prediction.probe import ProbeSettings, probe
from neurotome.cluster.values import codes_of, labelled, same_length

__all__ = ["CONFOUNDER_COLUMNS", "columns_as_numbers", "confounder_table"]

CONFOUNDER_COLUMNS = ("features", "value", "low", "high", "chance", "n", "classes", "folds")


def columns_as_numbers(columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, list[str]]:
    """Columns (n,) of numbers or names as one table (n, c) and its column names: names become one 0/1 column each but the first.

    A missing number stays NaN; a missing name is a name of its own.

    >>> columns_as_numbers({"size": np.array([1.0, 2]), "animal": np.array(["a", "b"])})
    (array([[1., 0.],
           [2., 1.]]), ['size', 'animal=b'])
    """
    parts, names = [], []
    for name, column in columns.items():
        given = np.asarray(column)
        if given.dtype.kind in "fiub":
            parts.append(given.astype(np.float64))
            names.append(name)
            continue
        known = labelled(given)
        codes, kinds = codes_of(np.where(known, given.astype(object).astype(str), "(missing)"))
        for at, kind in enumerate(kinds[1:], 1):
            parts.append((codes == at).astype(np.float64))
            names.append(f"{name}={kind}")
    if not parts:
        return np.zeros((len(next(iter(columns.values()))) if columns else 0, 0)), []
    return np.stack(parts, axis=1), names


def confounder_table(
    values: np.ndarray,
    columns: Mapping[str, np.ndarray],
    labels: np.ndarray,
    settings: ProbeSettings | None = None,
    *,
    groups: np.ndarray | None = None,
) -> pd.DataFrame:
    """`CONFOUNDER_COLUMNS`: the probe on the features, on each confounder, on all of them, and on the features without them.

    Where confounders alone do as well as the features, the features may know nothing else. What they explain is taken out of the
    features linearly, in each training fold; where a confounder is itself a part of what the label means, that takes too much.
    """
    settings = settings or ProbeSettings()
    same_length(len(values), labels=labels, groups=groups, **{f"column {name}": column for name, column in columns.items()})
    together, _ = columns_as_numbers(columns)
    rows = [_row("features", values, labels, settings, groups)]
    for name, column in columns.items():
        table, _ = columns_as_numbers({name: column})
        if table.shape[1] and (np.nanmax(table, 0) > np.nanmin(table, 0)).any():
            rows.append(_row(name, _filled(table), labels, settings, groups))
    rows.append(_row("all confounders", _filled(together), labels, replace(settings, scaling="standard"), groups))
    rows.append(_row("features without them", values, labels, settings, groups, together))
    return pd.DataFrame(rows, columns=list(CONFOUNDER_COLUMNS))


def _filled(table: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(table), np.nanmedian(table, axis=0), table)


def _row(
    name: str,
    values: np.ndarray,
    labels: np.ndarray,
    settings: ProbeSettings,
    groups: np.ndarray | None,
    confounders: np.ndarray | None = None,
) -> dict:
    return probe(values, labels, settings, groups=groups, confounders=confounders).row(name, "")
