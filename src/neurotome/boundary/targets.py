"""What a network is asked to learn, derived from labels: membrane, cytoplasm, overlap, affinities.

All channels go by name: `membrane`, `inside`, `cytoplasm`, `overlap`, `affinity:dz,dy,dx`. Definitions follow neuron3d
(Bullmann) for the first ones and Turaga et al. 2010 / Lee et al. 2017 for affinities.
"""

from __future__ import annotations

import re

import numpy as np
from scipy import ndimage

from neurotome.core import UnknownNameError

__all__ = ["LONG12", "NEAREST", "affinity", "cytoplasm", "edges", "offset_of", "overlap", "targets"]

NEAREST = ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1")
LONG12 = (
    *NEAREST,
    *(f"affinity:{z},0,0" for z in (2, 3, 4)),
    *(f"affinity:0,{y},0" for y in (3, 9, 27)),
    *(f"affinity:0,0,{x}" for x in (3, 9, 27)),
)
_PLAIN = ("membrane", "inside", "cytoplasm", "overlap")
_AFFINITY = re.compile(r"affinity:(\d+),(\d+),(\d+)")


def offset_of(channel: str) -> tuple[int, int, int] | None:
    """The offset (z, y, x) of an affinity channel, None for the other known channels.

    Raises UnknownNameError for anything else, and for the offset 0,0,0.

    >>> offset_of("affinity:0,9,0")
    (0, 9, 0)
    """
    if channel in _PLAIN:
        return None
    match = _AFFINITY.fullmatch(channel)
    if not match or not any(int(n) for n in match.groups()):
        raise UnknownNameError("channel", channel, (*_PLAIN, *LONG12))
    z, y, x = (int(n) for n in match.groups())
    return z, y, x


def edges(labels: np.ndarray) -> np.ndarray:
    """Where labels change inside a section: 3 x 3 minimum differs from 3 x 3 maximum, borders reflected, 0 counts as a label.

    labels (z, y, x) -> bool (z, y, x). Borders come out at least 2 px thick.

    >>> edges(np.array([[[1, 1, 1, 2, 2, 2]] * 3]))[0, 0].astype(int)
    array([0, 0, 1, 1, 0, 0])
    """
    size = (1, 3, 3)
    return ndimage.minimum_filter(labels, size, mode="reflect") != ndimage.maximum_filter(labels, size, mode="reflect")


def cytoplasm(labels: np.ndarray) -> np.ndarray:
    """Inside a cell and not on an edge. labels (z, y, x) -> bool (z, y, x)."""
    return ~edges(labels) & (labels > 0)


def overlap(labels: np.ndarray) -> np.ndarray:
    """Cytoplasm in section i and in i + 1 with the same label: (z, y, x) -> bool (z - 1, y, x)."""
    inner = cytoplasm(labels)
    return inner[:-1] & inner[1:] & (labels[:-1] == labels[1:])


def affinity(labels: np.ndarray, offset: tuple[int, int, int]) -> np.ndarray:
    """Whether v and v + offset carry the same label above 0, stored at v; 0 where v + offset lies outside.

    labels (z, y, x) -> bool (z, y, x).

    >>> affinity(np.array([[[1, 1, 2, 0, 0]]]), (0, 0, 1)).astype(int)
    array([[[1, 0, 0, 0, 0]]])
    """
    out = np.zeros(labels.shape, bool)
    here, there = _pair_slices(offset)
    a, b = labels[here], labels[there]
    out[here] = (a == b) & (a > 0)
    return out


def targets(
    labels: np.ndarray, channels: tuple[str, ...], *, shrink: int = 0, binary: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and their valid masks for the named channels: labels (z, y, x) -> two bool arrays (c, z, y, x).

    `binary` labels (1 inside, 0 membrane) already say where the membrane is; it is not derived from edges then.
    `shrink` sets that many pixels of rim inside each label to 0 first, for affinities only. A pair that leaves the volume is not
    valid. The last plane of `overlap` is 0 and not valid.
    """
    target = np.zeros((len(channels), *labels.shape), bool)
    valid = np.ones_like(target)
    shrunk = labels
    for _ in range(shrink):
        shrunk = np.where(edges(shrunk), 0, shrunk)
    for c, channel in enumerate(channels):
        offset = offset_of(channel)
        if offset:
            target[c] = affinity(shrunk, offset)
            valid[c] = False
            valid[c][_pair_slices(offset)[0]] = True
        elif channel == "overlap":
            target[c, :-1] = overlap(labels)
            valid[c, -1] = False
        elif channel == "cytoplasm":
            target[c] = cytoplasm(labels)
        else:
            membrane = labels == 0 if binary else edges(labels)
            target[c] = membrane ^ (channel == "inside")
    return target, valid


def _pair_slices(offset: tuple[int, int, int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    here = tuple(slice(None, -o or None) for o in offset)
    there = tuple(slice(o, None) for o in offset)
    return here, there
