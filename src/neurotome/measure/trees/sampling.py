"""Points along the edges of a tree, so that no score depends on how many nodes somebody drew."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

__all__ = ["Samples", "edge_samples", "pieces_of", "samples_above", "vaa3d_points"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Pieces of edges, each standing for its middle; ordered by edge, and along each edge from parent to child.

    points: (n, 3), the middles. weights: (n,), the lengths of the pieces. edges: (n,), the row of the child node of each piece's
    edge. along: (n,), where on its edge the middle lies: 0 at the parent, 1 at the child.
    """

    points: np.ndarray
    weights: np.ndarray
    edges: np.ndarray
    along: np.ndarray

    def __len__(self) -> int:
        return len(self.weights)

    def weights_of(self, edge_lengths: np.ndarray) -> np.ndarray:
        """The lengths of the pieces where the edges (by row) have other lengths, as in another unit."""
        return np.asarray(edge_lengths[self.edges] / np.bincount(self.edges)[self.edges])

    def cut(self, which: np.ndarray, pieces: int, points: np.ndarray, parent_rows: np.ndarray) -> np.ndarray:
        """(m, pieces, 3), the middles of so many equal parts of the samples `which` (m numbers), on the same tree."""
        edges = self.edges[which]
        parts = ((np.arange(pieces) + 0.5) / pieces - 0.5) / np.bincount(self.edges)[edges][:, None]
        starts = points[parent_rows[edges]][:, None]
        return np.asarray(starts + (self.along[which][:, None] + parts)[..., None] * (points[edges][:, None] - starts))


def edge_samples(points: np.ndarray, parent_rows: np.ndarray, step: float) -> Samples:
    """Every edge in ceil(length / step) equal pieces; edges without length have none.

    points: (n, 3) in any unit, `step` in the same. parent_rows: (n,), below 0 for roots.

    >>> edge_samples(np.array([[0, 0, 0], [0, 0, 1.0]]), np.array([-1, 0]), 0.5).points.tolist()
    [[0.0, 0.0, 0.25], [0.0, 0.0, 0.75]]
    """
    edges = np.flatnonzero(parent_rows >= 0)
    starts, steps = points[parent_rows[edges]], points[edges] - points[parent_rows[edges]]
    lengths = np.sqrt((steps**2).sum(1))
    counts = np.ceil(lengths / step).astype(np.int64)
    which = np.repeat(np.arange(len(edges)), counts)
    within = np.arange(len(which)) - (np.cumsum(counts) - counts)[which]
    along = (within + 0.5) / counts[which]
    return Samples(starts[which] + along[:, None] * steps[which], (lengths / np.maximum(counts, 1))[which], edges[which], along)


def vaa3d_points(points: np.ndarray, parent_rows: np.ndarray) -> np.ndarray:
    """(m, 3) the points that Vaa3D's neuron distance takes: N = floor(length + 1.5) per edge, both ends included, none weighted.

    An edge with N = 1 gives its child. Shared ends are counted once per edge, which is why short edges weigh more.
    """
    edges = np.flatnonzero(parent_rows >= 0)
    steps = points[parent_rows[edges]] - points[edges]
    counts = np.floor(np.sqrt((steps**2).sum(1)) + 1.5).astype(np.int64)
    which = np.repeat(np.arange(len(edges)), counts)
    within = np.arange(len(which)) - (np.cumsum(counts) - counts)[which]
    share = within / np.maximum(counts - 1, 1)[which]
    return np.asarray(points[edges][which] + share[:, None] * steps[which])


def samples_above(samples: Samples, parent_rows: np.ndarray) -> np.ndarray:
    """(n,) int64, for each sample its neighbour on the way to the root, or -1 for the first of a tree.

    Always less than the sample's own number. At a root the first samples of all stems hang on the first one of the first stem.
    """
    return np.asarray(_above(samples.edges, np.ascontiguousarray(parent_rows, np.int64)))


def pieces_of(labels: np.ndarray, above: np.ndarray) -> np.ndarray:
    """(n,) int64, the number of the connected piece of equal labels that each sample belongs to; -1 where the label is below 0.

    >>> pieces_of(np.array([4, 4, -1, 4, 5]), np.array([-1, 0, 1, 2, 3])).tolist()
    [0, 0, -1, 1, 2]
    """
    return np.asarray(_pieces(np.ascontiguousarray(labels, np.int64), above))


@numba.njit(cache=True, nogil=True)
def _above(edges, parents):  # type: ignore[no-untyped-def]
    n = len(parents)
    root = np.empty(n, np.int64)
    lowest = np.full(n, -1, np.int64)  # the last sample at or above each node
    first_of_root = np.full(n, -1, np.int64)
    above = np.empty(len(edges), np.int64)
    at = 0
    for row in range(n):
        parent = parents[row]
        if parent < 0:
            root[row] = row
            continue
        root[row] = root[parent]
        lowest[row] = lowest[parent]
        if at >= len(edges) or edges[at] != row:
            continue
        above[at] = lowest[parent] if lowest[parent] >= 0 else first_of_root[root[row]]
        if above[at] < 0:
            first_of_root[root[row]] = at
        at += 1
        while at < len(edges) and edges[at] == row:
            above[at] = at - 1
            at += 1
        lowest[row] = at - 1
    return above


@numba.njit(cache=True, nogil=True)
def _pieces(labels, above):  # type: ignore[no-untyped-def]
    pieces = np.full(len(labels), -1, np.int64)
    found = 0
    for i in range(len(labels)):
        if labels[i] < 0:
            continue
        if above[i] >= 0 and labels[above[i]] == labels[i]:
            pieces[i] = pieces[above[i]]
        else:
            pieces[i] = found
            found += 1
    return pieces
