"""How each truth object and each segment fared: its share of the VOI, its parts, whether the border cuts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from neurotome.measure.comparison import Comparison
from neurotome.measure.contingency import Contingency
from neurotome.measure.partition import n_log_n, totals

__all__ = ["OBJECT_COLUMNS", "ObjectRow", "ObjectTable", "object_table"]


@dataclass(frozen=True)
class ObjectRow:
    """One row of objects.csv.

    kind: "truth" or "segment". label: the label in the file, another than id only where the truth was cut into components.
    voxels: its scored voxels. The VOI shares (bits) of all truth objects sum to the totals, and so do those of all segments;
    segment 0 is listed for that reason. parts: overlaps of more than the discarded size with an object above 0 of the other side;
    largest_part_fraction: of `voxels`. touches_border: it reaches a face of the support.
    """

    kind: str
    id: int
    label: int
    voxels: int
    voi_split_bits: float
    voi_merge_bits: float
    parts: int
    largest_part_fraction: float
    touches_border: bool


OBJECT_COLUMNS = tuple(f.name for f in fields(ObjectRow))


@dataclass(frozen=True)
class ObjectTable:
    """Truth objects by id, then segments by id."""

    rows: tuple[ObjectRow, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ObjectRow]:
        return iter(self.rows)

    def to_rows(self) -> list[dict[str, Any]]:
        """Plain rows, keys in the order of OBJECT_COLUMNS."""
        return [asdict(row) for row in self.rows]


def object_table(comparison: Comparison, *, discard: int = 10) -> ObjectTable:
    """Every scored truth object and every segment that meets one. Nothing is read again."""
    table = comparison.table.scored(comparison.truth_zero)
    truth_faces, segment_faces = comparison.border
    split, merge = _shares(table)
    seen = table.segmentation > 0
    large = (table.voxels > discard) & seen
    as_part = np.where(seen, table.voxels, 0)
    rows: list[ObjectRow] = []
    for kind, ids, faces in (("truth", table.truth, truth_faces), ("segment", table.segmentation, segment_faces)):
        unique, inverse = np.unique(ids, return_inverse=True)
        voxels = totals(ids, table.voxels)
        largest = np.zeros(len(unique), np.int64)
        np.maximum.at(largest, inverse, as_part if kind == "truth" else table.voxels)
        columns = (
            unique,
            comparison.truth_label(unique) if kind == "truth" else unique,
            voxels,
            np.bincount(inverse, split, len(unique)),
            np.bincount(inverse, merge, len(unique)),
            np.bincount(inverse, large, len(unique)).astype(np.int64),
            largest / voxels,
            np.isin(unique, faces),
        )
        rows += [ObjectRow(kind, *values) for values in zip(*(c.tolist() for c in columns), strict=True)]
    return ObjectTable(tuple(rows))


def _shares(table: Contingency) -> tuple[np.ndarray, np.ndarray]:
    """Share of each row of the table in VOI split and merge: n_ij / n log2(a_i / n_ij) and n_ij / n log2(b_j / n_ij)."""
    n = table.voxels.sum()
    shares = []
    for ids in (table.truth, table.segmentation):
        whole = totals(ids, table.voxels)[np.unique(ids, return_inverse=True)[1]]
        shares.append((table.voxels * np.log2(whole) - n_log_n(table.voxels)) / n)
    return shares[0], shares[1]
