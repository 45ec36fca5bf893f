"""Are synapses of one presynaptic neuron more alike than synapses of different ones?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neurotome.cluster import GroupLikeness, group_likeness
from neurotome.cluster.evidence.exhaustive import arrangements, how_many_arrangements
from neurotome.cluster.quality import distances_within
from neurotome.cluster.tables import column_of
from neurotome.cluster.values import codes_of, labelled
from neurotome.core import CropRecipe, InputError
from neurotome.synapses.analysis.clustering import SLOT

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = [
    "PRESYNAPSE_COLUMNS",
    "PresynapseTest",
    "overlapping_crops",
    "pair_distances",
    "presynapse_groups",
    "presynapse_test",
    "spatial_distances",
]

PRESYNAPSE_COLUMNS = (
    *("pre_id", "volume", "synapses", "mean_distance", "min_distance", "max_distance", "overlapping_pairs"),
    *("clusters", "dominant_cluster", "dominant_percent", "ratio", "p", "p_bh"),
)
MOST_ARRANGEMENTS = 1000
"""So many ways to deal the synapses to their neurons are all looked at; of more, some are drawn."""


@dataclass(frozen=True, eq=False)
class PresynapseTest:
    """ratio: T, the mean distance within neurons over that between neurons of one volume; below 1, a neuron's synapses are alike.

    p: the share of permutations of pre_id within volumes whose T is as small; exact: whether all were looked at. effect: how far
    the distances between exceed those within, in standard deviations (Cohen's d). apart_ratio, apart_p: the same after what
    distance in space explains is taken out. neurons, synapses, pairs within: what was compared. applicable, reason: whether
    there was anything to compare.
    """

    applicable: bool
    reason: str
    ratio: float = float("nan")
    p: float = float("nan")
    exact: bool = False
    effect: float = float("nan")
    intra: float = float("nan")
    inter: float = float("nan")
    apart_ratio: float = float("nan")
    apart_p: float = float("nan")
    neurons: int = 0
    synapses: int = 0
    overlapping_pairs: int = 0
    groups: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"group": [], "ratio": [], "p": [], "q": []}), repr=False)

    def described(self) -> dict[str, Any]:
        """For presynapse_test.json."""
        numbers = {name: getattr(self, name) for name in ("ratio", "p", "effect", "intra", "inter", "apart_ratio", "apart_p")}
        numbers = {name: value if np.isfinite(value) else None for name, value in numbers.items()}
        counts = {name: getattr(self, name) for name in ("exact", "neurons", "synapses", "overlapping_pairs")}
        return {"applicable": self.applicable, "reason": self.reason, "T": numbers.pop("ratio"), **numbers, **counts}


def presynapse_test(
    table: AnnData,
    recipe: CropRecipe | None = None,
    *,
    overlapping: bool = False,
    permutations: int = 9999,
    seed: int = 42,
) -> PresynapseTest:
    """Compares the synapses of obs["pre_id"] by obsm["X_scaled"], within each obs["volume"]; unknown neurons take no part.

    recipe: how the crops were cut; pairs whose crops overlap share voxels and are left out unless `overlapping`. Not applicable
    where no neuron has two synapses that can be compared, or there is only one.
    """
    pre, volume = column_of(table, "pre_id"), column_of(table, "volume")
    left_out = np.zeros((0, 2), np.int64) if overlapping else overlapping_crops(table.obs, recipe or CropRecipe())
    values = _values(table)
    how = {"strata": volume, "left_out": left_out, "seed": seed}
    try:
        found = group_likeness(values, pre, permutations=permutations, **how)
    except InputError:
        return PresynapseTest(False, "not applicable: no two comparable synapses of one neuron beside those of another")
    apart = group_likeness(values, pre, nuisance=spatial_distances(table.obs), permutations=permutations, **how)
    within, between = pair_distances(table, left_out)
    exact = _exact_p(values, pre, volume, left_out, found)
    p = found.p if exact is None else exact
    groups = found.table
    return PresynapseTest(
        True,
        _in_words(found.ratio, p),
        found.ratio,
        p,
        exact is not None,
        _standardised(between, within),
        found.intra,
        found.inter,
        apart.ratio,
        apart.p,
        len(groups),
        int(groups["rows"].sum()),
        _within_neurons(pre, left_out),
        groups,
    )


def presynapse_groups(table: AnnData, test: PresynapseTest, recipe: CropRecipe | None = None) -> pd.DataFrame:
    """`PRESYNAPSE_COLUMNS`, a row per neuron with two synapses or more, most synapses first.

    Distances are of all pairs of its synapses; ratio and p, by Benjamini-Hochberg p_bh, only of those whose crops do not overlap.
    """
    pre, volume, clusters = column_of(table, "pre_id"), column_of(table, "volume"), column_of(table, "cluster")
    distances = distances_within(_values(table))
    overlap = np.zeros(distances.shape, bool)
    pairs = overlapping_crops(table.obs, recipe or CropRecipe())
    overlap[pairs[:, 0], pairs[:, 1]] = True
    judged = test.groups.set_index("group")
    rows = []
    for name in sorted(set(pre[labelled(pre)])):
        members = np.flatnonzero(pre == name)
        if len(members) < 2:
            continue
        upper = np.triu_indices(len(members), 1)
        inside = distances[np.ix_(members, members)][upper]
        kinds, counts = np.unique(clusters[members].astype(str), return_counts=True)
        at = int(np.argmax(counts))
        told = judged.loc[name, ["ratio", "p", "q"]].tolist() if name in judged.index else [np.nan] * 3
        shared = int(overlap[np.ix_(members, members)].sum())
        within = (inside.mean(), inside.min(), inside.max(), shared)
        dominant = (len(kinds), kinds[at], 100 * counts[at] / len(members))
        rows.append((name, volume[members[0]], len(members), *within, *dominant, *told))
    found = pd.DataFrame(rows, columns=list(PRESYNAPSE_COLUMNS))
    return found.sort_values(["synapses", "pre_id"], ascending=[False, True], ignore_index=True)


def overlapping_crops(sites: pd.DataFrame, recipe: CropRecipe) -> np.ndarray:
    """(m, 2) row numbers of sites, the smaller first, whose crops share tissue: same volume, nearer than a side on every axis."""
    centres = _points_nm(sites, "crop")
    sides = np.stack([_sides(sites, axis, recipe) for axis in "zyx"], axis=1)
    volumes = codes_of(sites["volume"].astype(object).to_numpy(), "volume")[0]
    found = [np.zeros((0, 2), np.int64)]
    for volume in range(int(volumes.max()) + 1 if len(volumes) else 0):
        rows = np.flatnonzero(volumes == volume)
        away = np.abs(centres[rows][:, None] - centres[rows])
        # Half a thousandth of a nanometre is rounding, not tissue.
        near = (away < np.minimum(sides[rows][:, None], sides[rows]) - 5e-4).all(2)
        found.append(rows[np.argwhere(np.triu(near, 1))])
    return np.concatenate(found)


def spatial_distances(sites: pd.DataFrame) -> np.ndarray:
    """(n, n) distances of the sites' centres in nm; between volumes they mean nothing."""
    return distances_within(_points_nm(sites, "center"))


def pair_distances(table: AnnData, left_out: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Distances in obsm["X_scaled"] of all pairs of one neuron, and of all pairs of different neurons of one volume."""
    pre, volume = column_of(table, "pre_id"), column_of(table, "volume")
    rows = np.flatnonzero(labelled(pre))
    distances = distances_within(_values(table))
    counts = np.triu(volume[:, None] == volume, 1)
    if left_out is not None and len(left_out):
        counts[left_out[:, 0], left_out[:, 1]] = counts[left_out[:, 1], left_out[:, 0]] = False
    square = np.ix_(rows, rows)
    same = pre[rows][:, None] == pre[rows]
    return distances[square][counts[square] & same], distances[square][counts[square] & ~same]


def _values(table: AnnData) -> np.ndarray:
    if SLOT not in table.obsm:
        raise InputError(f"The table has no obsm['{SLOT}']", "a table whose synapses were grouped", "run group_synapses first")
    return np.asarray(table.obsm[SLOT], np.float64)


def _exact_p(values: np.ndarray, pre: np.ndarray, volume: np.ndarray, left_out: np.ndarray, found: GroupLikeness) -> float | None:
    """The share of all ways to deal synapses to neurons whose T is as small; None where there are too many ways."""
    rows = np.flatnonzero(labelled(pre))
    codes, layers = codes_of(pre[rows])[0], codes_of(volume[rows], "volume")[0]
    if how_many_arrangements(codes, layers) > MOST_ARRANGEMENTS:
        return None
    place = np.full(len(pre), -1)
    place[rows] = np.arange(len(rows))
    pairs = place[left_out]
    pairs = pairs[(pairs >= 0).all(1)]
    ratios = []
    for dealt in arrangements(codes, layers):
        try:
            ratios.append(group_likeness(values[rows], dealt, strata=layers, left_out=pairs, permutations=0).ratio)
        except InputError:  # All pairs within neurons overlap when they are dealt like this.
            continue
    return float(np.mean(np.array(ratios) <= found.ratio + 1e-9))


def _in_words(ratio: float, p: float) -> str:
    told = "synapses of one neuron are more alike than chance has it" if p <= 0.05 else "synapses of one neuron are no more alike"
    return f"{told} (T = {ratio:.3f}, p = {p:.2g})"


def _standardised(larger: np.ndarray, smaller: np.ndarray) -> float:
    spread = np.sqrt((larger.var() + smaller.var()) / 2)
    return float((larger.mean() - smaller.mean()) / spread) if spread > 0 else 0.0


def _within_neurons(pre: np.ndarray, pairs: np.ndarray) -> int:
    known = labelled(pre)
    return int((known[pairs].all(1) & (pre[pairs[:, 0]] == pre[pairs[:, 1]])).sum()) if len(pairs) else 0


def _points_nm(sites: pd.DataFrame, what: str) -> np.ndarray:
    missing = [f"{what}_{axis}" for axis in "zyx" if f"{what}_{axis}" not in sites.columns]
    if missing:
        raise InputError(f"The table of synapses has no column '{missing[0]}'", "where each crop lies", "make it from crops")
    return np.stack([sites[f"{what}_{axis}"].to_numpy(np.float64) * _voxel(sites, axis) for axis in "zyx"], axis=1)


def _sides(sites: pd.DataFrame, axis: str, recipe: CropRecipe) -> np.ndarray:
    if recipe.isotropic_nm is not None:
        return np.full(len(sites), recipe.size * recipe.isotropic_nm)
    return recipe.size * _voxel(sites, axis)


def _voxel(sites: pd.DataFrame, axis: str) -> np.ndarray:
    return sites[f"voxel_{axis}_nm"].to_numpy(np.float64)
