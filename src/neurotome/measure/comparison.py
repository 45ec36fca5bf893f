"""A segmentation held against a truth: which voxels count, which truth objects there are, and the table of what meets what.

`compare` reads both volumes once, box by box. Scores, error tables and object tables are then asked of the `Comparison`.
Memory is bounded by one box, and grows with the pairs that meet and, for truth components, with the pieces of objects in boxes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from neurotome.core import Box, InputError, Labels, Progress, UnknownNameError, silent
from neurotome.core.geometry import Int3
from neurotome.measure.box_count import BoxCount, BoxIds, Rules, TruthParts, count_box, read_ids
from neurotome.measure.boxes import boxes_of, require_tiling
from neurotome.measure.components import BoxPieces, PieceUnion
from neurotome.measure.contingency import Contingency, GrowingTable, TruthZero
from neurotome.measure.planes import Waiting, shifted_planes
from neurotome.measure.support import named_support

__all__ = ["Comparison", "ComparisonBuilder", "Components", "compare", "comparison_rules"]

_FEW_IDS = 1 << 20


@dataclass(frozen=True, eq=False)
class Components:
    """The parts that the truth was cut into. labels: (n + 1,) uint64, the label of each, labels[0] = 0.

    bases, component: piece k of the box that starts at s belongs to component[bases[s] + k].
    """

    labels: np.ndarray
    bases: dict[Int3, int]
    component: np.ndarray

    def paint(self, truth: np.ndarray, start: Int3) -> np.ndarray:
        """Component of each voxel of the box that starts there, from its labels; (z, y, x) uint32, or uint64 for more."""
        pieces = BoxPieces.of(truth)
        base = self.bases[start]
        names = self.component[base : base + len(pieces) + 1].astype(np.uint32 if len(self.labels) < 2**32 else np.uint64)
        names[0] = 0
        return pieces.paint(names)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found. border: ids of truth and segmentation that reach a face of the support, in order."""

    segmentation: Labels
    truth: Labels
    rules: Rules
    table: Contingency
    border: tuple[np.ndarray, np.ndarray] = field(repr=False)
    boxes: tuple[Box, ...] = field(repr=False)
    components: Components | None = field(default=None, repr=False)

    @property
    def box(self) -> Box:
        return self.rules.box

    @property
    def support(self) -> str:
        """The name of the support, with every rule that changes a number."""
        return self.rules.name

    @property
    def truth_zero(self) -> TruthZero:
        return self.rules.truth_zero

    @property
    def border_nm(self) -> float | None:
        return self.rules.border_nm

    def read_boxes(self) -> Iterator[BoxIds]:
        """The support again, box by box (z slowest), with the truth ids of the table."""
        for box in self.boxes:
            found = read_ids(self.segmentation, self.truth, self.rules, box)
            yield found if self.components is None else replace(found, truth=self.components.paint(found.truth, box.start))

    def truth_label(self, truth_ids: np.ndarray) -> np.ndarray:
        """The label in the truth volume of each truth id of the table: only components have another one."""
        return truth_ids if self.components is None else self.components.labels[truth_ids.astype(np.int64)]

    def as_given(self) -> Comparison:
        """The comparison with the truth before it was cut into components. Nothing is read again: their rows add up."""
        return replace(
            self,
            rules=replace(self.rules, truth_parts="as given"),
            table=self.table.renamed(self.truth_label(self.table.truth)),
            border=(np.unique(self.truth_label(self.border[0])), self.border[1]),
            components=None,
        )


