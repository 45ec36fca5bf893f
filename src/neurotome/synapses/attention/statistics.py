"""Does attention lie on a structure? A map of a crop against a mask of the same crop, voxel by voxel in three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from neurotome.cluster import benjamini_hochberg
from neurotome.core import ShapeError

__all__ = ["STATISTICS", "RankedMap", "attention_summary", "compare_map"]

STATISTICS = (
    "dice",
    "iou",
    "dice_equal_area",
    "iou_equal_area",
    "pearson",
    "mean_inside",
    "mean_outside",
    "ratio",
    "auc",
    "average_precision",
    "enrichment",
)


@dataclass(frozen=True, eq=False)
class RankedMap:
    """A map with its ranks, so that many masks can be compared with it.

    values: (n,) of the valid voxels; ranks: mid-ranks, from 1. order: voxels from the highest value down; last_of_tie: for each
    place in that order, the last place with the same value.
    """

    values: np.ndarray
    ranks: np.ndarray
    order: np.ndarray
    last_of_tie: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> RankedMap:
        """Of (n,) values."""
        flat = np.asarray(values, dtype=np.float64).ravel()
        order = np.argsort(-flat, kind="stable")
        down = flat[order]
        starts = np.flatnonzero(np.r_[True, down[1:] != down[:-1]])
        sizes = np.diff(np.r_[starts, len(flat)])
        last = np.repeat(starts + sizes - 1, sizes)
        ranks = np.empty(len(flat))
        # Counted from the lowest: a tie shares the mean of its places.
        ranks[order] = len(flat) - np.repeat(starts + (sizes - 1) / 2, sizes)
        return cls(flat, ranks, order, last)


def compare_map(ranked: RankedMap, mask: np.ndarray) -> dict[str, float]:
    """How a map agrees with a mask (n,) of the same voxels: `STATISTICS`; not a number where the mask is empty or everything.

    Dice and IoU are of the voxels above half the maximum, and of as many of the highest voxels as the mask has. AUC uses
    mid-ranks, so a constant map has exactly 0.5. enrichment: share of the map's sum inside, over the mask's share of the voxels.

    >>> mask = np.r_[np.ones(4, bool), np.zeros(12, bool)]
    >>> found = compare_map(RankedMap.of(np.r_[np.ones(8), np.zeros(8)]), mask)
    >>> round(found["dice"], 4), found["iou"], round(found["auc"], 4)
    (0.6667, 0.5, 0.8333)
    """
    inside = np.asarray(mask, dtype=bool).ravel()
    if len(inside) != len(ranked.values):
        raise ShapeError(f"A mask of {len(inside)} voxels for a map of {len(ranked.values)}", "the same voxels")
    count, n = int(inside.sum()), len(inside)
    if count in (0, n):
        return dict.fromkeys(STATISTICS, float("nan"))
    values = ranked.values
    highest = values[ranked.order[0]]
    attended = values > 0.5 * highest if highest > 0 else np.zeros(n, bool)
    top = np.zeros(n, bool)
    top[ranked.order[:count]] = True
    total = float(values.sum())
    mean_in, mean_out = float(values[inside].mean()), float(values[~inside].mean())
    return {
        **dict(zip(("dice", "iou"), _overlap(attended, inside), strict=True)),
        **dict(zip(("dice_equal_area", "iou_equal_area"), _overlap(top, inside), strict=True)),
        "pearson": _pearson(values, inside),
        "mean_inside": mean_in,
        "mean_outside": mean_out,
        "ratio": mean_in / mean_out if mean_out > 0 else float("nan"),
        "auc": (float(ranked.ranks[inside].sum()) - count * (count + 1) / 2) / (count * (n - count)),
        "average_precision": _average_precision(ranked, inside, count),
        "enrichment": (mean_in * count / total) / (count / n) if total > 0 else float("nan"),
    }


def attention_summary(
    table: pd.DataFrame, *, units: Sequence[object] | None = None, draws: int = 999, seed: int = 42
) -> pd.DataFrame:
    """One row per layer and operand of a table (key, layer, operand, STATISTICS): n, mean AUC with a 95 % bootstrap interval over
    units (presynaptic neurons), median ratio, and whether attention inside differs from outside (Wilcoxon signed-rank, p_bh over
    all rows by Benjamini and Hochberg). units: one per row of the table; rows stand for themselves without.
    """
    frame = table.assign(unit=list(units) if units is not None else list(range(len(table)))).dropna(subset=["auc"])
    rows = []
    for (layer, operand), some in frame.groupby(["layer", "operand"], sort=True):
        low, high = _interval(some, draws, seed)
        rows.append(
            {
                "layer": layer,
                "operand": operand,
                "n": len(some),
                "auc": float(some["auc"].mean()),
                "auc_low": low,
                "auc_high": high,
                "ratio": float(some["ratio"].median()),
                "enrichment": float(some["enrichment"].mean()),
                "dice": float(some["dice"].mean()),
                "p": _signed_rank(some["mean_inside"].to_numpy(), some["mean_outside"].to_numpy()),
            }
        )
    columns = ["layer", "operand", "n", "auc", "auc_low", "auc_high", "ratio", "enrichment", "dice", "p", "p_bh"]
    found = pd.DataFrame(rows, columns=columns)
    if len(found):
        tested = found["p"].notna().to_numpy()
        found.loc[tested, "p_bh"] = benjamini_hochberg(found.loc[tested, "p"].to_numpy())
    return found


def _overlap(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    both, either = int((first & second).sum()), int((first | second).sum())
    return 2 * both / (both + either), both / either


def _pearson(values: np.ndarray, inside: np.ndarray) -> float:
    # A map without any contrast has no correlation to speak of.
    return float(np.corrcoef(values, inside)[0, 1]) if np.ptp(values) > 0 else float("nan")


def _average_precision(ranked: RankedMap, inside: np.ndarray, count: int) -> float:
    """Mean precision over the mask's voxels, ties taken together."""
    hits = np.cumsum(inside[ranked.order])
    precision = hits[ranked.last_of_tie] / (ranked.last_of_tie + 1)
    return float(precision[inside[ranked.order]].sum() / count)


def _interval(some: pd.DataFrame, draws: int, seed: int) -> tuple[float, float]:
    by_unit = some.groupby("unit")["auc"].agg(["sum", "size"]).to_numpy(dtype=float)
    if len(by_unit) < 2:
        return float("nan"), float("nan")
    drawn = by_unit[np.random.default_rng(seed).integers(len(by_unit), size=(draws, len(by_unit)))].sum(1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return float(low), float(high)


def _signed_rank(inside: np.ndarray, outside: np.ndarray) -> float:
    difference = inside - outside
    return float(stats.wilcoxon(difference).pvalue) if len(difference) > 5 and np.any(difference != 0) else float("nan")
