"""What a nested cross-validation found, as tables and as plain values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.cluster.agreement import cross_table_of_codes
from neurotome.cluster.prediction.folds import Task
from neurotome.cluster.scores import score_of

if TYPE_CHECKING:
    from neurotome.cluster.prediction.classify import ClassifySettings, OuterFold

__all__ = ["Classification"]


@dataclass(frozen=True, eq=False)
class Classification:
    """score: over all outer predictions together; mean and sd: over outer folds. low, high: 95 % bootstrap over rows of `score`.

    chance, chance_sd: the same folds with shuffled labels. predicted (m,): codes into task.names for the rows task.rows.
    """

    score: float
    low: float
    high: float
    mean: float
    sd: float
    chance: float
    chance_sd: float
    settings: ClassifySettings
    folds: tuple[OuterFold, ...] = field(repr=False)
    task: Task = field(repr=False)
    predicted: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, task: Task, folds: Sequence[OuterFold], settings: ClassifySettings, chances: np.ndarray) -> Classification:
        predicted = np.empty(len(task.codes), np.int64)
        for outer in folds:
            predicted[list(outer.rows)] = outer.predicted
        score = score_of(settings.score)
        each = np.array([outer.score for outer in folds])
        low, high = _interval(task.codes, predicted, settings)
        return cls(
            score(task.codes, predicted),
            low,
            high,
            float(each.mean()),
            float(each.std(ddof=1)),
            float(chances.mean()) if len(chances) else float("nan"),
            float(chances.std(ddof=1)) if len(chances) > 1 else float("nan"),
            settings,
            tuple(folds),
            task,
            predicted,
        )

    def predictions(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """name, truth, predicted, fold, family: one row per row that took part; names are those of the whole table (n,)."""
        table = pd.DataFrame({"name": [str(names[row]) if names is not None else str(row) for row in self.task.rows]})
        table["truth"] = np.array(self.task.names, object)[self.task.codes]
        table["predicted"] = np.array(self.task.names, object)[self.predicted]
        fold, family = np.empty(len(table), np.int64), np.empty(len(table), object)
        for outer in self.folds:
            fold[list(outer.rows)], family[list(outer.rows)] = outer.fold, outer.family
        return table.assign(fold=fold, family=family)

    def confusion(self, *, shares: bool = True) -> pd.DataFrame:
        """True classes down, predicted ones across; shares: every row adds up to 1."""
        counts = cross_table_of_codes(self.task.codes, self.predicted, len(self.task.names), len(self.task.names))
        table = counts / counts.sum(1, keepdims=True) if shares else counts
        return pd.DataFrame(table, index=list(self.task.names), columns=list(self.task.names))

    def row(self, features: str, target: str) -> dict[str, object]:
        """One row of the table of scores."""
        return {
            "features": features,
            "target": target,
            "measure": f"nested_{self.settings.score}",
            "value": self.score,
            "low": self.low,
            "high": self.high,
            "chance": self.chance,
            "n": len(self.task.rows),
            "classes": len(self.task.names),
            "folds": self.settings.outer,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values: scores, settings, classes, and what each outer fold chose."""
        numbers = {name: getattr(self, name) for name in ("score", "low", "high", "mean", "sd", "chance", "chance_sd")}
        return {
            **{name: value if np.isfinite(value) else None for name, value in numbers.items()},
            "settings": asdict(self.settings),
            "classes": dict(zip(self.task.names, self.task.sizes.tolist())),
            "left_out": self.task.left_out,
            "merged": list(self.task.merged),
            "unconverged": sum(outer.unconverged for outer in self.folds),
            "folds": [
                {name: value for name, value in outer.to_json().items() if name not in ("rows", "predicted")}
                for outer in self.folds
            ],
            "confusion": json.loads(self.confusion(shares=False).to_json(orient="split")),
        }


def _interval(codes: np.ndarray, predicted: np.ndarray, settings: ClassifySettings, draws: int = 1000) -> tuple[float, float]:
    rng = np.random.default_rng(settings.seed)
    classes = [np.flatnonzero(codes == name) for name in np.unique(codes)]
    score, values = score_of(settings.score), []
    for _ in range(draws):
        rows = np.concatenate([members[rng.integers(len(members), size=len(members))] for members in classes])
        values.append(score(codes[rows], predicted[rows]))
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)
