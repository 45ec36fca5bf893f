"""The log of a session and the script for one: JSON lines of the same form, each like this, on one line:

    {"time": "2026-01-31T12:00:00Z", "user": "ann",
     "operation": "cut", "arguments": {"node": 5}, "hash_before": "...", "hash_after": "..."}

A script may leave out all but operation and arguments. A hash that is there must be right when the line is run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from neurotome.core import FormatError, InputError, NeurotomeError, Skeleton
from neurotome.tracing.edit.operations import plain_arguments

__all__ = ["Entry", "log_text", "read_entries", "tree_hash"]


@dataclass(frozen=True)
class Entry:
    """One operation, done or to be done. Empty text is what is not known yet. place: where it was read, for messages."""

    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    time: str = ""
    user: str = ""
    hash_before: str = ""
    hash_after: str = ""
    place: str = field(default="", compare=False)

    def line(self) -> str:
        """As a line of the log, without line end."""
        return json.dumps({key: getattr(self, key) for key in _LOGGED}, ensure_ascii=False, allow_nan=False)


_LOGGED = ("time", "user", "operation", "arguments", "hash_before", "hash_after")
_TEXTS = tuple(f.name for f in fields(Entry) if f.name in _LOGGED and f.name != "arguments")


def log_text(entries: Iterable[Entry]) -> str:
    """A log file: one line per operation."""
    return "".join(f"{entry.line()}\n" for entry in entries)


def read_entries(text: str, name: str = "script") -> list[Entry]:
    """The operations of a log or script; empty lines count but say nothing.

    Raises FormatError that lists the mistakes of all lines: no JSON, unknown keys, operations and arguments, arguments that are
    missing or of the wrong type. Whether a node exists is seen when the line is run.
    """
    entries, mistakes = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entries.append(_entry(line, f"'{name}', line {number}"))
        except NeurotomeError as error:
            mistakes.append(f"line {number}: {_short(error)}")
    if mistakes:
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise FormatError(f"'{name}' has {count}: {'; '.join(mistakes)}", "", "correct the script; nothing was changed")
    return entries


def tree_hash(tree: Skeleton) -> str:
    """SHA-256 (hex) of all nodes and features, bit by bit; the name of the tree does not count.

    >>> line = Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 30]])
    >>> tree_hash(line)[:8] == tree_hash(Skeleton.of([-1, 0], [[0, 0, 0], [0, 0, 30]], name="other"))[:8]
    True
    """
    found = hashlib.sha256()
    columns = {what: getattr(tree, what) for what in ("ids", "parents", "points_nm", "radii_nm", "kinds")}
    for name, values in [*columns.items(), *sorted(tree.features.items())]:
        column = np.ascontiguousarray(values)
        column = column.astype(column.dtype.newbyteorder("<"), copy=False)
        found.update(f"{name} {column.dtype.str} {column.shape}\n".encode())
        found.update(column.tobytes())
    return found.hexdigest()


def _entry(line: str, place: str) -> Entry:
    try:
        said = json.loads(line, parse_constant=_refused)
    except ValueError as error:
        raise InputError(f"no JSON ({error})", 'a line such as {"operation": "cut", "arguments": {"node": 5}}') from error
    if not isinstance(said, dict):
        raise InputError(f"{type(said).__name__} instead of an object", "keys operation and arguments")
    unknown = [key for key in said if key not in _LOGGED]
    if unknown:
        raise InputError(f"unknown key '{unknown[0]}'", f"one of {', '.join(_LOGGED)}")
    if not isinstance(said.get("operation"), str):
        raise InputError("no operation", 'a name, as in {"operation": "cut", "arguments": {"node": 5}}')
    if not isinstance(said.get("arguments", {}), dict):
        raise InputError("arguments are no object", 'names and values, as in {"node": 5}')
    wrong = [key for key in _TEXTS if not isinstance(said.get(key, ""), str)]
    if wrong:
        raise InputError(f"{wrong[0]} is no text", "a text in quotes")
    texts = {key: said[key] for key in _TEXTS if key in said}
    return Entry(**texts, arguments=plain_arguments(said["operation"], said.get("arguments", {})), place=place)


def _refused(word: str) -> None:
    raise ValueError(f"{word} is no JSON number")


def _short(error: NeurotomeError) -> str:
    parts = [error.given, f"expected {error.expected}" if error.expected else "", _guess(error)]
    return ", ".join(part for part in parts if part)


def _guess(error: NeurotomeError) -> str:
    return error.remedy if error.remedy.startswith("did you mean") else ""
