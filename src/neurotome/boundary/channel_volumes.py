"""Volumes of named channels, lazy: perfect maps made from labels, and the answers of several networks in one volume."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from neurotome.boundary.targets import offset_of, targets
from neurotome.core import Box, Grid, InputError, Labels, Probability, ShapeError
from neurotome.io import LazyArray
from neurotome.io.lazy import Ranges
from neurotome.io.source import numpy_dtype

__all__ = ["combined", "target_volume"]


def target_volume(labels: Labels, channels: tuple[str, ...], *, shrink: int = 0, drop_last: bool = False) -> Probability:
    """What a perfect network would answer, 0 or 255, from instance labels; made section by section when it is read.

    Channels and `shrink` as in `targets`. Plane i of `overlap` joins sections i and i + 1: the last one is 0, or left out with
    `drop_last` (N - 1 planes), which only overlap allows.
    Raises UnknownNameError for a channel, InputError for channels that repeat or that would lose a section.
    """
    reach = max(_reach(c) for c in channels)
    _require_once(channels)
    if drop_last and set(channels) != {"overlap"}:
        raise InputError(f"Channels {', '.join(channels)} without the last plane", "overlap alone", "keep the last plane")
    z, y, x = labels.grid.shape
    if z - drop_last < 1:
        raise ShapeError(f"'{labels.name}' has one section", "two or more, to overlap", "give a stack")
    reader = partial(_read_targets, labels, channels, shrink, reach)
    source = getattr(labels.data, "source", None)
    data = LazyArray.whole(reader, (len(channels), z - drop_last, y, x), np.uint8, source)
    grid = Grid((z - drop_last, y, x), labels.grid.voxel_nm, labels.grid.origin_nm)
    return Probability(data, grid, channels, name="targets")


def _reach(channel: str) -> int:
    """How many sections further a channel looks."""
    offset = offset_of(channel)
    return offset[0] if offset else int(channel == "overlap")


def _read_targets(labels: Labels, channels: tuple[str, ...], shrink: int, reach: int, ranges: Ranges) -> np.ndarray:
    wanted, (first, last), rows, columns = ranges
    box = Box((first, 0, 0), (min(last + reach, labels.grid.shape[0]), *labels.grid.shape[1:]))
    target, _ = targets(labels.read(box), channels[slice(*wanted)], shrink=shrink)
    return target[:, : last - first, slice(*rows), slice(*columns)].astype(np.uint8) * np.uint8(255)


def combined(parts: Sequence[Probability]) -> Probability:
    """The channels of several volumes on one grid, in one volume; nothing is read.

    The last plane of `overlap` becomes 0: no section follows that it could join.
    Raises what `Grid.require_same` raises, InputError for channels that repeat and for different types.
    """
    first = parts[0]
    for part in parts[1:]:
        first.grid.require_same(part.grid, f"'{first.name}'", f"'{part.name}'")
    names = tuple(c for part in parts for c in part.channels)
    _require_once(names)
    types = {numpy_dtype(part.data) for part in parts}
    if len(types) > 1:
        raise InputError(f"Probabilities of types {', '.join(sorted(map(str, types)))}", "one type", "predict them alike")
    owners = [(part, c) for part in parts for c in part.channels]
    data = LazyArray.whole(partial(_read_combined, owners), (len(names), *first.grid.shape), types.pop())
    return Probability(data, first.grid, names, name="boundary")


def _read_combined(owners: list[tuple[Probability, str]], ranges: Ranges) -> np.ndarray:
    wanted, (first, last), *plane = ranges
    box = Box((first, *(a for a, _ in plane)), (last, *(b for _, b in plane)))  # type: ignore[arg-type]
    values = np.stack([part.read((channel,), box)[0] for part, channel in owners[slice(*wanted)]])
    for k, (part, channel) in enumerate(owners[slice(*wanted)]):
        if channel == "overlap" and last == part.grid.shape[0]:
            values[k, -1] = 0
    return values


def _require_once(channels: tuple[str, ...]) -> None:
    if len(set(channels)) != len(channels):
        raise InputError(f"Channels {', '.join(channels)}", "each name once", "leave out the repeated ones")
