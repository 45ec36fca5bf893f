"""Numbers of a run as lines a reader understands: headline, settings, scores, timing, the network's card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from neurotome.core import InputError, ModelCard
from neurotome.report.results import Results, Row

__all__ = [
    "Fact",
    "ScoreLine",
    "card_of_run",
    "headline",
    "number",
    "one_by_one",
    "score_lines",
    "settings",
    "timing",
    "training_overlap",
]

REFERENCES = {"adapted_rand_error": "two people differ by 0.06 on SNEMI3D"}

METRIC_NAMES = {
    "adapted_rand_error": "Adapted Rand error",
    "adapted_rand_precision": "Adapted Rand precision",
    "adapted_rand_recall": "Adapted Rand recall",
    "voi_split": "VOI, split",
    "voi_merge": "VOI, merge",
    "voi_sum": "VOI, sum",
    "split_errors": "Split errors",
    "merge_errors": "Merge errors",
    "cremi_score": "CREMI score",
    "ari_foreground": "Adjusted Rand index, inside truth",
    "ari_all_voxels": "Adjusted Rand index, all voxels",
    "foreground_precision": "Foreground precision",
    "foreground_recall": "Foreground recall",
    "f1": "F1 of lengths",
    "precision": "Precision: share of the trace near the reference",
    "recall": "Recall: share of the reference near the trace",
    "esa": "Mean distance (ESA)",
    "dsa": "Mean distance where apart (DSA)",
    "pds": "Share that is apart (PDS)",
    "critical_nodes_f1": "F1 of branch points and tips",
    "omits": "Missing pieces",
    "merges": "Merged trees",
    "expected_run_length_share": "Expected run length",
    "length_error": "Error of the whole length",
    "radius_error": "Mean error of the radius",
}

LEADING = ("adapted_rand_error", "f1")
"""The first of these is the one to look at first."""

LISTED = 4
"""Of a long list in the settings: run.json has all of it."""

DIRECTIONS = {"lower": "lower", "higher": "higher"}


@dataclass(frozen=True)
class Fact:
    """A value with its name, and a note where it needs one."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class ScoreLine:
    """One score in words. leads: the one to look at first."""

    name: str
    metric: str
    value: str
    unit: str
    direction: str
    convention: str
    support: str
    reference: str
    leads: bool


def headline(results: Results) -> tuple[Fact, ...]:
    """Neurons, volume, and the adapted Rand error where there is a truth."""
    found = []
    if results.table:
        large = sum(1 for row in results.table if row.get("sections", 1) and int(row.get("sections", 1)) > 1)
        found.append(Fact("neurons and pieces", number(len(results.table)), f"{number(large)} in more than one section"))
    if results.grid is not None:
        volume = results.grid.size * results.grid.voxel_um3
        found.append(Fact("of tissue", f"{number(volume)} µm³", f"{number(results.grid.size / 1e6)} million voxels"))
    for row in results.scores:
        if row["metric"] == "adapted_rand_error" and row["value"] is not None:
            found.append(Fact("adapted Rand error", f"{float(row['value']):.3f}", "0 is perfect, people differ by about 0.06"))
            break
    seconds = sum((results.record.get("seconds") or {}).values())
    if seconds:
        found.append(Fact("of computing", duration(seconds), f"on {results.record.get('device', 'cpu')}"))
    return tuple(found)


def settings(results: Results) -> tuple[Fact, ...]:
    """Inputs with their hashes, then every setting of the run in its order; None means 'as the network's card says'."""
    hashes = results.record.get("inputs") or {}
    found = []
    for key, value in results.config.items():
        note = f"sha256 {hashes[value][:12]}" if isinstance(value, str) and value in hashes else ""
        if key == "voxel_nm" and value:
            found.append(Fact("voxel size", f"{' x '.join(f'{v:g}' for v in value)} nm", "z, y, x"))
        elif value is not None:
            found.append(Fact(key.replace("_", " "), _plain(value), note))
    if results.grid is not None:
        found.insert(0, Fact("volume", f"{' x '.join(number(n) for n in results.grid.shape)} voxels", "z, y, x"))
    known = {f.name for f in found}
    extra = [Fact(k.replace("_", " "), _plain(v)) for k, v in results.facts.items() if _short(v)]
    return (*found, *(f for f in extra if f.name not in known))


