"""The groups of synapses: how large, how stable, what a member looks like, what sets them apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neurotome.report.atlas.choice import finite
from neurotome.report.atlas.columns import OTHERS, Column, title_of
from neurotome.report.results import Row
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.tables import cell

__all__ = ["Cluster", "ProfileCell", "ProfileRow", "balanced_order", "clusters_of", "profile_rows"]

SEED = 42
MOST_PROFILES = 60
SURE = 0.05


@dataclass(frozen=True)
class Cluster:
    """A group: name, colour, members, its description in a sentence, how well it comes back in other samples (None: not known).

    doubtful: it comes back too badly to be trusted. medoid: the row in its middle; samples: it, and rows drawn by chance.
    """

    name: str
    colour: str
    size: int
    share: float
    sentence: str
    stability: float | None
    doubtful: bool
    medoid: int
    samples: tuple[int, ...]


@dataclass(frozen=True)
class ProfileCell:
    """A mean in a cluster; effect: how many standard deviations above all others, shade: -1 to 1; sure: no chance."""

    text: str
    effect: str
    shade: float
    sure: bool


@dataclass(frozen=True)
class ProfileRow:
    """A measure in every cluster; None where it is not known."""

    name: str
    cells: tuple[ProfileCell | None, ...]


def clusters_of(run: SynapseRun, column: Column | None, *, samples: int = 4) -> tuple[Cluster, ...]:
    """The groups in their order; noise, which is no group, comes last."""
    told = {str(row["cluster"]): row for row in run.rows("clusters", shared=False) if "cluster" in row and "rows" in row}
    sentences = {str(key): str(value) for key, value in dict(run.table.uns.get("descriptions") or {}).items()}
    colours = dict(zip(column.groups, column.colours, strict=True)) if column else {}
    rng, found = np.random.default_rng(SEED), []
    for code, name in enumerate(run.clusters):
        rows, row = np.flatnonzero(run.cluster_of == code), told.get(name, {})
        medoid = row.get("medoid")
        first = int(medoid) if isinstance(medoid, (int, np.integer)) and medoid in rows else int(rows[0])
        others = rng.permutation(rows[rows != first])[:samples].tolist()
        doubtful = row.get("stable") in (False, 0) and name != "-1"
        sentence = "in no cluster" if name == "-1" else _without_count(sentences.get(name, ""))
        numbers = (len(rows), len(rows) / len(run.ids), sentence, finite(row.get("jaccard")), doubtful)
        found.append(Cluster(name, colours.get(name, OTHERS), *numbers, first, (first, *others)))
    return tuple(found)


def balanced_order(run: SynapseRun) -> list[int]:
    """All rows, so that any first few have the clusters in equal parts as long as they last; drawn with a fixed seed."""
    rng = np.random.default_rng(SEED)
    groups = [rng.permutation(np.flatnonzero(run.cluster_of == code)).tolist() for code in sorted(set(run.cluster_of.tolist()))]
    longest = max(map(len, groups), default=0)
    return [group[turn] for turn in range(longest) for group in groups if turn < len(group)]


def profile_rows(run: SynapseRun, names: Sequence[str]) -> tuple[ProfileRow, ...]:
    """Of the columns `names`: their means in every cluster, those that set clusters most apart first."""
    wanted = set(names)
    said: dict[str, dict[str, Row]] = {}
    for row in run.rows("profiles", shared=False):
        if str(row["feature"]) in wanted:
            said.setdefault(str(row["feature"]), {})[str(row["cluster"])] = row
    clusters = [name for name in run.clusters if name != "-1"]
    order = sorted(said, key=lambda name: -max(abs(_effect(row)) for row in said[name].values()))
    shown = order[:MOST_PROFILES]
    return tuple(ProfileRow(title_of(name), tuple(_cell(said[name].get(one)) for one in clusters)) for name in shown)


def _without_count(sentence: str) -> str:
    """
    >>> _without_count("12 synapses: large cleft"), _without_count("large cleft; vesicles few")
    ('large cleft', 'large cleft; vesicles few')
    """
    return re.sub(r"^\d+ synapses?: ", "", sentence)


def _cell(row: Mapping[str, object] | None) -> ProfileCell | None:
    if row is None:
        return None
    effect, low, high = _effect(row), finite(row.get("low")), finite(row.get("high"))
    reach = f", 95 % interval {low:+.2f} to {high:+.2f}" if low is not None and high is not None else ""
    chance = finite(row.get("q"))
    # The tests only rank what the clusters were made of, so the interval has to agree.
    sure = chance is not None and chance <= SURE and low is not None and high is not None and low * high > 0
    return ProfileCell(cell(row.get("mean")), f"effect {effect:+.2f}{reach}", float(np.clip(effect / 2, -1, 1)), sure)


def _effect(row: Mapping[str, object]) -> float:
    return finite(row.get("effect")) or 0.0
