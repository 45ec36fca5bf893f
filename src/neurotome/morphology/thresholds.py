"""The probability above which a voxel is occupied: chosen on some neurons, reported on others, unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from neurotome.core import InputError
from neurotome.measure.occupancy import best_threshold

__all__ = ["ThresholdChoice"]


@dataclass(frozen=True, eq=False)
class ThresholdChoice:
    """A threshold, and all that it rests on.

    metric: the score whose mean is highest there; of equal thresholds it is the lowest. curve: as from `threshold_sweep`.
    chosen_on: the names of the neurons.
    """

    threshold: float
    metric: str
    curve: pd.DataFrame
    chosen_on: tuple[str, ...]

    @classmethod
    def of(cls, curve: pd.DataFrame, chosen_on: Iterable[str], metric: str = "f1") -> ThresholdChoice:
        """The best threshold of a curve. Raises UnknownNameError for the metric, InputError for no neurons."""
        names = tuple(sorted(chosen_on))
        if not names:
            raise InputError(
                "A threshold chosen on no neurons", "at least one", "look at the split: is its validation part empty?"
            )
        return cls(best_threshold(curve, metric), metric, curve, names)

    @property
    def value(self) -> float:
        """The mean score at the threshold, of the neurons it was chosen on: too good to be reported as that of others."""
        return float(self.curve[self.metric].max())

    def require_unseen(self, names: Iterable[str]) -> None:
        """Raises InputError for a neuron that the threshold was chosen on: its score would flatter the model."""
        if seen := sorted(set(names) & set(self.chosen_on)):
            raise InputError(
                f"'{seen[0]}'{f' and {len(seen) - 1} more' if len(seen) > 1 else ''} chose the threshold {self.threshold:g}",
                "other neurons to report it on",
                "split validation and test by neuron; to score these all the same, give the number",
            )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        curve = self.curve.to_dict(orient="list")
        return {"threshold": self.threshold, "metric": self.metric, "curve": curve, "chosen_on": list(self.chosen_on)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ThresholdChoice:
        """What `to_json` gave."""
        return cls(float(data["threshold"]), str(data["metric"]), pd.DataFrame(data["curve"]), tuple(data["chosen_on"]))
