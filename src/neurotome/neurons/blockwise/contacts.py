"""The region graph of one block, under the names of the whole volume; and which fragments other blocks know more about.

A block counts the edges whose lower voxel it owns: those inside it were counted with its fragments, those over its upper faces
are counted here, from both sides of the seam. It *sees* the fragments it holds or has edges to. All edges of a fragment are
known where all blocks that see it are: that is what `tree.py` waits for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import Block, Box, RegionGraph
from neurotome.core.geometry import Int3
from neurotome.io import ome_zarr
from neurotome.neurons.blockwise.pieces import ProbabilityFile
from neurotome.neurons.blockwise.seams import piece_names, seam_pixels
from neurotome.neurons.blockwise.tables import positions_of
from neurotome.neurons.blockwise.workspace import Workspace
from neurotome.neurons.region_graph import add_graphs, pairs_at
from neurotome.neurons.settings import AgglomerateSettings
from neurotome.neurons.voxel_graph import voxel_graph

__all__ = ["CountContacts", "CountSeen", "stored_graph"]

_EMPTY = RegionGraph(np.zeros((0, 2), np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint64))


@dataclass(frozen=True)
class CountContacts:
    """Region graph of the edges a block owns: file 'contacts', with the fragments' voxels and those that others see too."""

    source: ProbabilityFile
    settings: AgglomerateSettings
    workspace: Workspace
    pieces: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        box, workspace = block.write, self.workspace
        names = piece_names(workspace, box)
        kept, rows = (
            workspace.load("pieces", box, "names", "sizes"),
            workspace.load("rows", box, "pairs", "affinity_sum", "contact"),
        )
        graphs, seen = [_graph(names[rows["pairs"] - 1], rows["affinity_sum"], rows["contact"])], []
        for axis in range(3):
            seen.append(_present(workspace.load("seams", box, f"lower{axis}")[f"lower{axis}"], names))
            above = workspace.lattice.above(box, axis)
            if above is not None:
                upper, lower, _ = seam_pixels(workspace, "pieces", box, above, axis)
                values = workspace.load("seams", box, f"value{axis}")[f"value{axis}"]
                names_above = piece_names(workspace, above)
                graphs.append(_across(upper, lower, values, names, names_above))
                seen.append(_present(lower, names_above))
        far = _EMPTY
        if self.settings.long_range:
            far, shell = self._far(box, names)
            seen.append(shell)
        near = add_graphs([g for g in graphs if len(g.edges)] or [_EMPTY])
        fragments, place = np.unique(names, return_inverse=True)
        sizes = np.bincount(place, weights=kept["sizes"], minlength=len(fragments)).astype(np.int64)
        _, goes_on = positions_of(workspace.table("pieces-joined")[:, 0], kept["names"])
        found = {"near": near, "far": far}
        arrays = {f"{kind}_{part}": getattr(found[kind], part) for kind in found for part in ("edges", "affinity_sum", "contact")}
        path = workspace.save(
            "contacts", box, fragments=fragments, sizes=sizes, seen=np.unique(np.concatenate([*seen, names[goes_on]])), **arrays
        )
        return [path]

    def _far(self, box: Box, names: np.ndarray) -> tuple[RegionGraph, np.ndarray]:
        """Long-range edges that the block owns, between any two fragments; and the fragments within their reach of its faces."""
        probability = self.source.open()
        graph = voxel_graph(
            probability, evidence=self.settings.evidence, stored_at=self.settings.stored_at, box=self._reached(box)
        )
        reach = tuple(max((o[axis] for o, _ in graph.long_range), default=0) for axis in range(3))
        ids, ids_names = self._named(self._reached(box), box, names)
        own = box.inside(self._reached(box))
        found = [
            _graph(ids_names[pairs - 1], sums, contact)
            for pairs, sums, contact in (pairs_at(ids, values, offset, own) for offset, values in graph.long_range)
        ]
        inner = tuple(slice(r, max(r, n)) for r, n in zip(reach, own.shape))
        shell = ids.copy()
        shell[inner] = 0
        return add_graphs([g for g in found if len(g.edges)] or [_EMPTY]), _present(shell, ids_names)

    def _reached(self, box: Box) -> Box:
        """The block and what long-range edges reach from it; at least a voxel more, as edges can depend on both their ends."""
        reach = long_reach(self.source)
        stop = tuple(min(n, b + r) for n, b, r in zip(self.workspace.lattice.volume, box.stop, reach))
        return Box(box.start, stop)  # type: ignore[arg-type]

    def _named(self, box: Box, mine: Box, my_names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Fragments of a box that reaches into other blocks: (z, y, x) uint32, 1..n, and their names."""
        array = ome_zarr.reopen(self.pieces)
        parts, known = np.zeros(box.shape, np.uint64), self.workspace.lattice
        for other in known.meeting(box):
            part = other.intersect(box)
            names = my_names if other == mine else piece_names(self.workspace, other)
            parts[part.inside(box).slices] = np.concatenate([[np.uint64(0)], names])[
                np.asarray(array[part.slices].read().result())
            ]
        ids_names, ids = np.unique(parts, return_inverse=True)
        ids = ids.reshape(box.shape).astype(np.uint32)
        return (ids, ids_names[1:]) if ids_names[0] == 0 else (ids + np.uint32(1), ids_names)


def long_reach(source: ProbabilityFile) -> Int3:
    """How far the long-range affinities of a volume reach along z, y, x."""
    offsets = [c.removeprefix("affinity:").split(",") for c in source.open().channels if c.startswith("affinity:")]
    z, y, x = (max((abs(int(o[axis])) for o in offsets), default=0) for axis in range(3))
    return z, y, x


def _graph(ends: np.ndarray, affinity_sum: np.ndarray, contact: np.ndarray) -> RegionGraph:
    """Rows in any order, pairs more than once; rows of a fragment with itself go."""
    outer = ends[:, 0] != ends[:, 1]
    return RegionGraph(np.sort(ends[outer], axis=1), affinity_sum[outer].astype(np.uint64), contact[outer].astype(np.uint64))


def _across(upper: np.ndarray, lower: np.ndarray, values: np.ndarray, names: np.ndarray, names_above: np.ndarray) -> RegionGraph:
    """Rows of the edges over one face: pieces on both sides and the values between them."""
    both = (upper > 0) & (lower > 0)
    code = upper[both].astype(np.uint64) << np.uint64(32) | lower[both].astype(np.uint64)
    code, place = np.unique(code, return_inverse=True)
    ends = np.stack(
        [names[(code >> np.uint64(32)) - np.uint64(1)], names_above[(code & np.uint64(0xFFFFFFFF)) - np.uint64(1)]], axis=1
    )
    sums = np.bincount(place, weights=values[both], minlength=len(code))
    return _graph(ends, sums, np.bincount(place, minlength=len(code)))


def _present(numbers: np.ndarray, names: np.ndarray) -> np.ndarray:
    found = np.unique(numbers)
    return names[found[found > 0].astype(np.int64) - 1]


@dataclass(frozen=True)
class CountSeen:
    """How many blocks see each fragment that more than one sees: table 'seen', (n, 2) uint64, rising."""

    workspace: Workspace

    def __call__(self, block: Block) -> Sequence[Path]:
        files = [self.workspace.load("contacts", box, "seen")["seen"] for box in self.workspace.lattice.boxes]
        names, count = np.unique(np.concatenate(files), return_counts=True)
        several = count > 1
        return [self.workspace.save_table("seen", np.stack([names[several], count[several].astype(np.uint64)], axis=1))]


def stored_graph(workspace: Workspace) -> RegionGraph:
    """The region graph of the whole volume, from the files of its blocks: as large as memory allows."""
    near, far = ([_loaded(workspace, box, kind) for box in workspace.lattice.boxes] for kind in ("near", "far"))
    graph, extra = add_graphs(near), add_graphs(far)
    if not len(extra.edges):
        return graph
    touching = np.isin(_as_pairs(extra.edges), _as_pairs(graph.edges))
    return add_graphs([graph, RegionGraph(extra.edges[touching], extra.affinity_sum[touching], extra.contact[touching])])


def _loaded(workspace: Workspace, box: Box, kind: str) -> RegionGraph:
    names = [f"{kind}_{part}" for part in ("edges", "affinity_sum", "contact")]
    return RegionGraph(*workspace.load("contacts", box, *names).values())


def _as_pairs(edges: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(edges).view([("u", np.uint64), ("v", np.uint64)]).reshape(-1)