def one_by_one(results: Results) -> Results:
    """The run with its settings one by one, without those that are empty, and long lists by their number."""
    shown: dict[str, Any] = {}
    for key, value in results.config.items():
        if isinstance(value, Mapping):
            shown |= {f"{key} {name}": _brief(inner) for name, inner in value.items() if inner not in (None, [], {}, "")}
        elif value not in (None, [], {}, ()):
            shown[key] = _brief(value)
    return replace(results, record={**results.record, "config": shown})


def score_lines(scores: Sequence[Row]) -> tuple[ScoreLine, ...]:
    """Rows of scores.json in words, in their order; a value that is not a number is left as a dash."""
    first = next((i for i, row in enumerate(scores) if row["metric"] in LEADING), None)
    return tuple(_score_line(row, leads=i == first) for i, row in enumerate(scores))


def _score_line(row: Mapping[str, Any], *, leads: bool) -> ScoreLine:
    value, metric, unit = row.get("value"), str(row["metric"]), str(row.get("unit") or "")
    numeric = isinstance(value, (int, float))
    text = "-" if not numeric else f"{value:,.0f}" if unit == "errors" else f"{value:.4f}"
    return ScoreLine(
        METRIC_NAMES.get(metric, metric.replace("_", " ")),
        metric,
        text,
        unit,
        DIRECTIONS.get(str(row.get("better")), ""),
        str(row.get("convention") or ""),
        str(row.get("support") or "full"),
        REFERENCES.get(metric, "") if leads else "",
        leads,
    )


def timing(results: Results) -> tuple[tuple[str, str, float], ...]:
    """Step, time in words, share of the whole in percent."""
    seconds = results.record.get("seconds") or {}
    whole = sum(seconds.values()) or 1.0
    return tuple((step, duration(s), 100 * s / whole) for step, s in seconds.items())


def card_of_run(results: Results) -> ModelCard | None:
    """The card of the network that was used: kept in the run, or in its folder, or in the package; None where there is none."""
    if isinstance(kept := results.facts.get("model_card"), dict):
        return _card(kept, "run.json")
    name = str(results.config.get("model") or "").partition("@")[0]
    if not name:
        return None
    for folder in (Path(str(files("neurotome"))) / "zoo" / name, Path(name)):
        path = folder / "card.json"
        if path.is_file():
            return _card(json.loads(path.read_text(encoding="utf-8")), str(path))
    return None


def training_overlap(results: Results, card: ModelCard) -> tuple[str, bool]:
    """Whether the network has seen this input, as far as names can tell: in words, and whether a reader must be warned."""
    if results.image is None or not card.trained_on:
        return "Whether the network has seen this input is not known.", True
    name = results.image.name
    seen = [entry for entry in card.trained_on if name and name in entry]
    if seen:
        return (
            f"The input is called '{name}', like a volume the network was trained on ({'; '.join(seen)}): "
            "scores on those sections are not held-out scores.",
            True,
        )
    return (
        f"The input is called '{name}', which is not among the training volumes; "
        "a copy or a crop of one of them under another name would not be noticed.",
        False,
    )


def number(value: float) -> str:
    """
    >>> number(73400320), number(0.01234), number(12.345), number(3)
    ('73,400,320', '0.0123', '12.3', '3')
    """
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """
    >>> duration(0.21), duration(75), duration(4000)
    ('0.2 s', '1 min 15 s', '1 h 6 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _card(data: Mapping[str, Any], source: str) -> ModelCard | None:
    try:
        return ModelCard.from_json(data, source)
    except InputError:
        # A card of another version is no reason to lose the page; the page says that there is no card.
        return None


def _brief(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items() if inner not in (None, [], {}, ""))
    if not isinstance(value, (list, tuple)) or len(value) <= LISTED:
        return value
    return f"{number(len(value))}: {', '.join(Path(str(v)).name for v in value[:LISTED])} ..."


def _short(value: object) -> bool:
    return isinstance(value, (str, int, float, bool)) and len(str(value)) < 120


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(v) for v in value)
    return str(value)
