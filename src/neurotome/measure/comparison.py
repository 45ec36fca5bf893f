"""A segmentation held against a truth: which voxels count, which truth objects there are, and the table of what meets what.

`compare` reads both volumes once, slab by slab. Scores, error tables and object tables are then asked of the `Comparison`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from neurotome.core import Box, InputError, Labels, Progress, UnknownNameError, silent
from neurotome.measure.components import SlabComponents
from neurotome.measure.contingency import Contingency, PairCounter, TruthZero, as_ids, slab_bounds
from neurotome.measure.support import away_from_borders, named_support

__all__ = ["Comparison", "Slab", "TruthParts", "compare"]

TruthParts = Literal["as given", "components"]


@dataclass(frozen=True, eq=False)
class Slab:
    """Some sections of the support: ids of truth and segmentation (z, y, x), and which voxels count (None: all).

    z: the slab's first section, counted from the start of the support.
    """

    z: int
    truth: np.ndarray
    segmentation: np.ndarray
    keep: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found. box: the support; support: its name, with every rule that changes a number."""

    segmentation: Labels
    truth: Labels
    box: Box
    support: str
    truth_zero: TruthZero
    border_nm: float | None
    table: Contingency
    components: SlabComponents | None = field(default=None, repr=False)

    def slabs(self) -> Iterator[Slab]:
        """The support again, slab by slab, with the truth ids of the table."""
        for index, slab in enumerate(_read_slabs(self.segmentation, self.truth, self.box, self.border_nm)):
            if self.components is None:
                yield slab
            else:
                yield Slab(slab.z, self.components.paint(slab.truth, index), slab.segmentation, slab.keep)

    def truth_label(self, truth_ids: np.ndarray) -> np.ndarray:
        """The label in the truth volume of each truth id of the table: only components have another one."""
        return truth_ids if self.components is None else self.components.labels[truth_ids.astype(np.int64)]


def compare(
    segmentation: Labels,
    truth: Labels,
    *,
    support: str | Box = "full",
    force: bool = False,
    truth_parts: TruthParts = "as given",
    border_nm: float | None = None,
    truth_zero: TruthZero = "ignore",
    progress: Progress = silent,
) -> Comparison:
    """Count what meets what in the support.

    support: "full", "snemi_crop" (of another shape than the challenge's only with `force`) or a Box.
    truth_parts: "components" first cuts the truth, inside the support, into its 6-connected components of equal label, because
    a crop disconnects neurons. border_nm: ignore truth pixels within this distance, in their section, of a pixel with a
    differing 4-neighbour.
    truth_zero: "ignore" scores no voxel with truth 0, "object" takes 0 for a label like any other.

    Raises ShapeError or UnitError where the two volumes differ in shape, voxel size or origin; InputError where the truth has
    no label above 0 in the support; UnknownNameError for unknown names.
    """
    segmentation.grid.require_same(truth.grid, f"segmentation '{segmentation.name}'", f"truth '{truth.name}'")
    box, name = named_support(support, truth.grid.shape, force=force)
    if truth_parts not in ("as given", "components"):
        raise UnknownNameError("kind of truth parts", truth_parts, ("as given", "components"))
    if truth_zero not in ("ignore", "object"):
        raise UnknownNameError("treatment of truth label 0", truth_zero, ("ignore", "object"))
    components = SlabComponents() if truth_parts == "components" else None
    counter, done = PairCounter(), 0
    for slab in _read_slabs(segmentation, truth, box, border_nm):
        counter.add(components.add_provisional(slab.truth) if components else slab.truth, slab.segmentation, slab.keep)
        done += len(slab.truth)
        progress("compare labels", done, box.shape[0])
    table = counter.table()
    if components:
        components.close()
        table = table.renamed(components.final(table.truth))
    _require_truth(table, name)
    name = _with_rules(name, truth_parts, border_nm, truth_zero)
    return Comparison(segmentation, truth, box, name, truth_zero, border_nm, table, components)


def _read_slabs(segmentation: Labels, truth: Labels, box: Box, border_nm: float | None) -> Iterator[Slab]:
    _, height, width = truth.grid.shape
    for start, stop in slab_bounds(box.shape):
        part = Box((box.start[0] + start, *box.start[1:]), (box.start[0] + stop, *box.stop[1:]))
        keep, sections = None, part
        if border_nm is not None:
            # Borders are those of the whole section: a crop must not make or hide one.
            sections = Box((part.start[0], 0, 0), (part.stop[0], height, width))
        ids = as_ids(truth.read(sections), truth.name)
        if border_nm is not None:
            _, y, x = part.slices
            keep = np.ascontiguousarray(away_from_borders(ids, border_nm, truth.grid.voxel_nm[1:])[:, y, x])
            ids = np.ascontiguousarray(ids[:, y, x])
        yield Slab(start, ids, as_ids(segmentation.read(part), segmentation.name), keep)


def _with_rules(support: str, truth_parts: TruthParts, border_nm: float | None, truth_zero: TruthZero) -> str:
    """The support's name with every rule that is not the default: numbers under other rules are not comparable."""
    rules = [support]
    if truth_parts == "components":
        rules.append("truth components")
    if border_nm is not None:
        rules.append(f"border {border_nm:g} nm ignored")
    if truth_zero == "object":
        rules.append("truth 0 an object")
    return "; ".join(rules)


def _require_truth(table: Contingency, support: str) -> None:
    if np.any(table.truth > 0):
        return
    raise InputError(
        f"Truth has no label above 0 in support '{support}': {table.voxels.sum()} voxels are 0, {table.ignored} ignored",
        "at least one labelled voxel",
        "check the support, and that truth and segmentation are not exchanged",
    )
