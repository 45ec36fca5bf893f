"""What a network is asked to learn: derived from labels (membrane, cytoplasm, overlap, affinities) or given (classes, grey).

All channels go by name: `membrane`, `inside`, `cytoplasm`, `overlap`, `affinity:dz,dy,dx`, `class:NAME`, `grey`. Definitions
follow neuron3d (Bullmann) for the first ones and Turaga et al. 2010 / Lee et al. 2017 for affinities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from neurotome.core import UnknownNameError
from neurotome.nn import Draw

__all__ = [
    "LONG12",
    "NEAREST",
    "Known",
    "affinity",
    "class_of",
    "cytoplasm",
    "edges",
    "offset_of",
    "overlap",
    "reach_of",
    "require_channels",
    "targets",
]

NEAREST = ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1")
LONG12 = (
    *NEAREST,
    *(f"affinity:{z},0,0" for z in (2, 3, 4)),
    *(f"affinity:0,{y},0" for y in (3, 9, 27)),
    *(f"affinity:0,0,{x}" for x in (3, 9, 27)),
)
_PLAIN = ("membrane", "inside", "cytoplasm", "overlap", "grey")
_AFFINITY = re.compile(r"affinity:(\d+),(\d+),(\d+)")
_CLASS = re.compile(r"class:([^:,\s]+)")


def offset_of(channel: str) -> tuple[int, int, int] | None:
    """The offset (z, y, x) of an affinity channel, None for the other known channels.

    Raises UnknownNameError for anything else, and for the offset 0,0,0.

    >>> offset_of("affinity:0,9,0")
    (0, 9, 0)
    """
    if channel in _PLAIN or class_of(channel):
        return None
    match = _AFFINITY.fullmatch(channel)
    if not match or not any(int(n) for n in match.groups()):
        raise UnknownNameError("channel", channel, (*_PLAIN, "class:NAME", *LONG12))
    z, y, x = (int(n) for n in match.groups())
    return z, y, x


def class_of(channel: str) -> str | None:
    """The class that a channel shows, None for the other channels.

    >>> class_of("class:mitochondria")
    'mitochondria'
    """
    match = _CLASS.fullmatch(channel)
    return match[1] if match else None


def reach_of(channel: str) -> int:
    """How many sections further a channel looks: the z of an affinity, 1 for the overlap."""
    offset = offset_of(channel)
    return offset[0] if offset else int(channel == "overlap")


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

    For channels that follow from labels; `Known.targets` is for all.
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


@dataclass(frozen=True, eq=False)
class Known:
    """What is known about some tissue: labels, bits of its classes, grey values in [0, 1]; each (z, y, x) or None, not all None.

    binary labels are 1 inside and 0 membrane; others are ids. Bit k of `marks` belongs to class k of `classes`.
    """

    labels: np.ndarray | None = None
    binary: bool = False
    marks: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    grey: np.ndarray | None = None

    def moved(self, draw: Draw) -> Known:
        """The same after augmentation: labels and classes by nearest neighbour, grey values linearly."""
        labels, marks = (None if a is None else draw.labels(a) for a in (self.labels, self.marks))
        return replace(self, labels=labels, marks=marks, grey=None if self.grey is None else draw.values(self.grey))

    def sections(self, first: int, last: int) -> Known:
        """Only these sections, half-open."""
        labels, marks, grey = (None if a is None else a[first:last] for a in (self.labels, self.marks, self.grey))
        return replace(self, labels=labels, marks=marks, grey=grey)

    def says(self, channel: str) -> bool:
        """Whether a channel can be made of it. A class called membrane or inside also says where the membrane is."""
        if channel == "grey":
            return self.grey is not None
        if (name := class_of(channel)) is not None:
            return name in self.classes
        return self.labels is not None or (channel in ("membrane", "inside") and self._as_class(channel) is not None)

    def targets(self, channels: tuple[str, ...], *, shrink: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Targets in [0, 1] and their valid masks, float32 and bool (c, z, y, x); what is not known is 0 and not valid."""
        shape = next(a.shape for a in (self.labels, self.marks, self.grey) if a is not None)
        target, valid = np.zeros((len(channels), *shape), np.float32), np.zeros((len(channels), *shape), bool)
        derived = [c for c, name in enumerate(channels) if self.labels is not None and name != "grey" and class_of(name) is None]
        if derived and self.labels is not None:
            names = tuple(channels[c] for c in derived)
            target[derived], valid[derived] = targets(self.labels, names, shrink=shrink, binary=self.binary)
        for c, channel in enumerate(channels):
            if c in derived or not self.says(channel):
                continue
            target[c] = self.grey if channel == "grey" else self._mask(channel)
            valid[c] = True
        return target, valid

    def _mask(self, channel: str) -> np.ndarray:
        if (name := class_of(channel)) is not None:
            return self._bit(name)
        same = self._as_class(channel)
        return self._bit(channel) if same == channel else ~self._bit(str(same))

    def _as_class(self, channel: str) -> str | None:
        """The class that says a channel: the one of its name, or the opposite one."""
        opposite = {"membrane": "inside", "inside": "membrane"}[channel]
        return next((name for name in (channel, opposite) if name in self.classes), None)

    def _bit(self, name: str) -> np.ndarray:
        assert self.marks is not None
        return (self.marks >> self.marks.dtype.type(self.classes.index(name)) & 1).astype(bool)


def require_channels(channels: Iterable[str], known: Iterable[Known]) -> None:
    """Raises UnknownNameError for a channel that no volume says anything about; a class is compared with the declared ones."""
    everything = tuple(known)
    for channel in channels:
        offset_of(channel)
        if any(k.says(channel) for k in everything):
            continue
        declared = sorted({name for k in everything for name in k.classes})
        if class_of(channel) is not None:
            raise UnknownNameError("class", str(class_of(channel)), declared or ["(no volume declares a class)"])
        said = [c for c in _PLAIN if any(k.says(c) for k in everything)]
        said += [c for c in NEAREST if any(k.says(c) for k in everything)]
        raise UnknownNameError("channel of these volumes", channel, [*said, *(f"class:{name}" for name in declared)])


def _pair_slices(offset: tuple[int, int, int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    here = tuple(slice(None, -o or None) for o in offset)
    there = tuple(slice(o, None) for o in offset)
    return here, there
