"""One colour per label id, the same in the report and in the viewer."""

from __future__ import annotations

import numpy as np

__all__ = ["MERGE", "SPLIT", "css_colour", "label_colours", "matching_labels"]

SPLIT, MERGE = "#e8590c", "#0b7285"
"""Orange and petrol: apart for every common kind of colour blindness, and on grey tissue."""


def label_colours(ids: np.ndarray) -> np.ndarray:
    """Colour of each id, shape (..., 3), uint8: the one the viewer gives it. Id 0 is black.

    The viewer hashes the two halves of the id (the block mixing of MurmurHash3, Appleby 2011) to a hue and a saturation.

    >>> label_colours(np.array([0, 1, 2])).tolist()
    [[0, 0, 0], [94, 128, 255], [255, 53, 120]]
    """
    ids = np.asarray(ids).astype(np.uint64)
    mixed = _mix(_mix(np.zeros(ids.shape, np.uint32), ids & np.uint64(0xFFFFFFFF)), ids >> np.uint64(32))
    hue = (mixed & np.uint32(0xFF)) / 255.0
    saturation = 0.5 + ((mixed >> np.uint32(8)) & np.uint32(0xFF)) / 510.0
    colours = np.round(255 * _rgb(hue, saturation)).astype(np.uint8)
    colours[ids == 0] = 0
    return colours


def css_colour(label: int) -> str:
    """
    >>> css_colour(1)
    '#5e80ff'
    """
    red, green, blue = label_colours(np.array(label, np.uint64)).tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"


def matching_labels(truth: np.ndarray, predicted: np.ndarray) -> dict[int, int]:
    """The truth label -> predicted label pairs that share most pixels, each label at most once, largest overlap first.

    >>> matching_labels(np.array([5, 5, 5, 6]), np.array([9, 9, 8, 9]))
    {5: 9}
    """
    both = (truth > 0) & (predicted > 0)
    pairs = np.stack([truth[both], predicted[both]], axis=1).astype(np.uint64)
    unique, count = np.unique(pairs, axis=0, return_counts=True)
    matched: dict[int, int] = {}
    used: set[int] = set()
    for t, p in unique[np.argsort(-count, kind="stable")].tolist():
        if t not in matched and p not in used:
            matched[t] = p
            used.add(p)
    return matched


def _mix(state: np.ndarray, value: np.ndarray) -> np.ndarray:
    value = _rotate(_times(value, 0xCC9E2D51), 15)
    state = _rotate(state.astype(np.uint32) ^ _times(value, 0x1B873593), 13)
    return ((state.astype(np.uint64) * 5 + 0xE6546B64) & 0xFFFFFFFF).astype(np.uint32)


def _times(value: np.ndarray, factor: int) -> np.ndarray:
    return ((value.astype(np.uint64) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)).astype(np.uint32)


def _rotate(value: np.ndarray, bits: int) -> np.ndarray:
    return (value << np.uint32(bits)) | (value >> np.uint32(32 - bits))


def _rgb(hue: np.ndarray, saturation: np.ndarray) -> np.ndarray:
    """Hue and saturation in [0, 1], full brightness, to RGB: one channel is full, one empty, one on its way between them.

    Computed through the sector of the colour wheel as the viewer does, so that ties round alike.
    """
    sector = np.floor(6 * hue).astype(np.int64)
    way = 6 * hue - sector
    full, empty = np.ones_like(saturation), 1 - saturation
    falling, rising = 1 - saturation * way, 1 - saturation * (1 - way)
    red = (full, falling, empty, empty, rising, full)
    green = (rising, full, full, falling, empty, empty)
    blue = (empty, empty, rising, full, full, falling)
    return np.stack([np.choose(sector % 6, channel) for channel in (red, green, blue)], axis=-1)
