"""Can the clusters be trusted: is there structure at all, does it come back, and is it more than the volume?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurotome.report.atlas.choice import choice_charts, chosen, finite
from neurotome.report.charts import Curve, line_chart
from neurotome.report.synapses.clusters import Cluster
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.tables import p_text

__all__ = [
    "CrossTable",
    "Verdict",
    "VolumeEffect",
    "cross_table",
    "same_clusters",
    "selection_charts",
    "selection_facts",
    "verdicts",
    "volume_effects",
]

STRONG = 3.0
"""Standardised residuals beyond it are no chance."""
VOLUME_VERDICTS = {
    "none": ("good", "The clusters are not the volumes"),
    "present": ("bad", "Volumes look different"),
    "confounded": ("unsure", "Volumes hold different shares of the clusters"),
}
CORRECTIONS = {"z_per_volume": "z-scored in each volume", "robust_per_volume": "robustly z-scored in each volume"}


@dataclass(frozen=True)
class Verdict:
    """level: "good", "unsure", "bad", or "none" where it could not be asked."""

    question: str
    level: str
    answer: str
    reason: str


@dataclass(frozen=True)
class CrossTable:
    """Synapses per cluster (down) and volume (across); residuals: how far beyond chance, where known."""

    clusters: tuple[str, ...]
    volumes: tuple[str, ...]
    counts: np.ndarray
    residuals: np.ndarray | None = None

    def strong(self, row: int, column: int) -> str:
        """
        >>> table = CrossTable(("0",), ("a", "b"), np.array([[9, 1]]), np.array([[4.2, -4.2]]))
        >>> table.strong(0, 0), table.strong(0, 1)
        ('more', 'less')
        """
        value = 0.0 if self.residuals is None else float(self.residuals[row, column])
        return "more" if value > STRONG else "less" if value < -STRONG else ""

    def shade(self, row: int, column: int) -> float:
        """0 to 1: the share of the volume's synapses that are in the cluster."""
        return float(self.counts[row, column] / max(1, self.counts[:, column].sum()))

    def percent(self, row: int, column: int) -> float:
        """The share of the cluster's synapses that come from the volume."""
        return float(100 * self.counts[row, column] / max(1, self.counts[row].sum()))


@dataclass(frozen=True)
class VolumeEffect:
    """What was found without or with a correction. lines: name, value, note. own: these are the clusters of the page."""

    title: str
    level: str
    answer: str
    reason: str
    lines: tuple[tuple[str, str, str], ...]
    table: CrossTable | None
    own: bool = True


def verdicts(run: SynapseRun, clusters: Sequence[Cluster], effects: Sequence[VolumeEffect]) -> tuple[Verdict, ...]:
    """The questions to ask before a cluster is given a name."""
    groups = [one for one in clusters if one.name != "-1"]
    said = dict(run.table.uns.get("cluster") or {})
    reason = _sentence(str(said.get("reason") or ""))
    found = []
    if groups:
        structure = len(groups) > 1
        given = "given" in reason
        level = "unsure" if given and structure else "good" if structure else "bad"
        answer = f"{len(groups)} clusters" if structure else "No structure beyond one cloud"
        found.append(Verdict("Is there structure?", level, answer, reason))
    known = [one for one in groups if one.stability is not None]
    if known and len(groups) > 1:
        doubtful = [one.name for one in known if one.doubtful]
        level = "good" if not doubtful else "bad" if len(doubtful) == len(known) else "unsure"
        answer = "All clusters come back" if not doubtful else f"Doubtful: {', '.join(doubtful)}"
        low = min(one.stability or 0.0 for one in known)
        found.append(Verdict("Do they come back in other samples?", level, answer, f"The least stable reaches {low:.2f} of 1."))
    if effects:
        found.append(Verdict("Are they only the volumes?", effects[0].level, effects[0].answer, effects[0].reason))
    else:
        said = dict(run.table.uns.get("batch_effect") or {})
        reason = _sentence(str(said.get("reason") or "it was not tested"))
        found.append(Verdict("Are they only the volumes?", "none", "Not applicable", reason))
    return tuple(found)


def volume_effects(run: SynapseRun) -> tuple[VolumeEffect, ...]:
    """Without correction, and with one where it was tried: volume_effect.json of this look, else what its table holds."""
    told = run.json("volume_effect", shared=run.place == run.folder) or {}
    kept = run.table.uns.get("batch_effect")
    sides = {name: told[name] for name in ("uncorrected", "corrected") if isinstance(told.get(name), Mapping)}
    if not sides and kept is not None:
        sides = {"uncorrected": {key: value for key, value in dict(kept).items() if key != "residuals"}}
    own = "uncorrected" if str(told.get("correction") or "none") == "none" else "corrected"
    found = []
    for name, side in sides.items():
        if side.get("verdict") not in VOLUME_VERDICTS:
            continue
        table = cross_table(run, "cluster" if name == own else "cluster_other", side.get("residuals"))
        how = str(side.get("correction") or "")
        title = (
            "As measured"
            if name == "uncorrected"
            else f"Corrected: {CORRECTIONS.get(how, how.replace('_', ' ') or 'per volume')}"
        )
        taken = len(sides) > 1 and name == own
        found.append(_effect(f"{title}{' (taken)' if taken else ''}", side, table, own=name == own))
    return tuple(found)


def same_clusters(run: SynapseRun) -> float | None:
    """Adjusted Rand index of the clusters with and without correction."""
    return finite((run.json("volume_effect", shared=run.place == run.folder) or {}).get("same_clusters_rand"))


def cross_table(run: SynapseRun, column: str = "cluster", residuals: Any = None) -> CrossTable | None:
    """Clusters by volumes, None where one of them is not known. residuals: cluster -> volume -> number."""
    clusters, volumes = run.column(column), run.column("volume")
    if not volumes or not clusters:
        return None
    down = sorted(set(clusters), key=lambda name: (name == "-1", len(name), name))
    across = sorted(set(volumes))
    counts = np.zeros((len(down), len(across)), np.int64)
    np.add.at(counts, ([down.index(c) for c in clusters], [across.index(v) for v in volumes]), 1)
    if residuals is None and column == "cluster":
        kept = (run.table.uns.get("batch_effect") or {}).get("residuals")
        residuals = kept.rename(index=str, columns=str).T.to_dict() if hasattr(kept, "rename") else None
    known = None
    if isinstance(residuals, Mapping):
        known = np.array([[float((residuals.get(c) or {}).get(v) or 0.0) for v in across] for c in down])
    return CrossTable(tuple(down), tuple(across), counts, known)


def selection_charts(run: SynapseRun) -> tuple[tuple[str, str, str], ...]:
    """Title, SVG and a sentence each: silhouette with stability, the elbow, and how far it bends."""
    choice = run.rows("choice", shared=False)
    charts = choice_charts(choice, row="synapse")
    points = [(float(row["k"]), value) for row in choice if (value := finite(row.get("bend"))) is not None]
    if len(points) < 2:
        return charts
    taken = chosen(choice)
    curve = Curve("bend", [x for x, _ in points], [y for _, y in points], 3)
    low = min(0.0, np.floor(10 * min(curve.y)) / 10)
    marked = float(taken["k"]) if taken else None
    svg = line_chart([curve], "number of clusters", "below the chord", "Bend of the elbow", marked, mark="chosen", bottom=low)
    note = "How far the elbow's curve lies below the straight line between its ends; the elbow is where this is largest."
    return (*charts, ("Bend of the elbow", svg, note))


def selection_facts(run: SynapseRun) -> tuple[tuple[str, str], ...]:
    """What elbow, silhouette and the test against clouds without clusters say, in words."""
    said = dict(run.table.uns.get("cluster") or {})
    found = []
    elbow, best = finite(said.get("elbow")), finite(said.get("best_silhouette"))
    if elbow is not None and best is not None:
        agree = "they agree" if abs(elbow - best) <= 1 else "they disagree"
        found.append(("Elbow and silhouette", f"The elbow is at {elbow:.0f}, the largest silhouette at {best:.0f}: {agree}."))
    chance = finite(said.get("null_p"))
    if chance is not None:
        what = "better than" if chance <= 0.05 else "no better than"
        found.append(
            (
                "Test against one cloud",
                f"The clusters are {what} those of Gaussian clouds of the same covariance ({p_text(chance)}).",
            )
        )
    return tuple(found)


def _effect(title: str, told: Mapping[str, Any], table: CrossTable | None, *, own: bool) -> VolumeEffect:
    level, answer = VOLUME_VERDICTS[str(told["verdict"])]
    flat = {key: _plain(value) for key, value in told.items() if not isinstance(value, Mapping)}
    flat |= {f"{part}_{key}": value for part in ("features", "within") for key, value in dict(told.get(part) or {}).items()}
    lines = [
        _line(flat, "k", "Clusters", "{:.0f}", ""),
        _line(flat, "cramers_v", "Cramér's V of clusters and volumes", "{:.2f}", "v_p"),
        _line(flat, "features_r2", "Share of the distances between volumes (R²)", "{:.3f}", "features_p"),
        _line(flat, "within_r2", "The same inside clusters", "{:.3f}", "within_p"),
        _line(flat, "knn_accuracy", "Volume told from the 15 nearest", "{:.2f}", "knn_p", "knn_chance"),
    ]
    return VolumeEffect(title, level, answer, _sentence(str(told.get("reason") or "")), tuple(filter(None, lines)), table, own)


def _line(told: Mapping[str, Any], key: str, name: str, form: str, p: str, chance: str = "") -> tuple[str, str, str] | None:
    value = finite(told.get(key))
    if value is None:
        return None
    notes = [f"chance {base:.2f}" for base in [finite(told.get(chance))] if base is not None]
    notes += [p_text(small) for small in [finite(told.get(p))] if small is not None]
    return name, form.format(value), ", ".join(notes)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _sentence(text: str) -> str:
    text = text.replace("batches", "volumes").replace("batch", "volume")
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""
