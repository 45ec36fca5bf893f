"""What an SWC file has no column for: a table beside it, `<name>.nodes.csv`, one line per node and one column per feature.

Numbers are written so that they are read back bit by bit; true and false are words; a value that was never measured (nan) is
empty.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurotome.core import FormatError, ShapeError, Skeleton
from neurotome.io.atomic import atomic_write_text
from neurotome.io.open import require_exists

__all__ = ["NODE_TABLE_SUFFIX", "node_table_path", "read_node_table", "write_node_table"]

NODE_TABLE_SUFFIX = ".nodes.csv"
KNOWN = (
    "scoop_nm",
    "cluster_size_nm",
    "cluster_voxels",
    "threshold",
    "probability",
    "jump",
    "confidence",
    "gap_nm",
    "loop_contact",
    "locked",
    "unremovable",
    "drawn",
)
"""Columns in the order in which they are written; others follow by name."""
WORDS = {"true": True, "false": False}


def node_table_path(swc: Path | str) -> Path:
    """Where the table of an SWC file lies.

    >>> node_table_path("out/n1.swc").name
    'n1.nodes.csv'
    """
    path = Path(swc)
    return path.with_name(path.name.removesuffix(".swc").removesuffix(".SWC") + NODE_TABLE_SUFFIX)


def write_node_table(path: Path | str, skeleton: Skeleton) -> None:
    """Write the features of a skeleton; nodes are numbered 1..n in the order of its rows, as `write_swc` does.

    Raises ShapeError for a feature with more than one value per node, FormatError for one that is no number.
    """
    names = [name for name in KNOWN if name in skeleton.features]
    names += sorted(set(skeleton.features) - set(KNOWN))
    columns = [_written(name, np.asarray(skeleton.features[name])) for name in names]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", *names])
    writer.writerows(zip(range(1, len(skeleton) + 1), *columns, strict=True))
    atomic_write_text(path, text.getvalue())


def read_node_table(path: Path | str, skeleton: Skeleton) -> Skeleton:
    """The skeleton with the features of a table added; nodes are found by their id, in any order.

    A column of true and false is bool, of whole numbers int64, of other numbers float64.

    Raises FormatError, with the line, for a table that is not of this skeleton or not sound; MissingFileError.
    """
    path = require_exists(Path(path))
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = list(csv.reader(file)) or [[]]
    if header[:1] != ["id"] or len(set(header)) != len(header):
        raise FormatError(
            f"'{path}' begins with the columns {', '.join(header) or '(none)'}", "id and one name per feature", "write it anew"
        )
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise FormatError(
                f"'{path}', line {number} has {len(line)} values", f"{len(header)}, one per column", "correct that line"
            )
    rows = _rows(path, [line[0] for line in lines], skeleton)
    columns = {name: _read(path, name, [line[k] for line in lines]) for k, name in enumerate(header) if k}
    features = dict(skeleton.features)
    for name, values in columns.items():
        features[name] = np.empty_like(values)
        features[name][rows] = values
    return replace(skeleton, features=features)


def _rows(path: Path, words: Sequence[str], skeleton: Skeleton) -> np.ndarray:
    """The row of each line of the table."""
    row_of = {str(node): row for row, node in enumerate(skeleton.ids.tolist())}
    remedy = "give the table that was written with this SWC file, or remove it"
    seen: set[str] = set()
    for number, word in enumerate(words, start=2):
        if word not in row_of or word in seen:
            what = "for the second time" if word in seen else "that the skeleton does not have"
            raise FormatError(f"'{path}', line {number} names node {word} {what}", "each node of the SWC file once", remedy)
        seen.add(word)
    if len(seen) < len(row_of):
        lost = next(node for node in row_of if node not in seen)
        raise FormatError(f"'{path}' has {len(seen)} nodes, and not node {lost}", f"the {len(row_of)} of the SWC file", remedy)
    return np.array([row_of[word] for word in words], np.int64)


def _read(path: Path, name: str, words: Sequence[str]) -> np.ndarray:
    if words and all(word in WORDS for word in words):
        return np.array([WORDS[word] for word in words], bool)
    try:
        return np.array([int(word) for word in words], np.int64)
    except (ValueError, OverflowError):
        values = np.empty(len(words))
    for k, word in enumerate(words):
        try:
            values[k] = float(word) if word else math.nan
        except ValueError as error:
            raise FormatError(
                f"'{path}', line {k + 2} says {name} '{word}'", "a number, or true or false", "correct it"
            ) from error
    return values


def _written(name: str, values: np.ndarray) -> list[str]:
    if values.ndim != 1:
        raise ShapeError(f"Feature '{name}' has shape {values.shape}", "one value per node", "give each of its parts a name")
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if values.dtype.kind in "iu":
        return [str(value) for value in values.tolist()]
    if values.dtype.kind == "f":
        return ["" if math.isnan(value) else repr(value) for value in values.astype(np.float64).tolist()]
    raise FormatError(f"Feature '{name}' has type {values.dtype}", "numbers, or true and false", "leave it out")
