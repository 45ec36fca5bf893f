"""Dust, once every segment and its size are known: the groups of `tree.py` climbed a second time.

The rows that finished segments left behind are taken up where they were left. A small segment is known where it ended. Large
segments need not be known: they never meet, so what becomes of dust is decided among its neighbours (`dust.py`), and nearly all
of it in the first group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import Block, Box
from neurotome.neurons.agglomerate import scaled
from neurotome.neurons.blockwise.tables import look_up, values_of
from neurotome.neurons.blockwise.tree import Known, joined, load_known, padded, save_known
from neurotome.neurons.blockwise.workspace import Workspace
from neurotome.neurons.dust import Absorbed, absorb
from neurotome.neurons.postprocess import LEAST_SCORE_OF_DUST
from neurotome.neurons.settings import AgglomerateSettings

__all__ = ["AbsorbDust", "ListSegments"]


@dataclass(frozen=True)
class ListSegments:
    """Every segment above the threshold and its voxels: table 'segments', (n, 2) uint64, rising."""

    workspace: Workspace

    def __call__(self, block: Block) -> Sequence[Path]:
        lattice = self.workspace.lattice
        groups = [(k, group) for k in range(lattice.levels) for group in lattice.level(k).boxes]
        parts = [self.workspace.load(f"ended-{k}", group, "names", "sizes") for k, group in groups]
        names, sizes = (np.concatenate([p[column] for p in parts]) for column in ("names", "sizes"))
        order = np.argsort(names)
        return [self.workspace.save_table("segments", np.stack([names[order], sizes[order].astype(np.uint64)], axis=1))]


@dataclass(frozen=True)
class AbsorbDust:
    """Merge the dust that a group of level `level` makes certain.

    Files 'dust' (what goes up) and 'dusted' (names of what has become large enough, or is kept although it is small; and large
    segments with the smallest name in what they took in), and table 'dusted', each of this level.
    """

    settings: AgglomerateSettings
    workspace: Workspace
    level: int

    def __call__(self, block: Block) -> Sequence[Path]:
        group, k, workspace = block.write, self.level, self.workspace
        known = self._gathered(group)
        least_size = self.settings.min_voxels
        absorbed = absorb(
            known.pairs + np.uint32(1),
            known.affinity_sum,
            known.contact,
            unknown=padded(known.seen < known.blocks),
            sizes=padded(known.sizes),
            min_size=least_size,
            least=scaled(LEAST_SCORE_OF_DUST),
        )
        names, owner = padded(known.names), absorbed.owner
        root = owner == np.arange(len(owner))
        root[0] = False
        was_small, small = padded(known.sizes) < least_size, absorbed.sizes < least_size
        new = root & was_small & ~absorbed.waits & (~small | (self.settings.small == "keep"))
        eldest = root & (absorbed.smallest < np.arange(len(owner)))
        taken = np.flatnonzero(~root)[1:]
        return [
            save_known(workspace, f"dust-{k}", group, self._left(known, absorbed, small)),
            workspace.save(f"dusted-{k}", group, new=names[new], owners=names[eldest], eldest=names[absorbed.smallest[eldest]]),
            workspace.save_table(
                workspace.group_table(f"dusted-names-{k}", group), np.stack([names[taken], names[owner[taken]]], axis=1)
            ),
        ]

    def _gathered(self, group: Box) -> Known:
        """Segments that ended in this group, rows left behind in it, and what the groups below could not decide."""
        workspace, k = self.workspace, self.level
        ended = workspace.load(f"ended-{k}", group, "names", "sizes")
        behind = workspace.load(f"behind-{k}", group, "edges", "keys", "affinity_sum", "contact")
        names, pairs = np.unique(self._final(group, behind["edges"].reshape(-1)), return_inverse=True)
        pairs = np.sort(pairs.reshape(-1, 2), axis=1).astype(np.uint32)
        rows = behind["keys"], behind["affinity_sum"], behind["contact"], np.ones(len(pairs), np.bool_)
        parts = [_nodes(ended["names"], ended["sizes"], known=True), _nodes(names, np.zeros(len(names), np.int64), pairs, *rows)]
        if k > 0:
            parts += [load_known(workspace, f"dust-{k - 1}", box) for box in workspace.lattice.level(k - 1).members(group)]
        return self._that_matters(joined(parts))

    def _final(self, group: Box, names: np.ndarray) -> np.ndarray:
        """The segments that names of this level ended up in, further up."""
        lattice = self.workspace.lattice
        for k in range(self.level + 1, lattice.levels):
            above = lattice.level(k).holding(group)
            names = look_up(self.workspace.table(self.workspace.group_table(f"renamed-{k}", above)), names)
        return names

    def _that_matters(self, known: Known) -> Known:
        """Without rows between large segments, and without segments that then have no row, except small ones that are known."""
        sizes = np.where(
            known.seen > 0, known.sizes, values_of(self.workspace.table("segments"), known.names, missing=0).astype(np.int64)
        )
        small = sizes < self.settings.min_voxels
        rows = small[known.pairs].any(axis=1)
        return _part(known, sizes, small & (known.seen > 0) | _in_rows(known.pairs[rows], len(small)), rows)

    def _left(self, known: Known, absorbed: Absorbed, small: np.ndarray) -> Known:
        """Dust that waits, and what it could merge with."""
        waits = absorbed.waits[absorbed.pairs]
        # Small and not waiting: it found nobody and never will.
        rows = waits.any(axis=1) & (waits | ~small[absorbed.pairs]).all(axis=1)
        pairs = absorbed.pairs - np.uint32(1)
        left = Known(
            known.names,
            absorbed.sizes[1:],
            known.seen,
            known.blocks,
            pairs,
            known.keys[absorbed.key],
            absorbed.affinity_sum,
            absorbed.contact,
            np.ones(len(pairs), np.bool_),
        )
        # Sizes of what ended elsewhere are looked up again: here they would be added.
        sizes = np.where(known.seen > 0, left.sizes, 0)
        return _part(left, sizes, absorbed.waits[1:] & (known.seen > 0) | _in_rows(pairs[rows], len(sizes)), rows)


def _nodes(names: np.ndarray, sizes: np.ndarray, *rows: np.ndarray, known: bool = False) -> Known:
    if not rows:
        none = np.zeros(0, np.int64)
        rows = np.zeros((0, 2), np.uint32), np.zeros((0, 2), np.uint64), none, none, np.zeros(0, np.bool_)
    return Known(names, sizes, np.full(len(names), int(known)), np.ones(len(names), np.int64), *rows)


def _in_rows(pairs: np.ndarray, count: int) -> np.ndarray:
    found = np.zeros(count, np.bool_)
    found[pairs.reshape(-1)] = True
    return found


def _part(known: Known, sizes: np.ndarray, nodes: np.ndarray, rows: np.ndarray) -> Known:
    """Chosen nodes and rows of a graph; the ends of all chosen rows are chosen."""
    place = np.cumsum(nodes) - 1
    return Known(
        known.names[nodes],
        sizes[nodes],
        known.seen[nodes],
        known.blocks[nodes],
        place[known.pairs[rows]].astype(np.uint32),
        known.keys[rows],
        known.affinity_sum[rows],
        known.contact[rows],
        known.touches[rows],
    )
