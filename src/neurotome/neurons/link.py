"""The reference method and its plain twin: threshold, then connect."""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy import ndimage

from neurotome.neurons.connected import PRESENT, join_roots, joins_above, number, unite
from neurotome.neurons.voxel_graph import VoxelGraph

__all__ = ["clean_overlap", "components", "link"]


def components(graph: VoxelGraph, *, threshold: int) -> np.ndarray:
    """6-connected components of the voxels and edges of at least `threshold`.

    Takes a voxel graph of uint8 values, gives (z, y, x) uint32 labels 1..n in order of their smallest voxel, 0 elsewhere.

    >>> q = np.array([[[200, 50, 220, 0]]], np.uint8)
    >>> components(VoxelGraph(0 * q, 0 * q, q), threshold=100).tolist()
    [[[1, 1, 2, 2]]]
    """
    node = graph.node_value()
    joins = joins_above(graph.edges, node, threshold)
    return _connected(joins)


def link(
    graph: VoxelGraph, *, threshold: int = 127, bridge: str = "none", erosions: int = 0, skeletonise: bool = False
) -> np.ndarray:
    """Interleaved overlap linking: components of the stack C0, O0, C1, O1, ... of binarised cytoplasm and overlap.

    C is the set of voxels of at least `threshold`, O the overlap map of at least `threshold` (the edges along z where there
    is no such map). The interleaved stack itself is never built.

    Parameters
    ----------
    graph
        From `voxel_graph`.
    threshold
        Grey value from which a voxel or edge counts.
    bridge
        "none": a pixel of O counts where both its sections are C, which makes the result that of `components`. "overlap": pixels
        of O also connect inside their plane, so that a blob of overlap joins all it touches in both sections (the reference).
    erosions, skeletonise
        Clean O first, see `clean_overlap`.

    Returns
    -------
    (z, y, x) uint32 labels 1..n in order of their smallest voxel, 0 is membrane.

    Examples
    --------
    >>> c = np.array([[[255, 0, 255]], [[255, 0, 255]]], np.uint8)
    >>> o = np.array([[[255, 255, 255]], [[0, 0, 0]]], np.uint8)
    >>> graph = VoxelGraph(np.minimum(c, o), 0 * c, 0 * c, node=c, overlap=o)
    >>> link(graph).tolist(), link(graph, bridge="overlap").tolist()
    ([[[1, 0, 2]], [[1, 0, 2]]], [[[1, 0, 1]], [[1, 0, 1]]])
    """
    node = graph.node_value()
    overlap = (graph.overlap if graph.overlap is not None else graph.z) >= threshold
    if erosions or skeletonise:
        overlap = clean_overlap(overlap, erosions=erosions, skeletonise=skeletonise)
    linking = np.where(overlap, np.uint8(255), np.uint8(0))
    if bridge == "none":
        return _connected(joins_above((linking, graph.y, graph.x), node, threshold))
    joins = joins_above((np.zeros_like(linking), graph.y, graph.x), node, threshold)
    return _connected(joins, bridges=overlap)


def clean_overlap(overlap: np.ndarray, *, erosions: int = 10, skeletonise: bool = True) -> np.ndarray:
    """Erode each plane with the cross of four neighbours, then thin it to its skeleton.

    Outside the plane counts as empty, so `erosions` pixels are lost at the border. Takes and gives (z, y, x) bool.
    """
    from skimage.morphology import skeletonize

    cleaned = np.zeros_like(overlap)
    cross = ndimage.generate_binary_structure(2, 1)
    for z, plane in enumerate(overlap):
        kept = ndimage.binary_erosion(plane, cross, iterations=erosions) if erosions else plane
        cleaned[z] = skeletonize(kept) if skeletonise else kept
    return cleaned


def _connected(joins: np.ndarray, bridges: np.ndarray | None = None) -> np.ndarray:
    labels = np.empty(joins.shape, np.uint32 if joins.size < np.iinfo(np.uint32).max else np.int64)
    flat = labels.reshape(-1)
    unite(joins.reshape(-1), joins.shape, flat)
    if bridges is not None:
        for z in range(len(joins) - 1):
            blobs, count = ndimage.label(bridges[z])
            _bridge(joins.reshape(-1), flat, blobs.reshape(-1), count, z * blobs.size)
    number(joins.reshape(-1), flat)
    return labels


@njit(cache=True)
def _bridge(joins, parent, blobs, count, start):
    """Unite all voxels under one blob of overlap, in the section below and the one above."""
    anchor = np.full(count + 1, -1, np.int64)
    for p in range(blobs.size):
        blob = blobs[p]
        if blob:
            for i in (start + p, start + blobs.size + p):
                if joins[i] & PRESENT:
                    if anchor[blob] < 0:
                        anchor[blob] = i
                    else:
                        join_roots(parent, i, anchor[blob])
