"""Are rows of one group (say, parts of one object) more alike than rows of different groups?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numba
import numpy as np
import pandas as pd

from neurotome.cluster.evidence.effect_sizes import benjamini_hochberg
from neurotome.cluster.evidence.permutation import permutation_p, shuffled_within
from neurotome.cluster.quality import distances_within
from neurotome.cluster.values import codes_of, labelled, numbers_of, same_length
from neurotome.core import InputError

__all__ = ["GROUP_COLUMNS", "GroupLikeness", "group_likeness"]

GROUP_COLUMNS = ("group", "rows", "mean", "min", "max", "ratio", "p", "q")


@dataclass(frozen=True, eq=False)
class GroupLikeness:
    """ratio: mean distance within groups over mean distance between groups; below 1, groups are alike within themselves.

    p: the share of permutations whose ratio is as small. table: `GROUP_COLUMNS` of groups with two rows or more: distances
    within, the group's own ratio and p, q by Benjamini-Hochberg over the groups.
    """

    intra: float
    inter: float
    ratio: float
    p: float
    table: pd.DataFrame = field(repr=False)


def group_likeness(
    values: np.ndarray,
    groups: np.ndarray,
    *,
    strata: np.ndarray | None = None,
    left_out: np.ndarray | None = None,
    nuisance: np.ndarray | None = None,
    permutations: int = 9999,
    seed: int = 42,
) -> GroupLikeness:
    """Compares Euclidean distances of values (n, p), scaled, within and between groups (n,); rows without a group take no part.

    strata (n,): only pairs of one stratum are compared, and groups are shuffled within strata, their sizes kept. left_out (m, 2):
    pairs of rows that do not count (they share data). nuisance (n, n): a distance of another kind (in space), whose linear part
    is taken off first; the mean distance stays. Raises InputError where no pair is within a group or
    none between two.

    >>> values = np.array([[0.0], [1], [10], [11], [20], [21]])
    >>> found = group_likeness(values, np.repeat(["a", "b", "c"], 2), permutations=999)
    >>> round(found.intra, 4), round(found.inter, 4), round(found.ratio, 4)
    (1.0, 13.3333, 0.075)
    """
    same_length(len(values), groups=groups, strata=strata)
    rows = np.flatnonzero(labelled(groups))
    codes, names = codes_of(np.asarray(groups, object)[rows], "groups")
    layer = np.zeros(len(rows), np.int64) if strata is None else codes_of(np.asarray(strata, object)[rows], "strata")[0]
    distances = distances_within(numbers_of(values)[rows])
    counts = _counted(len(values), rows, layer, left_out)
    if nuisance is not None:
        distances = _without(distances, np.asarray(nuisance, np.float64)[np.ix_(rows, rows)], counts)
    seen, pairs = _within(distances, counts, codes, len(names))
    every, every_pairs = np.triu(distances * counts, 1).sum(), int(np.triu(counts, 1).sum(dtype=np.int64))
    if pairs.sum() == 0 or pairs.sum() == every_pairs:
        kind = "within a group" if pairs.sum() == 0 else "between groups"
        raise InputError(f"No pair of rows is {kind}", "groups of two rows or more, and more than one group in a stratum")
    drawn = _permuted(distances, counts, codes, layer, permutations, seed)
    intra, inter = seen.sum() / pairs.sum(), (every - seen.sum()) / (every_pairs - pairs.sum())
    ratio = intra / inter
    table = _group_table(distances, counts, codes, names, inter, drawn)
    p = permutation_p(ratio, drawn[np.isfinite(drawn[:, -1]), -1], larger=False)
    return GroupLikeness(float(intra), float(inter), float(ratio), p, table)


def _counted(n: int, rows: np.ndarray, layer: np.ndarray, left_out: np.ndarray | None) -> np.ndarray:
    counts = (layer[:, None] == layer).astype(np.uint8)
    np.fill_diagonal(counts, 0)
    if left_out is not None and len(left_out):
        place = np.full(n, -1)
        place[rows] = np.arange(len(rows))
        pairs = place[np.asarray(left_out)]
        pairs = pairs[(pairs >= 0).all(1)]
        counts[pairs[:, 0], pairs[:, 1]] = counts[pairs[:, 1], pairs[:, 0]] = 0
    return counts


def _without(distances: np.ndarray, nuisance: np.ndarray, counts: np.ndarray) -> np.ndarray:
    used = np.triu(counts, 1) > 0
    x, y = nuisance[used], distances[used]
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 0 else 0.0
    return distances - slope * (nuisance - x.mean())


@numba.njit(cache=True, nogil=True)
def _within(distances, counts, codes, groups):  # type: ignore[no-untyped-def]
    """Per group the sum of distances of its pairs, and their number."""
    sums, pairs = np.zeros(groups), np.zeros(groups, np.int64)
    order = np.argsort(codes, kind="mergesort")
    for at in range(len(order)):
        i = order[at]
        for other in range(at + 1, len(order)):
            j = order[other]
            if codes[j] != codes[i]:
                break
            if counts[i, j]:
                sums[codes[i]] += distances[i, j]
                pairs[codes[i]] += 1
    return sums, pairs


def _permuted(
    distances: np.ndarray, counts: np.ndarray, codes: np.ndarray, layer: np.ndarray, permutations: int, seed: int
) -> np.ndarray:
    """(permutations, groups + 1): mean distance within each group (NaN without pairs) and within all, over that between."""
    groups = int(codes.max()) + 1
    every, every_pairs = np.triu(distances * counts, 1).sum(), np.triu(counts, 1).sum(dtype=np.int64)
    ratios = np.full((permutations, groups + 1), np.nan)
    rng = np.random.default_rng(seed)
    for turn in range(permutations):
        sums, pairs = _within(distances, counts, shuffled_within(codes, layer, rng), groups)
        if 0 < pairs.sum() < every_pairs:
            inter = (every - sums.sum()) / (every_pairs - pairs.sum())
            known = pairs > 0
            ratios[turn, :groups][known] = sums[known] / pairs[known] / inter
            ratios[turn, groups] = sums.sum() / pairs.sum() / inter
    return ratios


def _group_table(
    distances: np.ndarray, counts: np.ndarray, codes: np.ndarray, names: list[str], inter: float, drawn: np.ndarray
) -> pd.DataFrame:
    rows = []
    for group, name in enumerate(names):
        members = np.flatnonzero(codes == group)
        square = np.ix_(members, members)
        inside = distances[square][np.triu(counts[square], 1) > 0]
        if len(inside):
            ratio = inside.mean() / inter
            p = permutation_p(ratio, drawn[np.isfinite(drawn[:, group]), group], larger=False)
            rows.append((name, len(members), inside.mean(), inside.min(), inside.max(), ratio, p, np.nan))
    table = pd.DataFrame(rows, columns=list(GROUP_COLUMNS))
    table["q"] = benjamini_hochberg(table["p"].to_numpy())
    return table
