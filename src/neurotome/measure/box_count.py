"""What one box adds to a comparison: the work of a block, small enough to be written to a file.

      truth, segmentation (any size)
      | read a box (and the border's reach in its sections)
BoxIds: the ids, and which voxels count
      | count_box
BoxCount: rows of the table, ids on the support's faces; for truth components the pieces of the box and its six faces
      | ComparisonBuilder.add
Comparison
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from neurotome.core import Box, Labels
from neurotome.measure.components import BoxPieces
from neurotome.measure.contingency import Contingency, PairCounter, TruthZero, as_ids
from neurotome.measure.planes import ThreePlanes, first_planes, last_planes, plane_of
from neurotome.measure.support import away_from_borders, border_reach

__all__ = ["BoxCount", "BoxIds", "PieceFaces", "Rules", "TruthParts", "count_box", "read_ids"]

TruthParts = Literal["as given", "components"]


@dataclass(frozen=True)
class Rules:
    """What a comparison counts: see `comparison_rules`. box: the support; support: its name."""

    box: Box
    support: str = "full"
    truth_parts: TruthParts = "as given"
    border_nm: float | None = None
    truth_zero: TruthZero = "ignore"

    @property
    def name(self) -> str:
        """The support's name with every rule that is not the default: numbers under other rules are not comparable."""
        rules = [self.support]
        if self.truth_parts == "components":
            rules.append("truth components")
        if self.border_nm is not None:
            rules.append(f"border {self.border_nm:g} nm ignored")
        if self.truth_zero == "object":
            rules.append("truth 0 an object")
        return "; ".join(rules)


@dataclass(frozen=True, eq=False)
class BoxIds:
    """A box of the support: ids of truth and segmentation (z, y, x), and which voxels count (None: all)."""

    box: Box
    truth: np.ndarray
    segmentation: np.ndarray
    keep: np.ndarray | None


@dataclass(frozen=True, eq=False)
class PieceFaces:
    """The truth components inside one box, 1..n, and where they reach its faces.

    first: (n,) int64, linear index in the support of their first voxels; labels: (n,) uint64.
    """

    first: np.ndarray
    labels: np.ndarray
    lower: ThreePlanes
    upper: ThreePlanes


@dataclass(frozen=True, eq=False)
class BoxCount:
    """What one box adds. table: its truth ids are labels, or the pieces of this box.

    border: ids of truth (as in the table) and segmentation that reach a face of the support.
    """

    box: Box
    table: Contingency
    border: tuple[np.ndarray, np.ndarray]
    pieces: PieceFaces | None = None


def read_ids(segmentation: Labels, truth: Labels, rules: Rules, box: Box) -> BoxIds:
    """Read one box of the two volumes."""
    if rules.border_nm is None:
        keep, ids = None, as_ids(truth.read(box), truth.name)
    else:
        # Borders are those of the whole section: neither a crop nor a box may make or hide one.
        pixel = truth.grid.voxel_nm[1:]
        around = box.grow(border_reach(rules.border_nm, pixel)).clip(truth.grid.shape)
        inside = box.inside(around).slices
        ids = as_ids(truth.read(around), truth.name)
        keep = np.ascontiguousarray(away_from_borders(ids, rules.border_nm, pixel)[inside])
        ids = np.ascontiguousarray(ids[inside])
    return BoxIds(box, ids, as_ids(segmentation.read(box), segmentation.name), keep)


def count_box(segmentation: Labels, truth: Labels, rules: Rules, box: Box) -> BoxCount:
    """Count one box of the support."""
    found = read_ids(segmentation, truth, rules, box)
    ids, pieces = found.truth, None
    if rules.truth_parts == "components":
        components = BoxPieces.of(ids)
        ids = components.paint(np.arange(len(components) + 1, dtype=np.uint32 if box.size < 2**32 else np.uint64))
        first = components.first_index(box.inside(rules.box).start, rules.box.shape)
        pieces = PieceFaces(first, components.labels, first_planes(ids), last_planes(ids))
    counter = PairCounter()
    counter.add(ids, found.segmentation, found.keep)
    border = tuple(_ids_on_faces(volume, box, rules.box) for volume in (ids, found.segmentation))
    return BoxCount(box, counter.table(), (border[0], border[1]), pieces)


def _ids_on_faces(ids: np.ndarray, box: Box, support: Box) -> np.ndarray:
    """Ids of the box on the six faces of the support."""
    faces = [plane_of(ids, axis, 0) for axis in range(3) if box.start[axis] == support.start[axis]]
    faces += [plane_of(ids, axis, -1) for axis in range(3) if box.stop[axis] == support.stop[axis]]
    return np.unique(np.concatenate([np.zeros(0, ids.dtype), *(plane.values for plane in faces)]))
