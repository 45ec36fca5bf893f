"""Does the shape tell the label? The nested test of several classifiers on a finished table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neurotome import morphology
from neurotome.core import Progress, silent
from neurotome.io import atomic_write_json, atomic_write_text, read_feature_table
from neurotome.report import write_confusion

__all__ = ["classify_shapes"]


def classify_shapes(
    out: Path,
    by: str,
    *,
    features: str = "embedding",
    folds: int = 10,
    group: str | None = None,
    quick: bool = False,
    small: str = "drop",
    progress: Progress = silent,
) -> dict[str, Any]:
    """`neurotome morphology classify`: classifier_BY_FEATURES.json, its predictions and confusion matrix, in OUT/classifiers.

    Finished folds stay when it is interrupted. Returns the headline numbers.
    """
    table = read_feature_table(out / "embedding.h5ad")
    folder = out / "classifiers"
    stem = f"{by}_{features}{'_quick' if quick else ''}"
    found = morphology.classify_table(
        table,
        by,
        features=features,
        folds=folds,
        group=group,
        quick=quick,
        small=small,
        # Another number of folds is another test, and both may be half done.
        ledger=folder / f"{stem}_{folds}_{group or 'no_group'}_{small}.folds.json",
        progress=progress,
    )
    atomic_write_json(folder / f"classifier_{stem}.json", {"column": by, "features": features, **found.to_json()})
    atomic_write_text(folder / f"{stem}_predictions.csv", found.predictions(list(table.obs_names)).to_csv(index=False))
    atomic_write_text(folder / f"{stem}_confusion.csv", found.confusion().to_csv())
    write_confusion(folder / f"{stem}_confusion", found.confusion(), title=f"{by} from {features}")
    return {
        "measure": found.settings.score.replace("_", " "),
        "value": found.mean,
        "sd": found.sd,
        "chance": found.chance,
        "folds": found.settings.outer,
        "n": len(found.task.rows),
        "classes": len(found.task.names),
        "folder": folder,
    }
