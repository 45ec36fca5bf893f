"""Agglomeration of a graph that no memory holds: blocks join to groups, groups to larger ones, and each merges what is certain.

      +---------------+      A segment is known when every block that sees it is in the group. Known segments merge as they would
      | (o)--(o)  (o)-|--    in the whole volume (`chains.settle`); one whose next partner is not known waits. What can never
      |   |           |      merge again is finished and leaves the graph. The rest goes up to the next group, where more is
      | (o)--(o)--(o)-|--    known; at the top everything is.
      +---------------+

The result does not depend on how the volume was cut, because mean linkage is reducible: see `chains.py`. Rows of finished
segments are kept where dust is to be merged: `dust_tree.py` climbs the groups once more, when all segments are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import Block, Box
from neurotome.neurons.agglomerate import scaled
from neurotome.neurons.blockwise.tables import values_of
from neurotome.neurons.blockwise.workspace import Workspace
from neurotome.neurons.chains import settle
from neurotome.neurons.settings import AgglomerateSettings

__all__ = ["Contract", "Contracted", "Known", "contract_known", "joined", "load_known", "padded", "save_known"]


@dataclass(frozen=True, eq=False)
class Known:
    """What a group of blocks knows of the graph and has not finished.

    names: (n,) uint64, rising. sizes: (n,) int64 voxels in the group. seen, blocks: (n,) int64, how many blocks of the group
    see the segment, and how many of the volume do; where they are equal, all of it is known.
    pairs: (r, 2) uint32, places in `names`, smaller first, each pair once. keys: (r, 2) uint64, the fragments that settle ties,
    rising. affinity_sum, contact: (r,) int64. touches: (r,) bool, whether an edge between nearest neighbours joins the two:
    long-range edges alone do not count, but are kept until that is known.
    """

    names: np.ndarray
    sizes: np.ndarray
    seen: np.ndarray
    blocks: np.ndarray
    pairs: np.ndarray
    keys: np.ndarray
    affinity_sum: np.ndarray
    contact: np.ndarray
    touches: np.ndarray

    FIELDS = ("names", "sizes", "seen", "blocks", "pairs", "keys", "affinity_sum", "contact", "touches")


@dataclass(frozen=True)
class Contract:
    """Merge what a group of level `level` makes certain.

    Files 'known' (what goes up), 'ended' (finished segments and their sizes) and 'behind' (rows they leave behind), and table
    'renamed', each of this level.
    """

    settings: AgglomerateSettings
    workspace: Workspace
    level: int

    def __call__(self, block: Block) -> Sequence[Path]:
        group, k, workspace = block.write, self.level, self.workspace
        contracted = contract_known(self._gathered(group), scaled(self.settings.threshold))
        files = [
            save_known(workspace, f"known-{k}", group, contracted.known),
            workspace.save(f"ended-{k}", group, names=contracted.ended, sizes=contracted.sizes),
            workspace.save_table(workspace.group_table(f"renamed-{k}", group), contracted.renamed),
        ]
        if self.settings.min_voxels > 1:
            files.append(workspace.save(f"behind-{k}", group, **contracted.behind))
        return files

    def _gathered(self, group: Box) -> Known:
        if self.level == 0:
            return _of_block(self.workspace, group)
        below = self.workspace.lattice.level(self.level - 1).members(group)
        return joined([load_known(self.workspace, f"known-{self.level - 1}", box) for box in below])


def save_known(workspace: Workspace, kind: str, group: Box, known: Known) -> Path:
    """Keep a graph for the group above."""
    return workspace.save(kind, group, **{name: getattr(known, name) for name in Known.FIELDS})


def load_known(workspace: Workspace, kind: str, group: Box) -> Known:
    """What `save_known` kept."""
    return Known(**workspace.load(kind, group, *Known.FIELDS))


def _of_block(workspace: Workspace, box: Box) -> Known:
    """The graph of one block: rows between nearest neighbours, and beside them those of long-range edges."""
    held = workspace.load("contacts", box, "fragments", "sizes", "seen")
    parts = []
    for kind in ("near", "far"):
        rows = workspace.load("contacts", box, *(f"{kind}_{part}" for part in ("edges", "affinity_sum", "contact")))
        edges, sums, contact = rows.values()
        parts.append((edges, sums, contact, np.full(len(edges), kind == "near")))
    edges, sums, contact, touches = (np.concatenate(columns) for columns in zip(*parts))
    names = np.unique(np.concatenate([held["fragments"], held["seen"], edges.reshape(-1)]))
    sizes = np.zeros(len(names), np.int64)
    sizes[np.searchsorted(names, held["fragments"])] = held["sizes"]
    blocks = values_of(workspace.table("seen"), names, missing=1).astype(np.int64)
    pairs = np.searchsorted(names, edges).astype(np.uint32)
    return joined(
        [
            Known(
                names,
                sizes,
                np.ones(len(names), np.int64),
                blocks,
                pairs,
                edges,
                sums.astype(np.int64),
                contact.astype(np.int64),
                touches,
            )
        ]
    )


def joined(parts: Sequence[Known]) -> Known:
    """The graphs of neighbouring groups as one: what both know of a segment or a row adds up."""
    names = np.unique(np.concatenate([p.names for p in parts]))
    sizes, seen, blocks = (np.zeros(len(names), np.int64) for _ in range(3))
    ends = []
    for part in parts:
        place = np.searchsorted(names, part.names)
        sizes[place] += part.sizes
        seen[place] += part.seen
        blocks[place] = part.blocks
        ends.append(place.astype(np.uint64)[part.pairs])
    code = np.concatenate([e[:, 0] << np.uint64(32) | e[:, 1] for e in ends])
    keys, sums, contact, touches = (
        np.concatenate([getattr(p, column) for p in parts]) for column in ("keys", "affinity_sum", "contact", "touches")
    )
    order = np.lexsort((keys[:, 1], keys[:, 0], code))
    code = code[order]
    starts = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1]])[: len(code)])
    keys = keys[order[starts]]
    add = lambda values: np.add.reduceat(values[order], starts) if len(starts) else values  # noqa: E731
    sums, contact, touches = add(sums), add(contact), add(touches.astype(np.int64)) > 0
    pairs = np.stack([code[starts] >> np.uint64(32), code[starts] & np.uint64(0xFFFFFFFF)], axis=1).astype(np.uint32)
    rank = np.lexsort((keys[:, 1], keys[:, 0]))
    return Known(names, sizes, seen, blocks, pairs[rank], keys[rank], sums[rank], contact[rank], touches[rank])


@dataclass(frozen=True, eq=False)
class Contracted:
    """What a group makes of its graph.

    known: what is left. renamed: (m, 2) uint64, names that merged and the name each goes by now, rising. ended, sizes: (e,) the
    segments that never merge again, rising, and their voxels. behind: the rows with such an end, as arrays edges (names), keys,
    affinity_sum, contact.
    """

    known: Known
    renamed: np.ndarray
    ended: np.ndarray
    sizes: np.ndarray
    behind: dict[str, np.ndarray]


def contract_known(known: Known, least: int) -> Contracted:
    """Merge what is certain, while 256 * affinity_sum >= least * contact."""
    waits = padded(known.seen < known.blocks)
    # Once one end is known, a row without contact between nearest neighbours will never have one.
    real = known.touches | waits[1:][known.pairs].all(axis=1)
    keys, touches = known.keys[real], known.touches[real]
    merged = settle(known.pairs[real] + np.uint32(1), known.affinity_sum[real], known.contact[real], waits=waits, least=least)
    segment = merged.segment
    sizes = np.bincount(segment, weights=padded(known.sizes), minlength=len(segment)).astype(np.int64)
    root = segment == np.arange(len(segment))
    root[0] = False
    changed = np.flatnonzero(~root[1:])
    renamed = np.stack([known.names[changed], known.names[segment[changed + 1].astype(np.int64) - 1]], axis=1)
    ended, stays = root & ~merged.waits, root & merged.waits
    up = stays[merged.pairs].all(axis=1)
    place = np.cumsum(stays) - 1
    left = Known(
        known.names[stays[1:]],
        sizes[stays],
        known.seen[stays[1:]],
        known.blocks[stays[1:]],
        place[merged.pairs[up]].astype(np.uint32),
        keys[merged.key[up]],
        merged.affinity_sum[up],
        merged.contact[up],
        touches[merged.key[up]],
    )
    behind = {
        "edges": known.names[merged.pairs[~up].astype(np.int64) - 1],
        "keys": keys[merged.key[~up]],
        "affinity_sum": merged.affinity_sum[~up],
        "contact": merged.contact[~up],
    }
    return Contracted(left, renamed, known.names[ended[1:]], sizes[ended], behind)


def padded(values: np.ndarray) -> np.ndarray:
    """With a first element for the id 0, which is none."""
    return np.concatenate([np.zeros(1, values.dtype), values])
