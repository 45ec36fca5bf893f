"""Small tables as a page shows them: titles, and cells as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neurotome.report.facts import number
from neurotome.report.results import Row

__all__ = ["Table", "cell", "chance", "p_text", "table_of"]

CHANCES = ("p", "p_bh", "q")


@dataclass(frozen=True)
class Table:
    """titles: of the columns. numeric: which of them stand to the right. rows: cells. left_out: rows that are not shown."""

    titles: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


def table_of(rows: Sequence[Row], titles: Mapping[str, str] | None = None, *, most: int = 200) -> Table | None:
    """A table of rows that all have the columns of the first; of the columns in `titles` those that are there, None: all.

    >>> table_of([{"n": 3, "p": 0.01234}, {"n": 4, "p": ""}], {"n": "Number", "p": "p"}).rows
    (('3', '0.012'), ('4', '-'))
    """
    if not rows:
        return None
    known = {name: title for name, title in (titles or {k: k.replace("_", " ") for k in rows[0]}).items() if name in rows[0]}
    # The first column names the rows, also where its names are numbers.
    numbers = (
        at > 0 and all(row[name] == "" or isinstance(row[name], (int, float)) for row in rows) for at, name in enumerate(known)
    )
    shown = tuple(tuple(chance(row[name]) if name in CHANCES else cell(row[name]) for name in known) for row in rows[:most])
    return Table(tuple(known.values()), tuple(numbers), shown, max(0, len(rows) - most))


def chance(p: object) -> str:
    """
    >>> chance(0.00001), chance(0.0312), chance(""), chance(1.0)
    ('< 0.0001', '0.031', '-', '1')
    """
    if not isinstance(p, (int, float)) or math.isnan(p):
        return "-"
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def p_text(p: float) -> str:
    """
    >>> p_text(1e-9), p_text(0.25)
    ('p < 0.0001', 'p = 0.25')
    """
    return f"p {chance(p)}" if p < 1e-4 else f"p = {chance(p)}"


def cell(value: object) -> str:
    """
    >>> cell(0.00004), cell(0.000120235662), cell(12.5), cell(float("nan")), cell(True), cell("bouton")
    ('0.00004', '0.00012', '12.5', '-', 'yes', 'bouton')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, (int, float)) and math.isfinite(value):
        small = value != 0 and abs(value) < 1e-3
        return (
            f"{float(f'{value:.3g}'):.12f}".rstrip("0")
            if small and abs(value) >= 1e-5
            else f"{value:.2g}"
            if small
            else number(value)
        )
    return str(value)
