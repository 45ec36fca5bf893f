"""One table of all features of a study: families of columns side by side, one row per site that all of them know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurotome.core import InputError
from neurotome.synapses.discarded import DISCARD_COLUMNS, Discarded, discard_table

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["assemble", "left_out"]

_ABOUT_COLUMNS = ("family", "unit", "formula", "transform", "layer", "pooling")


def assemble(families: Mapping[str, AnnData]) -> AnnData:
    """The table of a study, from one table per family ("morphometry", "vgg3d", "contrastive") with keys as names of rows.

    Rows: the keys that all families have, in the order of the first. X float32, unscaled: all columns, each named once; var says
    of each its family, unit, formula and transform ("none" or "log"), "" where unknown. obsm["X_<family>"] are the columns of a
    family and uns["columns"]["X_<family>"] their names, so that `cluster` can weigh families alike; obs are the columns of all,
    the first to have one decides; uns["families"] what each table said of itself.
    `left_out` has the rows that are missing.
    Raises InputError for no family, for keys or columns that occur twice, and for tables without a key in common.
    """
    from anndata import AnnData

    if not families:
        raise InputError("No family of features", "morphometry, vgg3d or contrastive", "name one")
    for name, family in families.items():
        _require_unique(family.obs_names, f"key in '{name}'")
    shared = [key for key in next(iter(families.values())).obs_names if all(key in f.obs_names for f in families.values())]
    if not shared and all(map(len, families.values())):
        examples = ", ".join(f"'{family.obs_names[0]}' in {name}" for name, family in families.items())
        raise InputError(
            f"The tables share no key ({examples})", "features of the same sites", "check that they are of one study"
        )
    parts = {name: family[shared] for name, family in families.items()}
    obs = _joined([part.obs for part in parts.values()])
    var = pd.concat([_about(name, part.var) for name, part in parts.items()])
    _require_unique(var.index, "column")
    values = {name: np.array(part.X, np.float32) for name, part in parts.items()}
    table = AnnData(np.concatenate(list(values.values()), axis=1), obs=obs, var=var)
    table.uns["columns"], table.uns["families"] = {}, {}
    for name, part in parts.items():
        table.obsm[f"X_{name}"] = values[name]
        table.uns["columns"][f"X_{name}"] = np.array(list(map(str, part.var_names)), dtype=object)
        table.uns["families"][name] = dict(families[name].uns)
    return table


def left_out(families: Mapping[str, AnnData], *discarded: pd.DataFrame) -> pd.DataFrame:
    """Why sites are not in the table that `assemble` makes: every key once, with the first reason that was given for it.

    discarded: what the steps said (`DISCARD_COLUMNS`). A site that one family has and another lacks without a word gets
    the reason "no_<family>". Raises InputError for a table with other columns.
    """
    for given in discarded:
        if list(given.columns) != list(DISCARD_COLUMNS):
            raise InputError(
                f"A table of discarded sites with columns {', '.join(map(str, given.columns))}", ", ".join(DISCARD_COLUMNS)
            )
    keys = {name: set(family.obs_names) for name, family in families.items()}
    known = dict.fromkeys(key for family in families.values() for key in family.obs_names)
    lacking = {key: name for key in known for name in reversed(list(keys)) if key not in keys[name]}
    kept = [key for key in known if key not in lacking]
    silent = discard_table(Discarded(key, "features", f"no_{name}") for key, name in lacking.items())
    rows = pd.concat([given for given in (*discarded, silent) if len(given)] or [silent], ignore_index=True)
    return rows[~rows["key"].duplicated() & ~rows["key"].isin(kept)].reset_index(drop=True)


def _about(family: str, var: pd.DataFrame) -> pd.DataFrame:
    about = pd.DataFrame({name: var.get(name, "") for name in _ABOUT_COLUMNS}, index=var.index.astype(str))
    about["family"] = family
    about.loc[about["transform"] == "", "transform"] = "none"
    return about


def _joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    joined = pd.DataFrame()
    for at, table in enumerate(tables):
        joined = table.copy() if not at else joined.join(table[[name for name in table if name not in joined]])
    return joined


def _require_unique(names: pd.Index, what: str) -> None:
    if not names.is_unique:
        repeated = sorted(set(map(str, names[names.duplicated()])))
        raise InputError(f"Several times the same {what}: {', '.join(repeated[:5])}", "each once", "rename or drop one")
