"""What may follow the labels: holes filled, neurons grown into the membrane, numbers put in order again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

from neurotome.core import Block, Box
from neurotome.io import ome_zarr
from neurotome.neurons.blockwise.labels import paint
from neurotome.neurons.blockwise.seams import piece_names
from neurotome.neurons.blockwise.tables import values_of
from neurotome.neurons.blockwise.tree import padded
from neurotome.neurons.blockwise.workspace import Workspace
from neurotome.neurons.connected import connect, joins_above
from neurotome.neurons.postprocess import find_owners, give_holes, grow

__all__ = ["FillHoles", "FindHoles", "FirstVoxels", "Grow", "NumberAgain", "OwnHoles", "Renumber"]

MANY = -1
"""Owner of a hole that belongs to nobody: it touches a face of the volume, has several neighbours, or is too large."""


@dataclass(frozen=True)
class FindHoles:
    """Background pieces of a block and who is around them: files 'holes' and 'holes-seams'. Read one voxel more on each side."""

    workspace: Workspace
    labels: Path
    max_voxels: int

    def __call__(self, block: Block) -> Sequence[Path]:
        labels, holes, first = _holes_of(self.labels, block)
        owner, sizes = find_owners(labels, holes, len(first), self.max_voxels)
        box, inner = block.write, holes[block.write.inside(block.read).slices]
        seams = {}
        for axis in range(3):
            seams[f"lower{axis}"], seams[f"upper{axis}"] = inner.take(0, axis), inner.take(-1, axis)
            # Background meets background: the hole goes on.
            seams[f"joins{axis}"] = (inner.take(-1, axis) > 0) & self._goes_on(labels, block, axis)
        names = self.workspace.linear(box, first) + np.uint64(1)
        return [
            self.workspace.save("holes", box, names=names, sizes=sizes, owner=owner),
            self.workspace.save("holes-seams", box, **seams),
        ]

    def _goes_on(self, labels: np.ndarray, block: Block, axis: int) -> np.ndarray:
        """Where the voxel above the block is background; nowhere at the end of the volume."""
        inner = list(block.write.inside(block.read).slices)
        stop = inner[axis].stop
        inner[axis] = slice(stop, stop + 1)
        beyond = labels[tuple(inner)]
        return (beyond == 0).any(axis=axis)


def _holes_of(path: Path, block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of the read box; its background pieces inside the write box, numbered from 1 (0 elsewhere); their first voxels."""
    labels = np.asarray(ome_zarr.reopen(path)[block.read.slices].read().result())
    inner = block.write.inside(block.read).slices
    background = np.where(labels[inner] == 0, np.uint8(1), np.uint8(0))
    pieces, first = connect(joins_above((background, background, background), background, 1))
    holes = np.zeros(labels.shape, pieces.dtype)
    holes[inner] = pieces
    return labels, holes, first


@dataclass(frozen=True)
class OwnHoles:
    """Holes that one neuron surrounds: table 'owners', (n, 2) uint64, name of the hole and label, rising."""

    workspace: Workspace
    max_voxels: int

    def __call__(self, block: Block) -> Sequence[Path]:
        boxes = self.workspace.lattice.boxes
        parts = [self.workspace.load("holes", box, "sizes", "owner") for box in boxes]
        names, place = np.unique(np.concatenate([piece_names(self.workspace, b, "holes") for b in boxes]), return_inverse=True)
        owner = np.concatenate([p["owner"] for p in parts])
        sizes = np.bincount(place, weights=np.concatenate([p["sizes"] for p in parts]), minlength=len(names))
        # Pieces without a labelled neighbour say nothing; all others must name the same one.
        most, least = np.zeros(len(names), np.int64), np.full(len(names), np.iinfo(np.int64).max)
        named = owner != 0
        np.maximum.at(most, place[named], owner[named])
        np.minimum.at(least, place[named], owner[named])
        fills = (most == least) & (most > 0) & (sizes <= self.max_voxels)
        return [self.workspace.save_table("owners", np.stack([names[fills], most[fills].astype(np.uint64)], axis=1))]


@dataclass(frozen=True)
class FillHoles:
    """Labels with their holes filled, in a new volume. Reads what `FindHoles` reads."""

    workspace: Workspace
    labels: Path
    filled: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        labels, holes, _ = _holes_of(self.labels, block)
        inner = block.write.inside(block.read).slices
        names, owners = piece_names(self.workspace, block.write, "holes"), self.workspace.table("owners")
        owner = padded(values_of(owners, names, missing=0).astype(np.int64))
        filled = give_holes(np.ascontiguousarray(labels[inner]), np.ascontiguousarray(holes[inner]), owner)
        return _written(self.filled, block.write, filled)


@dataclass(frozen=True)
class Grow:
    """Labels grown in their sections, in a new volume. Read as many pixels more in plane as they grow."""

    labels: Path
    grown: Path
    radius: float

    def __call__(self, block: Block) -> Sequence[Path]:
        labels = np.asarray(ome_zarr.reopen(self.labels)[block.read.slices].read().result())
        return _written(self.grown, block.write, grow(labels, self.radius)[block.write.inside(block.read).slices])


@dataclass(frozen=True)
class FirstVoxels:
    """The smallest voxel of each label of a block: file 'first'."""

    workspace: Workspace
    labels: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        labels = np.asarray(ome_zarr.reopen(self.labels)[block.write.slices].read().result())
        first = first_voxels(labels.reshape(-1), int(labels.max()))
        ids = np.flatnonzero(first < labels.size)
        return [self.workspace.save("first", block.write, ids=ids, first=self.workspace.linear(block.write, first[ids]))]


@dataclass(frozen=True)
class NumberAgain:
    """Labels in order of their smallest voxel, after voxels have changed: table 'renumbered', (n, 2) uint64, old and new."""

    workspace: Workspace

    def __call__(self, block: Block) -> Sequence[Path]:
        parts = [self.workspace.load("first", box, "ids", "first") for box in self.workspace.lattice.boxes]
        ids, first = (np.concatenate([p[name] for p in parts]) for name in ("ids", "first"))
        order = np.lexsort((first, ids))
        ids, where = np.unique(ids[order], return_index=True)
        rank = np.empty(len(ids), np.int64)
        rank[np.argsort(first[order][where])] = np.arange(1, len(ids) + 1)
        return [self.workspace.save_table("renumbered", np.stack([ids, rank], axis=1).astype(np.uint64))]


@dataclass(frozen=True)
class Renumber:
    """Labels under their new numbers, in a new volume."""

    workspace: Workspace
    labels: Path
    renumbered: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        labels = np.asarray(ome_zarr.reopen(self.labels)[block.write.slices].read().result())
        table = np.asarray(self.workspace.table("renumbered"))
        new = np.zeros(int(table[-1, 0]) + 1 if len(table) else 1, np.uint64)
        new[table[:, 0]] = table[:, 1]
        numbered = np.empty_like(labels)
        paint(new, labels.reshape(-1), numbered.reshape(-1))
        return _written(self.renumbered, block.write, numbered)


@njit(cache=True, nogil=True)
def first_voxels(labels, largest):
    """The smallest place of each label 0..largest; the number of places for 0, and for labels that are not there."""
    first = np.full(largest + 1, labels.size, np.int64)
    before = labels.dtype.type(0)
    for i in range(labels.size):
        label = labels[i]
        if label != before and i < first[label]:
            first[label] = i
        before = label
    first[0] = labels.size
    return first


def _written(path: Path, box: Box, values: np.ndarray) -> list[Path]:
    ome_zarr.write_box(ome_zarr.reopen(path), box, values)
    return ome_zarr.shard_files(path, box)
