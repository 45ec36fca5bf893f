"""The reference method and its plain twin: threshold, then connect."""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy import ndimage

from neurotome.neurons.connected import PRESENT, connect, join_roots, joins_above, number, unite
from neurotome.neurons.voxel_graph import VoxelGraph

__all__ = [
    "ONLY_OVERLAP",
    "bridged_pieces",
    "clean_overlap",
    "component_joins",
    "components",
    "link",
    "link_joins",
    "overlap_above",
]

ONLY_OVERLAP = np.uint64(1 << 63)
"""Marks pieces that hold no voxel, only overlap: they join others and are never labels."""


def components(graph: VoxelGraph, *, threshold: int) -> np.ndarray:
    """6-connected components of the voxels and edges of at least `threshold`.

    Takes a voxel graph of uint8 values, gives (z, y, x) uint32 labels 1..n in order of their smallest voxel, 0 elsewhere.

    >>> q = np.array([[[200, 50, 220, 0]]], np.uint8)
    >>> components(VoxelGraph(0 * q, 0 * q, q), threshold=100).tolist()
    [[[1, 1, 2, 2]]]
    """
    return connect(component_joins(graph, threshold))[0]


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
    cleaned = clean_overlap(overlap_above(graph, threshold), erosions=erosions, skeletonise=skeletonise)
    joins, bridges = link_joins(graph, threshold=threshold, bridge=bridge, overlap=cleaned)
    if bridges is not None:
        bridges[-1] = False
    return bridged_pieces(joins, bridges)[0]


def overlap_above(graph: VoxelGraph, threshold: int) -> np.ndarray:
    """The overlap map, or where there is none the edges along z, of at least `threshold`: (z, y, x) bool."""
    return np.asarray((graph.overlap if graph.overlap is not None else graph.z) >= threshold)


def link_joins(graph: VoxelGraph, *, threshold: int, bridge: str, overlap: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """What `link` connects: bits for `connect`, and the overlap map (bool) where its pixels also connect in their plane."""
    linking = np.where(overlap, np.uint8(255), np.uint8(0)) if bridge == "none" else np.zeros(overlap.shape, np.uint8)
    joins = joins_above((linking, graph.y, graph.x), graph.node_value(), threshold)
    return joins, None if bridge == "none" else overlap.copy()


def component_joins(graph: VoxelGraph, threshold: int) -> np.ndarray:
    """What `components` connects, as bits for `connect`."""
    return joins_above(graph.edges, graph.node_value(), threshold)


def bridged_pieces(joins: np.ndarray, bridges: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Components of voxels, which blobs of overlap join: a blob is in one plane and joins the voxels under and above its pixels.

    Parameters
    ----------
    joins
        (z, y, x) uint8 bits, see `connect`.
    bridges
        (z, y, x) bool, None for no blobs. Pixels of the last plane join only downwards.

    Returns
    -------
    labels
        (z, y, x) uint32, 1..n in order of the smallest voxel.
    first
        (m,) uint64, the smallest voxel of each piece. The pieces after n hold no voxel, only overlap: for them it is the
        smallest pixel plus ONLY_OVERLAP.
    overlap_ids
        (z, y, x) uint32, the piece that each pixel of overlap belongs to (None without bridges).
    """
    if bridges is None:
        return *connect(joins), None
    blobs, count = _numbered_blobs(bridges)
    bits = np.concatenate([joins.reshape(-1), np.full(count, PRESENT, np.uint8)])
    labels = np.arange(len(bits), dtype=np.int64)
    unite(bits[: joins.size], joins.shape, labels[: joins.size])
    _unite_blobs(bits, labels, blobs.reshape(-1), joins.size, joins[0].size)
    first = number(bits, labels)
    pixels, where = np.unique(blobs, return_index=True)
    smallest = np.zeros(count + 1, np.uint64)
    smallest[pixels] = where
    alone = first >= joins.size
    first[alone] = smallest[first[alone] - np.uint64(joins.size) + np.uint64(1)] | ONLY_OVERLAP
    piece_of = np.concatenate([[0], labels[joins.size :]]).astype(np.uint32)
    return labels[: joins.size].reshape(joins.shape).astype(np.uint32), first, piece_of[blobs]


def _numbered_blobs(overlap: np.ndarray) -> tuple[np.ndarray, int]:
    """4-connected blobs of each plane, numbered 1..n through all planes."""
    blobs, count = np.zeros(overlap.shape, np.int64), 0
    for z, plane in enumerate(overlap):
        found, here = ndimage.label(plane)
        blobs[z] = np.where(found > 0, found + count, 0)
        count += here
    return blobs, count


@njit(cache=True)
def _unite_blobs(bits, parent, blobs, voxels, plane):
    """Blob b is element voxels + b - 1 of the union-find; voxels come first, so that roots are voxels where there is one."""
    for p in range(blobs.size):
        if blobs[p]:
            for i in (p, p + plane):
                if i < voxels and bits[i] & PRESENT:
                    join_roots(parent, i, voxels + blobs[p] - 1)


def clean_overlap(overlap: np.ndarray, *, erosions: int = 10, skeletonise: bool = True) -> np.ndarray:
    """Erode each plane with the cross of four neighbours, then thin it to its skeleton; no erosions and False change nothing.

    Outside the plane counts as empty, so `erosions` pixels are lost at the border. Takes and gives (z, y, x) bool.
    """
    if not erosions and not skeletonise:
        return overlap
    from skimage.morphology import skeletonize

    cleaned = np.zeros_like(overlap)
    cross = ndimage.generate_binary_structure(2, 1)
    for z, plane in enumerate(overlap):
        kept = ndimage.binary_erosion(plane, cross, iterations=erosions) if erosions else plane
        cleaned[z] = skeletonize(kept) if skeletonise else kept
    return cleaned
