"""First pass over the voxels: the fragments or components of one block, and what its faces show of them.

  block           neighbour
+-----------+   +-----------+     A piece is named by its smallest voxel inside the block: 1 + linear index in the volume.
|  a  |  b  |-->| c |       |     The block keeps the outermost pieces of its upper faces with the edges that lead out,
|     |     |-->|   |   d   |     and those of its lower faces for the neighbours below: `seams.py` sews them together.
+-----------+   +-----------+
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from neurotome.core import Block, Box, Probability
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import ome_zarr, open_probability
from neurotome.neurons.blockwise.workspace import Workspace
from neurotome.neurons.connected import JOIN_X, JOIN_Y, JOIN_Z, connect, sizes_of
from neurotome.neurons.fragments import choose_edges, smooth_in_plane, smoothing_reach
from neurotome.neurons.link import ONLY_OVERLAP, bridged_pieces, clean_overlap, component_joins, link_joins, overlap_above
from neurotome.neurons.region_graph import count_rows
from neurotome.neurons.settings import AgglomerateSettings, ComponentsSettings, LinkSettings, SegmentSettings
from neurotome.neurons.voxel_graph import VoxelGraph, quantise, voxel_graph

__all__ = ["FindPieces", "ProbabilityFile", "halo"]

_BITS = (JOIN_Z, JOIN_Y, JOIN_X)


@dataclass(frozen=True)
class ProbabilityFile:
    """Which volume to read and how, so that any process can."""

    path: str
    voxel_nm: Nm3 | None = None
    channels: tuple[str, ...] | None = None

    def open(self) -> Probability:
        return _opened(self)


@lru_cache(maxsize=4)
def _opened(file: ProbabilityFile) -> Probability:
    return open_probability(file.path, voxel_nm=file.voxel_nm, channels=file.channels)


def halo(settings: SegmentSettings) -> tuple[Int3, Int3]:
    """How many voxels a block must read below and above what it decides.

    One below, because an edge of a voxel can be stored at the one before it; two above, because an edge out of the block is
    decided by both its ends, and the upper one has edges of its own; and as far as smoothing reaches, in plane.
    """
    reach = smoothing_reach(settings.smooth) if isinstance(settings, AgglomerateSettings) else 0
    return (1, 1 + reach, 1 + reach), (2, 2 + reach, 2 + reach)


@dataclass(frozen=True)
class FindPieces:
    """Pieces of one block: `pieces` (Zarr, uint32, numbered inside the block), and files 'pieces', 'seams' and 'rows'."""

    source: ProbabilityFile
    settings: SegmentSettings
    workspace: Workspace
    pieces: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        box, settings = block.write, self.settings
        graph = _read_graph(self.source.open(), settings, block.read)
        inner = box.inside(block.read).slices
        if isinstance(settings, AgglomerateSettings):
            followed = tuple(smooth_in_plane(edges, settings.smooth) for edges in graph.edges)
            joins = choose_edges(followed, t_low=settings.t_low, t_high=settings.t_high)  # type: ignore[arg-type]
            labels, first = connect(np.ascontiguousarray(joins[inner]))
            names = self.workspace.linear(box, first) + np.uint64(1)
            edges = tuple(np.ascontiguousarray(e[inner]) for e in graph.edges)
            rows = dict(zip(("pairs", "affinity_sum", "contact"), count_rows(labels, edges)))  # type: ignore[arg-type]
            seams = _seams(labels, joins[inner], edges)
        else:
            rows = {}
            joins, overlap = self._joins(graph, block)
            labels, first, overlap_ids = bridged_pieces(joins, overlap)
            names = self.workspace.linear(box, first & ~ONLY_OVERLAP) + np.uint64(1) | first & ONLY_OVERLAP
            seams = _seams(labels, joins)
            if overlap_ids is not None:
                seams |= _overlap_seams(overlap_ids)
        ome_zarr.write_box(ome_zarr.reopen(self.pieces), box, labels.astype(np.uint32, copy=False))
        return [
            *ome_zarr.shard_files(self.pieces, box),
            self.workspace.save("pieces", box, names=names, sizes=sizes_of(labels, len(names))),
            self.workspace.save("seams", box, **seams),
            *([self.workspace.save("rows", box, **rows)] if rows else []),
        ]

    def _joins(self, graph: VoxelGraph, block: Block) -> tuple[np.ndarray, np.ndarray | None]:
        """Bits for `connect`, and the overlap map where its pixels connect in their plane; both of the block alone."""
        inner = block.write.inside(block.read).slices
        if isinstance(self.settings, LinkSettings):
            how = self.settings
            overlap = self._cleaned(block.read) if how.erosions or how.skeletonise else overlap_above(graph, how.threshold)
            joins, bridges = link_joins(graph, threshold=how.threshold, bridge=how.bridge, overlap=overlap)
            if bridges is not None:
                bridges = np.ascontiguousarray(bridges[inner])
                if block.write.stop[0] == self.workspace.lattice.volume[0]:
                    bridges[-1] = False
            return np.ascontiguousarray(joins[inner]), bridges
        assert isinstance(self.settings, ComponentsSettings)
        threshold = int(quantise(np.array([self.settings.threshold]))[0])
        return np.ascontiguousarray(component_joins(graph, threshold)[inner]), None

    def _cleaned(self, box: Box) -> np.ndarray:
        """The cleaned overlap map. Thinning looks at a section as a whole, so whole sections are read, one at a time."""
        how, probability = self.settings, self.source.open()
        assert isinstance(how, LinkSettings)
        depth, height, width = probability.grid.shape
        cleaned = np.zeros(box.shape, np.bool_)
        for z in range(box.start[0], box.stop[0]):
            # One section more where there is one: an edge along z can depend on both its ends.
            graph = _read_graph(probability, how, Box((z, 0, 0), (min(z + 2, depth), height, width)))
            section = clean_overlap(overlap_above(graph, how.threshold)[:1], erosions=how.erosions, skeletonise=how.skeletonise)
            cleaned[z - box.start[0]] = section[0][box.slices[1:]]
        return cleaned


def _read_graph(probability: Probability, settings: SegmentSettings, box: Box) -> VoxelGraph:
    graph = voxel_graph(probability, evidence=settings.evidence, stored_at=settings.stored_at, box=box)
    return replace(graph, long_range=())


def _seams(labels: np.ndarray, joins: np.ndarray, edges: Sequence[np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """Per axis: pieces of the lower and of the upper face, whether the edges out of the upper one join, and their values."""
    seams = {}
    for axis, bit in enumerate(_BITS):
        seams[f"lower{axis}"] = labels.take(0, axis).astype(np.uint32)
        seams[f"upper{axis}"] = labels.take(-1, axis).astype(np.uint32)
        seams[f"joins{axis}"] = (joins.take(-1, axis) & bit) > 0
        if edges is not None:
            seams[f"value{axis}"] = edges[axis].take(-1, axis)
    return seams


def _overlap_seams(overlap_ids: np.ndarray) -> dict[str, np.ndarray]:
    """Seams of the overlap map, whose pixels join in their plane, and join all they touch in the section above."""
    return {
        "overlap_lower1": overlap_ids[:, 0],
        "overlap_upper1": overlap_ids[:, -1],
        "overlap_lower2": overlap_ids[:, :, 0],
        "overlap_upper2": overlap_ids[:, :, -1],
        "overlap_upper0": overlap_ids[-1],
    }
