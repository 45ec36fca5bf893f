"""What neurons can be coloured by, and which of the columns are labels."""

from __future__ import annotations

from collections.abc import Sequence

from neurotome.core import UnknownNameError
from neurotome.report.atlas.columns import OTHERS, Column, column_of, offered
from neurotome.report.morphology.run import ShapeRun

__all__ = ["OTHERS", "Column", "columns_of", "label_of", "offered"]

MADE_HERE = (
    "kind", "centre", "trees", "nodes", "length_um", "extent_um", "clipped_fraction", "soma_z_um", "soma_y_um", "soma_x_um",
    "source", "split", "cluster", "cluster_probability", "outlier_score", "reconstruction_f1",
)  # fmt: skip
"""Columns that neurotome writes; all others are labels that the user gave."""


def columns_of(run: ShapeRun, colour: Sequence[str] = ()) -> tuple[Column, ...]:
    """All columns: those of `colour` first, then the labels, the clusters, and what was measured.

    Raises UnknownNameError for a name in `colour` that the table lacks.
    """
    obs = run.table.obs
    for name in colour:
        if name not in obs:
            raise UnknownNameError("column", name, obs.columns)
    labels = [str(name) for name in obs.columns if name not in MADE_HERE]
    made = [name for name in ("cluster", *MADE_HERE) if name in obs]
    return tuple(column_of(name, obs[name]) for name in dict.fromkeys([*colour, *labels, *made]))


def label_of(run: ShapeRun, columns: Sequence[Column], colour: Sequence[str] = ()) -> Column | None:
    """The groups that neighbours are compared by: the first of `colour` that is a label, else what was scored, else any label."""
    labels = {column.name: column for column in columns if not column.is_number and column.name not in MADE_HERE}
    wanted = (*colour, *(str(row["target"]) for row in run.scores), *labels)
    return next((labels[name] for name in wanted if name in labels), None)
