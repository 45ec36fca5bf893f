"""The verbs of this room on a table (AnnData, one row per thing): each reads features and writes to named slots.

    project      obsm["X_pca"], ["X_umap"], ["X_tsne"] (in three dimensions "X_pca3" ...)      uns["maps"]
    partition    obs["cluster"] (categories "0", "1" ... by size; "-1" noise), obs["cluster_probability"] of some methods
                 uns["cluster"] (method, k, reason, features), uns["choice"] (evidence per k) where k was chosen here
    nearest      obsm["neighbours"] int32 rows, obsm["neighbour_distances"] float32
    loneliness   obs["outlier_score"]
    judge        uns["quality"] (`QUALITY_COLUMNS`)
    score        uns["scores"] (`SCORE_COLUMNS`), one row more or one replaced
    batches      uns["batch_effect"]
    profiles     uns["clusters"] (`CLUSTER_COLUMNS`), uns["profiles"] (`PROFILE_COLUMNS`)

All take the same `FeatureSettings`, so that maps, clusters and distances see the same numbers. Everything written can be stored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.cluster.evidence import BatchEffect, BatchSettings, batch_effect, cluster_profiles, cluster_table
from neurotome.cluster.neighbours import Found, Neighbours
from neurotome.cluster.outliers import outlier_scores
from neurotome.cluster.partitions import NEED_K, NOISE, Choice, ChoiceSettings, Partition, choose_k, partition_rows
from neurotome.cluster.prediction import Classification, ProbeScore, ProbeSettings, columns_as_numbers, probe
from neurotome.cluster.projections import Projection, condensed, project_rows
from neurotome.cluster.quality import quality_table
from neurotome.cluster.scaling import Scaler, ScalingSettings, corrected
from neurotome.cluster.values import numbers_of
from neurotome.core import InputError, Progress, UnknownNameError, silent

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = [
    "SCORE_COLUMNS",
    "FeatureSettings",
    "add_score",
    "batches",
    "column_of",
    "features_of",
    "judge",
    "loneliness",
    "nearest",
    "partition",
    "prepared",
    "profiles",
    "project",
    "score",
]

SCORE_COLUMNS = ("features", "target", "measure", "value", "low", "high", "chance", "n", "classes", "folds")


@dataclass(frozen=True)
class FeatureSettings:
    """What stands for a row: `features` names "X" or slots of obsm, which then count alike, whatever their number of columns.

    most_columns: more than so many are condensed to principal components (None: never). logged: columns taken as logarithms.
    batch, correction: a column of obs, and what of it is taken out (`CORRECTIONS`).
    """

    features: tuple[str, ...] = ("X",)
    scaling: ScalingSettings = field(default_factory=ScalingSettings)
    most_columns: int | None = 50
    logged: tuple[str, ...] = ()
    batch: str | None = None
    correction: str = "none"

    def __post_init__(self) -> None:
        if not self.features:
            raise InputError("No features", "'X' or slots of obsm")
        if self.correction != "none" and self.batch is None:
            raise InputError(f"correction = '{self.correction}' without a batch", "the name of a column of obs", "give batch")

    @property
    def named(self) -> str:
        return "+".join(self.features)


def features_of(table: AnnData, name: str = "X") -> tuple[np.ndarray, list[str]]:
    """The numbers (n, p) of "X" or of a slot of obsm, as stored, and the names of their columns."""
    if name != "X" and name not in table.obsm:
        raise UnknownNameError("set of features", name, ["X", *map(str, table.obsm)])
    values = table.X if name == "X" else table.obsm[name]
    names = list(table.var_names) if name == "X" else list(table.uns.get("columns", {}).get(name, ()))
    if isinstance(values, pd.DataFrame):
        values, names = values.to_numpy(), list(values.columns)
    values = np.asarray(values.toarray() if hasattr(values, "toarray") else values)
    names = (
        [str(column) for column in names] if len(names) == values.shape[1] else [f"{name}{at}" for at in range(values.shape[1])]
    )
    return numbers_of(values, f"'{name}'", missing=True), names


def column_of(table: AnnData, name: str) -> np.ndarray:
    """A column of obs as an array; a categorical one as its labels (missing: None)."""
    if name not in table.obs:
        raise UnknownNameError("column", name, map(str, table.obs.columns))
    column = table.obs[name]
    if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype.kind not in "fiub":
        plain = column.astype(object)
        return plain.where(plain.notna(), None).to_numpy(dtype=object)
    return column.to_numpy()


def prepared(table: AnnData, settings: FeatureSettings | None = None) -> np.ndarray:
    """(n, q) float64: the chosen features scaled, corrected if asked, and condensed; what all verbs here work on."""
    settings = settings or FeatureSettings()
    parts = [features_of(table, name) for name in settings.features]
    names = [column for _, columns in parts for column in columns]
    unknown = set(settings.logged) - set(names)
    if unknown:
        raise UnknownNameError("column", min(unknown), names)
    families = [name for name, (_, columns) in zip(settings.features, parts) for _ in columns] if len(parts) > 1 else None
    stacked = np.concatenate([values for values, _ in parts], axis=1, dtype=np.float64)
    logged = np.isin(names, settings.logged) if settings.logged else None
    values = Scaler.fit(stacked, settings.scaling, logged=logged, families=families).apply(stacked)
    if settings.batch is not None:
        values = corrected(values, column_of(table, settings.batch), settings.correction)
    return values if settings.most_columns is None else condensed(values, most=settings.most_columns)


def project(
    table: AnnData,
    maps: Sequence[str] = ("pca", "umap", "tsne"),
    settings: FeatureSettings | None = None,
    *,
    dimensions: int = 2,
    progress: Progress = silent,
    **options: Any,
) -> tuple[Projection, ...]:
    """Maps by name; options go to the one map that is asked for (perplexity=30)."""
    if options and len(maps) > 1:
        raise InputError(f"Options {', '.join(options)} for {len(maps)} maps", "one map at a time with options")
    values = prepared(table, settings)
    found = []
    for at, name in enumerate(maps):
        progress("maps", at, len(maps))
        drawn = project_rows(values, name, dimensions, **options)
        slot = f"X_{name}{dimensions if dimensions > 2 else ''}"
        table.obsm[slot] = drawn.coordinates
        about = {"map": drawn.name, "settings": json.dumps(dict(drawn.settings)), "note": drawn.note}
        table.uns["maps"] = {**table.uns.get("maps", {}), slot: about | {"features": (settings or FeatureSettings()).named}}
        found.append(drawn)
    return tuple(found)


def partition(
    table: AnnData,
    method: str = "kmeans",
    k: int | None = None,
    settings: FeatureSettings | None = None,
    *,
    choice: ChoiceSettings | None = None,
    progress: Progress = silent,
    **options: Any,
) -> tuple[Partition, Choice | None]:
    """Sorts the rows; without k, a method that needs it gets the one that `choose_k` finds, which may be 1."""
    values = prepared(table, settings)
    chosen = choose_k(values, choice, progress=progress) if k is None and method in NEED_K else None
    found = partition_rows(values, method, chosen.k if chosen else k, **options)
    names = [str(label) for label in range(NOISE if (found.labels == NOISE).any() else 0, found.k)]
    table.obs["cluster"] = pd.Categorical([str(label) for label in found.labels], categories=names)
    if "cluster_probability" in table.obs:
        del table.obs["cluster_probability"]
    if found.probability is not None:
        table.obs["cluster_probability"] = found.probability.astype(np.float32)
    reason = chosen.reason if chosen else ("k was given" if k else "found by the method")
    table.uns["cluster"] = {
        "method": method,
        "k": found.k,
        "reason": reason,
        "features": (settings or FeatureSettings()).named,
        "settings": json.dumps({"method": dict(found.settings), "features": asdict(settings or FeatureSettings())}),
    }
    table.uns.pop("choice", None)
    if chosen:
        table.uns["choice"] = chosen.table
        table.uns["cluster"] |= {"null_p": chosen.test.p, "elbow": chosen.elbow, "best_silhouette": chosen.best_silhouette}
    return found, chosen


def nearest(table: AnnData, k: int = 10, settings: FeatureSettings | None = None, *, metric: str = "euclidean") -> Found:
    """The k nearest other rows of every row."""
    found = Neighbours.of(prepared(table, settings), metric).of_every_row(k)
    table.obsm["neighbours"] = found.rows.astype(np.int32)
    table.obsm["neighbour_distances"] = found.distances.astype(np.float32)
    return found


def loneliness(table: AnnData, k: int = 10, settings: FeatureSettings | None = None, *, local: bool = False) -> np.ndarray:
    """How lonely every row is; see `outlier_scores`."""
    scores = outlier_scores(prepared(table, settings), k, local=local)
    table.obs["outlier_score"] = scores.astype(np.float32)
    return scores


def judge(
    table: AnnData, labels: Sequence[str] = (), numbers: Sequence[str] = (), settings: FeatureSettings | None = None
) -> pd.DataFrame:
    """Quality of the features and of all maps in the table, for columns of obs: labels and numbers."""
    settings = settings or FeatureSettings()
    spaces = {settings.named: prepared(table, settings)}
    spaces |= {slot: table.obsm[slot] for slot in sorted(table.uns.get("maps", {}))}
    columns = ({name: column_of(table, name) for name in names} for names in (labels, numbers))
    table.uns["quality"] = quality_table(spaces, *columns, original=settings.named)
    return table.uns["quality"]


def score(
    table: AnnData,
    target: str,
    settings: ProbeSettings | None = None,
    *,
    features: str = "X",
    groups: str | None = None,
    confounders: Sequence[str] = (),
) -> ProbeScore:
    """A probe of one set of features for a column of obs; scaling and confounders are learned within each fold."""
    values, _ = features_of(table, features)
    taken = columns_as_numbers({name: column_of(table, name) for name in confounders})[0] if confounders else None
    found = probe(
        values, column_of(table, target), settings, groups=None if groups is None else column_of(table, groups), confounders=taken
    )
    add_score(table, found, features if taken is None else f"{features} without {', '.join(confounders)}", target)
    return found


def add_score(table: AnnData, found: ProbeScore | Classification, features: str, target: str) -> None:
    """Writes a score to uns["scores"], in place of one of the same features, target and measure."""
    row = pd.DataFrame([found.row(features, target)], columns=list(SCORE_COLUMNS))
    known = table.uns.get("scores")
    if known is not None and len(known):
        same = (known[["features", "target", "measure"]] == row.loc[0, ["features", "target", "measure"]].to_numpy()).all(axis=1)
        row = pd.concat([known[~same], row], ignore_index=True)
    table.uns["scores"] = row


def batches(
    table: AnnData, batch: str, settings: FeatureSettings | None = None, *, test: BatchSettings | None = None
) -> BatchEffect:
    """Whether obs["cluster"] is only the batch."""
    found = batch_effect(prepared(table, settings), column_of(table, "cluster"), column_of(table, batch), test)
    about = {
        name: getattr(found, name) for name in ("verdict", "reason", "cramers_v", "v_p", "knn_accuracy", "knn_chance", "knn_p")
    }
    parts = {f"{part}_{name}": value for part in ("features", "within") for name, value in asdict(getattr(found, part)).items()}
    table.uns["batch_effect"] = {"batch": batch, **about, **parts, "residuals": found.residuals}
    return found


def profiles(table: AnnData, settings: FeatureSettings | None = None, *, of: str = "X", units: str | None = None) -> pd.DataFrame:
    """What sets the clusters of obs["cluster"] apart in the columns of one set of features, `of`, as stored."""
    values, names = features_of(table, of)
    labels = column_of(table, "cluster").astype(np.int64)
    how = json.loads(table.uns["cluster"]["settings"])["method"] if "cluster" in table.uns else {}
    method = table.uns["cluster"]["method"] if "cluster" in table.uns else "kmeans"

    def again(rows: np.ndarray, seed: int) -> np.ndarray:
        given = {name: value for name, value in how.items() if name not in ("seed", "converged")}
        return partition_rows(rows, method, **given, seed=seed).labels

    table.uns["clusters"] = cluster_table(prepared(table, settings), labels, again if how else None)
    filled = np.where(np.isnan(values), np.nanmedian(values, axis=0), values)
    table.uns["profiles"] = cluster_profiles(filled, labels, names, units=None if units is None else column_of(table, units))
    return table.uns["profiles"]
