"""SWC: one line `id type x y z radius parent` per node. Read tolerantly, every repair said; written strictly.

The format has no unit. Files written here say `# unit: um` in their first line; for others the unit must be given.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import ROOT, InputError, Skeleton
from neurotome.core.geometry import Nm3
from neurotome.io.atomic import atomic_target
from neurotome.io.open import require_exists
from neurotome.io.stated_unit import NM_PER_UM, UNITS, stated, unit_of
from neurotome.io.swc_repair import SwcNodes, repaired
from neurotome.io.swc_table import LINE_ENDS, read_table

__all__ = ["SWC_UNITS", "SwcFile", "read_swc", "write_swc"]

_log = logging.getLogger(__name__)

SWC_UNITS = UNITS
_LINE = "%d %d %.3f %.3f %.3f %.3f %d".__mod__


@dataclass(frozen=True, eq=False)
class SwcFile:
    """A skeleton as it was found. repairs: what had to be put right, one sentence per kind, with lines and ids.

    header: the comment lines, without #. unit: of the numbers in the file.
    """

    skeleton: Skeleton
    repairs: tuple[str, ...]
    header: tuple[str, ...]
    unit: str


def read_swc(path: Path | str, *, unit: str | None = None, voxel_nm: Nm3 | None = None, repair: bool = True) -> SwcFile:
    """Read an SWC file, of any separator, order of nodes, number of trees and further columns; nodes keep their ids.

    unit: "um", "nm" or "voxel", where the file does not say. voxel_nm: nm along z, y, x, for numbers in voxels; radii are taken
    as in-plane, times the geometric mean of y and x. repair: put right what can be (see `swc_repair`) and log it, else refuse it.

    Raises UnitError where the unit is missing or another than the file's, FormatError, with the line, for what is not SWC or,
    without `repair`, not sound; MissingFileError.
    """
    path = require_exists(Path(path))
    table = read_table(path)
    unit, (z, y, x) = unit_of(path, table.header, unit, voxel_nm)
    nodes, repairs = repaired(table, repair=repair)
    for note in repairs:
        _log.warning("'%s': %s", path, note)
    return SwcFile(_skeleton(nodes, (z, y, x), path.stem), repairs, table.header, unit)


def write_swc(path: Path | str, skeleton: Skeleton, *, header: Sequence[str] = ()) -> None:
    """Write a skeleton: um with three decimals, ids 1..n, parents first, roots with parent -1; complete or not at all.

    header: further comment lines, without #; lines about the unit are left out, as the first line says it. What is read from
    a file written here gives the same bytes when it is written again.

    Raises InputError for a skeleton without nodes and for a header line with a line end in it.
    """
    if not len(skeleton):
        raise InputError(f"'{skeleton.name}' has no node", "a skeleton of at least one node", "leave it out")
    bad = next((line for line in header if any(end in line for end in ("\n", *LINE_ENDS))), None)
    if bad is not None:
        raise InputError(f"A header line has a line end in it: {bad!r}", "one line each", "give several header lines")
    comments = ["unit: um", *(line.strip() for line in header if stated("unit", [line]) is None)]
    text = "\n".join([*(f"# {line}".rstrip() for line in comments), *_lines(skeleton), ""])
    with atomic_target(path) as temporary:
        temporary.write_bytes(text.encode())


def _lines(skeleton: Skeleton) -> Iterator[str]:
    n = len(skeleton)
    above = skeleton.parent_rows
    # Adding 0 to what is rounded already turns -0.000 into 0.000.
    um = np.round(np.column_stack([skeleton.points_nm[:, ::-1], skeleton.radii_nm]) / NM_PER_UM, 3) + 0.0
    parents = np.where(above >= 0, above + 1, ROOT)
    columns = (range(1, n + 1), skeleton.kinds.tolist(), *um.T.tolist(), parents.tolist())
    return map(_LINE, zip(*columns, strict=True))


def _skeleton(nodes: SwcNodes, voxel_nm: Nm3, name: str) -> Skeleton:
    z, y, x = voxel_nm
    parents = np.where(nodes.parents >= 0, nodes.ids[nodes.parents], ROOT)
    in_plane = x if x == y else float(np.sqrt(y * x))
    points_nm = nodes.points[:, ::-1] * np.array([z, y, x])
    return Skeleton(nodes.ids, parents, points_nm, nodes.radii * in_plane, nodes.kinds, name=name)
