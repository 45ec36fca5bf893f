"""What real SWC files get wrong, put right: each repair is named with its lines and ids, or refused where none is allowed.

    identical line twice          dropped
    id twice                      the later node gets a new id; a parent of that id is the nearest one above, else below
    parent that does not exist    the node becomes a root
    cycle                         cut above its lowest id, which becomes a root
    coordinate not finite         node removed, its children go to its parent
    radius negative, not finite   0, which means unknown; so does a missing column
    type that is no whole number  0, undefined

Ids that are no whole numbers of 0 and more are refused: nobody can say which node is meant.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from neurotome.core import ROOT, FormatError, parents_first
from neurotome.io.swc_table import KIND, NODE, PARENT, POINT, RADIUS, SwcTable

__all__ = ["SwcNodes", "repaired"]

FARTHEST = 1e12
"""No coordinate is larger, in any unit that is in use; distances between such numbers still are."""
LARGEST_ID = 2**53
"""From here on two ids may be one number."""
NAMED = 20
"""Places that a note names; it counts the others."""


@dataclass(frozen=True, eq=False)
class SwcNodes:
    """Nodes that are trees, in the units of the file, parents before children.

    ids: (n,) int64. parents: (n,) rows, or ROOT. points: (n, 3), x, y, z. radii: (n,). kinds: (n,) int64.
    """

    ids: np.ndarray
    parents: np.ndarray
    points: np.ndarray
    radii: np.ndarray
    kinds: np.ndarray


@dataclass
class _Repairs:
    """Collects what was done; raises instead where repair is not allowed. rows: of the table."""

    table: SwcTable
    ids: np.ndarray
    allowed: bool
    notes: list[str] = field(default_factory=list)

    def note(self, wrong: str, remedied: str, rows: np.ndarray) -> None:
        """wrong: what a single node does, as in 'has a negative radius'. remedied: what was done about all of them."""
        if not len(rows):
            return
        if not self.allowed:
            raise _refusal(self.table, int(rows[0]), f"node {self.ids[rows[0]]} {wrong}", "read it with repair=True")
        places = [f"line {self.table.lines[row]} (id {self.ids[row]})" for row in rows[:NAMED]]
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        self.notes.append(f"{remedied}: {', '.join(places)}{more}")


def repaired(table: SwcTable, *, repair: bool) -> tuple[SwcNodes, tuple[str, ...]]:
    """The trees of a table, and what had to be repaired. Raises FormatError for what cannot be, or for all where not `repair`."""
    ids = _whole_ids(table)
    _require_near(table)
    repairs = _Repairs(table, ids, repair)
    _note_columns(repairs)
    kept = _without_copies(repairs)
    parents = _linked(repairs, kept)
    ids = _numbered(repairs, kept)
    _cut_cycles(repairs, kept, ids, parents)
    kept, ids, parents = _without_unplaced(repairs, kept, ids, parents)
    order = parents_first(parents)
    place = np.full(len(order) + 1, ROOT)
    place[order] = np.arange(len(order))
    rows = kept[order]
    nodes = SwcNodes(ids[order], place[parents[order]], table.values[rows, POINT], _radii(repairs, rows), _kinds(repairs, rows))
    return nodes, tuple(repairs.notes)


def _refusal(table: SwcTable, row: int, what: str, remedy: str) -> FormatError:
    return FormatError(
        f"'{table.path}', line {table.lines[row]}: {what}", "trees of numbered nodes", f"correct the line, or {remedy}"
    )


def _whole_ids(table: SwcTable) -> np.ndarray:
    """The ids. Raises FormatError for ids and parents that are no whole numbers, and for negative ids."""
    for column, what in ((NODE, "id"), (PARENT, "parent")):
        values = table.values[:, column]
        whole = np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < LARGEST_ID)
        good = whole & (values >= 0) if column == NODE else whole
        if not good.all():
            row = int(np.flatnonzero(~good)[0])
            kind = "whole number of 0 and more" if column == NODE else "whole number"
            raise _refusal(table, row, f"{what} {values[row]:g} is no {kind}", "number the nodes anew")
    return table.values[:, NODE].astype(np.int64)


def _require_near(table: SwcTable) -> None:
    values = table.values[:, 2:6]
    with np.errstate(invalid="ignore"):
        far = (np.isfinite(values) & (np.abs(values) > FARTHEST)).any(axis=1)
    if far.any():
        row = int(np.flatnonzero(far)[0])
        raise _refusal(table, row, f"a number above {FARTHEST:g} ({np.nanmax(np.abs(values[row])):g})", "export the file again")


def _note_columns(repairs: _Repairs) -> None:
    table = repairs.table
    if table.skipped and not repairs.allowed:
        raise FormatError(f"'{table.path}', line {table.skipped} names columns", "a comment sign before it", "put a # before it")
    if table.skipped:
        repairs.notes.append(f"names of columns skipped: line {table.skipped}")
    if not table.has_radii:
        if not repairs.allowed:
            raise _refusal(table, 0, "no radius column", "read it with repair=True")
        repairs.notes.append(f"missing radius column set to 0: line {table.lines[0]} and all others")


def _without_copies(repairs: _Repairs) -> np.ndarray:
    """The rows that do not repeat an earlier one number for number."""
    values, ids = repairs.table.values, repairs.ids
    _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
    seen: set[bytes] = set()
    copies = []
    for row in np.flatnonzero(counts[inverse] > 1):
        line = values[row].tobytes()
        if line in seen:
            copies.append(row)
        seen.add(line)
    rows = np.array(copies, np.int64)
    repairs.note("stands twice", "identical line dropped", rows)
    return np.delete(np.arange(len(ids)), rows)


def _linked(repairs: _Repairs, kept: np.ndarray) -> np.ndarray:
    """(k,) the place in `kept` of each kept row's parent, or ROOT; of several with that id the nearest above, else below."""
    ids, wanted = repairs.ids[kept], repairs.table.values[kept, PARENT].astype(np.int64)
    places = np.arange(len(kept))
    known, number = np.unique(ids, return_inverse=True)
    # One key per node, ordered by id and then by line: the key before a child's own place is the nearest one above it.
    order = np.argsort(number, kind="stable")
    keys = number[order] * len(kept) + order
    wanted_number = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    exists = known[wanted_number] == wanted
    below = np.searchsorted(keys, wanted_number * len(kept) + places)
    above = np.maximum(below - 1, 0)
    is_above = ids[order[above]] == wanted
    parents = order[np.where(is_above, above, np.minimum(below, len(kept) - 1))]
    parents[~exists | (wanted == ids)] = ROOT
    lost = ~exists & (wanted != ROOT)
    repairs.note("has a parent that does not exist", "node without its parent made a root", kept[lost])
    return np.asarray(parents)


