"""A table of neurons in words and in small tables: what a person reads first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from neurotome import cluster
from neurotome.core import InputError, UnknownNameError
from neurotome.morphology.outliers import outlier_table

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["groups_in_words", "headline", "left_out_notes", "neighbour_rows", "reading_notes", "side_tables", "spread_over"]

_SIDE = ("scores", "choice", "quality", "clusters", "profiles")
_CENTRES = {"mean": "the mean of the shape", "mean_xz": "the mean of the shape in the plane"}
_NAMED = 5


def left_out_notes(skipped: Sequence[Mapping[str, str]]) -> list[str]:
    """Which files were left out, and why."""
    notes = [f"'{one['source']}' is left out: {one['message']}" for one in skipped[:_NAMED]]
    if len(skipped) > _NAMED:
        notes.append(f"{len(skipped) - _NAMED} more files are left out, see run.json")
    return notes


def reading_notes(table: AnnData, skipped: Sequence[Mapping[str, str]]) -> list[str]:
    """What was left out, cut off or centred otherwise than the encoder's settings ask for."""
    notes = left_out_notes(skipped)
    wanted = json.loads(table.uns["morphology"]["settings"])
    if wanted["rule"] == "neurotome":
        others = table.obs["centre"][table.obs["centre"].astype(str) != wanted["centring"]].astype(str).value_counts()
        notes += [
            f"{count} of {table.n_obs} neurons have no soma: centred on {_CENTRES.get(centre, centre)}"
            for centre, count in others.items()
        ]
    several = int((table.obs["trees"] > 1).sum())
    if several:
        notes.append(f"{several} of {table.n_obs} neurons are of several trees; all of them were taken")
    cut = table.obs["clipped_fraction"] > 0
    if cut.any():
        worst = table.obs["clipped_fraction"].idxmax()
        share = float(table.obs["clipped_fraction"].max())
        notes.append(f"{int(cut.sum())} of {table.n_obs} neurons leave their grid, '{worst}' with {share:.1%} of its shape")
    return notes


def groups_in_words(table: AnnData) -> str:
    """How many groups there are and why so many."""
    if "cluster" not in table.obs:
        return "no groups"
    count = table.obs["cluster"].nunique()
    reason = str(table.uns.get("cluster", {}).get("reason", ""))
    return f"{count} {'group' if count == 1 else 'groups'}{f' ({reason})' if reason else ''}"


def headline(table: AnnData) -> list[str]:
    """For each tested label the learned features, the best hand-made ones, and chance, in one line."""
    scores = table.uns.get("scores")
    if scores is None or not len(scores):
        return []
    lines = []
    for (target, measure), rows in scores.groupby(["target", "measure"], sort=False, observed=True):
        learned = rows[rows["features"] == "embedding"]
        others = rows[rows["features"] != "embedding"]
        if learned.empty:
            continue
        value, chance = learned["value"].iloc[0], learned["chance"].iloc[0]
        best = (
            f"; best hand-made ({others.loc[others['value'].idxmax(), 'features']}) {others['value'].max():.3f}"
            if len(others)
            else ""
        )
        lines.append(f"{target}, {measure}: {value:.3f}{best}; chance {chance:.3f}")
    return lines


def side_tables(table: AnnData) -> dict[str, pd.DataFrame | None]:
    """The tables inside the table, and those made from it, by the name of their file; None for those it does not have."""
    found: dict[str, pd.DataFrame | None] = dict.fromkeys((*_SIDE, "neighbours", "outliers"))
    found |= {name: table.uns[name] for name in _SIDE if isinstance(table.uns.get(name), pd.DataFrame)}
    if "neighbours" in table.obsm:
        found["neighbours"] = pd.DataFrame(
            row for name in table.obs_names for row in neighbour_rows(table, str(name), table.obsm["neighbours"].shape[1])
        )
    if table.n_obs >= 3:
        strange = outlier_table(list(table.obs_names), cluster.prepared(table)).reset_index()
        found["outliers"] = strange.rename(columns={"neuron_id": "neuron"})
    return found


def neighbour_rows(table: AnnData, neuron: str, top: int) -> list[dict[str, Any]]:
    """The nearest neurons of one of the table, at most `top`, nearest first: neuron, rank, neighbour, distance.

    Raises UnknownNameError for an id, InputError for a table without neighbours.
    """
    if neuron not in table.obs_names:
        raise UnknownNameError("neuron", neuron, list(table.obs_names))
    if "neighbours" not in table.obsm:
        raise InputError("The table has no neighbours", "three neurons or more", "embed more neurons")
    row = table.obs_names.get_loc(neuron)
    near, far = table.obsm["neighbours"][row], table.obsm["neighbour_distances"][row]
    pairs = list(zip(near.tolist(), far.tolist(), strict=True))[:top]
    return [
        {"neuron": neuron, "rank": rank, "neighbour": str(table.obs_names[other]), "distance": float(distance)}
        for rank, (other, distance) in enumerate(pairs, 1)
    ]


def spread_over(names: Sequence[str], count: int) -> list[str]:
    """At most so many of the names, evenly spread over them.

    >>> spread_over("abcdefg", 3)
    ['a', 'd', 'g']
    """
    if len(names) <= count:
        return list(names)
    if count < 2:
        return list(names[:count])
    return [names[round(i * (len(names) - 1) / (count - 1))] for i in range(count)]