def compare(
    segmentation: Labels,
    truth: Labels,
    *,
    support: str | Box = "full",
    force: bool = False,
    truth_parts: TruthParts = "as given",
    border_nm: float | None = None,
    truth_zero: TruthZero = "ignore",
    boxes: Sequence[Box] | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Count what meets what in the support.

    boxes: a lattice that tiles the support, z slowest (default: `boxes_of`); no result depends on it. The other options are those
    of `comparison_rules`.

    Raises ShapeError or UnitError where the two volumes differ in shape, voxel size or origin; InputError where the truth has
    no label above 0 in the support; UnknownNameError for unknown names.
    """
    rules = comparison_rules(
        segmentation, truth, support=support, force=force, truth_parts=truth_parts, border_nm=border_nm, truth_zero=truth_zero
    )
    if boxes is None:
        boxes = boxes_of(rules.box, truth.data, segmentation.data)
    require_tiling(boxes, rules.box)
    done = 0
    with ComparisonBuilder(rules) as builder:
        for box in boxes:
            builder.add(count_box(segmentation, truth, rules, box))
            done += box.size
            progress("compare labels", done, rules.box.size)
        return builder.comparison(segmentation, truth)


def comparison_rules(
    segmentation: Labels,
    truth: Labels,
    *,
    support: str | Box = "full",
    force: bool = False,
    truth_parts: TruthParts = "as given",
    border_nm: float | None = None,
    truth_zero: TruthZero = "ignore",
) -> Rules:
    """What a comparison counts, after a look at the two grids; nothing is read.

    support: "full", "snemi_crop" (of another shape than the challenge's only with `force`) or a Box.
    truth_parts: "components" first cuts the truth, inside the support, into its 6-connected components of equal label, because
    a crop disconnects neurons. border_nm: ignore truth pixels within this distance, in their section, of a pixel with a
    differing 4-neighbour.
    truth_zero: "ignore" scores no voxel with truth 0, "object" takes 0 for a label like any other.

    Raises ShapeError, UnitError, UnknownNameError.
    """
    segmentation.grid.require_same(truth.grid, f"segmentation '{segmentation.name}'", f"truth '{truth.name}'")
    box, name = named_support(support, truth.grid.shape, force=force)
    if truth_parts not in ("as given", "components"):
        raise UnknownNameError("kind of truth parts", truth_parts, ("as given", "components"))
    if truth_zero not in ("ignore", "object"):
        raise UnknownNameError("treatment of truth label 0", truth_zero, ("ignore", "object"))
    return Rules(box, name, truth_parts, border_nm, truth_zero)


class ComparisonBuilder:
    """A comparison that is still growing: `add` the counts of boxes, z slowest, then take the `comparison`.

    A context manager: faces of boxes that wait for their neighbours may lie in temporary files.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._union = PieceUnion() if rules.truth_parts == "components" else None
        self._table = GrowingTable(None if self._union is None else self._union.representatives)
        self._border = _DistinctIds(), _DistinctIds()
        self._bases: dict[Int3, int] = {}
        self._boxes: list[Box] = []
        self._waiting = Waiting(rules.box)

    def __enter__(self) -> ComparisonBuilder:
        return self

    def __exit__(self, *problem: object) -> None:
        self._waiting.close()

    def add(self, count: BoxCount) -> None:
        """Take in what one box adds."""
        self._boxes.append(count.box)
        table, on_border = count.table, count.border[0]
        if self._union is not None and count.pieces is not None:
            base = self._bases[count.box.start] = self._union.add(count.pieces.first, count.pieces.labels)
            neighbours = self._waiting.exchange(count.box, shifted_planes(count.pieces.upper, base))
            for lower, upper in zip(neighbours, shifted_planes(count.pieces.lower, base), strict=True):
                if lower is not None:
                    self._union.unite(lower, upper)
            table, on_border = table.renamed(_shifted(table.truth, base)), _shifted(on_border, base)
        self._table.add(table)
        self._border[0].add(on_border)
        self._border[1].add(count.border[1])

    def comparison(self, segmentation: Labels, truth: Labels) -> Comparison:
        """The comparison of the two volumes, once all boxes are in."""
        table, components = self._table.table(), None
        border = self._border[0].ids(), self._border[1].ids()
        if self._union is not None:
            component, labels = self._union.close()
            components = Components(labels, self._bases, component)
            table = table.renamed(component[table.truth.astype(np.int64)])
            border = np.unique(component[border[0].astype(np.int64)]), border[1]
        _require_truth(table, self._rules.name)
        return Comparison(segmentation, truth, self._rules, table, border, tuple(self._boxes), components)


class _DistinctIds:
    """A growing set of ids."""

    def __init__(self) -> None:
        self._parts = [np.zeros(0, np.uint64)]
        self._waiting = 0

    def add(self, ids: np.ndarray) -> None:
        self._parts.append(ids.astype(np.uint64))
        self._waiting += len(ids)
        if self._waiting > max(_FEW_IDS, len(self._parts[0])):
            self.ids()

    def ids(self) -> np.ndarray:
        """In order, (n,) uint64."""
        self._parts, self._waiting = [np.unique(np.concatenate(self._parts))], 0
        return self._parts[0]


def _shifted(pieces: np.ndarray, base: int) -> np.ndarray:
    return np.where(pieces > 0, pieces.astype(np.uint64) + np.uint64(base), np.uint64(0))


def _require_truth(table: Contingency, support: str) -> None:
    if np.any(table.truth > 0):
        return
    raise InputError(
        f"Truth has no label above 0 in support '{support}': {table.voxels.sum()} voxels are 0, {table.ignored} ignored",
        "at least one labelled voxel",
        "check the support, and that truth and segmentation are not exchanged",
    )
