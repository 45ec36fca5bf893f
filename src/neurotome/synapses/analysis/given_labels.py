"""Labels that somebody gave to some synapses, put beside the features of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from neurotome.core import InputError, UnknownNameError

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["take_labels"]


def take_labels(table: AnnData, labels: pd.DataFrame, column: str) -> None:
    """Writes obs[column], None where no label was given. labels: indexed by key.

    Raises UnknownNameError for a column that is not there, InputError where no key is one of the table.
    """
    if column not in labels:
        raise UnknownNameError("column of labels", column, map(str, labels.columns))
    found = labels[column].reindex(table.obs_names)
    if not found.notna().any():
        raise InputError(
            f"No label of '{column}' is of a synapse of this run: '{labels.index[0]}' against '{table.obs_names[0]}'",
            "keys dataset/volume/id of the run",
            "check the keys",
        )
    table.obs[column] = found.astype(object).where(found.notna(), None).to_numpy()
