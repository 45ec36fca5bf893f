"""Tables about neurons, one row each: labels such as the cell type, and where the somata are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurotome.core import FormatError, InputError, UnknownNameError
from neurotome.core.geometry import Nm3
from neurotome.io.open import require_exists

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ID_COLUMNS", "labels_for", "listed", "read_label_table", "read_soma_table"]

ID_COLUMNS = ("neuron_id", "segment_split", "name", "neuron_name", "neuron", "id", "root_id", "pt_root_id", "file", "filename")
"""Columns that name the neuron, the first of them that a table has."""
SOMA_COLUMNS = ("soma_z", "soma_y", "soma_x")


def read_label_table(path: Path | str, id_column: str | None = None) -> DataFrame:
    """A CSV file as a table whose index `neuron_id` is text: numbers of 18 digits and leading zeros stay as they are.

    id_column: the column that names the neuron, where it is none of `ID_COLUMNS`. A name may end in .swc there.

    Raises FormatError for what is no table and for a row without name, UnknownNameError for a column that is not there,
    InputError for neurons that have two rows, MissingFileError.
    """
    import pandas as pd

    path = require_exists(Path(path))
    try:
        columns = [str(column) for column in pd.read_csv(path, nrows=0).columns]
        column = _id_column(path, columns, id_column)
        table = pd.read_csv(path, dtype={column: str}, skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        raise FormatError(f"'{path}' is no table ({error})", "a CSV file with a row per neuron", "export it again") from error
    empty = np.flatnonzero(table[column].isna())
    if len(empty):
        raise FormatError(
            f"'{path}', line {empty[0] + 2} has no {column}", "a name in each row", "name the neuron or drop the row"
        )
    table[column] = table[column].str.strip().str.removesuffix(".swc")
    repeated = table[column][table[column].duplicated()].unique()
    if len(repeated):
        raise InputError(f"'{path}' has two rows for {listed(repeated)}", "one row per neuron", "keep one of them")
    return table.set_index(column).rename_axis("neuron_id")


def labels_for(names: Sequence[str], table: DataFrame, *, columns: Sequence[str] | None = None) -> DataFrame:
    """The rows of these neurons, in their order; of some columns, or of all.

    Raises UnknownNameError for a column that the table has not, InputError that lists the neurons without a row.
    """
    for column in columns or ():
        if column not in table.columns:
            raise UnknownNameError("column of labels", column, map(str, table.columns))
    missing = [name for name in names if name not in table.index]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(names)} neurons have no labels: {listed(missing)}",
            f"a row for each, as for {listed(table.index[:2])}",
            "add the rows, or leave these neurons out",
        )
    found = table.loc[list(names)]
    return found if columns is None else found[list(columns)]


def read_soma_table(path: Path | str, id_column: str | None = None) -> dict[str, Nm3]:
    """Soma positions (z, y, x) by neuron id, from columns soma_z, soma_y, soma_x in nm; rows without position are left out.

    Raises as `read_label_table` does, and FormatError for a position that is not three numbers.
    """
    table = read_label_table(path, id_column)
    missing = [column for column in SOMA_COLUMNS if column not in table.columns]
    if missing:
        raise UnknownNameError("column of somata", missing[0], map(str, table.columns))
    try:
        points = table[list(SOMA_COLUMNS)].astype(np.float64).dropna(how="all")
    except ValueError as error:
        raise FormatError(f"'{path}' has a soma that is no number ({error})", "nm", "correct it") from error
    partly = points.index[~np.isfinite(points.to_numpy()).all(1)]
    if len(partly):
        raise FormatError(
            f"'{path}' has a soma with less than three coordinates for {listed(partly)}", "z, y and x", "complete it"
        )
    return {str(name): (float(z), float(y), float(x)) for name, (z, y, x) in zip(points.index, points.to_numpy(), strict=True)}


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first names, and how many more there are.

    >>> listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    every = [str(name) for name in names]
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _id_column(path: Path, columns: Sequence[str], given: str | None) -> str:
    if given is not None:
        if given not in columns:
            raise UnknownNameError(f"column of '{path}'", given, columns)
        return given
    found = next((column for name in ID_COLUMNS for column in columns if column.strip().lower() == name), None)
    if found is None:
        raise FormatError(
            f"'{path}' has the columns {listed(columns, 20)}",
            f"one that names the neuron: {', '.join(ID_COLUMNS)}",
            "name it with id_column",
        )
    return found
