"""What people say of synapses: their labels as a table, and how far they go with clusters, measures and each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurotome.cluster import cohen_kappa, cross_table, label_agreement
from neurotome.cluster.evidence import permutation_p
from neurotome.cluster.tables import column_of, features_of
from neurotome.cluster.values import codes_of, labelled
from neurotome.core import FormatError, InputError, UnknownNameError
from neurotome.synapses.study.table_files import read_table

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = [
    "AGREEMENT_COLUMNS",
    "MATCHING_MEASURES",
    "annotator_agreement",
    "cross_tabulations",
    "manual_agreement",
    "manual_features",
    "read_manual_labels",
]

KEY_COLUMNS = ("key", "synapse", "synapse_key")
AGREEMENT_COLUMNS = ("attribute", "against", "measure", "value", "p", "n")
MATCHING_MEASURES = {
    "vesicle_size": "vesicle_diameter_mean_nm",
    "roundness": "vesicle_sphericity",
    "shading_inside_large_vesicles": "dense_core_fraction",
    "psd_size": "cleft_area_um2",
    "presynaptic_compartment_size": "pre_near_volume_um3",
    "postsynaptic_compartment_size": "post_near_volume_um3",
    "cleft_thickness": "cleft_thickness_nm",
    "vesicle_cloud_size": "vesicle_volume_um3",
    "packing_density": "vesicle_density_per_um3",
    "docked_vesicles": "vesicle_docked_count",
    "mitochondrion_within_300nm": "mito_within_300nm",
}
"""Attribute that a person judges -> the measure of the same thing; where the spine is, and dyads, no measure says."""


def read_manual_labels(path: Path | str) -> pd.DataFrame:
    """A CSV or Excel table of labels, indexed by key "dataset/volume/id"; every other column is an attribute, in lower case.

    The key stands in a column key, or in dataset, volume and synapse_id. Raises FormatError for another table, InputError for a
    key that is there twice.
    """
    path = Path(path)
    table = read_table(path, ("key", "dataset", "volume", "synapse_id", *KEY_COLUMNS))
    table.columns = [str(name).strip().lower().replace(" ", "_") for name in table.columns]
    key = next((name for name in KEY_COLUMNS if name in table.columns), None)
    parts = ("dataset", "volume", "synapse_id")
    if key is None and not all(part in table.columns for part in parts):
        raise FormatError(
            f"'{path}' has the columns {', '.join(table.columns[:10])}", "key, or dataset, volume and synapse_id", "add the keys"
        )
    keys = table[key].astype(str) if key else table[list(parts)].astype(str).agg("/".join, axis=1)
    if keys.duplicated().any():
        raise InputError(f"'{path}' has two rows for '{keys[keys.duplicated()].iloc[0]}'", "one per synapse", "keep one")
    attributes = table.drop(columns=[name for name in (key, *parts) if name in table.columns])
    return attributes.set_axis(pd.Index(keys.to_numpy(object), name="key"), axis=0)


def manual_agreement(
    table: AnnData,
    labels: pd.DataFrame,
    *,
    measures: Mapping[str, str] | None = None,
    orders: Mapping[str, Sequence[str]] | None = None,
    permutations: int = 999,
    seed: int = 42,
) -> pd.DataFrame:
    """`AGREEMENT_COLUMNS`: each attribute with the clusters (adjusted Rand index, mutual information, Cramer's V), and its rank
    correlation with the measure of the same thing, all with a permutation p.

    measures: attribute -> column of the table, beside `MATCHING_MEASURES`. orders: attribute -> its words from least to most;
    numbers have their own order, and without any there is no rank correlation. Synapses without a label take no part; the order
    of the rows plays none. Raises InputError where no key is common.
    """
    found = _joined(table, labels)
    clusters = pd.Series(column_of(table, "cluster").astype(str), index=table.obs_names)[found.index].to_numpy()
    values, names = features_of(table)
    place = table.obs_names.get_indexer(found.index)
    matching = MATCHING_MEASURES | dict(measures or {})
    rows: list[tuple] = []
    for name in found.columns:
        known = labelled(found[name].to_numpy(object))
        given = found[name].to_numpy(object)[known]
        if len(set(map(str, given))) < 2:
            continue
        agreed = label_agreement(given.astype(str), clusters[known], permutations=permutations, seed=seed)
        rows += [(name, "cluster", one.measure, one.value, one.p, len(given)) for one in agreed if one.measure != "purity"]
        ranks = _ranks(given, (orders or {}).get(name))
        if ranks is not None and matching.get(name) in names:
            measured = values[place[known], names.index(matching[name])]
            rows += _rank_correlation(name, matching[name], ranks, measured, permutations, seed)
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))


def annotator_agreement(first: pd.DataFrame, second: pd.DataFrame, *, permutations: int = 999, seed: int = 42) -> pd.DataFrame:
    """`AGREEMENT_COLUMNS` with Cohen's kappa, per attribute that two people gave to the same synapses, and a permutation p."""
    keys = sorted(set(first.index) & set(second.index))
    if not keys:
        raise InputError(
            f"Labels of '{', '.join(map(str, first.index[:1]))}' and of '{', '.join(map(str, second.index[:1]))}'",
            "some of the same synapses",
            "check the keys",
        )
    rows = []
    for name in [column for column in first.columns if column in second.columns]:
        one, other = (side.loc[keys, name].to_numpy(object) for side in (first, second))
        known = labelled(one) & labelled(other)
        if known.sum() < 2:
            continue
        value, p = _kappa(one[known].astype(str), other[known].astype(str), permutations, seed)
        rows.append((name, "annotator", "cohen_kappa", value, p, int(known.sum())))
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))


