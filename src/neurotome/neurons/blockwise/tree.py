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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numba import njit

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


_ROW_COLUMNS = ("pairs", "keys", "affinity_sum", "contact", "touches")


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
        return joined(load_known(self.workspace, f"known-{self.level - 1}", box) for box in below)


def save_known(workspace: Workspace, kind: str, group: Box, known: Known) -> Path:
    """Keep a graph for the group above."""
    return workspace.save(kind, group, **{name: getattr(known, name) for name in Known.FIELDS})


def load_known(workspace: Workspace, kind: str, group: Box) -> Known:
    """What `save_known` kept."""
    return Known(**workspace.load(kind, group, *Known.FIELDS))


def _of_block(workspace: Workspace, box: Box) -> Known:
    """The graph of one block: rows between nearest neighbours, and beside them those of long-range edges."""
    held = workspace.load("contacts", box, "fragments", "sizes", "seen")
    names = np.union1d(held["fragments"], held["seen"])
    sizes = np.zeros(len(names), np.int64)
    sizes[np.searchsorted(names, held["fragments"])] = held["sizes"]
    blocks = values_of(workspace.table("seen"), names, missing=1).astype(np.int64)
    nodes = names, sizes, np.ones(len(names), np.int64), blocks
    near, far = (_rows_of(workspace, box, kind, nodes) for kind in ("near", "far"))
    if not len(far.pairs):
        return near
    # The same block is seen once.
    return joined([near, replace(far, sizes=np.zeros_like(sizes), seen=np.zeros_like(sizes))])


def _rows_of(workspace: Workspace, box: Box, kind: str, nodes: tuple[np.ndarray, ...]) -> Known:
    edges, sums, contact = workspace.load(
        "contacts", box, *(f"{kind}_{p}" for p in ("edges", "affinity_sum", "contact"))
    ).values()
    pairs = np.searchsorted(nodes[0], edges).astype(np.uint32)
    return Known(*nodes, pairs, edges, sums.astype(np.int64), contact.astype(np.int64), np.full(len(edges), kind == "near"))


def joined(parts: Iterable[Known]) -> Known:
    """The graphs of neighbouring groups as one: what both know of a segment or a row adds up.

    The largest graphs are joined here, so parts are taken one at a time and columns are let go as soon as they can be.
    """
    nodes, columns, bounds = [], {name: [] for name in _ROW_COLUMNS}, [0]
    for part in parts:
        nodes.append((part.names, part.sizes, part.seen, part.blocks))
        for name in _ROW_COLUMNS:
            columns[name].append(getattr(part, name))
        bounds.append(bounds[-1] + len(part.pairs))
    names = np.unique(np.concatenate([n[0] for n in nodes]))
    sizes, seen, blocks = (np.zeros(len(names), np.int64) for _ in range(3))
    code = np.empty(bounds[-1], np.uint64)
    for (part_names, *counts), pairs, start, stop in zip(nodes, columns.pop("pairs"), bounds, bounds[1:]):
        place = np.searchsorted(names, part_names)
        sizes[place] += counts[0]
        seen[place] += counts[1]
        blocks[place] = counts[2]
        code[start:stop] = place[pairs[:, 0]] << 32
        code[start:stop] |= place[pairs[:, 1]].astype(np.uint64)
    keys, sums, contact, touches = (np.concatenate(columns.pop(name)) for name in _ROW_COLUMNS[1:])
    first = _add_up(_by_key(keys, np.array(bounds)), code, sums, contact, touches)
    code, keys, sums = code[first], keys[first], sums[first]
    pairs = np.stack([code >> np.uint64(32), code & np.uint64(0xFFFFFFFF)], axis=1).astype(np.uint32)
    return Known(names, sizes, seen, blocks, pairs, keys, sums, contact[first], touches[first])


def _by_key(keys: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """The order of rows by key, from runs keys[bounds[i] : bounds[i + 1]] that are in order."""
    order = np.arange(len(keys))
    while len(bounds) > 2:
        merged = np.empty_like(order)
        # An odd run at the end is merged with an empty one.
        pairs = np.append(bounds, bounds[-1])[: len(bounds) // 2 * 2 + 1] if len(bounds) % 2 == 0 else bounds
        for start, middle, stop in zip(pairs[:-2:2], pairs[1:-1:2], pairs[2::2]):
            _merge_runs(keys, order, start, middle, stop, merged)
        order, bounds = merged, np.unique(pairs[::2])
    return order


@njit(cache=True)
def _merge_runs(keys, order, start, middle, stop, merged):
    a, b = start, middle
    for k in range(start, stop):
        if a < middle:
            i = order[a]
            if b == stop:
                merged[k] = i
                a += 1
                continue
            j = order[b]
            if keys[i, 0] < keys[j, 0] or (keys[i, 0] == keys[j, 0] and keys[i, 1] <= keys[j, 1]):
                merged[k] = i
                a += 1
                continue
        merged[k] = order[b]
        b += 1


@njit(cache=True)
def _add_up(order, code, sums, contact, touches):
    """Add rows of the same code to the first of them in the order; gives the first ones, in order."""
    room = 16
    while room < 3 * len(order) // 2:
        room *= 2
    table = np.full(room, -1, np.int32)
    count = 0
    for k in range(len(order)):
        row = order[k]
        at = np.int64((code[row] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & (room - 1)
        while table[at] >= 0 and code[table[at]] != code[row]:
            at = (at + 1) & (room - 1)
        if table[at] < 0:
            table[at] = row
            order[count] = row
            count += 1
        else:
            first = table[at]
            sums[first] += sums[row]
            contact[first] += contact[row]
            touches[first] |= touches[row]
    return order[:count].copy()


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
    if not real.all():
        known = replace(known, **{name: getattr(known, name)[real] for name in _ROW_COLUMNS})
    keys, touches = known.keys, known.touches
    columns = [known.pairs + np.uint32(1), known.affinity_sum, known.contact]
    names, voxels, seen, blocks = known.names, known.sizes, known.seen, known.blocks
    # The rows live on in the tables of the kernel; twice they would be too many.
    del known
    merged = settle(columns.pop(0), columns.pop(0), columns.pop(0), waits=waits, least=least)
    segment = merged.segment
    sizes = np.bincount(segment, weights=padded(voxels), minlength=len(segment)).astype(np.int64)
    root = segment == np.arange(len(segment))
    root[0] = False
    changed = np.flatnonzero(~root[1:])
    renamed = np.stack([names[changed], names[segment[changed + 1].astype(np.int64) - 1]], axis=1)
    ended, stays = root & ~merged.waits, root & merged.waits
    up = stays[merged.pairs].all(axis=1)
    place = np.cumsum(stays) - 1
    left = Known(
        names[stays[1:]],
        sizes[stays],
        seen[stays[1:]],
        blocks[stays[1:]],
        place[merged.pairs[up]].astype(np.uint32),
        keys[merged.key[up]],
        merged.affinity_sum[up],
        merged.contact[up],
        touches[merged.key[up]],
    )
    behind = {
        "edges": names[merged.pairs[~up].astype(np.int64) - 1],
        "keys": keys[merged.key[~up]],
        "affinity_sum": merged.affinity_sum[~up],
        "contact": merged.contact[~up],
    }
    return Contracted(left, renamed, names[ended[1:]], sizes[ended], behind)


def padded(values: np.ndarray) -> np.ndarray:
    """With a first element for the id 0, which is none."""
    return np.concatenate([np.zeros(1, values.dtype), values])
