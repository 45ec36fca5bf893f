"""From voxels to a skeleton: tips that run into the surface are trimmed, stairs are smoothed, nodes are thinned out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from neurotome.core import ROOT, Skeleton, ValueRangeError
from neurotome.tracing.scooping import extend_tips, rayburst, reduce_nodes, smooth_radii
from neurotome.tracing.tracers.component import Component, require_threshold

__all__ = ["PathSettings", "centreline", "skeleton_of", "smoothed"]


@dataclass(frozen=True, kw_only=True)
class PathSettings:
    """What the tracers have in common whose trees begin as paths over voxels.

    threshold: voxels of at least this grey value (1..255) are the object. min_length_nm: shorter branches are dropped.
    coverage: a path covers what lies within so many radii of it. smoothing: rounds of averaging along the path. merge: nodes
    within so many radii of a neighbour are merged into it; 0 keeps one node per voxel. extend: tips reach to the object's end.
    """

    threshold: int = 128
    min_length_nm: float = 3000.0
    coverage: float = 1.3
    smoothing: int = 4
    merge: float = 1.0
    extend: bool = True

    def __post_init__(self) -> None:
        require_threshold(self.threshold)
        for name in ("min_length_nm", "coverage", "smoothing", "merge"):
            if not getattr(self, name) >= 0:
                raise ValueRangeError(f"{name} {getattr(self, name)}", "0 or more", f"leave {name} out for the default")


def centreline(
    component: Component, kept: np.ndarray, came: np.ndarray, radii: np.ndarray, settings: PathSettings, name: str
) -> Skeleton:
    """The skeleton of a tree over voxels. kept: its voxels, parents first. came: (n,) the parent of each, -1 at the root."""
    place = np.full(len(component) + 1, ROOT, np.int64)
    place[kept] = np.arange(len(kept))
    return skeleton_of(component, kept, place[came[kept]], radii, settings, {}, name)


def skeleton_of(
    component: Component,
    voxels: np.ndarray,
    parents: np.ndarray,
    radii: np.ndarray,
    settings: PathSettings,
    features: Mapping[str, np.ndarray],
    name: str,
) -> Skeleton:
    """The skeleton whose nodes are these voxels, rows with parents first, row 0 the root.

    radii: (n,) of the voxels of the component, in nm. features: per node.
    """
    points = component.points_nm[voxels]
    stays = _trimmed(parents, points, radii[voxels])
    place = np.cumsum(stays) - 1
    parents = np.where(parents[stays] >= 0, place[parents[stays]], ROOT)
    points = smoothed(parents, points[stays], settings.smoothing)
    values = {"probability": component.values[voxels[stays]] / 255, "confidence": np.ones(len(points))}
    values |= {key: column[stays] for key, column in features.items()}
    tree = Skeleton.of(parents, points, radii[voxels[stays]], features=values, name=name)
    return _finished(component, tree, settings)


def _finished(component: Component, tree: Skeleton, settings: PathSettings) -> Skeleton:
    """The tree with fewer nodes, with radii by Rayburst instead of depths, which fall towards ends, and with whole tips."""
    tree = reduce_nodes(tree, settings.merge, smallest_nm=min(component.voxels.voxel_nm))
    radii = rayburst(component.bricks, tree.points_nm, component.threshold)
    if len(tree) > 1 and tree.children[0] == 1:
        radii[0] = max(radii[0], radii[1])  # a start on the end of a fibre, or on its side: the rays leave through the surface
    tree = smooth_radii(replace(tree, radii_nm=radii))
    return extend_tips(tree, component.bricks, component.threshold) if settings.extend else tree


def _trimmed(parents: np.ndarray, points: np.ndarray, radii: np.ndarray, within: float = 1.5) -> np.ndarray:
    """Which nodes stay when each tip is cut back to its furthest ancestor, before a junction, that is thicker and within
    `within` of its own radii of the tip: the furthest voxel of a fibre lies on the rim of its end, not on its axis.
    """
    children = np.bincount(parents[parents >= 0], minlength=len(parents))
    stays = np.ones(len(parents), bool)
    reach = within * radii.max(initial=0.0)
    for tip in np.flatnonzero(children == 0).tolist():
        here, cut, gone = int(parents[tip]), tip, []
        above = [tip]
        while here > 0 and children[here] == 1:
            far = float(np.sqrt(((points[here] - points[tip]) ** 2).sum()))
            if far > reach:
                break
            if far <= within * radii[here] and radii[here] > radii[tip]:
                gone, cut = list(above), here
            above.append(here)
            here = int(parents[here])
        if cut != tip:
            stays[gone] = False
    return stays


def smoothed(parents: np.ndarray, points: np.ndarray, rounds: int) -> np.ndarray:
    """Nodes with one child moved half way to the middle between parent and child, over and over; all others stay."""
    child = np.full(len(parents), -1, np.int64)
    children = np.bincount(parents[parents >= 0], minlength=len(parents))
    inner = np.flatnonzero(parents >= 0)
    child[parents[inner]] = inner
    moved = np.flatnonzero((children == 1) & (parents >= 0))
    points = points.copy()
    for _ in range(rounds):
        points[moved] = (points[parents[moved]] + 2 * points[moved] + points[child[moved]]) / 4
    return points
