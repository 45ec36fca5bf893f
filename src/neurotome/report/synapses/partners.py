"""Synapses that share a presynaptic neuron, sizes, labels that people gave: small tables of the run, told in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurotome.report.atlas.choice import finite
from neurotome.report.atlas.columns import title_of
from neurotome.report.charts import Curve, line_chart
from neurotome.report.facts import number
from neurotome.report.results import Row
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.tables import Table, p_text, table_of

__all__ = ["Presynapses", "manual_table", "presynapses_of", "size_tables"]

MOST, BINS = 25, 24
SURE = 0.05
TITLES = {
    "pre_id": "Presynaptic neuron",
    "synapses": "Synapses",
    "mean_distance": "Mean distance",
    "min_distance": "smallest",
    "max_distance": "largest",
    "clusters": "Clusters",
    "dominant_cluster": "Most frequent",
    "dominant_percent": "Its share (%)",
    "ratio": "Inside / between",
    "p": "p",
    "p_bh": "p, corrected",
}
MANUAL = {"attribute": "Label", "against": "Against", "measure": "By", "value": "Value", "p": "p", "n": "Synapses"}
MEASURES = {
    "adjusted_rand": "adjusted Rand index",
    "nmi": "mutual information",
    "cramers_v": "Cramér's V",
    "spearman": "Spearman",
}
EFFECTS = {
    "first": "Cluster", "second": "against", "d": "d", "d_low": "from", "d_high": "to", "g": "Hedges' g", "p": "p",
    "q": "p, corrected",
}  # fmt: skip


@dataclass(frozen=True)
class Presynapses:
    """sentence: what the test says. table: of the neurons with two synapses or more, the largest first.

    heat: of the same neurons their synapses per cluster. rows: of each the rows of its synapses.
    """

    sentence: str
    alike: bool | None
    table: Table | None
    clusters: tuple[str, ...]
    heat: tuple[tuple[str, tuple[int, ...]], ...]
    rows: tuple[tuple[int, ...], ...]
    left_out: int
    chart: str = ""


def presynapses_of(run: SynapseRun) -> Presynapses | None:
    """None where no presynaptic neuron is known."""
    told = sorted(run.rows("presynapses", shared=False), key=lambda row: -(finite(row.get("synapses")) or 0))
    ids = run.column("pre_id")
    members: dict[str, list[int]] = {}
    for row, name in enumerate(ids):
        if name:
            members.setdefault(name, []).append(row)
    shared = {name: rows for name, rows in members.items() if len(rows) > 1}
    if not told and not shared:
        return None
    order = [str(row["pre_id"]) for row in told] or sorted(shared, key=lambda name: (-len(shared[name]), name))
    shown = [name for name in order if name in shared][:MOST]
    heat = tuple((name, _per_cluster(run, shared[name])) for name in shown)
    sentence, alike = _tested(run.json("presynapse_test", shared=False))
    rows = tuple(tuple(shared[name]) for name in shown)
    table = table_of([{key: row[key] for key in TITLES if key in row} for row in told[:MOST]], TITLES)
    return Presynapses(sentence, alike, table, tuple(run.clusters), heat, rows, max(0, len(order) - MOST), _pairs_chart(run))


def size_tables(run: SynapseRun) -> tuple[tuple[str, str, Table, Table | None], ...]:
    """Of each size its name, a sentence, statistics per cluster, and how far clusters lie apart."""
    models = run.json("size_models", shared=False) or {}
    effects = run.rows("size_effects", shared=False)
    found = []
    by_size: dict[str, list[Row]] = {}
    for row in run.rows("size_statistics", shared=False):
        by_size.setdefault(str(row["size"]), []).append({key: value for key, value in row.items() if key != "size"})
    for name, rows in by_size.items():
        pairs = table_of([row for row in effects if row.get("size") == name], EFFECTS, most=45)
        if table := table_of(rows):
            found.append((title_of(name), _of_size(name, models), table, pairs))
    return tuple(found)


def manual_table(run: SynapseRun) -> Table | None:
    """Agreement with labels that people gave."""
    rows = [{**row, "measure": MEASURES.get(str(row.get("measure")), row.get("measure"))} for row in run.rows("manual_agreement")]
    return table_of(rows, MANUAL)


def _of_size(name: str, models: Mapping[str, Any]) -> str:
    """Whether clusters differ in a size beyond their volumes, and whether it is of one kind or of two."""
    said = []
    model = (models.get("mixed_models") or {}).get(name) or {}
    if (chance := finite(model.get("p"))) is not None:
        differ = "differ" if chance <= SURE else "are not shown to differ"
        said.append(f"Clusters {differ} in it beside what volumes do (mixed model, {p_text(chance)}).")
    kind = (models.get("distributions") or {}).get(name) or {}
    if (parts := finite(kind.get("lognormals"))) is not None:
        said.append("Its distribution is that of one log-normal." if parts == 1 else "Two log-normals describe it better (BIC).")
    return " ".join(said)


def _per_cluster(run: SynapseRun, rows: Sequence[int]) -> tuple[int, ...]:
    return (
        tuple(int(count) for count in np.bincount(run.cluster_of[list(rows)], minlength=len(run.clusters)))
        if run.clusters
        else ()
    )


def _tested(test: Mapping[str, object] | None) -> tuple[str, bool | None]:
    """What presynapse_test.json says, in words, and whether synapses of one neuron are alike; None: it could not be tested."""
    if not test:
        return "", None
    ratio, chance, effect = (finite(test.get(name)) for name in ("T", "p", "effect"))
    if test.get("applicable") is False or ratio is None or chance is None:
        reason = str(test.get("reason") or "")
        return f"{reason[:1].upper()}{reason[1:]}{'.' if reason else ''}", None
    alike = chance <= SURE and ratio < 1
    verdict = "are more alike than synapses of different neurons" if alike else "are not shown to be more alike than others"
    neurons = finite(test.get("neurons"))
    of = f" of {number(neurons)} neurons" if neurons else ""
    size = f"; effect size {effect:.2f}" if effect is not None else ""
    how = "all permutations" if test.get("exact") else "permutations"
    said = [
        f"Synapses{of} that share their presynaptic neuron {verdict}: distances inside are {ratio:.2f} times those between "
        f"neurons ({p_text(chance)}, {how} within volumes{size})."
    ]
    apart, apart_p = finite(test.get("apart_ratio")), finite(test.get("apart_p"))
    if apart is not None and apart_p is not None:
        said.append(f"Without what their distance in space explains, the ratio is {apart:.2f} ({p_text(apart_p)}).")
    return " ".join(said), alike


def _pairs_chart(run: SynapseRun) -> str:
    """Distances of pairs of one neuron and of different neurons, as shares of all pairs of their kind."""
    obs = run.table.obs
    if "X_scaled" not in run.table.obsm or not {"pre_id", "volume"} <= set(obs.columns):
        return ""
    from neurotome.synapses.analysis.presynapses import pair_distances

    within, between = pair_distances(run.table)
    if not len(within) or not len(between):
        return ""
    edges = np.linspace(0, float(max(within.max(), between.max())), BINS + 1)
    middle = ((edges[1:] + edges[:-1]) / 2).tolist()
    curves = [
        Curve(name, middle, (100 * np.histogram(values, edges)[0] / len(values)).tolist(), kind)
        for kind, (name, values) in enumerate((("between", between), ("within", within)), 1)
    ]
    return line_chart(curves, "distance of two synapses in the features", "pairs (%)", "Distances of pairs")
