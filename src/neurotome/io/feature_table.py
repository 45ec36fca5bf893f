"""Tables of features, one row per neuron: AnnData in .h5ad files, and as CSV for a spreadsheet. Written whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurotome.core import FormatError, InputError, UnknownNameError
from neurotome.io.atomic import atomic_target, atomic_write_text
from neurotome.io.open import require_exists

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["TABLE_SUFFIX", "read_feature_table", "write_feature_csv", "write_feature_table"]

TABLE_SUFFIX = ".h5ad"


def write_feature_table(path: Path | str, table: AnnData) -> None:
    """Write a table; the table itself stays as it is.

    Raises FormatError for another suffix than .h5ad, InputError for names of rows that repeat and for a value that the file
    cannot hold, DiskFullError.
    """
    path = _with_suffix(Path(path))
    _require_unique(f"The table for '{path}'", table, InputError)
    import anndata

    with atomic_target(path) as temporary, anndata.settings.override(allow_write_nullable_strings=True):
        try:
            table.write_h5ad(temporary, convert_strings_to_categoricals=False)
        except OSError:
            raise
        except Exception as error:  # what its registry raises is not public
            raise InputError(
                f"A value of the table for '{path}' cannot be stored: {_first_line(error)}",
                "numbers, text, categories, arrays and tables of these",
                "convert or drop it",
            ) from error


def read_feature_table(path: Path | str) -> AnnData:
    """Read a table into memory. Raises FormatError for what is no such table, MissingFileError."""
    path = _with_suffix(require_exists(Path(path)))
    import anndata

    try:
        table = anndata.read_h5ad(path)
    except Exception as error:  # what h5py and the registry of AnnData raise has no common ancestor
        raise FormatError(
            f"'{path}' is no table of features ({_first_line(error)})", "an AnnData table", "make it again with morphology embed"
        ) from error
    _require_unique(f"'{path}'", table, FormatError)
    return table


def write_feature_csv(path: Path | str, table: AnnData, *, maps: Sequence[str] = ()) -> None:
    """Write the columns of `obs` and the features of a table as CSV, a row per neuron, its id first.

    maps: entries of `obsm` to add, such as X_umap, whose columns are called umap_0, umap_1. Raises UnknownNameError for an
    entry that the table lacks.
    """
    import pandas as pd

    unknown = next((name for name in maps if name not in table.obsm), None)
    if unknown is not None:
        raise UnknownNameError("map of the table", unknown, table.obsm)
    parts = [table.obs, pd.DataFrame(np.asarray(table.X), table.obs_names, list(table.var_names))]
    for name in maps:
        values = np.asarray(table.obsm[name])
        short = name.removeprefix("X_")
        parts.append(pd.DataFrame(values, table.obs_names, [f"{short}_{column}" for column in range(values.shape[1])]))
    text = io.StringIO()
    pd.concat(parts, axis=1).to_csv(text, index_label="neuron_id", lineterminator="\n")
    atomic_write_text(path, text.getvalue())


def _with_suffix(path: Path) -> Path:
    if path.suffix.lower() != TABLE_SUFFIX:
        raise FormatError(f"'{path}' is no table of features by its name", f"a name that ends in {TABLE_SUFFIX}", "rename it")
    return path


def _require_unique(whose: str, table: AnnData, error: type[InputError]) -> None:
    if not table.obs_names.is_unique:
        repeated = table.obs_names[table.obs_names.duplicated()][0]
        raise error(f"{whose} has two rows '{repeated}'", "each neuron once", "give the neurons unique names")


def _first_line(error: Any) -> str:
    return str(error).strip().split("\n")[0][:200] or type(error).__name__
