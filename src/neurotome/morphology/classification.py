"""The nested test of several classifiers on a table of neurons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurotome import cluster
from neurotome.cluster import Classification, ClassifySettings, FoldLedger
from neurotome.cluster.tables import column_of, features_of
from neurotome.core import Progress, UnknownNameError, silent
from neurotome.morphology.comparison import feature_names, features_slot

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["classify_table"]


def classify_table(
    table: AnnData,
    by: str,
    *,
    features: str = "embedding",
    folds: int = 10,
    group: str | None = None,
    quick: bool = False,
    small: str = "drop",
    ledger: Path | None = None,
    progress: Progress = silent,
) -> Classification:
    """How well classifiers tell a column of labels from features; "all" takes every set of features together.

    ledger: where finished folds are kept. Raises UnknownNameError for features and columns, and what `cluster.classify` does.
    """
    known = feature_names(table)
    if features not in (*known, "all"):
        raise UnknownNameError("set of features", features, [*known, "all"])
    names = known if features == "all" else [features]
    values = np.concatenate([features_of(table, features_slot(table, name))[0] for name in names], axis=1)
    labels = column_of(table, by)
    groups = None if group is None else column_of(table, group)
    settings = ClassifySettings(outer=folds, inner=folds, grid="quick" if quick else "full", small=small)
    kept = FoldLedger(ledger, values, labels, settings, groups=groups) if ledger is not None else None
    return cluster.classify(
        values,
        labels,
        settings,
        groups=groups,
        done=kept.done if kept else None,
        keep=kept.keep if kept else None,
        progress=progress,
    )
