"""A table of neurons, examined: labels, hand-made features beside the learned one, maps, groups, the like and the strange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurotome import cluster
from neurotome.cluster import FeatureSettings, ProbeSettings
from neurotome.cluster.tables import add_score, column_of, features_of
from neurotome.core import InputError, Progress, UnknownNameError, silent
from neurotome.io.label_table import listed
from neurotome.morphology.descriptors import describe
from neurotome.morphology.occupancy import Shape

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = [
    "EMBEDDING",
    "TABLE_COLUMNS",
    "add_descriptors",
    "add_labels",
    "compare_features",
    "feature_names",
    "features_slot",
    "find_groups",
    "judge_maps",
    "label_columns",
    "label_names",
    "require_labels",
]

TABLE_COLUMNS = (
    *("kind", "centre", "trees", "nodes", "length_um", "extent_um", "clipped_fraction"),
    *("soma_z_um", "soma_y_um", "soma_x_um", "source", "cluster", "cluster_probability", "outlier_score"),
)
"""Of obs, what is not a label: written by `embed` and by what follows it."""
EMBEDDING = "embedding"
"""What the learned features, the X of a table, are called beside the hand-made ones."""
FEWEST = 5
"""Members of a class that takes part in the test of a label."""
FOLDS = 10
_MOST_CLASSES = 0.5


def add_labels(table: AnnData, labels: pd.DataFrame) -> list[str]:
    """Write columns of labels, by neuron id, into obs, beside labels that are there; text becomes categories.

    Returns what a person should know, such as columns that are left out because the table has its own of that name.
    Raises InputError where no neuron of the table has labels.
    """
    require_labels(labels, list(table.obs_names))
    # A label table often repeats what is counted anyway; the count stays.
    own = [column for column in labels.columns if column in TABLE_COLUMNS]
    found = labels.drop(columns=own).reindex(table.obs_names)
    for column in found.columns:
        values = found[column]
        table.obs[column] = values if pd.api.types.is_numeric_dtype(values) else values.astype(object).astype("category")
    table.uns["label_columns"] = list(dict.fromkeys([*label_names(table), *map(str, found.columns)]))
    missing = [name for name in table.obs_names if name not in labels.index]
    notes = [f"labels: {', '.join(own)} left out, the table has its own"] if own else []
    return [*notes, f"{len(missing)} of {table.n_obs} neurons have no labels: {listed(missing)}"] if missing else notes


def require_labels(labels: pd.DataFrame, names: Sequence[str]) -> None:
    """Raises InputError where none of these neurons has labels."""
    if not any(name in labels.index for name in names):
        raise InputError(
            f"The labels are of other neurons: {listed(labels.index)}",
            f"ids such as {listed(names)}",
            "check the column that names the neuron",
        )


def label_names(table: AnnData) -> list[str]:
    """The columns that came from tables of labels, numbers among them."""
    return [str(column) for column in table.uns.get("label_columns", ())]


def label_columns(table: AnnData) -> list[str]:
    """Columns of labels that sort the neurons into classes: text, with at least two that are not just names."""
    columns = [name for name in label_names(table) if isinstance(table.obs[name].dtype, pd.CategoricalDtype)]
    return [name for name in columns if _sorts(table.obs[name])]


def _sorts(column: pd.Series) -> bool:
    counts = column.value_counts()
    return int((counts > 1).sum()) > 1 and len(counts) <= _MOST_CLASSES * len(column)


def add_descriptors(table: AnnData, shapes: Sequence[Shape], *, progress: Progress = silent) -> list[str]:
    """Write the hand-made features of the table's neurons into obsm, and the names of their columns into uns["columns"]."""
    described = describe(shapes, progress=lambda done: progress("described neurons", done, len(shapes)))
    for name, values in described.items():
        table.obsm[name] = values.loc[list(table.obs_names)].to_numpy(np.float32)
    table.uns["columns"] = {name: np.array(values.columns, dtype=object) for name, values in described.items()}
    return list(described)


def feature_names(table: AnnData) -> list[str]:
    """The sets of features of a table: the learned one, then the hand-made ones."""
    return [EMBEDDING, *map(str, table.uns.get("columns", {}))]


def features_slot(table: AnnData, name: str) -> str:
    """Where a set of features is. Raises UnknownNameError."""
    if name not in feature_names(table):
        raise UnknownNameError("set of features", name, feature_names(table))
    return "X" if name == EMBEDDING else name


def find_groups(table: AnnData, *, clusters: int | None = None, progress: Progress = silent) -> list[str]:
    """Maps, groups, nearest neighbours, outliers and how good all that is; returns what a person should know."""
    if table.n_obs < 3:
        return [f"{table.n_obs} neurons: too few for maps, groups and neighbours"]
    settings = FeatureSettings()
    maps = cluster.project(table, ("pca", "umap", "tsne"), settings, progress=progress)
    notes = [f"{found.name}: {found.note}" for found in maps if found.note]
    cluster.nearest(table, min(10, table.n_obs - 1), settings)
    cluster.loneliness(table, settings=settings)
    if clusters is None and table.n_obs < 20:
        table.obs["cluster"] = pd.Categorical(["0"] * table.n_obs)
        return [*notes, f"{table.n_obs} neurons: too few to look for groups; --clusters makes as many as you say"]
    cluster.partition(table, "kmeans", clusters, settings, progress=progress)
    if len(table.obs["cluster"].cat.categories) > 1:
        cluster.profiles(table, settings, of=feature_names(table)[1] if "columns" in table.uns else "X")
    return notes


def judge_maps(table: AnnData) -> None:
    """How far maps and features keep neighbours and labels together, into uns["quality"]."""
    if table.n_obs >= 10:
        cluster.judge(table, label_columns(table), [name for name in ("length_um", "extent_um") if table.obs[name].notna().all()])


def compare_features(table: AnnData, *, progress: Progress = silent) -> list[str]:
    """Test how well each set of features tells each column of labels, by neighbours and by a linear classifier.

    Ten folds, five times, for classes of at least five members; of a class with fewer than ten, each member is in a fold of its
    own. Writes uns["scores"]; returns what a person should know.
    """
    notes: list[str] = []
    table.uns.pop("scores", None)
    tests = {target: _common(column_of(table, target)) for target in label_columns(table)}
    for target, labels in tests.items():
        left_out = int(np.equal(labels, None).sum())
        if left_out:
            notes.append(f"{target}: tested without {left_out} neurons that have no label or fewer than {FEWEST} of their class")
    jobs = [
        (target, name, kind)
        for target, labels in tests.items()
        if len(set(labels) - {None}) > 1
        for name in feature_names(table)
        for kind in ("knn", "linear")
    ]
    for done, (target, name, kind) in enumerate(jobs):
        progress("tests of labels", done, len(jobs))
        values, _ = features_of(table, features_slot(table, name))
        found = cluster.probe(values, tests[target], ProbeSettings(kind, folds=FOLDS, small="spread"))
        add_score(table, found, name, target)
    return notes


def _common(labels: np.ndarray) -> np.ndarray:
    """The labels that enough neurons share; None for the others."""
    counts = pd.Series(labels, dtype=object).value_counts()
    common = set(counts.index[counts >= FEWEST])
    return np.array([label if label in common else None for label in labels], dtype=object)