def _numbered(repairs: _Repairs, kept: np.ndarray) -> np.ndarray:
    """The ids of the kept rows, new ones where an id was taken before."""
    ids = repairs.ids[kept]
    _, first = np.unique(ids, return_index=True)
    taken = np.delete(np.arange(len(ids)), first)
    numbered = ids.copy()
    numbered[taken] = ids.max() + 1 + np.arange(len(taken))
    repairs.note("has an id that another one has", f"repeated id replaced by those after {ids.max()}", kept[taken])
    return np.asarray(numbered)


def _cut_cycles(repairs: _Repairs, kept: np.ndarray, ids: np.ndarray, parents: np.ndarray) -> None:
    """Make the lowest id of each cycle a root, in place."""
    cut = np.flatnonzero(_lowest_of_cycles(parents, ids))
    repairs.note("is its own ancestor", "cycle cut, its lowest id made a root", kept[cut])
    parents[cut] = ROOT


@njit(cache=True)
def _lowest_of_cycles(parents: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """(n,) bool: the nodes with the lowest id of each cycle. Every node is walked over once, or twice where it is in a cycle."""
    walk = np.zeros(len(parents), np.int64)
    lowest = np.zeros(len(parents), np.bool_)
    for start in range(len(parents)):
        row = start
        while row >= 0 and walk[row] == 0:
            walk[row] = start + 1
            row = parents[row]
        if row < 0 or walk[row] != start + 1:
            continue
        best, other = row, parents[row]
        while other != row:
            if ids[other] < ids[best]:
                best = other
            other = parents[other]
        lowest[best] = True
    return lowest


def _without_unplaced(
    repairs: _Repairs, kept: np.ndarray, ids: np.ndarray, parents: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, ids and parents without nodes whose coordinates are not finite; their children go to the next ancestor."""
    placed = np.isfinite(repairs.table.values[kept, POINT]).all(axis=1)
    if placed.all():
        return kept, ids, parents
    repairs.note("has a coordinate that is not finite", "node without place removed", kept[~placed])
    if not placed.any():
        raise _refusal(repairs.table, int(kept[0]), "no node has finite coordinates", "export the file again")
    above = parents.copy()
    for row in parents_first(parents).tolist():
        if above[row] >= 0 and not placed[above[row]]:
            above[row] = above[above[row]]
    place = np.append(np.where(placed, np.cumsum(placed) - 1, ROOT), ROOT)
    return kept[placed], ids[placed], place[above[placed]]


def _radii(repairs: _Repairs, rows: np.ndarray) -> np.ndarray:
    radii = repairs.table.values[rows, RADIUS]
    finite = np.isfinite(radii)
    negative = finite & (radii < 0)
    repairs.note("has a negative radius", "negative radius set to 0", np.sort(rows[negative]))
    repairs.note("has a radius that is not finite", "radius that is not finite set to 0", np.sort(rows[~finite]))
    return np.where(finite & ~negative, radii, 0.0)


def _kinds(repairs: _Repairs, rows: np.ndarray) -> np.ndarray:
    kinds = repairs.table.values[rows, KIND]
    whole = np.isfinite(kinds) & (np.abs(kinds) < LARGEST_ID)
    whole &= np.where(whole, kinds, 0) == np.rint(np.where(whole, kinds, 0))
    repairs.note("has a type that is no whole number", "type that is no whole number set to 0", np.sort(rows[~whole]))
    return np.where(whole, kinds, 0).astype(np.int64)
