"""Where the errors are: every split and merge, worst first, with a place to look at; and how each object fared.

Split: truth i holds the segments k (largest) and j. Merge: segment j holds the truths k (largest) and i.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from neurotome.core import Box, Grid, Progress, silent
from neurotome.measure.comparison import Comparison
from neurotome.measure.contingency import Contingency, same_width
from neurotome.measure.crossing import BoxParts, Contacts, PartPainter, nearest_pairs, part_runs, with_neighbours
from neurotome.measure.partition import n_log_n, totals
from neurotome.measure.planes import Waiting

__all__ = ["ERROR_COLUMNS", "ErrorRow", "ErrorTable", "error_table"]


@dataclass(frozen=True)
class ErrorRow:
    """One row of errors.csv.

    voxels: overlap of truth_id and segment_id, the part in error; other_voxels: the larger part that it should have been one with
    (split) or kept apart from (merge). cost_bits: how much VOI split + merge would fall if the part were relabelled.
    z, y, x: a voxel of the part in error, where it meets the other part; contact_voxels: neighbouring voxel pairs between the
    two, 0 where they do not touch and the place is the nearest voxel. link is empty until a viewer fills it.
    """

    rank: int
    kind: str
    truth_id: int
    segment_id: int
    other_truth_id: int
    other_segment_id: int
    voxels: int
    other_voxels: int
    cost_bits: float
    z: int
    y: int
    x: int
    z_nm: float
    y_nm: float
    x_nm: float
    contact_voxels: int
    link: str = ""


ERROR_COLUMNS = tuple(f.name for f in fields(ErrorRow))


@dataclass(frozen=True)
class ErrorTable:
    """Errors by falling cost. found: how many there are, of which `rows` holds the worst."""

    rows: tuple[ErrorRow, ...]
    found: int

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ErrorRow]:
        return iter(self.rows)

    def to_rows(self) -> list[dict[str, Any]]:
        """Plain rows, keys in the order of ERROR_COLUMNS."""
        return [asdict(row) for row in self.rows]


@dataclass(frozen=True, eq=False)
class _Found:
    """Errors as row numbers of the scored table: the part in error and the larger part, by falling cost."""

    split: np.ndarray
    part: np.ndarray
    partner: np.ndarray
    cost_bits: np.ndarray

    def take(self, order: np.ndarray) -> _Found:
        return _Found(self.split[order], self.part[order], self.partner[order], self.cost_bits[order])


def error_table(
    comparison: Comparison, *, discard: int = 10, limit: int | None = None, progress: Progress = silent
) -> ErrorTable:
    """Splits and merges of more than `discard` voxels, worst first; places are found for the `limit` worst (default: for all).

    Reads both volumes twice more, box by box. Coordinates count from the corner of the volume, whatever the support. Memory grows
    with the pairs of the table, and with the runs of the parts among the located errors that do not touch.
    """
    table = comparison.table.scored(comparison.truth_zero)
    found = _errors(table, discard)
    kept = found.take(np.arange(len(found.part))[:limit])
    places, contact = _places(comparison, table, kept, progress)
    rows = _rows(table, kept, places + np.array(comparison.box.start), contact, comparison.truth.grid)
    return ErrorTable(rows, len(found.part))


def _errors(table: Contingency, discard: int) -> _Found:
    large = np.flatnonzero((table.voxels > discard) & (table.segmentation > 0))
    split, split_partner = _against_largest(table.truth[large], table.voxels[large])
    merge, merge_partner = _against_largest(table.segmentation[large], table.voxels[large])
    part = large[np.concatenate([split, merge])]
    partner = large[np.concatenate([split_partner, merge_partner])]
    is_split = np.arange(len(part)) < len(split)
    cost = np.where(is_split, _split_cost(table, part, partner), _merge_cost(table, part))
    found = _Found(is_split, part, partner, cost)
    return found.take(np.lexsort((part, ~is_split, -cost)))


def _against_largest(groups: np.ndarray, voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per group, each member but the largest, and beside it the largest (the first of equals)."""
    order = np.lexsort((np.arange(len(groups)), -voxels, groups))
    ordered = groups[order]
    leads = np.ones(len(order), bool)
    leads[1:] = ordered[1:] != ordered[:-1]
    largest = order[np.flatnonzero(leads)][np.cumsum(leads) - 1] if len(order) else order
    return order[~leads], largest[~leads]


