"""The named peer of tracing: a ridge filter, a threshold, a skeleton of one voxel's width, a tree. All by scikit-image and SciPy.

What anybody does who has no tracer: `skimage.filters.sato` (or `frangi`) of the stack, voxels over a threshold without small
objects, `skimage.morphology.skeletonize`, and the minimum spanning tree of the voxels that are left, without short spurs.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from skimage import filters, morphology

from neurotome.core import ROOT, Skeleton
from neurotome.core.geometry import Nm3

__all__ = ["FILTERS", "ridges", "tree_of_ridges"]

FILTERS = ("sato", "frangi")
_SIGMAS = (1.0, 2.0, 3.0)
_NEIGHBOURS = np.array(list(np.ndindex(3, 3, 3))) - 1


def ridges(name: str, image: np.ndarray) -> np.ndarray:
    """The response of a filter at widths of 1 to 3 voxels, float32, in units of its median where it is above 0.

    That median is what noise does: a threshold in its units means the same on stacks of any brightness.
    """
    response = getattr(filters, name)(image.astype(np.float32), sigmas=_SIGMAS, black_ridges=False, mode="reflect")
    positive = response[response > 0]
    return np.asarray(response / (np.median(positive) if len(positive) else 1.0), np.float32)


def tree_of_ridges(response: np.ndarray, threshold: float, smallest: int, voxel_nm: Nm3, *, spur: float = 4.0) -> Skeleton | None:
    """The tree of the response over a threshold, without objects of less than `smallest` voxels, without spurs; or None."""
    labels, count = ndimage.label(response >= threshold, np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    thin = morphology.skeletonize((sizes >= smallest)[labels])
    voxels = np.argwhere(thin)
    if len(voxels) < 2:
        return None
    parents = _spanning_parents(voxels, thin.shape)
    tree = Skeleton.of(parents, voxels * np.array(voxel_nm), name="ridges")
    tree = _without_spurs(tree, spur * min(voxel_nm))
    return tree if tree.length_nm > 0 else None


def _spanning_parents(voxels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Parent rows of the minimum spanning forest over neighbouring voxels."""
    number = np.full(np.array(shape) + 2, -1, np.int64)
    number[tuple((voxels + 1).T)] = np.arange(len(voxels))
    rows, columns, lengths = [], [], []
    for step in _NEIGHBOURS:
        if tuple(step) <= (0, 0, 0):
            continue
        other = number[tuple((voxels + 1 + step).T)]
        rows.append(np.flatnonzero(other >= 0))
        columns.append(other[other >= 0])
        lengths.append(np.full((other >= 0).sum(), np.sqrt((step**2).sum())))
    graph = sparse.csr_matrix(
        (np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=(len(voxels), len(voxels))
    )
    forest = csgraph.minimum_spanning_tree(graph)
    parents = np.full(len(voxels), ROOT)
    _, part = csgraph.connected_components(forest, directed=False)
    for root in np.unique(part, return_index=True)[1]:
        order, above = csgraph.breadth_first_order(forest, root, directed=False)
        parents[order[1:]] = above[order[1:]]
    return parents


def _without_spurs(tree: Skeleton, length_nm: float) -> Skeleton:
    """Without the branches that end in a tip and are shorter than this, once; lone pieces stay."""
    above, children = tree.parent_rows, tree.children
    drop = np.zeros(len(tree), bool)
    for tip in np.flatnonzero((children == 0) & (above >= 0)):
        path, length, row = [], 0.0, tip
        while above[row] >= 0 and children[row] <= 1:
            path.append(row)
            length += tree.edge_nm[row]
            row = above[row]
        if children[row] > 1 and length < length_nm:
            drop[path] = True
    return tree.take(~drop)
