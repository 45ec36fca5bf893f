"""Fragments as a graph: who touches whom, how strongly, and in which order they merge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core.errors import ShapeError

__all__ = ["MergeList", "RegionGraph"]


@dataclass(frozen=True, eq=False)
class RegionGraph:
    """Touching fragments. Sums are integers, so that the order of adding cannot matter.

    edges: (n, 2) uint64 fragment ids, smaller first, rows sorted, each pair once.
    affinity_sum: (n,) uint64, sum of the quantised affinities (0..255) over all voxel edges between the two.
    contact: (n,) uint64, number of those voxel edges.
    """

    edges: np.ndarray
    affinity_sum: np.ndarray
    contact: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.edges)
        if self.edges.shape != (n, 2) or self.affinity_sum.shape != (n,) or self.contact.shape != (n,):
            raise ShapeError(
                f"Region graph arrays of shape {self.edges.shape}, {self.affinity_sum.shape}, {self.contact.shape}",
                "(n, 2), (n,) and (n,)",
                "build it with neurotome.neurons.region_graph",
            )


@dataclass(frozen=True, eq=False)
class MergeList:
    """The merge tree, in order of falling score: any threshold >= t_min is a prefix of it.

    pairs: (m, 2) uint64, the two segments that unite, under the smaller id.
    affinity_sum, contact: (m,) uint64 at the moment of the merge; score = affinity_sum / (255 contact).
    t_min: the score at which the list stops, in [0, 1].
    """

    pairs: np.ndarray
    affinity_sum: np.ndarray
    contact: np.ndarray
    t_min: float

    @property
    def score(self) -> np.ndarray:
        return np.asarray(self.affinity_sum / (255.0 * np.maximum(self.contact, 1)))
