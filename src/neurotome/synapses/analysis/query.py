"""The synapses most like a given one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurotome.cluster import Neighbours
from neurotome.cluster.tables import features_of
from neurotome.core import UnknownNameError
from neurotome.synapses.analysis.clustering import SLOT

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["SynapseIndex"]


@dataclass(frozen=True, eq=False)
class SynapseIndex:
    """A table that can be asked for the nearest synapses, exactly. Made by `SynapseIndex.of`, kept for many queries."""

    keys: tuple[str, ...] = field(repr=False)
    neighbours: Neighbours = field(repr=False)
    about: pd.DataFrame = field(repr=False)
    places: dict[str, int] = field(repr=False)

    @classmethod
    def of(
        cls, table: AnnData, *, features: str = SLOT, metric: str = "euclidean", columns: Sequence[str] = ("volume", "cluster")
    ) -> SynapseIndex:
        """Prepares the rows of obsm[features] (default: what the clusters were made from) or "X".

        columns: of obs, told of each synapse that is found, where the table has them.
        """
        values, _ = features_of(table, features)
        keys = tuple(map(str, table.obs_names))
        about = table.obs[[name for name in columns if name in table.obs.columns]].reset_index(drop=True)
        return cls(keys, Neighbours.of(values, metric), about, {key: at for at, key in enumerate(keys)})

    def nearest(self, key: str, count: int = 20) -> pd.DataFrame:
        """The nearest other synapses of this one: key, distance and the columns asked for; fewer where there are fewer.

        Raises UnknownNameError for a key that the table has not.
        """
        if key not in self.places:
            raise UnknownNameError("synapse", key, self.keys)
        at = self.places[key]
        found = self.neighbours.nearest(
            self.neighbours.vectors[at], min(count, len(self.keys) - 1), skip=np.array([at]) if len(self.keys) > 1 else None
        )
        return self._told(found.rows[0], found.distances[0])

    def nearest_to(self, vector: np.ndarray, count: int = 20) -> pd.DataFrame:
        """The same for a row of features of any other synapse, in the scale of the table."""
        found = self.neighbours.nearest(vector, min(count, len(self.keys)))
        return self._told(found.rows[0], found.distances[0])

    def _told(self, rows: np.ndarray, distances: np.ndarray) -> pd.DataFrame:
        told = pd.DataFrame({"key": [self.keys[row] for row in rows], "distance": distances})
        return pd.concat([told, self.about.iloc[rows].reset_index(drop=True)], axis=1)
