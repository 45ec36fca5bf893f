"""The shape of neurons in numbers: one row per tree, and how often spheres about its root are crossed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurotome.core import SOMA, Skeleton, ValueRangeError
from neurotome.measure.trees.branches import (
    NM_PER_UM,
    Branches,
    bifurcation_angles,
    branches,
    edge_radii,
    strahler_orders,
    without_soma_outline,
)
from neurotome.measure.trees.branching import tree_counts

__all__ = ["TREE_SUMMARY_COLUMNS", "sholl", "tree_summary"]

TREE_SUMMARY_COLUMNS = (
    *("name", "tree", "root_id", "nodes", "stems", "bifurcations", "tips"),
    *("length_um", "longest_path_um", "max_euclidean_um", "max_branch_order", "strahler", "tortuosity"),
    *("local_angle_deg", "remote_angle_deg", "mean_radius_um", "min_radius_um", "max_radius_um", "known_radii"),
    *("soma_radius_um", "surface_um2", "volume_um3"),
)


def tree_summary(skeleton: Skeleton) -> pd.DataFrame:
    """One row per tree of a skeleton; definitions as in L-Measure (Scorcioni et al. 2008) unless said otherwise.

    None of it but `nodes` and the radii over nodes depends on how densely edges are drawn. Means over nothing are NaN. Nodes that
    draw the outline of a soma count among `nodes` and the soma's radius only (`without_soma_outline`).

    name, tree, root_id: which tree. nodes, stems (children of the root), bifurcations (nodes with two or more children), tips
    (nodes without children, a root is none): counts.
    length_um: of all edges. longest_path_um: from the root, along edges. max_euclidean_um: from the root, straight.
    max_branch_order: most bifurcations on the way to a tip. strahler: order of the root (`strahler_orders`).
    tortuosity: mean of path / chord over branches, the inverse of L-Measure's contraction.
    local_angle_deg, remote_angle_deg: means over bifurcations that are no soma (`bifurcation_angles`).
    mean_radius_um: over length; min_, max_radius_um: over nodes that are no soma. known_radii: share of the length outside somata
    whose radii are known; only there are mean radius, surface and volume taken. surface_um2 (lateral), volume_um3: of the
    neurites' frusta, without soma.
    soma_radius_um: largest radius of its soma nodes.
    """
    rows = [_summary_of_tree(skeleton, number) for number in range(len(skeleton.roots))]
    return pd.DataFrame(rows, columns=TREE_SUMMARY_COLUMNS)


def sholl(skeleton: Skeleton, step_nm: float) -> pd.DataFrame:
    """How often the edges of each tree cross spheres of radius step, 2 step, ... about its root (Sholl 1953).

    Crossings of straight edges are counted exactly: an edge that dips into a sphere crosses it twice; what touches from outside
    does not cross. Columns: tree, radius_um, crossings; a tree's rows end where its last crossing is.

    >>> fork = Skeleton.of([-1, 0, 1, 1], [[0, 0, 0], [0, 0, 2500], [0, 1000, 4500], [0, -1000, 2500]])
    >>> sholl(fork, 1000.0).crossings.tolist()
    [1, 1, 1, 1]

    Raises ValueRangeError for a step that is not above 0.
    """
    if not (np.isfinite(step_nm) and step_nm > 0):
        raise ValueRangeError(f"Distance of {step_nm} nm between spheres", "more than 0", "give 10000 for the usual 10 um")
    tables, skeleton = [], without_soma_outline(skeleton)
    for number in range(len(skeleton.roots)):
        tree = skeleton.take(skeleton.trees == number)
        crossings = tree_counts(tree.points_nm / NM_PER_UM, tree.parent_rows, step_nm / NM_PER_UM).sholl
        radii = np.arange(1, len(crossings) + 1) * (step_nm / NM_PER_UM)
        tables.append(pd.DataFrame({"tree": number, "radius_um": radii, "crossings": crossings}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["tree", "radius_um", "crossings"])


def _summary_of_tree(skeleton: Skeleton, number: int) -> dict[str, object]:
    whole = skeleton.take(skeleton.trees == number)
    tree = without_soma_outline(whole)
    counts = tree_counts(tree.points_nm / NM_PER_UM, tree.parent_rows)
    found = branches(tree.points_nm, tree.parent_rows)
    return {
        "name": skeleton.name,
        "tree": number,
        "root_id": int(tree.ids[0]),
        "nodes": len(whole),
        "stems": counts.stems,
        "bifurcations": counts.bifurcations,
        "tips": counts.tips,
        "length_um": counts.length_um,
        "longest_path_um": counts.longest_path_um,
        "max_euclidean_um": counts.furthest_um,
        "max_branch_order": counts.highest_order,
        "strahler": int(strahler_orders(tree.parent_rows)[0]),
        "tortuosity": _mean(found.tortuosity),
        "local_angle_deg": _mean_angle(tree, found, remote=False),
        "remote_angle_deg": _mean_angle(tree, found, remote=True),
        **_thickness(tree),
        "soma_radius_um": _largest(whole.radii_nm[whole.kinds == SOMA]),
    }


def _mean_angle(tree: Skeleton, found: Branches, *, remote: bool) -> float:
    rows, angles = bifurcation_angles(tree.points_nm, found, remote=remote)
    return _mean(angles[tree.kinds[rows] != SOMA])


def _thickness(tree: Skeleton) -> dict[str, float]:
    known, radii = edge_radii(tree)
    inside = (tree.kinds == SOMA) & (tree.kinds[np.maximum(tree.parent_rows, 0)] == SOMA)
    length, (start, end) = tree.edge_nm[known] / NM_PER_UM, radii[known].T / NM_PER_UM
    nodes = tree.radii_nm[(tree.radii_nm > 0) & (tree.kinds != SOMA)] / NM_PER_UM
    return {
        "mean_radius_um": _share(float((length * (start + end)).sum() / 2), float(length.sum())),
        "min_radius_um": float(nodes.min()) if len(nodes) else np.nan,
        "max_radius_um": float(nodes.max()) if len(nodes) else np.nan,
        "known_radii": _share(float(length.sum()), float(tree.edge_nm[~inside].sum()) / NM_PER_UM),
        "surface_um2": float((np.pi * (start + end) * np.hypot(length, start - end)).sum()),
        "volume_um3": float((np.pi / 3 * length * (start**2 + start * end + end**2)).sum()),
    }


def _largest(radii_nm: np.ndarray) -> float:
    largest = float(radii_nm.max(initial=0.0)) / NM_PER_UM
    return largest if largest > 0 else np.nan


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan
