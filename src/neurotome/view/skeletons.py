"""Skeletons as neuroglancer wants them: lines in voxels of the volume, axes x, y, z, with a radius at each node."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from neurotome.core import Grid, NeurotomeError, Skeleton
from neurotome.io import read_swc
from neurotome.report import Results
from neurotome.view.volumes import space

__all__ = ["neuron_skeletons", "skeleton_source", "tree_source"]

KEPT = 64
"""Skeletons that stay in memory."""


def tree_source(skeleton: Skeleton, grid: Grid, name: str) -> Any:
    """The trees of one skeleton, with ids 1, 2, ... in their order."""
    return skeleton_source(lambda tree: skeleton.take(skeleton.trees == tree - 1), grid, name)


def neuron_skeletons(results: Results, grid: Grid, name: str) -> Any | None:
    """skeletons/ID.swc of each neuron of a run; None where there are none."""
    folder = results.folder / "skeletons"
    if not folder.is_dir():
        return None

    @lru_cache(maxsize=KEPT)
    def skeleton(neuron: int) -> Skeleton:
        return read_swc(folder / f"{neuron}.swc").skeleton

    return skeleton_source(skeleton, grid, name)


def skeleton_source(skeleton: Callable[[int], Skeleton], grid: Grid, name: str) -> Any:
    """A source of skeletons by id; an id that has none is drawn as nothing. name: the same in every process."""
    from neuroglancer.skeleton import Skeleton as Drawn
    from neuroglancer.skeleton import SkeletonSource, VertexAttributeInfo

    class Source(SkeletonSource):
        def get_skeleton(self, object_id: int) -> Any:
            try:
                tree = skeleton(object_id)
            except NeurotomeError:
                return None
            if not len(tree):
                return None
            rows = np.flatnonzero(tree.parents >= 0)
            voxels = (tree.points_nm - grid.origin_nm) / grid.voxel_nm + 0.5
            edges = np.stack([rows, tree.parent_rows[rows]], axis=1)
            return Drawn(voxels[:, ::-1], edges.reshape(-1, 2), {"radius": tree.radii_nm.astype(np.float32)})

    source = Source(space(grid))
    source.vertex_attributes["radius"] = VertexAttributeInfo(np.float32, 1)
    source.token = name
    return source
