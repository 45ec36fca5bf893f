"""How each tree of two tracings fared: how much of it the other tracing has, and in how many pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import Skeleton
from neurotome.measure.trees.comparison import NM_PER_UM, TreeComparison, Unit
from neurotome.measure.trees.distances import is_near
from neurotome.measure.trees.nearest import Nearest
from neurotome.measure.trees.sampling import Samples

__all__ = ["TREE_OBJECT_COLUMNS", "tree_objects"]

TREE_OBJECT_COLUMNS = ("side", "tree", "root_id", "length_um", "found_um", "found", "partner", "partner_um", "partners")


def tree_objects(comparison: TreeComparison, *, unit: Unit = "um") -> pd.DataFrame:
    """One row per tree that has a length, gold first, longest first.

    side: "gold" or "test". tree: its number, 0 the first. found_um, found: length, and share of it, that is within the tolerance
    of `unit` of the other tracing. partner: the tree of the other tracing that has most of it (-1: none), with partner_um of it;
    partners: how many have some.
    """
    found = comparison.in_unit(unit)
    gold = _rows("gold", found.gold, found.gold_samples, found.test, found.to_test, found.tau)
    test = _rows("test", found.test, found.test_samples, found.gold, found.to_gold, found.tau)
    return pd.DataFrame([*gold, *test], columns=list(TREE_OBJECT_COLUMNS))


def _rows(side: str, tree: Skeleton, samples: Samples, other: Skeleton, nearest: Nearest, tau: float) -> list[dict[str, Any]]:
    own = tree.trees[samples.edges]
    near = is_near(nearest.distance, tau)
    partner = other.trees[np.flatnonzero(other.parent_rows >= 0)[nearest.segment]]
    lengths = samples.weights_of(tree.edge_nm) / NM_PER_UM
    rows = []
    for number in np.unique(own):
        shared = np.bincount(partner[near & (own == number)], lengths[near & (own == number)])
        length, found = float(lengths[own == number].sum()), float(shared.sum())
        rows.append(
            {
                "side": side,
                "tree": int(number),
                "root_id": int(tree.ids[tree.roots[number]]),
                "length_um": length,
                "found_um": found,
                "found": found / length,
                "partner": int(shared.argmax()) if found > 0 else -1,
                "partner_um": float(shared.max(initial=0.0)),
                "partners": int((shared > 0).sum()),
            }
        )
    return sorted(rows, key=lambda row: -row["length_um"])
