"""Region graphs and merge lists as .npz files: NumPy opens them without neurotome."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurotome.core import FormatError, MergeList, MissingFileError, RegionGraph
from neurotome.io.atomic import atomic_target

__all__ = ["load_merge_list", "load_region_graph", "save_merge_list", "save_region_graph"]


def save_region_graph(path: Path, graph: RegionGraph) -> None:
    """Write edges, affinity_sum and contact."""
    _save(path, edges=graph.edges, affinity_sum=graph.affinity_sum, contact=graph.contact)


def load_region_graph(path: Path) -> RegionGraph:
    """Read what `save_region_graph` wrote."""
    stored = _load(path, "edges", "affinity_sum", "contact")
    return RegionGraph(stored["edges"], stored["affinity_sum"], stored["contact"])


def save_merge_list(path: Path, merges: MergeList) -> None:
    """Write pairs, affinity_sum, contact and t_min."""
    _save(path, pairs=merges.pairs, affinity_sum=merges.affinity_sum, contact=merges.contact, t_min=np.float64(merges.t_min))


def load_merge_list(path: Path) -> MergeList:
    """Read what `save_merge_list` wrote."""
    stored = _load(path, "pairs", "affinity_sum", "contact", "t_min")
    return MergeList(stored["pairs"], stored["affinity_sum"], stored["contact"], float(stored["t_min"]))


def _save(path: Path, **arrays: np.ndarray | np.float64) -> None:
    with atomic_target(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _load(path: Path, *names: str) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise MissingFileError(f"'{path}' does not exist", "a file of a finished run", "run `neurotome neurons segment` first")
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in names}
    except (KeyError, ValueError, OSError) as error:
        raise FormatError(f"'{path}' cannot be read ({error})", f"arrays {', '.join(names)}", "make the run again") from error