def _split_cost(table: Contingency, part: np.ndarray, partner: np.ndarray) -> np.ndarray:
    """Bits saved if the voxels (i, j) were relabelled k, from the table alone."""
    segment_voxels = _per_row_totals(table.segmentation, table.voxels)
    mine, larger = table.voxels[part], table.voxels[partner]
    of_j, of_k = segment_voxels[part], segment_voxels[partner]
    pairs = n_log_n(mine + larger) - n_log_n(mine) - n_log_n(larger)
    segments = n_log_n(of_j - mine) - n_log_n(of_j) + n_log_n(of_k + mine) - n_log_n(of_k)
    return np.asarray((2 * pairs - segments) / table.voxels.sum())


def _merge_cost(table: Contingency, part: np.ndarray) -> np.ndarray:
    """Bits saved if the voxels (i, j) got an id of their own, from the table alone."""
    of_j, mine = _per_row_totals(table.segmentation, table.voxels)[part], table.voxels[part]
    return np.asarray((n_log_n(of_j) - n_log_n(of_j - mine) - n_log_n(mine)) / table.voxels.sum())


def _per_row_totals(ids: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    _, inverse = np.unique(ids, return_inverse=True)
    return totals(ids, voxels)[inverse]


def _places(comparison: Comparison, table: Contingency, found: _Found, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Where part and partner meet (r, 3), counted from the support's corner, and how many voxel pairs do."""
    if len(found.part) == 0:
        return np.zeros((0, 3), np.int64), np.zeros(0, np.int64)
    involved, numbers = np.unique(np.concatenate([found.part, found.partner]), return_inverse=True)
    part, partner = numbers[: len(found.part)], numbers[len(found.part) :]
    painter = PartPainter(table.truth[involved], table.segmentation[involved])
    contacts = Contacts(part, partner, comparison.truth.grid.voxel_nm, comparison.box.shape)
    for box in _painted(comparison, painter, "measure contacts", progress):
        contacts.add(box)
    apart = contacts.voxels == 0
    wanted = np.zeros(len(involved), bool)
    wanted[part[apart]] = wanted[partner[apart]] = True
    runs = [np.zeros((0, 5), np.int64)]
    for box in _painted(comparison, painter, "locate errors", progress):
        contacts.settle(box)
        if wanted.any():
            runs.append(part_runs(box.parts, wanted, box.corner))
    places = contacts.places
    places[apart] = nearest_pairs(np.concatenate(runs), part[apart], partner[apart], comparison.truth.grid.voxel_nm)
    return places, contacts.voxels


def _painted(comparison: Comparison, painter: PartPainter, what: str, progress: Progress) -> Iterator[BoxParts]:
    done = 0
    with Waiting(Box((0, 0, 0), comparison.box.shape)) as waiting:
        for ids in comparison.read_boxes():
            parts = painter.paint(*same_width(ids.truth, ids.segmentation), ids.keep)
            yield with_neighbours(ids.box.inside(comparison.box), parts, waiting)
            done += ids.box.size
            progress(what, done, comparison.box.size)


def _rows(table: Contingency, found: _Found, places: np.ndarray, contact: np.ndarray, grid: Grid) -> tuple[ErrorRow, ...]:
    rows = []
    for r, (part, partner) in enumerate(zip(found.part, found.partner, strict=True)):
        z, y, x = (int(v) for v in places[r])
        z_nm, y_nm, x_nm = grid.to_nm((z, y, x))
        rows.append(
            ErrorRow(
                rank=r + 1,
                kind="split" if found.split[r] else "merge",
                truth_id=int(table.truth[part]),
                segment_id=int(table.segmentation[part]),
                other_truth_id=int(table.truth[partner]),
                other_segment_id=int(table.segmentation[partner]),
                voxels=int(table.voxels[part]),
                other_voxels=int(table.voxels[partner]),
                cost_bits=float(found.cost_bits[r]),
                z=z,
                y=y,
                x=x,
                z_nm=z_nm,
                y_nm=y_nm,
                x_nm=x_nm,
                contact_voxels=int(contact[r]),
            )
        )
    return tuple(rows)
