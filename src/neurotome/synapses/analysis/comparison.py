"""Two tables of features of the same synapses, by two networks or recipes: do they tell the same story?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.cluster import ScalingSettings, TableComparison, compare_tables, project_rows, rows_in_both
from neurotome.cluster.tables import column_of
from neurotome.core import InputError
from neurotome.synapses.analysis.feature_matrix import feature_matrix, rows_of

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["MAP_COLUMNS", "SynapseComparison", "compare_synapses", "fitted_onto"]

MAP_COLUMNS = ("key", "first_1", "first_2", "second_1", "second_2", "length")


@dataclass(frozen=True, eq=False)
class SynapseComparison:
    """keys: the synapses that both tables have; scores: see `cluster.TableComparison`, whose `pairs` are named here.

    pairs: first, second (keys), in_a, in_b (distances over their mean), the 20 largest differences first. arrows:
    `MAP_COLUMNS`, each synapse on a joint map, from where the first table puts it to where the second does.
    """

    keys: tuple[str, ...] = field(repr=False)
    scores: TableComparison
    pairs: pd.DataFrame = field(repr=False)
    arrows: pd.DataFrame = field(repr=False)

    def described(self) -> dict[str, Any]:
        """For a JSON file."""
        names = ("mantel", "cka", "rv", "neighbours", "triplets", "rand")
        numbers = {name: float(getattr(self.scores, name)) for name in names}
        return {"synapses": len(self.keys)} | {name: value if np.isfinite(value) else None for name, value in numbers.items()}


def compare_synapses(
    a: AnnData,
    b: AnnData,
    *,
    families: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None),
    scaling: ScalingSettings | None = None,
    map_name: str = "pca",
    k: int = 10,
    seed: int = 42,
) -> SynapseComparison:
    """Joins two tables on their keys, scales the rows that both have, each table by itself, and compares them.

    families: of a and of b (None: all columns). Clusters are compared where both tables have them. The joint map is of both
    tables at once where they have the same columns; else the second map is turned and stretched onto the first.
    Raises InputError that shows keys of both where none is common.
    """
    rows_a, rows_b = _common(a, b)
    a, b = rows_of(a, rows_a), rows_of(b, rows_b)
    first, second = (feature_matrix(side, chosen, scaling=scaling) for side, chosen in zip((a, b), families, strict=True))
    both = "cluster" in a.obs and "cluster" in b.obs
    clusters = (column_of(a, "cluster"), column_of(b, "cluster")) if both else None
    names = (first.columns, second.columns)
    scores = compare_tables(first.scaled, second.scaled, k=k, clusters=clusters, names=names, seed=seed)
    keys = tuple(map(str, a.obs_names))
    pairs = scores.pairs.assign(**{side: [keys[row] for row in scores.pairs[side]] for side in ("first", "second")})
    if first.columns == second.columns:
        stacked = project_rows(np.concatenate([first.scaled, second.scaled]), map_name).coordinates.astype(np.float64)
        maps = stacked[: len(keys)], stacked[len(keys) :]
    else:
        drawn = [project_rows(side.values, map_name).coordinates.astype(np.float64) for side in (first, second)]
        maps = drawn[0], fitted_onto(drawn[0], drawn[1])
    return SynapseComparison(keys, scores, pairs, _arrows(keys, *maps))


def fitted_onto(target: np.ndarray, points: np.ndarray) -> np.ndarray:
    """points (n, d) moved, turned, mirrored and stretched as a whole to lie as near to target (n, d) as they can.

    Source: Schoenemann 1966 (orthogonal Procrustes).

    >>> square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    >>> np.allclose(fitted_onto(square, 3 * square[:, ::-1] + 5), square)
    True
    """
    centred, onto = points - points.mean(0), target - target.mean(0)
    u, lengths, v = np.linalg.svd(centred.T @ onto)
    power = float((centred**2).sum())
    stretch = lengths.sum() / power if power > 0 else 0.0
    fitted: np.ndarray = stretch * centred @ (u @ v) + target.mean(0)
    return fitted


def _common(a: AnnData, b: AnnData) -> tuple[np.ndarray, np.ndarray]:
    if not set(a.obs_names) & set(b.obs_names):
        examples = [", ".join(f"'{name}'" for name in side.obs_names[:2]) for side in (a, b)]
        raise InputError(f"The tables share no key: {examples[0]} and {examples[1]}", "the same synapses", "check the keys")
    return rows_in_both(list(a.obs_names), list(b.obs_names))


def _arrows(keys: Sequence[str], first: np.ndarray, second: np.ndarray) -> pd.DataFrame:
    length = np.linalg.norm(second - first, axis=1)
    return pd.DataFrame(dict(zip(MAP_COLUMNS, (list(keys), *first.T, *second.T, length), strict=True)))
