"""Into which kinds do the synapses of a study fall, if into any, and is a kind only an acquisition volume?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome import cluster
from neurotome.cluster import ChoiceSettings, cluster_profiles, cluster_table, partition_rows
from neurotome.cluster.agreement import adjusted_rand, cross_table
from neurotome.cluster.tables import column_of
from neurotome.core import InputError, Progress, silent
from neurotome.synapses.analysis.clustering import AS_SCALED, QUICK_CHOICE, SLOT, Clustering, write_clusters
from neurotome.synapses.analysis.describe import descriptions
from neurotome.synapses.analysis.feature_matrix import FeatureMatrix, column_families, feature_matrix, transformed

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["MAPS", "Grouping", "draw_maps", "group_synapses"]

MAPS = (("pca", 2), ("umap", 2), ("umap", 3), ("tsne", 2), ("tsne", 3))
BEYOND_MEASURE = 20.0
"""Effects end here: a difference of more standard deviations, or of a measure that does not vary within a cluster."""
SHOWN_NEIGHBOURS = 10
WIDEST_DRAWN = 1000
"""Columns from which on profiles come without bootstrap intervals, which would take minutes."""


@dataclass(frozen=True, eq=False)
class Grouping:
    """k clusters (1: no structure beyond one cloud); notes: what a person must know, such as a test that does not apply.

    selection, volume_effect: the contents of cluster_selection.json and volume_effect.json, uncorrected and corrected side by
    side. descriptions: cluster -> one sentence.
    """

    k: int
    notes: tuple[str, ...]
    matrix: FeatureMatrix = field(repr=False)
    selection: Mapping[str, Any] = field(repr=False)
    volume_effect: Mapping[str, Any] = field(repr=False)
    descriptions: Mapping[str, str] = field(repr=False)


def group_synapses(
    table: AnnData,
    *,
    families: Sequence[str] | None = ("morphometry",),
    method: str = "kmeans",
    k: int | None = None,
    correction: str = "none",
    batch: str = "volume",
    choice: ChoiceSettings | None = None,
    maps: Sequence[tuple[str, int]] = MAPS,
    progress: Progress = silent,
) -> Grouping:
    """Clusters, their evidence, profiles and maps, written into the table.

    obs["cluster"], and as it would be with or without correction obs["cluster_other"]; obsm["X_scaled"] (the matrix behind all),
    the maps ("X_pca", "X_umap", "X_umap3", "X_tsne", "X_tsne3") and "neighbours"; layers["scaled"]; uns as `cluster.tables`
    writes it, and uns["descriptions"]. families: see `feature_matrix`; k None: chosen where the method needs it, 1 for "no
    structure". All seeds are that of `choice`.
    What cannot be done for want of synapses or volumes becomes a note. Raises InputError where nothing can: no column has two
    values, k is not below the number of synapses.
    """
    matrix = feature_matrix(table, families, correction=correction, batch=batch)
    _keep_matrix(table, matrix)
    notes = _matrix_notes(matrix)
    clustering = Clustering(method, k, choice or QUICK_CHOICE)
    own, own_notes = _side(table, clustering, batch, progress)
    other_correction = "none" if correction != "none" else "z_per_volume"
    other, other_notes = _other_side(table, matrix, other_correction, clustering, batch, progress)
    _keep_features_named(table, matrix)
    _profile(table, matrix, batch)
    notes += own_notes + other_notes + draw_maps(table, maps, progress=progress)
    if table.n_obs > 1:
        cluster.nearest(table, min(SHOWN_NEIGHBOURS, table.n_obs - 1), AS_SCALED)
    sizes = {str(name): int(count) for name, count in table.obs["cluster"].value_counts(sort=False).items()}
    said = descriptions(table.uns["profiles"], sizes)
    table.uns["descriptions"] = said
    sides = {correction: own, other_correction: other}
    selection, effect = _files(matrix, sides, table, batch)
    return Grouping(own["k"], tuple(dict.fromkeys(notes)), matrix, selection, effect, said)


def draw_maps(table: AnnData, maps: Sequence[tuple[str, int]] = MAPS, *, progress: Progress = silent) -> list[str]:
    """Draws maps (name, dimensions) of obsm["X_scaled"] into the table; returns their notes."""
    notes = []
    for done, (name, dimensions) in enumerate(maps):
        progress("maps", done, len(maps))
        # t-SNE: 30 neighbours, or what so few rows allow.
        options = {"largest": 30} if name == "tsne" else {}
        (drawn,) = cluster.project(table, (name,), AS_SCALED, dimensions=dimensions, **options)
        if drawn.note:
            notes.append(f"map {name} in {dimensions} dimensions: {drawn.note}")
    return notes


def _keep_matrix(table: AnnData, matrix: FeatureMatrix) -> None:
    table.obsm[SLOT] = matrix.values
    scaled = np.full(table.shape, np.nan, np.float32)
    scaled[:, table.var_names.get_indexer(list(matrix.columns))] = matrix.scaled
    table.layers["scaled"] = scaled


def _matrix_notes(matrix: FeatureMatrix) -> list[str]:
    notes = []
    dropped = {name: why for name, why in matrix.dropped.items() if why != "measure of quality"}
    if dropped:
        first = ", ".join(f"{name} ({why})" for name, why in list(dropped.items())[:5])
        notes.append(f"{len(dropped)} columns take no part: {first}{' ...' if len(dropped) > 5 else ''}")
    if matrix.filled:
        notes.append(f"{matrix.filled} missing values were replaced by the median of their column")
    return notes


def _side(table: AnnData, how: Clustering, batch: str, progress: Progress) -> tuple[dict, list[str]]:
    """Clusters of obsm["X_scaled"] and the volume effect on them, written into the table; as plain values, and notes."""
    found, chosen, aside, notes = write_clusters(table, how, progress)
    side: dict[str, Any] = {"k": found.k, "reason": str(table.uns["cluster"]["reason"]), "method": how.method, "set_aside": aside}
    if chosen is not None:
        side |= {
            "elbow": chosen.elbow,
            "best_silhouette": chosen.best_silhouette,
            "elbow_and_silhouette_agree": chosen.agree,
            "null": {
                "observed": chosen.test.observed,
                "expected": chosen.test.expected,
                "p": chosen.test.p,
                "clouds": chosen.test.clouds,
            },
            "curves": _records(chosen.table),
        }
    effect, effect_notes = _effect(table, batch)
    return side | {"volume_effect": effect}, notes + effect_notes


def _effect(table: AnnData, batch: str) -> tuple[dict[str, Any], list[str]]:
    volumes = column_of(table, batch)
    if len(set(volumes)) < 2 or table.n_obs < 3:
        reason = f"not applicable: all {table.n_obs} synapses are of one {batch}"
        table.uns["batch_effect"] = {"batch": batch, "verdict": "not applicable", "reason": reason}
        return {"verdict": "not applicable", "reason": reason}, [f"test for an effect of the {batch}: {reason}"]
    found = cluster.batches(table, batch, AS_SCALED)
    numbers = {name: getattr(found, name) for name in ("cramers_v", "v_p", "knn_accuracy", "knn_chance", "knn_p")}
    parts = {
        part: {"f": test.f, "r2": test.r2, "p": test.p} for part, test in (("features", found.features), ("within", found.within))
    }
    residuals = {str(name): {str(v): float(x) for v, x in row.items()} for name, row in found.residuals.iterrows()}
    return {"verdict": found.verdict, "reason": found.reason, **numbers, **parts, "residuals": residuals}, []


def _other_side(
    table: AnnData, matrix: FeatureMatrix, correction: str, how: Clustering, batch: str, progress: Progress
) -> tuple[dict | None, list[str]]:
    """The same with the other correction, for comparison; only obs["cluster_other"] of it stays."""
    import anndata

    if "cluster_other" in table.obs:
        del table.obs["cluster_other"]
    volumes = column_of(table, batch)
    if len(set(volumes)) < 2:
        return None, []
    try:
        beside = anndata.AnnData(obs=pd.DataFrame({batch: volumes}, index=table.obs_names))
        beside.obsm[SLOT] = matrix.corrected(volumes, correction)
        side, _ = _side(beside, how, batch, progress)
    except InputError as error:
        return None, [f"clusters with correction '{correction}' cannot be shown beside: {error}"]
    table.obs["cluster_other"] = beside.obs["cluster"].to_numpy()
    table.obs["cluster_other"] = table.obs["cluster_other"].astype("category")
    return side, []


def _keep_features_named(table: AnnData, matrix: FeatureMatrix) -> None:
    table.uns["cluster"] |= {"features": "+".join(matrix.families), "correction": matrix.correction} | {
        "columns": list(matrix.columns),
        "logged": list(matrix.logged),
        "dropped": json.dumps(dict(matrix.dropped)),
    }


def _profile(table: AnnData, matrix: FeatureMatrix, batch: str) -> None:
    """uns["clusters"] and uns["profiles"]: of the columns that take part and of all morphometry."""
    labels = column_of(table, "cluster").astype(np.int64)
    settings = json.loads(table.uns["cluster"]["settings"])["method"]
    method = table.uns["cluster"]["method"]

    def again(rows: np.ndarray, seed: int) -> np.ndarray:
        given = {name: value for name, value in settings.items() if name not in ("seed", "converged")}
        return partition_rows(rows, method, **given, seed=seed).labels

    table.uns["clusters"] = cluster_table(matrix.values, labels, again)
    table.uns["profiles"] = _profiles(table, matrix, labels, column_of(table, batch))


def _profiles(table: AnnData, matrix: FeatureMatrix, labels: np.ndarray, volumes: np.ndarray) -> pd.DataFrame:
    if labels.max() < 0:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in ("cluster", "feature")} | _no_numbers())
    wanted = table.var_names.isin(matrix.columns) | (column_families(table) == "morphometry")
    chosen = np.flatnonzero(wanted & ~table.var_names.isin(list(matrix.dropped)))
    values, _ = transformed(table, chosen)
    stored = np.asarray(table.X)[:, chosen].astype(np.float64)
    known = ~np.isnan(values).all(0)
    chosen, values, stored = chosen[known], values[:, known], stored[:, known]
    names = [str(table.var_names[at]) for at in chosen]
    units = volumes if len(set(volumes)) > 1 else None
    filled = np.where(np.isnan(values), np.nanmedian(values, axis=0), values)
    draws = 200 if len(names) <= WIDEST_DRAWN else 0
    # A measure that is the same within a cluster and another without has no spread to measure the difference by.
    with np.errstate(invalid="ignore"):
        profiles = cluster_profiles(filled, labels, names, units=units, draws=draws)
    for column in ("low", "high", "effect"):
        beyond = np.isinf(profiles["effect"]) & ~np.isfinite(profiles[column])
        profiles.loc[beyond, column] = np.sign(profiles.loc[beyond, "effect"]) * BEYOND_MEASURE
        profiles[column] = profiles[column].clip(-BEYOND_MEASURE, BEYOND_MEASURE)
    return _in_stored_units(profiles, stored, labels, names)


def _in_stored_units(profiles: pd.DataFrame, stored: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Effects are of logarithms where a column is taken so; means are of what was measured."""
    place = {name: at for at, name in enumerate(names)}
    for column, inside in (("mean", True), ("mean_others", False)):
        means = {}
        for name in range(int(labels.max()) + 1):
            rows = stored[(labels == name) == inside]
            count = (~np.isnan(rows)).sum(0)
            means[name] = np.where(count > 0, np.nansum(rows, axis=0) / np.maximum(count, 1), np.nan)
        profiles[column] = [means[c][place[f]] for c, f in zip(profiles["cluster"], profiles["feature"], strict=True)]
    return profiles


def _no_numbers() -> dict[str, pd.Series]:
    return {name: pd.Series(dtype=np.float64) for name in ("mean", "mean_others", "effect", "low", "high", "p", "q")}


def _files(
    matrix: FeatureMatrix, sides: Mapping[str, dict | None], table: AnnData, batch: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Contents of cluster_selection.json and volume_effect.json."""
    rand = None
    if "cluster_other" in table.obs:
        rand = adjusted_rand(cross_table(column_of(table, "cluster"), column_of(table, "cluster_other")))
    shared = {"correction": matrix.correction, "same_clusters_rand": rand}
    named = {"uncorrected" if name == "none" else "corrected": (name, side) for name, side in sides.items()}
    selection: dict[str, Any] = {"features": matrix.described(), **shared}
    effect: dict[str, Any] = {"batch": batch, **shared}
    for name, (how, side) in named.items():
        if side is None:
            selection[name] = effect[name] = None
            continue
        selection[name] = {"correction": how} | {key: value for key, value in side.items() if key != "volume_effect"}
        effect[name] = {"correction": how, "k": side["k"]} | side["volume_effect"]
    return _plain(selection), _plain(effect)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(row) for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    """As JSON knows it: numbers of Python, None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
