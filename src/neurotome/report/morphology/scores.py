"""How well shapes tell the labels: the learned features beside hand-made ones and chance, as bars and in a sentence."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from neurotome.report.atlas.columns import title_of
from neurotome.report.facts import number
from neurotome.report.results import Row

__all__ = ["LEARNED", "ScoreBar", "ScoreTable", "measure_name", "score_tables"]

LEARNED = ("embedding", "learned")
"""What the features that the network found are called in scores.csv; all others are hand-made or a check."""
HAND_MADE = ("morphometrics", "persistence", "sholl", "density", "nblast")
"""Features with one of these words in their name compete with the learned ones; all others say what a score is worth."""
FEATURE_NAMES = {
    **dict.fromkeys(LEARNED, "learned embedding"),
    "persistence": "persistence of branches",
    "sholl": "Sholl profile",
    "density": "density maps",
}
JUDGES = {
    "knn": "by nearest neighbours",
    "linear": "by a linear classifier",
    "nested": "by the best of several classifiers",
}
SCORE_NAMES = {"macro_f1": "mean F1 of the classes"}


@dataclass(frozen=True)
class ScoreBar:
    """The score of one set of features. low, high: its interval, None where none was made. learned: found by the network."""

    features: str
    value: float
    low: float | None
    high: float | None
    learned: bool
    hand_made: bool
    chance: float | None

    @property
    def name(self) -> str:
        return FEATURE_NAMES.get(self.features, self.features.replace("_", " "))

    @property
    def reach(self) -> tuple[float, float]:
        """The interval, or the value alone."""
        return (self.value if self.low is None else self.low, self.value if self.high is None else self.high)

    @property
    def text(self) -> str:
        return f"{self.value:.3f}"

    @property
    def interval(self) -> str:
        return "" if self.low is None or self.high is None else f"{self.low:.3f} to {self.high:.3f}"


@dataclass(frozen=True)
class ScoreTable:
    """All features judged by one measure on one column of labels."""

    target: str
    measure: str
    bars: tuple[ScoreBar, ...]
    n: int
    classes: int
    folds: int

    @property
    def title(self) -> str:
        return f"{title_of(self.target)}: {measure_name(self.measure)}"

    @property
    def chance(self) -> float | None:
        return next((bar.chance for bar in self.bars if bar.chance is not None), None)

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Where the bars begin and end: 0 and 1, or further where a score is."""
        ends = [end for bar in self.bars for end in bar.reach]
        return min(0.0, *ends), max(1.0, *ends)

    @property
    def learned(self) -> ScoreBar | None:
        return next((bar for bar in self.bars if bar.learned), None)

    @property
    def rival(self) -> ScoreBar | None:
        """The best of the hand-made features."""
        return max((bar for bar in self.bars if bar.hand_made), key=lambda bar: bar.value, default=None)

    def percent(self, value: float) -> str:
        """How far along the bar a value lies."""
        low, high = self.scale
        return f"{100 * (value - low) / (high - low):.2f}"

    @property
    def support(self) -> str:
        """What the scores rest on, in words."""
        parts = [f"{number(self.n)} neurons" if self.n else "", f"{number(self.classes)} classes" if self.classes else ""]
        return ", ".join([*filter(None, parts), *([f"{self.folds} folds"] if self.folds > 1 else [])])

    @property
    def sentence(self) -> str:
        """What the bars show, with no more certainty than their intervals have."""
        return " ".join(filter(None, [self._against_chance(), self._against_rival()]))

    def _against_chance(self) -> str:
        found, what = self.learned, title_of(self.target)
        if found is None:
            return ""
        if self.chance is None:
            return f"The learned embedding reaches {_pair(found)}."
        if not found.interval:
            return f"The learned embedding reaches {_pair(found)}; chance is {self.chance:.2f}."
        if found.reach[0] > self.chance:
            return f"The learned embedding tells {what} apart better than chance: {_pair(found)}, chance is {self.chance:.2f}."
        return f"The learned embedding does not tell {what} apart: it reaches {_pair(found)}, and chance is {self.chance:.2f}."

    def _against_rival(self) -> str:
        found, rival = self.learned, self.rival
        if found is None or rival is None:
            return ""
        if not found.interval or not rival.interval:
            return f"The best hand-made features, {rival.name}, reach {rival.value:.2f}."
        if found.reach[0] > rival.reach[1]:
            return f"It is better than the best hand-made features, {rival.name} ({rival.value:.2f})."
        if found.reach[1] < rival.reach[0]:
            return f"The best hand-made features, {rival.name}, are better ({rival.value:.2f})."
        return (
            f"The best hand-made features, {rival.name}, reach {rival.value:.2f}; the intervals overlap, so this does not say "
            "which of the two is better."
        )


def score_tables(rows: Sequence[Row]) -> tuple[ScoreTable, ...]:
    """Rows of scores.csv by target and measure, in their order, the learned features first; what is no number is left out.

    >>> rows = [{"features": "sholl", "target": "layer", "measure": "knn", "value": 0.5, "low": 0.4, "high": 0.6, "chance": 0.25}]
    >>> rows.append({**rows[0], "features": "embedding", "value": 0.8, "low": 0.7, "high": 0.9})
    >>> score_tables(rows)[0].sentence[-68:]
    'It is better than the best hand-made features, Sholl profile (0.50).'
    """
    tables: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if _known(row.get("value")) is not None:
            tables.setdefault((str(row["target"]), str(row["measure"])), []).append(row)
    return tuple(_table(target, measure, found) for (target, measure), found in tables.items())


def measure_name(measure: str) -> str:
    """
    >>> measure_name("knn5_balanced_accuracy"), measure_name("nested_macro_f1"), measure_name("silhouette")
    ('balanced accuracy, by the 5 nearest', 'mean F1 of the classes, by the best of several classifiers', 'silhouette')
    """
    found = re.fullmatch(r"(knn|linear|nested)(\d*)_(\w+)", measure)
    if not found:
        return measure.replace("_", " ")
    judge, k, score = found.groups()
    by = f"by the {k} nearest" if k else JUDGES[judge]
    return f"{SCORE_NAMES.get(score, score.replace('_', ' '))}, {by}"


def _table(target: str, measure: str, rows: Sequence[Row]) -> ScoreTable:
    bars = sorted((_bar(row) for row in rows), key=lambda bar: (not bar.learned, not bar.hand_made, -bar.value))
    n, classes, folds = (max(int(_known(row.get(key)) or 0) for row in rows) for key in ("n", "classes", "folds"))
    return ScoreTable(target, measure, tuple(bars), n, classes, folds)


def _bar(row: Row) -> ScoreBar:
    name = str(row["features"])
    low, high, chance = (_known(row.get(key)) for key in ("low", "high", "chance"))
    hand_made = any(word in name for word in HAND_MADE) and not any(word in name for word in LEARNED)
    return ScoreBar(name, float(row["value"]), low, high, name in LEARNED, hand_made, chance)


def _known(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _pair(bar: ScoreBar) -> str:
    return f"{bar.value:.2f}" + (f" (95 % interval {bar.low:.2f} to {bar.high:.2f})" if bar.interval else "")
