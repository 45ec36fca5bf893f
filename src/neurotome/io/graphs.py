"""Region graphs and merge lists as .npz files: NumPy opens them without neurotome."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurotome.core import MergeList, RegionGraph
from neurotome.io.arrays import load_arrays, save_arrays

__all__ = ["load_merge_list", "load_region_graph", "save_merge_list", "save_region_graph"]


def save_region_graph(path: Path, graph: RegionGraph) -> None:
    """Write edges, affinity_sum and contact."""
    save_arrays(path, compress=True, edges=graph.edges, affinity_sum=graph.affinity_sum, contact=graph.contact)


def load_region_graph(path: Path) -> RegionGraph:
    """Read what `save_region_graph` wrote."""
    stored = load_arrays(path, "edges", "affinity_sum", "contact")
    return RegionGraph(stored["edges"], stored["affinity_sum"], stored["contact"])


def save_merge_list(path: Path, merges: MergeList) -> None:
    """Write pairs, affinity_sum, contact and t_min."""
    save_arrays(
        path,
        compress=True,
        pairs=merges.pairs,
        affinity_sum=merges.affinity_sum,
        contact=merges.contact,
        t_min=np.array(merges.t_min),
    )


def load_merge_list(path: Path) -> MergeList:
    """Read what `save_merge_list` wrote."""
    stored = load_arrays(path, "pairs", "affinity_sum", "contact", "t_min")
    return MergeList(stored["pairs"], stored["affinity_sum"], stored["contact"], float(stored["t_min"]))
