"""The unit of the numbers in a file that has none by its format: what its comments state, or what the caller says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from neurotome.core import FormatError, Grid, UnitError, UnknownNameError, length_nm
from neurotome.core.geometry import Nm3

__all__ = ["UNITS", "stated", "unit_of"]

UNITS = ("um", "nm", "voxel")
NM_PER_UM = 1000.0


def unit_of(path: Path, header: Sequence[str], unit: str | None, voxel_nm: Nm3 | None, *, kind: str = "SWC") -> tuple[str, Nm3]:
    """The unit, and the nm (z, y, x) of 1 in the file.

    header: the comment lines of the file, where `unit: nm` (or "coordinates in nm") and `voxel_nm: 30 6 6` may stand. unit,
    voxel_nm: what the caller says. kind: of the file, for the message.

    Raises UnitError where the unit is missing or another than the file's, UnknownNameError, FormatError.
    """
    said = _stated_unit(path, header)
    if unit is not None and unit not in UNITS:
        raise UnknownNameError(f"unit of {kind} files", unit, UNITS)
    if unit and said and unit != said:
        raise UnitError(f"'{path}' is in {said}, --unit {unit}", "the same unit", "leave out --unit, or correct the file")
    unit = unit or said
    if unit is None:
        raise UnitError(
            f"'{path}' does not state its unit, {kind} has none",
            "um, nm or voxel",
            "give --unit um, or --unit voxel with --voxel-nm Z Y X (in Python: unit='um')",
        )
    if unit != "voxel":
        return unit, (NM_PER_UM,) * 3 if unit == "um" else (1.0, 1.0, 1.0)
    return unit, _voxel_of(path, header, voxel_nm)


def stated(key: str, header: Sequence[str]) -> str | None:
    """What the first header line `key: value` says.

    >>> stated("unit", ["made by hand", "unit: um"])
    'um'
    """
    for line in header:
        if match := re.match(rf"\W*{key}\s*:\s*(.*\S)", line, re.IGNORECASE):
            return match[1]
    return None


def _stated_unit(path: Path, header: Sequence[str]) -> str | None:
    """The unit in the header; a word there that is no length says nothing."""
    said = stated("unit", header) or _of_coordinates(header)
    if said is None or said in UNITS:
        return said
    try:
        nm = length_nm(1.0, said)
    except UnitError:
        return None
    known = {NM_PER_UM: "um", 1.0: "nm"}
    if nm not in known:
        raise FormatError(f"'{path}' says '# unit: {said}'", f"one of {', '.join(UNITS)}", "convert the file")
    return known[nm]


def _of_coordinates(header: Sequence[str]) -> str | None:
    """
    >>> _of_coordinates(["coordinates in micrometres"]), _of_coordinates(["the soma is in layer 4"])
    ('micrometres', None)
    """
    matches = (re.match(r"\W*coordinates (?:are )?in (\w+)\W*$", line, re.IGNORECASE) for line in header)
    return next((match[1] for match in matches if match), None)


def _voxel_of(path: Path, header: Sequence[str], voxel_nm: Nm3 | None) -> Nm3:
    """The voxel size given, or the one that the header states as nm along z, y, x."""
    if voxel_nm is None and (said := stated("voxel_nm", header)) is not None:
        try:
            z, y, x = (float(part) for part in said.replace(",", " ").split())
        except ValueError as error:
            raise FormatError(f"'{path}' says '# voxel_nm: {said}'", "nm along z, y and x", "correct that line") from error
        voxel_nm = (z, y, x)
    if voxel_nm is None:
        raise UnitError(
            f"'{path}' is in voxels of unknown size",
            "the length of a voxel along z, y and x in nm",
            "give --voxel-nm Z Y X, for example --voxel-nm 300 300 300 (in Python: voxel_nm=(300, 300, 300))",
        )
    return Grid((1, 1, 1), voxel_nm).voxel_nm
