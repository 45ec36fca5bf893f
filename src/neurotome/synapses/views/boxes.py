"""Cubes of one size inside the vesicles or the tissue around them: presets 12 and 13, where every synapse shows as much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurotome.core import Crop, ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.synapses.views.neighbourhood import extent

__all__ = ["BOX", "BOX_REASONS", "BoxFit", "centred_box", "fullest_box", "inside", "vesicle_box", "vesicle_fill_report"]

BOX = 25
"""Voxels along a side."""
BOX_REASONS = ("no_vesicles", "vesicle_cloud_too_small", "vesicle_extent_too_small", "fill_below_threshold")
_FARTHEST = 10
"""Voxels that a centred box may move along each axis to be fuller."""


@dataclass(frozen=True)
class BoxFit:
    """Where a box lies, or why there is none.

    corner: its first voxel. reason: one of `BOX_REASONS`, or "". value, threshold: what was measured, what was asked for;
    for the fill both in percent.
    """

    corner: Int3 = (0, 0, 0)
    reason: str = ""
    value: float = float("nan")
    threshold: float = float("nan")


def fullest_box(mask: np.ndarray, size: int = BOX) -> tuple[Int3, int]:
    """The position of a cube of `size` voxels with the most voxels of a 3D mask, and how many; the first in z, y, x order.

    Positions that reach over the extent of the mask are tried only along axes where it is shorter than the cube. Counts come
    from a summed-area table (Crow 1984), so every position costs the same eight values. Raises ValueRangeError.

    >>> cube = np.zeros((6, 6, 6), bool)
    >>> cube[1:4, 2:5, 2:6] = True
    >>> fullest_box(cube, 3)
    ((1, 2, 2), 27)
    """
    if not 0 < size <= min(mask.shape):
        raise ValueRangeError(f"A box of {size} voxels in {mask.shape}", f"1 to {min(mask.shape)}", "take a smaller one")
    box = extent(mask)
    if box is None:
        return (0, 0, 0), 0
    low = [min(s.start, n - size) for s, n in zip(box, mask.shape, strict=True)]
    high = [max(s.stop, start + size) for s, start in zip(box, low, strict=True)]
    counts = _counts(mask[tuple(slice(*ends) for ends in zip(low, high, strict=True))], size)
    best = np.unravel_index(int(counts.argmax()), counts.shape)
    z, y, x = (start + int(i) for start, i in zip(low, best, strict=True))
    return (z, y, x), int(counts[best])


def vesicle_box(vesicles: np.ndarray, fill: float = 100.0) -> BoxFit:
    """The position of the 25-voxel cube that a vesicle cloud fills best (preset 12), if it fills `fill` percent of it."""
    count = int(vesicles.sum())
    if count == 0:
        return BoxFit(reason="no_vesicles", value=0, threshold=1)
    if count < BOX**3:
        return BoxFit(reason="vesicle_cloud_too_small", value=count, threshold=BOX**3)
    shortest = min(s.stop - s.start for s in extent(vesicles) or ())
    if shortest < BOX:
        return BoxFit(reason="vesicle_extent_too_small", value=shortest, threshold=BOX)
    return _judged(*fullest_box(vesicles), fill)


def centred_box(vesicles: np.ndarray, tissue: np.ndarray, fill: float = 100.0) -> BoxFit:
    """A 25-voxel cube of `tissue` about the mean position of the vesicles (preset 13), if `fill` percent of it is tissue.

    If less is, it moves along all axes together by 1 to 10 voxels, away from the mean position of its empty voxels, to where it
    is fullest. It stays inside the crop. Raises ValueRangeError for a crop that is smaller.
    """
    if min(tissue.shape) < BOX:
        raise ValueRangeError(f"A box of {BOX} voxels in {tissue.shape}", "a larger crop", f"cut {BOX} voxels or more")
    places = np.argwhere(vesicles)
    if len(places) == 0:
        return BoxFit(reason="no_vesicles", value=0, threshold=1)
    first = np.floor(places.mean(axis=0)).astype(int) - BOX // 2
    empty = np.argwhere(~inside(tissue, _clamped(first, tissue.shape)))
    if len(empty) * 100 <= (100 - fill) * BOX**3:
        return _judged(_clamped(first, tissue.shape), BOX**3 - len(empty), fill)
    away = np.where(empty.mean(axis=0) > BOX / 2, -1, 1)
    corners = [_clamped(first + away * step, tissue.shape) for step in range(_FARTHEST + 1)]
    counts = [int(inside(tissue, corner).sum()) for corner in corners]
    best = int(np.argmax(counts))
    return _judged(corners[best], counts[best], fill)


def inside(array: np.ndarray, corner: Int3, size: int = BOX) -> np.ndarray:
    """The part of an array in the cube that begins at `corner`."""
    return array[tuple(slice(start, start + size) for start in corner)]


def vesicle_fill_report(crops: Sequence[Crop], thresholds: Sequence[float] = (25, 50, 75, 90, 95, 99, 100)) -> pd.DataFrame:
    """How many synapses preset 12 would discard, and why, if a box had to be filled by `thresholds` percent.

    Index threshold; columns sites, kept, discarded, discard_rate, and one per reason. Takes a CropSet or a list.
    """
    fits = [vesicle_box(crops[i].operand("vesicles"), 0.0) for i in range(len(crops))]
    rows = []
    for threshold in thresholds:
        reasons = [fit.reason or ("fill_below_threshold" if fit.value < threshold else "") for fit in fits]
        counts = {reason: reasons.count(reason) for reason in BOX_REASONS}
        lost = sum(counts.values())
        rate = lost / len(fits) if fits else float("nan")
        rows.append({"sites": len(fits), "kept": len(fits) - lost, "discarded": lost, "discard_rate": rate, **counts})
    return pd.DataFrame(rows, index=pd.Index([float(threshold) for threshold in thresholds], name="threshold"))


def _judged(corner: Int3, count: int, fill: float) -> BoxFit:
    percent = 100 * count / BOX**3
    return BoxFit(corner, "fill_below_threshold" if percent < fill else "", percent, fill)


def _clamped(corner: np.ndarray, shape: tuple[int, ...]) -> Int3:
    z, y, x = (int(np.clip(start, 0, n - BOX)) for start, n in zip(corner, shape, strict=True))
    return z, y, x


def _counts(mask: np.ndarray, size: int) -> np.ndarray:
    sums = np.pad(mask, ((1, 0),) * 3).astype(np.int32)
    for axis in range(3):
        np.cumsum(sums, axis=axis, out=sums)
        ahead = (slice(None),) * axis + (slice(size, None),)
        behind = (slice(None),) * axis + (slice(None, -size),)
        # Differences along an axis may be taken before the next is summed: both are linear.
        sums = sums[ahead] - sums[behind]
    return sums
