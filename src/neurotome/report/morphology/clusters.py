"""The groups that were found: how many, how stable, what is in them, and what a typical member looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from neurotome.report.atlas.choice import chosen, finite
from neurotome.report.atlas.columns import Column
from neurotome.report.morphology.run import ShapeRun

__all__ = ["Cluster", "clusters_of", "reason", "stability"]

EXAMPLES, TRAITS = 3, 2


@dataclass(frozen=True)
class Cluster:
    """A group: its name and colour, members, how well it comes back in other samples of the neurons (None: not known).

    doubtful: it comes back too badly to be trusted. dominant: the label that
    most of its labelled members have, and their share. examples: rows next to its middle. traits: what
    sets it most apart from the others.
    """

    name: str
    colour: str
    size: int
    share: float
    stability: float | None
    doubtful: bool
    dominant: str
    dominant_share: float
    labelled: int
    examples: tuple[int, ...]
    traits: tuple[str, ...] = ()


def clusters_of(run: ShapeRun, column: Column | None, label: Column | None) -> tuple[Cluster, ...]:
    """The groups of the column `cluster`, in its order."""
    if column is None or column.is_number:
        return ()
    said = {str(row["cluster"]): row for row in run.clusters}
    features = np.asarray(run.table.X, np.float64)
    scaled = (features - features.mean(0)) / np.maximum(features.std(0), 1e-12)
    found = []
    for code, name in enumerate(column.groups):
        rows, row = np.flatnonzero(column.values == code), said.get(name, {})
        steady, share = finite(row.get("jaccard")), len(rows) / len(column.values)
        dominant = _dominant(label, rows)
        examples = _examples(rows, scaled, row.get("medoid"))
        doubtful = row.get("stable") in (False, 0)
        found.append(
            Cluster(name, column.colours[code], len(rows), share, steady, doubtful, *dominant, examples, _traits(run, name))
        )
    return tuple(found)


def reason(run: ShapeRun) -> str:
    """Why there are as many groups as there are, in words; "" where nothing was said."""
    said = str((run.table.uns.get("cluster") or {}).get("reason") or "")
    return f"{said[0].upper()}{said[1:]}." if said else ""


def stability(run: ShapeRun) -> float | None:
    """How alike the groups of other samples of the neurons are, as the choice of their number says."""
    row = chosen(run.choice)
    return finite(row.get("stability")) if row else None


def _traits(run: ShapeRun, cluster: str) -> tuple[str, ...]:
    """Features that surely differ from those of all other neurons, the largest first; numbers of a network say nothing."""
    own = (row for row in run.profiles if str(row["cluster"]) == cluster and not re.fullmatch(r"e\d+", str(row["feature"])))
    # Of a cluster of one neuron there is no interval, the cells are empty.
    sure = (row for row in own if (finite(row["low"]) or 0.0) * (finite(row["high"]) or 0.0) > 0)
    most = sorted(sure, key=lambda row: -abs(float(row["effect"])))[:TRAITS]
    return tuple(f"{'more' if row['effect'] > 0 else 'less'} {str(row['feature']).replace('_', ' ')}" for row in most)


def _dominant(label: Column | None, rows: np.ndarray) -> tuple[str, float, int]:
    if label is None:
        return "", 0.0, 0
    codes = label.values[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(label.groups))
    if not counts.any():
        return "", 0.0, 0
    return label.groups[int(counts.argmax())], float(counts.max() / counts.sum()), int(counts.sum())


def _examples(rows: np.ndarray, scaled: np.ndarray, medoid: object) -> tuple[int, ...]:
    """The medoid, where the run names its row, and the members whose features are nearest to the mean of the group."""
    near = rows[np.argsort(((scaled[rows] - scaled[rows].mean(0)) ** 2).sum(1), kind="stable")[:EXAMPLES]].tolist()
    first = [medoid] if isinstance(medoid, int) and medoid in rows.tolist() else []
    return tuple(dict.fromkeys([*first, *near]))[:EXAMPLES]
