"""Synapses that share a presynaptic neuron, sizes, labels that people gave: small tables of the run, told in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neurotome.report.atlas.choice import finite
from neurotome.report.charts import Curve, line_chart
from neurotome.report.facts import number
from neurotome.report.results import Row
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.tables import Table, table_of

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
MANUAL = {
    "attribute": "Attribute", "compared_with": "Compared with", "n": "Synapses", "ari": "ARI", "nmi": "NMI",
    "cramers_v": "Cramér's V", "spearman": "Spearman", "kappa": "Cohen's κ", "p": "p", "p_bh": "p, corrected",
}  # fmt: skip
SIZE_NAMES = {"vesicle_percent_crop": "vesicle cloud (% of the crop)", "cleft_percent_crop": "cleft (% of the crop)"}


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


def size_tables(run: SynapseRun) -> tuple[tuple[str, Table], ...]:
    """Statistics of sizes, a table for each of them, and how many synapses are in each class of size."""
    by_size: dict[str, list[Row]] = {}
    for row in run.rows("size_statistics"):
        key = next((name for name in ("size", "measure", "column") if name in row), None)
        by_size.setdefault(str(row[key]) if key else "size", []).append({k: v for k, v in row.items() if k != key})
    found = [(SIZE_NAMES.get(name, name.replace("_", " ")), table) for name, rows in by_size.items() if (table := table_of(rows))]
    classes = Counter(str(row["size_class"]) for row in run.rows("sizes") if row.get("size_class"))
    if classes:
        counted = [{"class": name, "synapses": count} for name, count in classes.items()]
        if table := table_of(counted, {"class": "Class (quarters)", "synapses": "Synapses"}):
            found.append(("classes of size", table))
    return tuple(found)


def manual_table(run: SynapseRun) -> Table | None:
    """Agreement of clusters with labels that people gave."""
    rows = run.rows("manual_agreement")
    titles = MANUAL if rows and "attribute" in rows[0] else None
    return table_of(rows, {**{k: v for k, v in MANUAL.items() if rows and k in rows[0]}, **_others(rows)} if titles else None)


def _others(rows: Sequence[Row]) -> Mapping[str, str]:
    return {key: str(key).replace("_", " ") for key in rows[0] if key not in MANUAL}


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
        f"neurons (p = {chance:.2g}, {how} within volumes{size})."
    ]
    apart, apart_p = finite(test.get("apart_ratio")), finite(test.get("apart_p"))
    if apart is not None and apart_p is not None:
        said.append(f"Without what their distance in space explains, the ratio is {apart:.2f} (p = {apart_p:.2g}).")
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
