"""Connect two nodes across what the tracer did not see: along the path through the volume that costs least."""

from __future__ import annotations

import math

import numpy as np

from neurotome.core import Box, Skeleton, ValueRangeError
from neurotome.tracing.edit.bench import Bench, box_around
from neurotome.tracing.edit.rows import with_rows
from neurotome.tracing.edit.trees import linked, upper_and_lower
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.tracers.minimal_path import cheapest_path

__all__ = ["bridge"]

LEAST_MARGIN, MARGIN_SHARE = 12, 0.5
"""Voxels around the two nodes in which the path may run: at least, and as a share of their distance."""
MOST_VOXELS = 1 << 26
"""Of the box that is searched; twenty bytes each."""
NODE_STEP = 2.0
"""Between nodes of the path: this many times the longest side of a voxel."""


def bridge(bench: Bench, *, a: int, b: int) -> Skeleton:
    """The cheapest path (see `cheapest_path`) between nodes of two trees; the smaller tree is rerooted, as by `join`.

    All its edges are jumps of the same gap_nm, the length of the path, and the same confidence, the mean probability on it; radii
    pass evenly from one end to the other.
    """
    bricks = bench.evidence("look for a path")
    upper, lower = upper_and_lower(bench, a, b)
    path, values = _path(bench, bricks, upper, lower)
    points = bench.nm_of(path, bricks)
    points[[0, -1]] = bench.tree.points_nm[[bench.row(upper), bench.row(lower)]]
    along = np.concatenate([[0.0], np.cumsum(np.sqrt((np.diff(points, axis=0) ** 2).sum(1)))]) if len(points) > 1 else np.zeros(1)
    confidence = float(values.mean() / 255)
    edge = {"jump": True, "confidence": min(confidence, np.nextafter(1.0, 0.0)), "gap_nm": float(along[-1])}
    return _laid(bench, upper, lower, _thinned(along, NODE_STEP * max(bricks.voxel_nm)), points, along, values, edge)


def _path(bench: Bench, bricks: Bricks, upper: int, lower: int) -> tuple[np.ndarray, np.ndarray]:
    """The voxels from one node to the other, and their values."""
    ends = [bench.voxel_of(bench.row(node), bricks) for node in (upper, lower)]
    margin = max(LEAST_MARGIN, math.ceil(MARGIN_SHARE * math.dist(*ends)))
    box = box_around(*ends, margin, bricks.shape)
    if box.size > MOST_VOXELS:
        raise ValueRangeError(
            f"Nodes {upper} and {lower} are so far apart that {box.size} voxels would have to be searched",
            f"{MOST_VOXELS} at most",
            "place a node between them with add_node, and bridge to that one from both sides",
        )
    start, goal = (_inside(end, box) for end in ends)
    crop = bricks.read(box)
    path, _ = cheapest_path(crop, start, np.array([goal]), bricks.voxel_nm)
    return path + np.array(box.start), crop[tuple(path.T)]


def _laid(
    bench: Bench, upper: int, lower: int, kept: list[int], points: np.ndarray, along: np.ndarray, values: np.ndarray, edge: dict
) -> Skeleton:
    """The tree with the kept points of the path as nodes, and both its ends on them."""
    tree = bench.tree
    radii = tree.radii_nm[[bench.row(upper), bench.row(lower)]]
    ids = list(range(bench.next_id, bench.next_id + len(kept)))
    features = {**edge, "probability": values[kept] / 255} if "probability" in tree.features else edge
    longer = with_rows(
        tree,
        len(tree),
        ids=ids,
        parents=[upper, *ids][: len(ids)],
        points_nm=points[kept],
        radii_nm=np.interp(along[kept], [0.0, max(along[-1], 1e-9)], radii),
        kinds=tree.kinds[bench.row(upper)],
        features=features,
    )
    return linked(longer, ids[-1] if ids else upper, lower, **edge)


def _thinned(along: np.ndarray, step_nm: float) -> list[int]:
    """Points of the path, without its ends, at least so far from each other and from both ends."""
    kept, last = [], 0.0
    for k in range(1, len(along) - 1):
        if along[k] - last >= step_nm and along[-1] - along[k] >= step_nm:
            kept.append(k)
            last = along[k]
    return kept


def _inside(voxel: tuple[int, int, int], box: Box) -> tuple[int, int, int]:
    z, y, x = (v - a for v, a in zip(voxel, box.start, strict=True))
    return z, y, x
