"""Numbers that judge a result: never without unit, direction and convention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from neurotome.core.errors import UnknownNameError

__all__ = ["Score", "Scores"]

Better = Literal["lower", "higher", "neither"]


@dataclass(frozen=True)
class Score:
    """One number. `convention` names the variant of the formula, `support` the part of the volume it was computed on."""

    metric: str
    value: float
    unit: str = ""
    better: Better = "neither"
    convention: str = ""
    support: str = "full"


@dataclass(frozen=True)
class Scores:
    """An ordered set of scores.

    >>> Scores((Score("adapted_rand_error", 0.25, better="lower"),))["adapted_rand_error"]
    0.25
    """

    items: tuple[Score, ...]

    def __iter__(self) -> Iterator[Score]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, metric: str) -> float:
        for score in self.items:
            if score.metric == metric:
                return score.value
        raise UnknownNameError("metric", metric, {s.metric for s in self.items})

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(s) for s in self.items]
