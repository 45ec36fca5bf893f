"""Which columns of a table of synapses decide what is alike, and in which scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from neurotome.cluster import Scaler, ScalingSettings, corrected
from neurotome.cluster.projections import condensed
from neurotome.cluster.tables import column_of, features_of
from neurotome.core import InputError, UnknownNameError, ValueRangeError

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["CORRECTIONS", "FeatureMatrix", "column_families", "feature_matrix", "logarithms", "rows_of", "transformed"]

CORRECTIONS = {"none": "none", "z_per_volume": "z_per_batch", "robust_per_volume": "robust_per_batch"}
"""What of the volume is taken out of the features, and what the floor below calls it: a volume is a batch."""
MOST_COLUMNS = 50


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """values (n, q): what distances, clusters and maps see. scaled (n, columns): before the correction and the condensing.

    columns: those that take part; logged: of them, as logarithms; dropped: name -> why not. filled: missing values that were
    replaced by the median of their column. correction: one of `CORRECTIONS`.
    """

    values: np.ndarray
    scaled: np.ndarray = field(repr=False)
    families: tuple[str, ...]
    columns: tuple[str, ...] = field(repr=False)
    logged: tuple[str, ...] = field(repr=False)
    dropped: Mapping[str, str] = field(repr=False)
    filled: int = 0
    correction: str = "none"

    def described(self) -> dict:
        """For a JSON file."""
        return {
            "families": list(self.families),
            "columns": len(self.columns),
            "logged": len(self.logged),
            "dropped": dict(self.dropped),
            "filled": self.filled,
            "dimensions": int(self.values.shape[1]),
        }

    def corrected(self, volumes: np.ndarray, correction: str) -> np.ndarray:
        """values as they would be with this correction."""
        return _condensed(self.scaled, volumes, correction)


def feature_matrix(
    table: AnnData,
    families: Sequence[str] | None = ("morphometry",),
    *,
    correction: str = "none",
    batch: str = "volume",
    scaling: ScalingSettings | None = None,
) -> FeatureMatrix:
    """The columns of these families (None: of all), scaled to count alike, each family as much as one column.

    Left out, with a reason: measures of quality, columns without two values, with more missing values than `scaling` allows.
    More than 50 columns are condensed to the principal components that hold 95 % of the variance.
    Raises UnknownNameError for a family or correction, InputError where no column is left or the batch has one value only.
    """
    if table.n_obs == 0:
        raise InputError("A table without synapses", "at least one", "read the table of discarded sites")
    kinds = column_families(table)
    families = tuple(dict.fromkeys(kinds)) if families is None else tuple(families)
    for family in families:
        if family not in kinds:
            raise UnknownNameError("family of features", family, set(kinds))
    scaling = scaling or ScalingSettings()
    quality = _quality(table)
    chosen = np.flatnonzero(np.isin(kinds, families) & ~quality)
    values, logged = transformed(table, chosen)
    names = [str(table.var_names[at]) for at in chosen]
    if not names:
        raise InputError(f"No column of {', '.join(families)} besides measures of quality", "features", "choose another family")
    scaler = Scaler.fit(values, scaling, families=[kinds[at] for at in chosen] if len(families) > 1 else None)
    kept = list(compress(names, scaler.kept))
    scaled = scaler.apply(values)
    volumes = column_of(table, batch) if correction != "none" else np.zeros(table.n_obs)
    if correction != "none" and len(set(volumes)) < 2:
        raise InputError(
            f"Correction '{correction}' where all rows are of one {batch}", "two at least", "leave the correction out"
        )
    dropped = {str(name): "measure of quality" for name in table.var_names[quality]}
    return FeatureMatrix(
        _condensed(scaled, volumes, correction),
        scaled,
        families,
        tuple(kept),
        tuple(name for name in kept if name in logged),
        dropped | _dropped(values, names, scaler),
        scaler.missing,
        correction,
    )


def column_families(table: AnnData) -> np.ndarray:
    """(p,) the family of each column. Raises InputError where the table does not say."""
    if "family" not in table.var:
        raise InputError("The table does not say which family its columns belong to", "var['family']", "make it with features")
    return table.var["family"].astype(str).to_numpy(dtype=object)


def transformed(table: AnnData, columns: Sequence[int] | np.ndarray) -> tuple[np.ndarray, set[str]]:
    """These columns (n, c) float64 with logarithms taken where `var["transform"]` is "log", and the names of those."""
    values, names = features_of(table)
    values = values[:, columns].astype(np.float64)
    transform = table.var["transform"].astype(str).to_numpy() if "transform" in table.var else np.full(len(names), "none")
    logged = set()
    for at, column in enumerate(columns):
        if transform[column] == "log":
            values[:, at] = logarithms(values[:, at], names[column])
            logged.add(names[column])
    return values, logged


def logarithms(values: np.ndarray, name: str = "a column") -> np.ndarray:
    """Natural logarithms of values (n,) >= 0, NaN staying NaN; where some are 0, of 1 + x over the median of the others.

    So the unit plays no part. Raises ValueRangeError for values below 0.

    >>> logarithms(np.array([0.0, 2, 2, 6])).round(3).tolist()
    [0.0, 0.693, 0.693, 1.386]
    """
    known = values[~np.isnan(values)]
    if (known < 0).any():
        raise ValueRangeError(f"'{name}' has the value {known.min():g}", "0 or more, to take its logarithm", "mark it 'none'")
    if (known > 0).all():
        return np.log(values)
    above = known[known > 0]
    return np.log1p(values / np.median(above)) if len(above) else values


def rows_of(table: AnnData, rows: np.ndarray) -> AnnData:
    """Some rows of a table: its features and what is known of these synapses, without maps and other slots."""
    import anndata

    return anndata.AnnData(features_of(table)[0][rows], table.obs.iloc[rows].copy(), table.var.copy())


def _condensed(scaled: np.ndarray, volumes: np.ndarray, correction: str) -> np.ndarray:
    if correction not in CORRECTIONS:
        raise UnknownNameError("correction", correction, CORRECTIONS)
    return condensed(corrected(scaled, volumes, CORRECTIONS[correction]), most=MOST_COLUMNS)


def _quality(table: AnnData) -> np.ndarray:
    return table.var["quality"].to_numpy(dtype=bool) if "quality" in table.var else np.zeros(table.n_vars, bool)


def _dropped(values: np.ndarray, names: Sequence[str], scaler: Scaler) -> dict[str, str]:
    missing = np.isnan(values).mean(0)
    return {
        name: f"{missing[at]:.0%} missing" if missing[at] > scaler.settings.most_missing else "one value only"
        for at, name in enumerate(names)
        if not scaler.kept[at]
    }
