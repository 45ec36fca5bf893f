"""What becomes of a synapse that cannot be used: a row with the reason, never a silent gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from typing import Literal

import numpy as np
import pandas as pd

__all__ = ["DISCARD_COLUMNS", "Discarded", "discard_table"]


@dataclass(frozen=True)
class Discarded:
    """One synapse that a step left out, and why.

    key: "dataset/volume/id". step: which step left it out. reason: a name such as "fill_below_threshold".
    value, threshold: what was measured and what it should have reached; NaN where the reason is not a number.
    """

    key: str
    step: Literal["sites", "crops", "view", "features"]
    reason: str
    value: float = float("nan")
    threshold: float = float("nan")


DISCARD_COLUMNS = tuple(field.name for field in fields(Discarded))


def discard_table(discarded: Iterable[Discarded]) -> pd.DataFrame:
    """The rows of `discarded.csv`, in the order given, with its columns and their types even when there are none.

    >>> discard_table([Discarded("d/v/1", "view", "no_vesicles", 0, 1)])[["key", "reason", "threshold"]].values.tolist()
    [['d/v/1', 'no_vesicles', 1.0]]
    """
    table = pd.DataFrame([astuple(row) for row in discarded], columns=list(DISCARD_COLUMNS))
    return table.astype({"key": object, "step": object, "reason": object, "value": np.float64, "threshold": np.float64})
