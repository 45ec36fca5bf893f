"""The numbers of an SWC file, whatever stands between them: bytes -> text -> one row of seven numbers per node.

Three parsers: one for plain numbers between blanks, a tenth of a second per million nodes; NumPy's, for other files with one
separator and complete lines; and one that goes line by line where those give up. It is the last one that names the line at fault.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from neurotome.core import FormatError
from neurotome.io.swc_numbers import plain_numbers

__all__ = ["KIND", "LINE_ENDS", "NODE", "PARENT", "POINT", "RADIUS", "SwcTable", "read_table"]

NODE, KIND, POINT, RADIUS, PARENT = 0, 1, slice(2, 5), 5, 6
"""The columns of `SwcTable.values`; POINT is x, y, z."""

COLUMNS = "id type x y z radius parent"
MOST_COLUMNS = 64
"""No program writes more; a line that has them is several lines whose ends were lost."""
LINE_ENDS = ("\r\n", "\r", "\v", "\u2028", "\u2029")
_UNPACK = {b"\x1f\x8b": "gunzip", b"PK\x03\x04": "unzip", b"7z\xbc\xaf": "unpack"}


@dataclass(frozen=True, eq=False)
class SwcTable:
    """values: (n, 7) float64, as in the file; a missing radius column is 0. header: the comment lines, without #.

    skipped: the line that names the columns, 0 where there is none.
    """

    path: Path
    text: str
    values: np.ndarray
    header: tuple[str, ...]
    has_radii: bool
    skipped: int = 0

    @cached_property
    def lines(self) -> np.ndarray:
        """(n,) int64, the line of each row, the first one of the file is 1. Only messages need it."""
        return np.array([number for number, _ in _data_lines(self.text) if number != self.skipped], np.int64)


def read_table(path: Path) -> SwcTable:
    """Read the numbers of a file. Raises FormatError, with the line, for what is none of an SWC file."""
    text = _text_of(path)
    header = tuple(_comments(text))
    first = next(_data_lines(text), None)
    if first is None:
        raise FormatError(f"'{path}' holds no node", f"lines of {COLUMNS}", "check how it was made")
    table = SwcTable(path, text, np.empty((0, 7)), header, has_radii=True)
    if len(_fields(first[1])) > MOST_COLUMNS:
        raise _malformed(path, first[0], f"has {len(_fields(first[1]))} values", first[1])
    fast = _parse_plain(text, first[1])
    fast = fast if fast is not None else _parse_at_once(text, first[1])
    return _with_values(table, fast) if fast is not None else _parse_lines(table)


def _with_values(table: SwcTable, values: np.ndarray) -> SwcTable:
    """The table with values of 6 columns, which lack the radius, or of 7."""
    if values.shape[1] == 7:
        return replace(table, values=values)
    return replace(table, values=np.insert(values, RADIUS, 0.0, axis=1), has_radii=False)


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"'{path}' cannot be read ({error.strerror})", "an SWC file", "check the path") from error
    for magic, remedy in _UNPACK.items():
        if content.startswith(magic):
            raise FormatError(f"'{path}' is compressed", "an SWC file", f"{remedy} it first")
    text = _decoded(path, content)
    if "\0" in text:
        raise FormatError(f"'{path}' is a binary file", f"text, lines of {COLUMNS}", "export it as SWC")
    for line_end in LINE_ENDS:
        text = text.replace(line_end, "\n")
    return text


def _decoded(path: Path, content: bytes) -> str:
    """Any byte is a character of latin-1, so only UTF-16, which some shells write, can fail."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise FormatError(f"'{path}' is cut off UTF-16 or no text", "text", "save it as UTF-8") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _data_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and content of each line that holds more than blanks and comment."""
    for number, line in enumerate(text.split("\n"), start=1):
        if data := line.partition("#")[0].strip():
            yield number, data


def _comments(text: str) -> Iterator[str]:
    """What comes after the # of each line that begins with one, blanks aside."""
    at = text.find("#")
    while at >= 0:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if not text[text.rfind("\n", 0, at) + 1 : at].strip():
            yield text[at:end].lstrip("#").strip()
        at = text.find("#", end)


def _separator(data: str) -> str | None:
    """Blanks (None) only where there is neither semicolon nor comma, so 3,5 is never read as two numbers."""
    return next((separator for separator in ";," if separator in data), None)


def _fields(data: str) -> list[str]:
    separator = _separator(data)
    fields = [field.strip() for field in data.split(separator)]
    return fields[:-1] if separator and not fields[-1] else fields


def _parse_plain(text: str, first: str) -> np.ndarray | None:
    """(n, 6 or 7) float64, or None where not all lines are so many plain numbers with blanks between them."""
    columns = len(_fields(first))
    if columns < 6 or _separator(first) is not None:
        return None
    return plain_numbers(text, min(columns, 7))


def _parse_at_once(text: str, first: str) -> np.ndarray | None:
    """(n, 6 or 7) float64, or None where not all lines are alike and numeric."""
    columns = len(_fields(first))
    if columns < 6:
        return None
    try:
        values = np.loadtxt(
            io.BytesIO(text.encode()),
            delimiter=_separator(first),
            usecols=range(7) if columns >= 7 else None,
            ndmin=2,
            encoding="utf-8",
        )
    except ValueError:
        return None
    return values if values.shape[1] in (6, 7) else None


def _parse_lines(table: SwcTable) -> SwcTable:
    rows: list[list[float]] = []
    skipped = 0
    for number, data in _data_lines(table.text):
        fields = _fields(data)[:7]
        if not rows and not skipped and len(fields) >= 6 and not any(map(_is_number, fields)):
            skipped = number
            continue
        rows.append(_numbers(table.path, number, data, fields))
        if len(rows[-1]) != len(rows[0]):
            raise _malformed(table.path, number, f"has {len(fields)} values, the lines before have {len(rows[0])}", data)
    if not rows:
        raise FormatError(f"'{table.path}' names columns but holds no node", f"lines of {COLUMNS}", "check how it was made")
    return _with_values(replace(table, skipped=skipped), np.array(rows))


def _numbers(path: Path, number: int, data: str, fields: list[str]) -> list[float]:
    if len(fields) < 6:
        raise _malformed(path, number, f"has {len(fields)} values", data)
    bad = next((field for field in fields if not _is_number(field)), None)
    if bad is not None:
        raise _malformed(path, number, f"has {bad[:30]!r} where a number should be", data)
    return [float(field) for field in fields]


def _is_number(field: str) -> bool:
    # Python reads more than writers of SWC write: 1_0 is 10, and digits of any script are digits.
    if "_" in field or not field.isascii():
        return False
    try:
        float(field)
    except ValueError:
        return False
    return True


def _malformed(path: Path, number: int, what: str, data: str) -> FormatError:
    shown = ascii(data if len(data) <= 60 else f"{data[:60]}...")
    return FormatError(
        f"'{path}', line {number} {what}: {shown}",
        f"the numbers {COLUMNS}, with decimal points",
        "correct the line, or export the file again",
    )
