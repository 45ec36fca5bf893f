"""Labels of a few synapses, carried over to all of them, each with how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurotome.cluster.prediction.propagation import Propagation, PropagationSettings, propagated, worth_labelling
from neurotome.cluster.tables import column_of, features_of
from neurotome.synapses.analysis.clustering import SLOT

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["propagate_labels", "synapses_to_label"]


def propagate_labels(
    table: AnnData, column: str, *, features: str = SLOT, settings: PropagationSettings | None = None
) -> Propagation:
    """From obs[column], known of some synapses, to obs["<column>_propagated"] and obs["<column>_confidence"] of all.

    features: a slot of obsm (default: what the clusters were made from) or "X". A label that was given has confidence 1.
    Raises UnknownNameError for a column that is not there, InputError unless labels of two kinds are known.
    """
    found = propagated(features_of(table, features)[0], column_of(table, column), settings)
    table.obs[f"{column}_propagated"] = pd.Categorical.from_codes(found.codes, categories=list(found.names))
    table.obs[f"{column}_confidence"] = found.confidence.astype(np.float32)
    return found


def synapses_to_label(table: AnnData, count: int, *, features: str = SLOT) -> list[str]:
    """Keys of the synapses to look at first, if so many are to be labelled by hand: together they stand for all."""
    return [str(table.obs_names[row]) for row in worth_labelling(features_of(table, features)[0], count)]
