"""How far every two groups lie apart in one number, with intervals."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from neurotome.cluster.evidence.effect_sizes import benjamini_hochberg, cohen_d, hedges_g, rank_sum_p
from neurotome.cluster.values import codes_of, same_length
from neurotome.core import ShapeError

__all__ = ["PAIR_COLUMNS", "effect_matrix"]

PAIR_COLUMNS = ("first", "second", "n_first", "n_second", "d", "d_low", "d_high", "g", "g_low", "g_high", "p", "q")


def effect_matrix(values: np.ndarray, labels: np.ndarray, *, draws: int = 1000, seed: int = 42) -> pd.DataFrame:
    """`PAIR_COLUMNS` for every two labels (n,): by how much values (n,) of the first exceed those of the second.

    d: Cohen's d, g: Hedges' g, each with a 95 % bootstrap interval, for which each group is drawn anew. p: rank-sum test, q:
    Benjamini-Hochberg over the pairs. NaN where a group has fewer than 2 rows; missing values are left out.

    >>> effect_matrix(np.array([1.0, 2, 3, 3, 4, 5]), np.repeat(["a", "b"], 3))[["d", "g"]].values.round(3).tolist()
    [[-2.0, -1.6]]
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1:
        raise ShapeError(f"values of shape {values.shape}", "one number per row", "give one column")
    same_length(len(values), labels=labels)
    codes, names = codes_of(labels)
    members = [values[(codes == at) & np.isfinite(values)] for at in range(len(names))]
    rng = np.random.default_rng(seed)
    drawn = [_redrawn(one, draws, rng) for one in members]
    rows = [
        (names[a], names[b], len(members[a]), len(members[b]), *_pair(members[a], members[b], drawn[a], drawn[b]))
        for a, b in combinations(range(len(names)), 2)
    ]
    table = pd.DataFrame(rows, columns=list(PAIR_COLUMNS[:-1]))
    table["q"] = benjamini_hochberg(table["p"].to_numpy(np.float64))
    return table


def _redrawn(values: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """(draws, 2): mean and variance of as many values drawn with replacement."""
    if len(values) < 2:
        return np.full((draws, 2), np.nan)
    again = values[rng.integers(len(values), size=(draws, len(values)))]
    return np.stack([again.mean(1), again.var(1, ddof=1)], axis=1)


def _pair(first: np.ndarray, second: np.ndarray, drawn_first: np.ndarray, drawn_second: np.ndarray) -> tuple[float, ...]:
    if min(len(first), len(second)) < 2:
        return (np.nan,) * 7
    d, g = (float(measure(first[:, None], second[:, None])[0]) for measure in (cohen_d, hedges_g))
    spread = np.sqrt((drawn_first[:, 1] + drawn_second[:, 1]) / 2)
    # Draws of one value only have no spread to measure by.
    known = spread > 0
    again = (drawn_first[known, 0] - drawn_second[known, 0]) / spread[known]
    low, high = np.percentile(again, (2.5, 97.5)).tolist() if known.any() else (np.nan, np.nan)
    shrink = g / d if d not in (0.0, np.inf, -np.inf) else 1.0
    inside = np.arange(len(first) + len(second)) < len(first)
    p = float(rank_sum_p(np.concatenate([first, second])[:, None], inside)[0])
    return d, low, high, g, low * shrink, high * shrink, p
