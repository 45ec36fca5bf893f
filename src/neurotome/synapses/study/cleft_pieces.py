"""The connected pieces of a sparse label, found box by box: size, place and extent of each, never the volume as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cc3d
import numpy as np

from neurotome.core import Box, Labels, Progress, silent
from neurotome.measure.boxes import boxes_of

__all__ = ["Pieces", "find_pieces", "piece_mask", "read_ids"]

Face = tuple[np.ndarray, np.ndarray]
"""Where a plane is not background (linear index), and which piece is there."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """6-connected components of equal id, in order of their first voxel.

    label, voxels: (n,) id and size. first: (n, 3) the first voxel in z, y, x order. low, high: (n, 3) bounding box, half-open.
    total: (n, 3) sum of the positions of all voxels.
    """

    label: np.ndarray
    voxels: np.ndarray
    first: np.ndarray
    low: np.ndarray
    high: np.ndarray
    total: np.ndarray

    def __len__(self) -> int:
        return len(self.label)

    @property
    def centroids(self) -> np.ndarray:
        """Mean position (n, 3) in voxels."""
        return np.asarray(self.total / self.voxels[:, None])

    def box(self, piece: int) -> Box:
        return Box(tuple(self.low[piece].tolist()), tuple(self.high[piece].tolist()))


def find_pieces(
    labels: Labels, ids: Sequence[int] | None = None, *, voxels: int | None = None, progress: Progress = silent
) -> Pieces:
    """Components of the labels with these ids (default: all above 0); the same however the volume is cut.

    voxels: how many are read at once. Grows with the pieces and with the faces of the boxes, not with the volume.
    """
    found: list[Pieces] = []
    joined: list[np.ndarray] = []
    faces: dict[tuple[int, tuple[int, ...]], Face] = {}
    boxes = boxes_of(labels.grid.box, labels.data, voxels=voxels)
    base = 1
    for done, box in enumerate(boxes):
        values = read_ids(labels, box, ids)
        local = cc3d.connected_components(values, connectivity=6, out_dtype=np.uint32)
        part = _describe(local, values, box)
        for axis in range(3):
            waiting = faces.pop((axis, box.start), None)
            if waiting is not None:
                joined.append(_touching(waiting, _face(local, axis, 0, base)))
            beside = tuple(b if a == axis else s for a, (s, b) in enumerate(zip(box.start, box.stop, strict=True)))
            faces[axis, beside] = _face(local, axis, -1, base)
        found.append(part)
        base += len(part)
        progress("find clefts", done + 1, len(boxes))
    return _merged(found, np.concatenate([*joined, np.empty((0, 2), np.int64)]) - 1)


def piece_mask(labels: Labels, pieces: Pieces, piece: int, ids: Sequence[int] | None = None) -> np.ndarray:
    """Where one component is in its own box, bool."""
    box = pieces.box(piece)
    local = cc3d.connected_components(read_ids(labels, box, ids), connectivity=6, out_dtype=np.uint32)
    mask: np.ndarray = local == local[tuple(pieces.first[piece] - pieces.low[piece])]
    return mask


def read_ids(labels: Labels, box: Box, ids: Sequence[int] | None = None) -> np.ndarray:
    """The labels of a box with all but these ids set to 0."""
    values = np.ascontiguousarray(labels.read(box))
    return values if ids is None else np.where(np.isin(values, np.asarray(ids, values.dtype)), values, values.dtype.type(0))


def _describe(local: np.ndarray, values: np.ndarray, box: Box) -> Pieces:
    """Of each component of a box. Only voxels that are not background are looked at: clefts are few."""
    flat = np.flatnonzero(local)
    piece = local.ravel()[flat].astype(np.int64) - 1
    count = int(piece.max(initial=-1)) + 1
    places = np.stack(np.unravel_index(flat, local.shape), 1) + np.array(box.start)
    first = np.empty(count, np.int64)
    first[piece[::-1]] = np.arange(len(flat))[::-1]
    low, high = np.full((count, 3), np.iinfo(np.int64).max), np.zeros((count, 3), np.int64)
    np.minimum.at(low, piece, places)
    np.maximum.at(high, piece, places + 1)
    total = np.stack([np.bincount(piece, weights=places[:, axis], minlength=count) for axis in range(3)], 1)
    label = values.ravel()[flat[first]]
    return Pieces(label, np.bincount(piece, minlength=count), places[first], low, high, total)


def _face(local: np.ndarray, axis: int, at: int, base: int) -> Face:
    plane = local.take(at, axis=axis).ravel()
    where = np.flatnonzero(plane)
    return where, plane[where].astype(np.int64) - 1 + base


def _touching(lower: Face, upper: Face) -> np.ndarray:
    """Pairs (m, 2) of pieces that meet at a face, each once."""
    _, a, b = np.intersect1d(lower[0], upper[0], assume_unique=True, return_indices=True)
    return np.unique(np.stack([lower[1][a], upper[1][b]], 1), axis=0)


def _merged(found: list[Pieces], pairs: np.ndarray) -> Pieces:
    """Pieces of boxes as components of the volume."""
    every = [np.concatenate([getattr(part, f.name) for part in found]) for f in fields(Pieces)]
    label, voxels, first, low, high, total = every
    component = _components(len(label), pairs[label[pairs[:, 0]] == label[pairs[:, 1]]])
    # Boxes are walked z slowest, but the first voxel of a component need not lie in its first box.
    order = np.lexsort((*first.T[::-1], component))
    starts = np.flatnonzero(np.diff(component[order], prepend=-1))
    if not len(starts):
        return Pieces(*every)
    reduced = Pieces(
        label[order][starts],
        np.add.reduceat(voxels[order], starts),
        first[order][starts],
        np.minimum.reduceat(low[order], starts),
        np.maximum.reduceat(high[order], starts),
        np.add.reduceat(total[order], starts),
    )
    by_first = np.lexsort(reduced.first.T[::-1])
    return Pieces(*(getattr(reduced, f.name)[by_first] for f in fields(Pieces)))


def _components(count: int, pairs: np.ndarray) -> np.ndarray:
    """Component number of each of `count` nodes of a graph with these edges (m, 2)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    number: np.ndarray = connected_components(edges, directed=False)[1] if count else np.empty(0, np.int32)
    return number
