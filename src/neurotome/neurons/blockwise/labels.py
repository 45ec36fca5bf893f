"""From pieces to neurons: which number each segment gets, and the second pass over the voxels that writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

from neurotome.core import Block, Box
from neurotome.io import ome_zarr
from neurotome.neurons.blockwise.seams import piece_names
from neurotome.neurons.blockwise.tables import look_up, positions_of, values_of
from neurotome.neurons.blockwise.workspace import Workspace
from neurotome.neurons.link import ONLY_OVERLAP
from neurotome.neurons.settings import AgglomerateSettings, SegmentSettings

__all__ = ["NumberComponents", "NumberSegments", "Paint", "paint"]


@dataclass(frozen=True)
class NumberSegments:
    """Segments in order of their smallest voxel: table 'numbered', (n, 2) uint64, the name each goes by and its number, rising.

    A segment is named by its smallest voxel, unless it took in dust that comes before it.
    """

    settings: AgglomerateSettings
    workspace: Workspace

    def __call__(self, block: Block) -> Sequence[Path]:
        segments = self.workspace.table("segments")
        if self.settings.min_voxels <= 1:
            return [_numbered(self.workspace, np.asarray(segments[:, 0]))]
        large = segments[:, 0][segments[:, 1] >= self.settings.min_voxels]
        lattice = self.workspace.lattice
        groups = [(k, group) for k in range(lattice.levels) for group in lattice.level(k).boxes]
        parts = [self.workspace.load(f"dusted-{k}", group, "new", "owners", "eldest") for k, group in groups]
        new, owners, eldest = (np.concatenate([p[column] for p in parts]) for column in ("new", "owners", "eldest"))
        names = np.sort(np.concatenate([large, new]))
        place, there = positions_of(names, owners)
        first = names.copy()
        np.minimum.at(first, place[there], eldest[there])
        return [_numbered(self.workspace, names, first)]


def _numbered(workspace: Workspace, names: np.ndarray, first: np.ndarray | None = None) -> Path:
    """Keep names, rising, with the rank of their first voxels from 1 on."""
    ranks = np.arange(1, len(names) + 1, dtype=np.uint64)
    if first is not None:
        ranks[np.argsort(first)] = ranks.copy()
    return workspace.save_table("numbered", np.stack([names, ranks], axis=1))


@dataclass(frozen=True)
class NumberComponents:
    """The same for methods without a graph: pieces that are one are a segment; those too small are left out if so set."""

    settings: SegmentSettings
    workspace: Workspace

    def __call__(self, block: Block) -> Sequence[Path]:
        least = self.settings.min_voxels if self.settings.small == "zero" else 0
        names, sizes = zip(*(self._sized(box) for box in self.workspace.lattice.boxes))
        unique, place = np.unique(np.concatenate(names), return_inverse=True)
        voxels = np.bincount(place, weights=np.concatenate(sizes), minlength=len(unique))
        return [_numbered(self.workspace, unique[(voxels >= least) & (unique < ONLY_OVERLAP)])]

    def _sized(self, box: Box) -> tuple[np.ndarray, np.ndarray]:
        return piece_names(self.workspace, box), self.workspace.load("pieces", box, "sizes")["sizes"]


@dataclass(frozen=True)
class Paint:
    """Second pass over the voxels of a block: pieces become neurons, and fragments under their names where that is wanted."""

    settings: SegmentSettings
    workspace: Workspace
    pieces: Path
    labels: Path
    fragments: Path | None = None

    def __call__(self, block: Block) -> Sequence[Path]:
        names = piece_names(self.workspace, block.write)
        labels = values_of(self.workspace.table("numbered"), self._segments(block.write, names), missing=0)
        pieces, files = ome_zarr.reopen(self.pieces), []
        # One file at a time: numbers of 64 bits are what needs most memory of all.
        for part in block.write.tiles(ome_zarr.shard_shape(pieces)):
            numbers = np.asarray(pieces[part.slices].read().result())
            files += _painted(self.labels, part, numbers, labels)
            files += _painted(self.fragments, part, numbers, names) if self.fragments else []
        return files

    def _segments(self, box: Box, names: np.ndarray) -> np.ndarray:
        """The segment of each fragment, followed up through the groups that its block belongs to."""
        if not isinstance(self.settings, AgglomerateSettings):
            return names
        lattice = self.workspace.lattice
        for kind in ("renamed", "dusted-names") if self.settings.min_voxels > 1 else ("renamed",):
            for k in range(lattice.levels):
                table = self.workspace.group_table(f"{kind}-{k}", lattice.level(k).holding(box))
                names = look_up(self.workspace.table(table), names)
        return names


def _painted(path: Path, box: Box, numbers: np.ndarray, names: np.ndarray) -> list[Path]:
    painted = np.empty(numbers.shape, np.uint64)
    paint(np.concatenate([np.zeros(1, np.uint64), names]), numbers.reshape(-1), painted.reshape(-1))
    ome_zarr.write_box(ome_zarr.reopen(path), box, painted)
    return ome_zarr.shard_files(path, box)


@njit(cache=True, nogil=True)
def paint(names, numbers, painted):
    """painted[i] = names[numbers[i]]."""
    for i in range(numbers.size):
        painted[i] = names[numbers[i]]
