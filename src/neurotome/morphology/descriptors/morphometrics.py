"""Hand-made measures of a neuron's shape, one number each; none depends on how it lies or on how densely nodes were set."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurotome.core import SOMA, Skeleton
from neurotome.measure.trees import branch_table, tree_summary
from neurotome.measure.trees.critical import tips
from neurotome.morphology.descriptors.body import Body, body_of
from neurotome.morphology.descriptors.extents import axis_extents, box_dimension, hull_volume
from neurotome.morphology.descriptors.forks import fork_asymmetry, rall_ratio
from neurotome.morphology.occupancy.matter import soma_of

__all__ = ["MORPHOMETRICS", "SKEWED", "morphometrics"]

NM_PER_UM = 1000.0
MORPHOMETRICS = (
    *("trees", "stems", "bifurcations", "tips", "max_branch_order", "mean_tip_order", "strahler"),
    *("cable_um", "longest_path_um", "mean_path_to_tip_um", "reach_um", "mean_tip_reach_um", "path_over_reach"),
    *("mean_branch_um", "median_branch_um", "longest_branch_um", "branch_cv", "mean_tip_branch_um", "mean_inner_branch_um"),
    *("tortuosity", "tip_asymmetry", "cable_asymmetry", "local_angle_deg", "remote_angle_deg", "rall_ratio"),
    *("mean_radius_um", "max_radius_um", "known_radii", "surface_um2", "volume_um3", "soma_radius_um", "soma_surface_um2"),
    *("length_um", "width_um", "depth_um", "spread_1_um", "spread_2_um", "spread_3_um", "hull_volume_um3"),
    *("root_to_centroid_um", "box_dimension"),
)
SKEWED = tuple(
    name for name in MORPHOMETRICS if name.endswith(("_um", "_um2", "_um3")) or name in {"trees", "stems", "bifurcations", "tips"}
)
"""Those that grow with size and so spread over decades: `describe` takes the logarithm of them."""


def morphometrics(skeleton: Skeleton | Body) -> dict[str, float]:
    """`MORPHOMETRICS` of a neuron, all its trees together. Always finite: what has nothing to be taken over is 0.

    Counts, as in `tree_summary`, added up over trees: trees, stems, bifurcations, tips; the highest over trees: max_branch_order,
    strahler. mean_tip_order: bifurcations above a tip. cable_um: of all edges. longest_path_um, mean_path_to_tip_um: along edges
    from the root; reach_um, mean_tip_reach_um: straight. path_over_reach: mean of path over reach of tips.
    mean_, median_, longest_branch_um, branch_cv (standard deviation over mean): path lengths of branches (`branch_table`);
    mean_tip_branch_um of those that end in a tip, mean_inner_branch_um of the others. tortuosity: mean path over chord.
    tip_asymmetry (partition asymmetry), cable_asymmetry: means over forks that are no soma (`fork_asymmetry`). local_, remote_
    angle_deg: as in `tree_summary`, trees weighted by their bifurcations. rall_ratio: median over forks (`rall_ratio`).
    mean_radius_um: over the length whose radii are known, known_radii that share of it; max_radius_um over nodes; surface_um2,
    volume_um3 of neurites where radii are known; soma_radius_um, soma_surface_um2 = 4 pi r2: 0 without soma or its radius.
    length_, width_, depth_um: extents along the principal axes of the cable, the axis of most variance first; spread_*_um: its
    standard deviations along them. hull_volume_um3: convex hull of the nodes. root_to_centroid_um: from the soma (without: the
    first root) to the centre of the cable. box_dimension: see there.

    Kinds of nodes other than the soma's count for nothing: they are what a person or another program said of the neuron.
    """
    body = body_of(skeleton)
    table = branch_table(body.tree)
    values = {
        **_of_trees(tree_summary(body.skeleton)),
        **_of_tips(body),
        **_of_branches(table),
        **_of_forks(body, table),
        **_of_space(body),
    }
    return {name: float(values[name]) for name in MORPHOMETRICS}


def _of_trees(summary: pd.DataFrame) -> dict[str, float]:
    of = {name: summary[name].to_numpy(np.float64) for name in summary if name not in ("name", "root_id")}
    soma_um = max(np.nan_to_num(of["soma_radius_um"]))
    return {
        "trees": len(summary),
        **{name: of[name].sum() for name in ("stems", "bifurcations", "tips", "surface_um2", "volume_um3")},
        **{name: max(np.nan_to_num(of[name])) for name in ("max_branch_order", "strahler", "max_radius_um", "longest_path_um")},
        "cable_um": of["length_um"].sum(),
        "reach_um": of["max_euclidean_um"].max(),
        "mean_radius_um": _weighted(of["mean_radius_um"], np.nan_to_num(of["known_radii"]) * of["length_um"]),
        "known_radii": _weighted(of["known_radii"], of["length_um"]),
        "local_angle_deg": _weighted(of["local_angle_deg"], of["bifurcations"]),
        "remote_angle_deg": _weighted(of["remote_angle_deg"], of["bifurcations"]),
        "soma_radius_um": soma_um,
        "soma_surface_um2": 4 * np.pi * soma_um**2,
    }


def _of_tips(body: Body) -> dict[str, float]:
    rows = tips(body.tree.parent_rows)
    path, reach = body.branching.depth[rows] / NM_PER_UM, body.reach_nm[rows] / NM_PER_UM
    return {
        "mean_tip_order": _mean(body.branching.order[rows]),
        "mean_path_to_tip_um": _mean(path),
        "mean_tip_reach_um": _mean(reach),
        "path_over_reach": _mean(path[reach > 0] / reach[reach > 0]),
    }


def _of_branches(table: pd.DataFrame) -> dict[str, float]:
    paths, at_tip = table["path_um"].to_numpy(), table["ends"].to_numpy() == "tip"
    mean = _mean(paths)
    return {
        "mean_branch_um": mean,
        "median_branch_um": float(np.median(paths)) if len(paths) else 0.0,
        "longest_branch_um": float(paths.max(initial=0.0)),
        "branch_cv": float(paths.std()) / mean if mean else 0.0,
        "mean_tip_branch_um": _mean(paths[at_tip]),
        "mean_inner_branch_um": _mean(paths[~at_tip]),
        "tortuosity": _mean(table["tortuosity"].dropna().to_numpy()),
    }


def _of_forks(body: Body, table: pd.DataFrame) -> dict[str, float]:
    neurite, parents = body.tree.kinds != SOMA, body.tree.parent_rows
    by_tips = fork_asymmetry(parents, body.branching.tips_below, 1.0)[neurite]
    by_cable = fork_asymmetry(parents, _cable_below(body))[neurite]
    ratios = rall_ratio(body.tree, table)
    return {
        "tip_asymmetry": _mean(by_tips[~np.isnan(by_tips)]),
        "cable_asymmetry": _mean(by_cable[~np.isnan(by_cable)]),
        "rall_ratio": float(np.median(ratios)) if len(ratios) else 0.0,
    }


def _of_space(body: Body) -> dict[str, float]:
    soma = soma_of(body.shape)
    root = body.tree.points_nm[0] if soma is None else np.asarray(soma)
    ranges, spreads = axis_extents(body)
    return {
        **dict(zip(("length_um", "width_um", "depth_um"), ranges / NM_PER_UM, strict=True)),
        **{f"spread_{i + 1}_um": spread / NM_PER_UM for i, spread in enumerate(spreads)},
        "hull_volume_um3": hull_volume(body.tree.points_nm / NM_PER_UM),
        "root_to_centroid_um": np.sqrt(((body.mean_nm - root) ** 2).sum()) / NM_PER_UM,
        "box_dimension": box_dimension(body),
    }


def _cable_below(body: Body) -> np.ndarray:
    """(n,) the cable that hangs on each row, its own edge included: a sum over what enters the walk between it and its end."""
    shape, entered = body.branching, np.empty(len(body.tree))
    entered[shape.enter] = body.tree.edge_nm
    before = np.concatenate([[0.0], np.cumsum(entered)])
    return np.asarray(before[shape.enter + shape.size] - before[shape.enter])


def _weighted(values: np.ndarray, weights: np.ndarray) -> float:
    """The weighted mean of the values that are known; 0 where none is."""
    known = ~np.isnan(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else 0.0


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
