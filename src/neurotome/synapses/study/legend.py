"""Which label ids are what, volume by volume: read from a file, never written in code.

v1: {mitochondria: 1, vesicles: 2, cleft: 4, cleft2: 3}      YAML or JSON; a value is an id or a list of ids
default: {mitochondria: 5, vesicles: 6, cleft: [7, 8]}       of volumes that have no entry, only where it is written

volume,mitochondria,vesicles,cleft                           the same as CSV; several ids in a cell with blanks between
v1,1,2,4 3
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from neurotome.core import OPERANDS, FormatError, InputError, Structures, UnknownNameError, ValueRangeError
from neurotome.io.open import require_exists

__all__ = ["DEFAULT_VOLUME", "USUAL_STRUCTURES", "mapping_of_file", "packaged", "read_legend", "structures_of"]

DEFAULT_VOLUME = "default"
"""The entry that counts for every volume without one."""
USUAL_STRUCTURES = ("mitochondria", "vesicles", "cleft", "cleft2")
"""What the presets of masks ask for. Other names become operands of their own."""
# What a mask expression means by these words cannot be a structure of a legend.
_TAKEN = {*OPERANDS, "all", "clefts", "all_clefts", "dilate", "erode", "near", "box"} - set(USUAL_STRUCTURES)


def read_legend(source: Path | str | Mapping[str, Any]) -> dict[str, Structures]:
    """Ids of every structure of every volume.

    source: a YAML, JSON or CSV file, what such a file holds, or "sce" for the volumes of SynapseClusterEM.

    Raises FormatError for what is no legend and for a volume that is there twice, ValueRangeError for an id below 1, InputError
    for a name that masks use for something else, MissingFileError.

    >>> read_legend({"v1": {"vesicles": 2, "cleft": [4, 3]}})
    {'v1': {'vesicles': (2,), 'cleft': (3, 4)}}
    """
    if isinstance(source, Mapping):
        found, where = source, "The legend"
    elif str(source) == "sce":
        found, where = packaged("sce_legend.yaml"), "The legend 'sce'"
    else:
        path = require_exists(Path(source))
        found, where = _csv_legend(path) if path.suffix.lower() == ".csv" else mapping_of_file(path), f"Legend '{path}'"
    if not found:
        raise FormatError(f"{where} is empty", "volume: {vesicles: 2, cleft: 4}", "name the ids of each volume")
    return {str(volume): _structures(where, str(volume), entry) for volume, entry in found.items()}


def structures_of(legend: Mapping[str, Structures], volume: str) -> Structures:
    """The ids of one volume, or those of the entry `default` where the legend has one.

    Raises UnknownNameError that names the volume, those of the legend and the closest of them.
    """
    if volume in legend:
        return legend[volume]
    if DEFAULT_VOLUME in legend:
        return legend[DEFAULT_VOLUME]
    raise UnknownNameError("volume of the legend", volume, legend)


def packaged(name: str) -> Any:
    """What a YAML file that comes with this package holds."""
    return yaml.safe_load(files("neurotome.synapses.study").joinpath(name).read_text(encoding="utf-8"))


def mapping_of_file(path: Path) -> dict[str, Any]:
    """A YAML or JSON file that names things. Raises FormatError, also where a name comes twice."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        if path.suffix.lower() == ".json":
            found = json.loads(text, object_pairs_hook=_once_each)
        else:
            found = yaml.load(text, _EachKeyOnce)
    except (ValueError, yaml.YAMLError) as error:
        raise FormatError(f"'{path}' cannot be read ({error})", "YAML or JSON, each name once", "correct the file") from error
    if found is not None and not isinstance(found, Mapping):
        raise FormatError(f"'{path}' holds a {type(found).__name__}", "names with a value each", "correct the file")
    return dict(found or {})


class _EachKeyOnce(yaml.SafeLoader):
    """Refuses what the standard loader hides: of two entries with one name it keeps the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (as its parent)
        # Built in full, so that a list as a value is there when the pairs are looked at.
        pairs = [(self.construct_object(k, deep=True), self.construct_object(v, deep=True)) for k, v in node.value]
        return _once_each(pairs)


def _once_each(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"'{key}' is there twice")
        found[key] = value
    return found


def _csv_legend(path: Path) -> dict[str, Any]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    if not rows or "volume" not in rows[0]:
        raise FormatError(f"Legend '{path}' has no column 'volume'", "volume,mitochondria,vesicles,cleft", "add a header")
    entries = [(row.pop("volume"), {name: _cell_ids(cell) for name, cell in row.items() if name and cell}) for row in rows]
    try:
        return _once_each(entries)
    except ValueError as error:
        raise FormatError(f"Legend '{path}': volume {error}", "one row per volume", "remove one of them") from error


def _cell_ids(cell: str) -> list[int | str]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"[\s;,]+", cell.strip())]


def _structures(where: str, volume: str, entry: Any) -> Structures:
    if not isinstance(entry, Mapping) or not entry:
        raise FormatError(f"{where} says of volume '{volume}': {entry!r}", "{vesicles: 2, cleft: [3, 4]}", "name its structures")
    for name in map(str, entry):
        if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in _TAKEN:
            raise InputError(
                f"{where} has a structure '{name}' in volume '{volume}'",
                f"a word of letters, digits and _ that masks do not use themselves ({', '.join(sorted(_TAKEN))})",
                "give it another name",
            )
    return {str(name): _ids(where, volume, name, value) for name, value in entry.items()}


def _ids(where: str, volume: str, name: str, value: Any) -> tuple[int, ...]:
    ids = value if isinstance(value, (list, tuple)) else [value]
    if not ids or any(isinstance(i, bool) or not isinstance(i, int) or i < 1 for i in ids):
        raise ValueRangeError(
            f"{where} gives '{name}' of volume '{volume}' the id {value!r}",
            "a whole number of 1 or more, or a list of them; 0 is background",
            "leave the structure out where the volume has none",
        )
    return tuple(sorted(set(ids)))
