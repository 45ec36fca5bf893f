"""Do synapses of different clusters differ in size, and is a size of one kind or of two?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.cluster.evidence.lognormal_mixture import LogNormals, log_normals
from neurotome.cluster.evidence.pair_effects import effect_matrix
from neurotome.cluster.evidence.random_batches import MixedModel, mixed_model
from neurotome.cluster.tables import column_of, features_of
from neurotome.core import InputError

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["SIZES", "SIZE_CLASSES", "STATISTIC_COLUMNS", "SizeStatistics", "quartile_classes", "size_statistics"]

SIZES = ("vesicle_percent_crop", "cleft_percent_crop", "cleft_area_um2")
SIZE_CLASSES = ("Small", "Medium", "Large", "X-Large")
STATISTIC_COLUMNS = ("size", "cluster", "count", "mean", "median", "sd", "min", "max", *SIZE_CLASSES)


@dataclass(frozen=True, eq=False)
class SizeStatistics:
    """table: `STATISTIC_COLUMNS`, per size and cluster, with the number of synapses of each size class. effects: per size and
    pair of clusters, see `cluster.evidence.pair_effects`. models: size -> the difference between clusters beside that between
    volumes. kinds: size -> one log-normal or two. notes: what could not be computed.
    """

    table: pd.DataFrame = field(repr=False)
    effects: pd.DataFrame = field(repr=False)
    models: dict[str, MixedModel] = field(repr=False)
    kinds: dict[str, LogNormals] = field(repr=False)
    notes: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """For a JSON file: models and kinds."""
        models = {
            name: {"p": one.p, "volume_sd": one.batch_sd, "residual_sd": one.residual_sd, "terms": _records(one.terms)}
            for name, one in self.models.items()
        }
        kinds = {
            name: {
                "lognormals": one.parts,
                "bic": list(one.bic),
                "share": list(one.share),
                "median": list(one.median),
                "sigma": list(one.sigma),
            }
            for name, one in self.kinds.items()
        }
        return {"mixed_models": models, "distributions": kinds, "notes": list(self.notes)}


def size_statistics(table: AnnData, sizes: pd.DataFrame, *, seed: int = 42) -> SizeStatistics:
    """For every size of `SIZES` that sizes (index: key) or the table has, by obs["cluster"] and obs["volume"].

    Noise ("-1") counts as no cluster. Raises InputError where the table and the sizes share no key.
    """
    values = _values(table, sizes)
    clusters, volumes = column_of(table, "cluster").astype(str), column_of(table, "volume")
    real = clusters != "-1"
    tables, effects, models, kinds, notes = [], [], {}, {}, []
    for name, column in values.items():
        tables.append(_by_cluster(name, column[real], clusters[real]))
        pairs = effect_matrix(column[real], clusters[real], seed=seed)
        pairs.insert(0, "size", name)
        effects.append(pairs)
        try:
            models[name] = mixed_model(column[real], clusters[real], volumes[real])
        except InputError as error:
            notes.append(f"{name}: no mixed model ({error.given})")
        try:
            kinds[name] = log_normals(column[column > 0], seed=seed)
        except InputError as error:
            notes.append(f"{name}: no distribution ({error.given})")
    return SizeStatistics(
        pd.concat(tables, ignore_index=True), pd.concat(effects, ignore_index=True), models, kinds, tuple(notes)
    )


def quartile_classes(values: np.ndarray) -> np.ndarray:
    """Small, Medium, Large or X-Large (n,) by the quartiles of values (n,); a quartile itself belongs below it. Missing: "".

    >>> quartile_classes(np.array([1.0, 2, 3, 4, np.nan])).tolist()
    ['Small', 'Medium', 'Large', 'X-Large', '']
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    classes = np.full(len(values), "", dtype=object)
    if known.any():
        limits = np.quantile(values[known], (0.25, 0.5, 0.75))
        classes[known] = np.array(SIZE_CLASSES, object)[np.searchsorted(limits, values[known], side="left")]
    return classes


def _values(table: AnnData, sizes: pd.DataFrame) -> dict[str, np.ndarray]:
    if not table.obs_names.isin(sizes.index).any():
        raise InputError(
            f"Sizes of '{', '.join(map(str, sizes.index[:1]))}' and a table of '{', '.join(table.obs_names[:1])}'",
            "the same synapses",
            "measure the sizes of these crops",
        )
    found = {}
    for name in SIZES:
        if name in sizes.columns:
            found[name] = sizes[name].reindex(table.obs_names).to_numpy(np.float64)
        elif name in table.var_names:
            found[name] = features_of(table)[0][:, table.var_names.get_loc(name)].astype(np.float64)
    if not found:
        raise InputError("No column of sizes", f"one of {', '.join(SIZES)}", "measure the sizes first")
    return found


def _by_cluster(name: str, values: np.ndarray, clusters: np.ndarray) -> pd.DataFrame:
    classes = quartile_classes(values)
    rows = []
    for cluster in sorted(set(clusters), key=int):
        own = values[(clusters == cluster) & np.isfinite(values)]
        counts = [int((classes[clusters == cluster] == one).sum()) for one in SIZE_CLASSES]
        if len(own) == 0:
            rows.append((name, cluster, 0, *[np.nan] * 5, *counts))
            continue
        sd = own.std(ddof=1) if len(own) > 1 else np.nan
        rows.append((name, cluster, len(own), own.mean(), np.median(own), sd, own.min(), own.max(), *counts))
    return pd.DataFrame(rows, columns=list(STATISTIC_COLUMNS))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{key: None if pd.isna(value) else value for key, value in row.items()} for row in table.to_dict("records")]
