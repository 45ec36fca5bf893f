"""Which voxels are neurite: a threshold, and the pieces that are left of the volume above it."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core import InputError, UnknownNameError, ValueRangeError
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS, ObjectVoxels, number_at
from neurotome.tracing.starting.caat import caat_levels

__all__ = [
    "THRESHOLDS",
    "Foreground",
    "Level",
    "choose_level",
    "components",
    "foreground",
    "level_of_counts",
    "otsu_level",
    "value_counts",
]

THRESHOLDS = ("fixed", "hysteresis", "otsu", "automatic", "caat")

DEVIATIONS = 3.0
"""Intensity is signal when it is this many standard deviations above the background: 1 voxel of 740 of a Gaussian one is."""


@dataclass(frozen=True)
class Level:
    """Object voxels have a value of at least `value`, 1..255; of their components those count in which one reaches `sure`."""

    value: int
    sure: int = 1
    notes: tuple[str, ...] = ()


def choose_level(bricks: Bricks, method: str = "fixed", *, threshold: int = 128, low: int = 77) -> Level:
    """The threshold of one of the methods.

    fixed: `threshold`. hysteresis: `low`, in components that reach `threshold`. otsu: Otsu's, over all voxels. automatic: for
    raw intensity, the background's mean and three standard deviations, the background being what is left after three rounds of
    leaving out what lies further from its mean. caat: CAAT's T; where that is above 255, Otsu's, with a note.

    Raises UnknownNameError for another method, ValueRangeError for thresholds that are not 1 <= low <= threshold <= 255.
    """
    if method not in THRESHOLDS:
        raise UnknownNameError("threshold method", method, THRESHOLDS)
    if not 1 <= low <= 255 or not 1 <= threshold <= 255:
        raise ValueRangeError(
            f"Threshold {threshold}, low {low}", "whole numbers 1..255", "multiply by 255 if it is a probability"
        )
    if method == "fixed":
        return Level(threshold)
    if method == "hysteresis":
        if low > threshold:
            raise ValueRangeError(f"Low threshold {low} above threshold {threshold}", "low <= threshold", "swap them")
        return Level(low, threshold)
    return level_of_counts(value_counts(bricks), method)


def level_of_counts(counts: np.ndarray, method: str) -> Level:
    """`choose_level` by one of the methods that look at all values, from how often each occurs, (256,)."""
    if method == "otsu":
        return Level(otsu_level(counts))
    if method == "automatic":
        return Level(_above_background(counts))
    level, _ = caat_levels(counts)
    if level <= 255:
        return Level(level)
    return Level(otsu_level(counts), notes=(f"CAAT's threshold is above 255 here; Otsu's {otsu_level(counts)} taken instead",))


def value_counts(bricks: Bricks) -> np.ndarray:
    """How many voxels of the volume have each value, (256,) int64; what is in no brick counts as 0."""
    counts = np.zeros(256, np.int64)
    _count_values(bricks.values, counts)
    counts[0] += int(np.prod(bricks.shape, dtype=np.int64)) - int(counts.sum())
    return counts


def otsu_level(counts: np.ndarray) -> int:
    """Otsu's threshold (1979): the value t in 1..255 for which the means of the values below t and from t on, weighted by their
    numbers, differ most; the smallest of several. counts: (256,) how often each value occurs.

    >>> counts = np.zeros(256, np.int64)
    >>> counts[[10, 200]] = 90, 10
    >>> otsu_level(counts)
    11
    """
    weights, values = np.asarray(counts, np.float64), np.arange(256)
    below, below_sum = np.cumsum(weights)[:-1], np.cumsum(weights * values)[:-1]
    above, above_sum = weights.sum() - below, (weights * values).sum() - below_sum
    with np.errstate(invalid="ignore", divide="ignore"):
        between = below * above * (below_sum / below - above_sum / above) ** 2
    return int(np.argmax(np.nan_to_num(between))) + 1


def _above_background(counts: np.ndarray) -> int:
    weights, values = np.asarray(counts, np.float64), np.arange(256)
    mean, deviation = 0.0, np.inf
    for _ in range(4):
        kept = weights * (np.abs(values - mean) <= 3 * deviation)
        mean = float((kept * values).sum() / kept.sum())
        deviation = float(np.sqrt((kept * (values - mean) ** 2).sum() / kept.sum()))
    return int(min(255, max(1, np.floor(mean + DEVIATIONS * deviation) + 1)))


@dataclass(frozen=True, eq=False)
class Foreground:
    """The object voxels and their components, largest first; among equals the one that begins first in the volume.

    level: the threshold. component: (n,) int32 per object voxel. sizes: (k,) voxels of each component.
    """

    level: Level
    voxels: ObjectVoxels
    component: np.ndarray
    sizes: np.ndarray

    def starts(self, depth: np.ndarray) -> np.ndarray:
        """(k,) the number of the voxel of each component with the largest `depth`, (n,); the first in the volume of several."""
        return self.voxels.firsts(self.component, len(self.sizes), depth)


def foreground(bricks: Bricks, level: Level, *, largest_share: float = 0.5) -> Foreground:
    """The object voxels at a threshold, in 26-connected components.

    Raises InputError, with a value to try, where no voxel is left or more than `largest_share` of the volume is.
    """
    voxels = ObjectVoxels.of(bricks, level.value)
    component, sizes, _ = components(voxels)
    if level.sure > level.value:
        surest = _largest_values(bricks.values, voxels, component, len(sizes))
        kept = surest >= level.sure
        voxels = voxels.chosen(kept[component])
        component, sizes = (np.cumsum(kept) - 1).astype(np.int32)[component[kept[component]]], sizes[kept]
    _require_some(bricks, level, len(voxels), largest_share)
    return Foreground(level, voxels, component, sizes)


def components(voxels: ObjectVoxels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """26-connected components: (n,) int32 the component 0..k-1 of each voxel, (k,) int64 sizes, (k,) first voxel in the volume.

    Largest first; of equal size, in the order of their first voxels (z, then y, then x).
    """
    n = len(voxels)
    root = np.empty(n, np.int32)
    _unite(voxels.table, voxels.bits, voxels.first, voxels.positions, NEIGHBOURS[:13], root)
    raw = np.empty(n, np.int32)
    count = _number(root, raw)
    sizes, earliest = np.bincount(raw, minlength=count), voxels.firsts(raw, count)
    order = np.lexsort((voxels.places[earliest], -sizes))
    place = np.empty(count, np.int32)
    place[order] = np.arange(count, dtype=np.int32)
    return place[raw], sizes[order], earliest[order]


def _require_some(bricks: Bricks, level: Level, found: int, largest_share: float) -> None:
    share = found / int(np.prod(bricks.shape, dtype=np.int64))
    if found > 0 and share <= largest_share:
        return
    counts = value_counts(bricks)
    if not counts[1:].any():
        raise InputError("Every voxel of the volume is 0", "a volume with neurites in it", "look at the probability map or image")
    asked = level.sure if level.sure > level.value else level.value
    suggested = min(otsu_level(counts), int(np.flatnonzero(counts).max()))
    if found == 0:
        raise InputError(
            f"Threshold {asked} leaves no voxel; the largest value is {np.flatnonzero(counts).max()}",
            "some voxels above the threshold",
            f"give a threshold of {_both(suggested)} or less",
        )
    from_value = np.cumsum(counts[::-1])[::-1] / counts.sum()
    fit = np.flatnonzero((from_value <= largest_share) & (from_value > 0))
    remedy = (
        f"give a threshold of {_both(max(suggested, int(fit[0])))}"
        if len(fit)
        else "check that neurites are bright, background dark"
    )
    raise InputError(
        f"Threshold {level.value} makes {100 * share:.0f} % of the volume neurite", f"at most {100 * largest_share:.0f} %", remedy
    )


def _both(value: int) -> str:
    """A threshold as this room counts it, and as the command line takes it.

    >>> _both(61)
    '61 of 255 (--threshold 0.239)'
    """
    return f"{value} of 255 (--threshold {value / 255:.3f})"


def _largest_values(values: np.ndarray, voxels: ObjectVoxels, component: np.ndarray, count: int) -> np.ndarray:
    largest = np.zeros(count, np.uint8)
    _take_largest(values, voxels.bits, voxels.first, component, largest)
    return largest


@numba.njit(cache=True, nogil=True)
def _count_values(values, counts):
    for value in values.reshape(-1):
        counts[value] += 1


@numba.njit(cache=True, nogil=True)
def _find(root, i):
    while root[i] != i:
        root[i] = root[root[i]]
        i = root[i]
    return i


@numba.njit(cache=True, nogil=True)
def _unite(table, bits, first, positions, back, root):
    """Union-find over half of the neighbours; the root of a set is its voxel with the smallest number."""
    for voxel in range(root.size):
        root[voxel] = voxel
    for voxel in range(root.size):
        z, y, x = positions[voxel]
        for k in range(back.shape[0]):
            there = number_at(table, bits, first, z + back[k, 0], y + back[k, 1], x + back[k, 2])
            if there >= 0:
                a, b = _find(root, voxel), _find(root, there)
                root[max(a, b)] = min(a, b)
    for voxel in range(root.size):
        root[voxel] = _find(root, voxel)


@numba.njit(cache=True, nogil=True)
def _number(root, raw):
    """Sets by number, in the order of their roots, which precede what hangs on them; how many there are."""
    count = 0
    for voxel in range(root.size):
        if root[voxel] == voxel:
            raw[voxel] = count
            count += 1
        else:
            raw[voxel] = raw[root[voxel]]
    return count


@numba.njit(cache=True, nogil=True)
def _take_largest(values, bits, first, component, largest):
    for slot in range(bits.shape[0]):
        for z in range(bits.shape[1]):
            for y in range(bits.shape[2]):
                number = first[slot, z, y]
                for x in range(32):
                    if (np.int64(bits[slot, z, y]) >> x) & 1:
                        part = component[number]
                        largest[part] = max(largest[part], values[slot, z, y, x])
                        number += 1
