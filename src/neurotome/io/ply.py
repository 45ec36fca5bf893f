"""PLY (Stanford polygon format): named elements (vertex, face) with named properties, as text or as bytes of either order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import FormatError
from neurotome.io.atomic import atomic_target

__all__ = ["PlyFile", "read_ply", "triangulated", "write_ply"]

_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_NAMES = {"u1": "uchar", "i4": "int", "u4": "uint", "f4": "float", "f8": "double"}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}

Lists = list[np.ndarray]


@dataclass(frozen=True, eq=False)
class PlyFile:
    """columns: element -> property -> (n,) values. lists: element -> property -> one array per row. comments: as in the file."""

    columns: Mapping[str, Mapping[str, np.ndarray]]
    lists: Mapping[str, Mapping[str, Lists]]
    comments: tuple[str, ...]

    def points(self, path: Path, names: Sequence[str] = ("x", "y", "z")) -> np.ndarray:
        """(n, 3) float64, these properties of the vertices. Raises FormatError where one is missing."""
        vertex = self.columns.get("vertex", {})
        missing = [name for name in names if name not in vertex]
        if missing:
            raise FormatError(f"'{path}' has vertices without {', '.join(missing)}", ", ".join(names), "export it again")
        return np.column_stack([np.asarray(vertex[name], np.float64) for name in names])


@dataclass(frozen=True)
class _Element:
    """properties: name, type of the values, type of the count before them ("" for a single value)."""

    name: str
    count: int
    properties: tuple[tuple[str, str, str], ...]


def read_ply(path: Path) -> PlyFile:
    """Read all elements. Raises FormatError for what is not PLY, or cut off."""
    content = path.read_bytes()
    match = re.match(rb"ply\s.*?\nend_header[ \t]*\r?\n", content, re.DOTALL)
    if match is None:
        raise FormatError(f"'{path}' is not PLY: it has no header", "'ply' to 'end_header' in its first lines", "export it again")
    lines = match[0].decode("latin-1").split("\n")
    order, elements = _header(path, lines)
    body = content[match.end() :]
    try:
        found = _from_text(body, elements) if order == "" else _from_bytes(body, elements, order)
    except (ValueError, IndexError) as error:
        raise FormatError(
            f"'{path}' is cut off or not as its header says ({error})", "a whole file", "export it again"
        ) from error
    comments = tuple(line.strip()[8:].strip() for line in lines if line.startswith("comment "))
    return PlyFile({name: part[0] for name, part in found.items()}, {name: part[1] for name, part in found.items()}, comments)


def write_ply(path: Path, vertices: np.ndarray, triangles: np.ndarray | None, comments: Sequence[str]) -> None:
    """Write vertices (n, 3), x, y, z, as float32 and triangles (m, 3), little endian; whole or not at all."""
    faces = np.empty((0, 3), np.int64) if triangles is None else triangles
    header = ["ply", "format binary_little_endian 1.0", *(f"comment {line}" for line in comments)]
    header += [f"element vertex {len(vertices)}", *(f"property float {axis}" for axis in "xyz")]
    if triangles is not None:
        header += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    table = np.empty(len(faces), [("count", "u1"), ("corners", "<i4", 3)])
    table["count"], table["corners"] = 3, faces
    with atomic_target(path) as temporary:
        head = "\n".join([*header, "end_header", ""]).encode()
        temporary.write_bytes(head + np.asarray(vertices).astype("<f4").tobytes() + table.tobytes())


def triangulated(polygons: Lists) -> np.ndarray:
    """(m, 3) int64: each polygon as a fan about its first corner.

    >>> triangulated([np.array([0, 1, 2, 3])]).tolist()
    [[0, 1, 2], [0, 2, 3]]
    """
    sides = np.array([len(corners) for corners in polygons], np.int64)
    fans = []
    for count in np.unique(sides[sides >= 3]).tolist():
        same = np.stack([polygons[row] for row in np.flatnonzero(sides == count)]).astype(np.int64)
        fans += [same[:, [0, k, k + 1]] for k in range(1, count - 1)]
    return np.concatenate(fans) if fans else np.empty((0, 3), np.int64)


def _header(path: Path, lines: Sequence[str]) -> tuple[str, list[_Element]]:
    order: str | None = None
    elements: list[_Element] = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        try:
            if words[:1] == ["format"]:
                order = _ORDERS[words[1]]
            elif words[:1] == ["element"]:
                elements.append(_Element(words[1], int(words[2]), ()))
            elif words[:1] == ["property"]:
                elements[-1] = _with_property(elements[-1], words[1:])
        except (KeyError, IndexError, ValueError) as error:
            raise FormatError(
                f"'{path}', line {number}: {line.strip()!r} is not PLY", "a PLY header", "export it again"
            ) from error
    if order is None:
        raise FormatError(f"'{path}' does not state its format", f"one of {', '.join(_ORDERS)}", "export it again")
    return order, elements


def _with_property(element: _Element, words: Sequence[str]) -> _Element:
    if words[0] == "list":
        added = (words[3], _TYPES[words[2]], _TYPES[words[1]])
    else:
        added = (words[1], _TYPES[words[0]], "")
    return _Element(element.name, element.count, (*element.properties, added))


Found = dict[str, tuple[dict[str, np.ndarray], dict[str, Lists]]]


def _from_text(body: bytes, elements: Sequence[_Element]) -> Found:
    values = np.array(body.split(), np.float64)
    at, found = 0, {}
    for element in elements:
        table, at = _numbers(values, at, element)
        found[element.name] = table
    return found


def _numbers(values: np.ndarray, at: int, element: _Element) -> tuple[tuple[dict[str, np.ndarray], dict[str, Lists]], int]:
    """The rows of an element among the numbers of a text, and where the next one begins."""
    if not any(counted for *_, counted in element.properties):
        width = len(element.properties)
        block = values[at : at + element.count * width].reshape(element.count, width)
        columns = {name: block[:, k].astype(kind) for k, (name, kind, _) in enumerate(element.properties)}
        return (columns, {}), at + block.size
    rows: dict[str, list] = {name: [] for name, *_ in element.properties}
    for _ in range(element.count):
        for name, kind, counted in element.properties:
            length = int(values[at]) if counted else 1
            at += bool(counted)
            if at + length > len(values):
                raise ValueError(f"{len(values)} numbers")
            rows[name].append(values[at : at + length].astype(kind))
            at += length
    return _parted(rows, element), at


def _from_bytes(body: bytes, elements: Sequence[_Element], order: str) -> Found:
    at, found = 0, {}
    for element in elements:
        same = _alike(body, at, element, order)
        if same is None:
            found[element.name], at = _row_by_row(body, at, element, order)
            continue
        found[element.name] = (
            {name: same[name] for name, _, counted in element.properties if not counted},
            {name: list(same[name]) for name, _, counted in element.properties if counted},
        )
        at += same.nbytes
    return found


def _alike(body: bytes, at: int, element: _Element, order: str) -> np.ndarray | None:
    """The rows of an element whose lists all have the length of the first row's, at once; None where they have not."""
    fields: list[tuple] = []
    if element.count == 0:
        lengths = {name: 0 for name, *_ in element.properties}
    else:
        first = _row_by_row(body, at, _Element(element.name, 1, element.properties), order)[0][1]
        lengths = {name: len(rows[0]) for name, rows in first.items()}
    for name, kind, counted in element.properties:
        if counted:
            fields += [(f"{name} count", order + counted), (name, order + kind, (lengths[name],))]
        else:
            fields.append((name, order + kind))
    dtype = np.dtype(fields)
    if at + element.count * dtype.itemsize > len(body):
        return None
    rows = np.frombuffer(body, dtype, element.count, at)
    return rows if all((rows[f"{name} count"] == lengths[name]).all() for name, _, c in element.properties if c) else None


def _row_by_row(
    body: bytes, at: int, element: _Element, order: str
) -> tuple[tuple[dict[str, np.ndarray], dict[str, Lists]], int]:
    rows: dict[str, list] = {name: [] for name, *_ in element.properties}
    for name, values, end in _values(body, at, element, order):
        rows[name].append(values)
        at = end
    return _parted(rows, element), at


def _values(body: bytes, at: int, element: _Element, order: str) -> Iterator[tuple[str, np.ndarray, int]]:
    for _ in range(element.count):
        for name, kind, counted in element.properties:
            length = 1
            if counted:
                length = int(np.frombuffer(body, order + counted, 1, at)[0])
                at += np.dtype(counted).itemsize
            values = np.frombuffer(body, order + kind, length, at) if length else np.empty(0, order + kind)
            at += values.nbytes
            yield name, values, at


def _parted(rows: Mapping[str, list], element: _Element) -> tuple[dict[str, np.ndarray], dict[str, Lists]]:
    columns = {
        name: np.concatenate(rows[name]) if rows[name] else np.empty(0, kind) for name, kind, c in element.properties if not c
    }
    return columns, {name: rows[name] for name, _, counted in element.properties if counted}