def cross_tabulations(table: AnnData, labels: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Attribute -> synapses per label (down) and cluster (across)."""
    found = _joined(table, labels)
    clusters = pd.Series(column_of(table, "cluster").astype(str), index=table.obs_names)[found.index].to_numpy()
    tables = {}
    for name in found.columns:
        known = labelled(found[name].to_numpy(object))
        if known.any():
            given = found[name].to_numpy(object)[known].astype(str)
            counts = cross_table(given, clusters[known])
            tables[name] = pd.DataFrame(counts, codes_of(given)[1], codes_of(clusters[known])[1])
    return tables


def manual_features(labels: pd.DataFrame, orders: Mapping[str, Sequence[str]] | None = None) -> AnnData:
    """Labels as features of the family "manual", to be grouped and drawn like any: numbers and ordered words as their rank,
    other words as one 0/1 column each. A missing label is a missing value.
    """
    import anndata

    columns: dict[str, np.ndarray] = {}
    for name in labels.columns:
        given = labels[name].to_numpy(object)
        known = labelled(given)
        ranks = _ranks(given[known], (orders or {}).get(name))
        words = {str(name): ranks} if ranks is not None else _one_hot(str(name), given[known])
        for column, values in words.items():
            columns[column] = np.full(len(labels), np.nan)
            columns[column][known] = values
    if not columns:
        raise InputError("Labels without an attribute", "a column besides the key")
    var = pd.DataFrame({"family": "manual", "transform": "none"}, index=list(columns))
    obs = pd.DataFrame({"volume": [str(key).rsplit("/", 2)[-2] for key in labels.index]}, index=labels.index.astype(str))
    return anndata.AnnData(np.stack(list(columns.values()), axis=1).astype(np.float32), obs, var)


def _joined(table: AnnData, labels: pd.DataFrame) -> pd.DataFrame:
    keys = sorted(set(labels.index) & set(table.obs_names))
    if not keys:
        raise InputError(
            f"Labels of '{', '.join(map(str, labels.index[:2]))}'",
            f"keys such as '{', '.join(table.obs_names[:2])}'",
            "write the key as dataset/volume/id",
        )
    return labels.loc[keys]


def _ranks(given: np.ndarray, order: Sequence[str] | None) -> np.ndarray | None:
    """Labels (n,) as numbers in their order; None where they have none."""
    if order is not None:
        place = {str(word): at for at, word in enumerate(order)}
        unknown = next((str(word) for word in given if str(word) not in place), None)
        if unknown is not None:
            raise UnknownNameError("label", unknown, place)
        return np.array([place[str(word)] for word in given], np.float64)
    numbers = pd.to_numeric(pd.Series([str(word) for word in given], dtype=object), errors="coerce").to_numpy(np.float64)
    return None if np.isnan(numbers).any() else numbers


def _one_hot(name: str, given: np.ndarray) -> dict[str, np.ndarray]:
    codes, words = codes_of(given.astype(str))
    return {f"{name}={word}": (codes == at).astype(np.float64) for at, word in enumerate(words)}


def _rank_correlation(
    name: str, measure: str, ranks: np.ndarray, measured: np.ndarray, permutations: int, seed: int
) -> list[tuple]:
    from scipy import stats

    known = np.isfinite(measured)
    x, y = stats.rankdata(ranks[known]), stats.rankdata(measured[known])
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return []
    # In one order whatever the order of the rows, so that the same p is drawn.
    order = np.lexsort((y, x))
    x, y = (side[order] - side.mean() for side in (x, y))
    below = float(np.sqrt((x @ x) * (y @ y)))
    value = float(x @ y) / below
    rng = np.random.default_rng(seed)
    drawn = np.array([abs(float(x @ rng.permutation(y))) / below for _ in range(permutations)])
    return [(name, measure, "spearman", value, permutation_p(abs(value), drawn), len(x))]


def _kappa(one: np.ndarray, other: np.ndarray, permutations: int, seed: int) -> tuple[float, float]:
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    value = cohen_kappa(one, other)
    rng = np.random.default_rng(seed)
    drawn = np.array([cohen_kappa(one, rng.permutation(other)) for _ in range(permutations)])
    return value, permutation_p(value, drawn)
