"""From the partition to label volumes: exact, without dust, and every id in one piece."""

from __future__ import annotations

import cc3d
import numpy as np

from neurotome.datasets.phantom.contacts import MEMBRANE_NM
from neurotome.datasets.phantom.partition import Partition

__all__ = ["label_neurons"]

# Smaller cross-sections are where a membrane grazes the section, smaller pieces what a neurite leaves behind a fold.
_LEAST_PIXELS = 30
_LEAST_VOXELS = 150


def label_neurons(cells: Partition, closed: np.ndarray) -> np.ndarray:
    """Neuron ids (z, y, x) uint64: 0 within `MEMBRANE_NM` of a border and where `closed`, else one id per 6-connected piece.

    A piece keeps the number of its neurite where it is the neurite's largest, and gets a new one otherwise (a neurite that
    leaves the volume and comes back is two). Two ids never touch within a section.
    """
    labels = np.where((cells.border_nm < MEMBRANE_NM) | closed, 0, cells.owner)
    labels[touches_other(labels)] = 0
    for section in labels:
        section[_is_dust(section, _LEAST_PIXELS)] = 0
    labels[_is_dust(labels, _LEAST_VOXELS)] = 0
    return _renumber(labels)


def touches_other(labels: np.ndarray) -> np.ndarray:
    """Voxels with another id directly beside them in their section.

    >>> touches_other(np.array([[[1, 1, 2, 2, 0, 3]]])).astype(int).tolist()
    [[[0, 1, 1, 0, 0, 0]]]
    """
    touching = np.zeros(labels.shape, bool)
    for axis in (1, 2):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        differ = (labels[low] != labels[high]) & (labels[low] > 0) & (labels[high] > 0)
        touching[low] |= differ
        touching[high] |= differ
    return touching


def _is_dust(labels: np.ndarray, least: int) -> np.ndarray:
    pieces = _pieces(labels)
    return (np.bincount(pieces.ravel()) < least)[pieces] & (pieces > 0)


def _pieces(labels: np.ndarray) -> np.ndarray:
    return cc3d.connected_components(np.ascontiguousarray(labels), connectivity=6 if labels.ndim == 3 else 4)


def _renumber(labels: np.ndarray) -> np.ndarray:
    pieces = _pieces(labels)
    sizes = np.bincount(pieces.ravel())
    owners = np.zeros(len(sizes), np.int64)
    owners[pieces.ravel()] = labels.ravel()
    ids, taken, fresh = np.zeros(len(sizes), np.uint64), set(), int(owners.max(initial=0))
    for piece in np.argsort(-sizes[1:], kind="stable") + 1:
        if owners[piece] in taken:
            fresh += 1
            ids[piece] = fresh
        else:
            taken.add(owners[piece])
            ids[piece] = owners[piece]
    return ids[pieces]
