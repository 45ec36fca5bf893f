"""Tables as they lie on disk: CSV, Excel, Parquet, or a folder with one per volume. Names stay text, nothing else is changed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path

import pandas as pd

from neurotome.core import FormatError, InputError, MissingExtraError
from neurotome.io.open import require_exists

__all__ = ["VOLUME_COLUMNS", "read_table", "read_tables"]

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
EXCEL_SUFFIXES = (".xlsx", ".xlsm")
PARQUET_SUFFIXES = (".parquet", ".pq")
SUFFIXES = TEXT_SUFFIXES + EXCEL_SUFFIXES + PARQUET_SUFFIXES
VOLUME_COLUMNS = ("volume", "bbox_name")
"""Columns that say which volume a row belongs to; the first that a table has counts."""


def read_tables(
    path: Path | str, text: Collection[str], volumes: Collection[str] | None = None
) -> list[tuple[Path, str, pd.DataFrame]]:
    """The table of a file, or those of a folder, one per volume and in natural order: file, volume ("" for a file), rows.

    text: columns that stay as they are written. volumes: of a folder, those to read (default: all).

    Raises FormatError for what is no table, for a folder without tables and for one that says another volume than its name,
    InputError for a folder with two tables of one volume, MissingExtraError, MissingFileError.
    """
    path = require_exists(Path(path))
    if not path.is_dir():
        return [(path, "", read_table(path, text))]
    # A spreadsheet that is open somewhere leaves a file ~$name beside it.
    found = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(("~$", "."))]
    if not found:
        raise FormatError(f"Folder '{path}' holds no tables", "one VOLUME.xlsx or VOLUME.csv per volume", "check the path")
    ordered = sorted(found, key=_natural)
    for before, after in pairwise(ordered):
        if before.stem == after.stem:
            raise InputError(f"'{before}' and '{after.name}' are of one volume", "one table per volume", "remove one of them")
    return [(p, p.stem, _of_volume(p, text)) for p in ordered if volumes is None or p.stem in volumes]


def read_table(path: Path, text: Collection[str] = ()) -> pd.DataFrame:
    """One table, its rows numbered as the lines of a spreadsheet whose first holds the names; empty rows are left out.

    Raises FormatError for what is no table, MissingExtraError where a package is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(f"'{path}' is of no known format", ", ".join(SUFFIXES), "save the table as CSV")
    try:
        table = (
            _parquet(path)
            if suffix in PARQUET_SUFFIXES
            else _excel(path, text)
            if suffix in EXCEL_SUFFIXES
            else _text(path, text)
        )
    except MissingExtraError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, OSError, zipfile.BadZipFile) as error:
        raise FormatError(f"'{path}' is no table ({error})", "a row of names and a row per site", "export it again") from error
    table.columns = [str(column).strip() for column in table.columns]
    table.index = pd.RangeIndex(2, len(table) + 2)
    return table.dropna(how="all")


def _of_volume(path: Path, text: Collection[str]) -> pd.DataFrame:
    table = read_table(path, text)
    for column in VOLUME_COLUMNS:
        if column not in table.columns:
            continue
        named = table[column].astype(str).str.strip()
        if len(others := named[named != path.stem]):
            raise FormatError(
                f"'{path}' says {column} '{others.iloc[0]}' in row {others.index[0]}",
                f"'{path.stem}', as the file is called",
                "correct the column or the name of the file",
            )
    return table


def _text(path: Path, text: Collection[str]) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    separator = max(",;\t", key=header.count)
    # Lines that hold nothing are kept here so that rows have the numbers that an editor shows.
    options = {"sep": separator, "skipinitialspace": True, "encoding": "utf-8-sig", "skip_blank_lines": False}
    return pd.read_csv(path, dtype=dict.fromkeys(text, str), **options)


def _excel(path: Path, text: Collection[str]) -> pd.DataFrame:
    try:
        import openpyxl  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("openpyxl", remedy="pip install openpyxl, or save the table as CSV") from error
    return pd.read_excel(path, dtype=dict.fromkeys(text, str), engine="openpyxl")


def _parquet(path: Path) -> pd.DataFrame:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("pyarrow", remedy="pip install pyarrow, or save the table as CSV") from error
    return pd.read_parquet(path, engine="pyarrow")


def _natural(path: Path) -> list[tuple[int, str]]:
    """bbox2 before bbox10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]
