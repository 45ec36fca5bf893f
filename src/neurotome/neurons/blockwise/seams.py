"""Sewing blocks together: which pieces of neighbouring blocks are one, and the name of what they are.

Each face of two blocks gives pairs of names; all pairs together are a union-find whose sets are named by their smallest member,
which is what the whole volume would have named them. Only pieces at faces take part: the pairs of a volume grow with its faces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

from neurotome.core import Block, Box
from neurotome.neurons.blockwise.tables import look_up
from neurotome.neurons.blockwise.workspace import Workspace

__all__ = ["FindPairs", "NamePieces", "piece_names", "seam_pixels", "unite_pairs"]


@dataclass(frozen=True)
class FindPairs:
    """Pairs of pieces of a block and of the blocks above it that are one: file 'pairs'."""

    workspace: Workspace
    of: str = "pieces"
    overlap: bool = False

    def __call__(self, block: Block) -> Sequence[Path]:
        pairs = [np.zeros((0, 2), np.uint64)]
        for mine, theirs in self._touching(block.write):
            pairs.append(np.unique(np.stack([mine, theirs], axis=1), axis=0))
        return [self.workspace.save(f"{self.of}-pairs", block.write, pairs=np.concatenate(pairs))]

    def _touching(self, box: Box) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        names = self.workspace.load(self.of, box, "names")["names"]
        for axis in range(3):
            above = self.workspace.lattice.above(box, axis)
            if above is None:
                continue
            names_above = self.workspace.load(self.of, above, "names")["names"]
            for mine, theirs in self._planes(box, above, axis):
                # Pixels repeat their pair: numbers of pieces are smaller to sort than names.
                code = np.unique(mine.astype(np.uint64) << np.uint64(32) | theirs.astype(np.uint64))
                yield names[(code >> np.uint64(32)) - np.uint64(1)], names_above[(code & np.uint64(0xFFFFFFFF)) - np.uint64(1)]

    def _planes(self, box: Box, above: Box, axis: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pieces on both sides of a face, pixel by pixel, where they join."""
        upper, lower, joins = seam_pixels(self.workspace, self.of, box, above, axis)
        yield upper[joins], lower[joins]
        if self.overlap and axis == 0:
            upper = self.workspace.load("seams", box, "overlap_upper0")["overlap_upper0"]
            yield _both(upper, lower)
        elif self.overlap:
            upper = self.workspace.load("seams", box, f"overlap_upper{axis}")[f"overlap_upper{axis}"]
            lower = self.workspace.load("seams", above, f"overlap_lower{axis}")[f"overlap_lower{axis}"]
            yield _both(upper, lower)


def seam_pixels(workspace: Workspace, of: str, box: Box, above: Box, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The face between two blocks: pieces below (of `box`), pieces above (of `above`), and where they join."""
    seams = "seams" if of == "pieces" else f"{of}-seams"
    mine = workspace.load(seams, box, f"upper{axis}", f"joins{axis}")
    lower = workspace.load(seams, above, f"lower{axis}")[f"lower{axis}"]
    return mine[f"upper{axis}"], lower, mine[f"joins{axis}"]


def _both(upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    present = (upper > 0) & (lower > 0)
    return upper[present], lower[present]


@dataclass(frozen=True)
class NamePieces:
    """The sets of all pairs: 'joined.npy', (n, 2) uint64, each piece that is one with another and the smallest of
    them, rising."""

    workspace: Workspace
    of: str = "pieces"

    def __call__(self, block: Block) -> Sequence[Path]:
        files = (self.workspace.load(f"{self.of}-pairs", box, "pairs")["pairs"] for box in self.workspace.lattice.boxes)
        members, smallest = unite_pairs(np.concatenate([p for p in files if len(p)] or [np.zeros((0, 2), np.uint64)]))
        return [self.workspace.save_table(f"{self.of}-joined", np.stack([members, smallest], axis=1))]


def unite_pairs(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Connected sets of the graph whose edges are pairs (n, 2) uint64: its members, rising, and the smallest of each one's set.

    >>> members, smallest = unite_pairs(np.array([[7, 5], [9, 7], [2, 3]], np.uint64))
    >>> members.tolist(), smallest.tolist()
    ([2, 3, 5, 7, 9], [2, 2, 5, 5, 5])
    """
    members, places = np.unique(pairs, return_inverse=True)
    root = np.arange(len(members))
    _unite(places.reshape(-1, 2), root)
    return members, members[root]


@njit(cache=True)
def _unite(pairs, root):
    for k in range(len(pairs)):
        a, b = _find(root, pairs[k, 0]), _find(root, pairs[k, 1])
        root[max(a, b)] = min(a, b)
    for i in range(len(root)):
        root[i] = root[root[i]]


@njit(cache=True)
def _find(root, i):
    while root[i] != i:
        root[i] = root[root[i]]
        i = root[i]
    return i


def piece_names(workspace: Workspace, box: Box, of: str = "pieces") -> np.ndarray:
    """The final name of each piece of a block."""
    return look_up(workspace.table(f"{of}-joined"), workspace.load(of, box, "names")["names"])
