"""Which of the two neurons at a site is presynaptic: the one that holds the vesicles nearest to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from neurotome.core import CropRecipe, ValueRangeError
from neurotome.core.geometry import Nm3
from neurotome.synapses.crops.components import CLOSEST, as_unsigned

__all__ = ["Sides", "count_sides", "decide_pre_side", "find_sides"]

_VESICLES = np.uint8(1 << CLOSEST.index("vesicles"))


@dataclass(frozen=True)
class Sides:
    """The two neurons at a site and which of them is presynaptic.

    labels: their ids, 0 where the site's side lies on background. overlaps: voxels of the vesicle cloud in each. margin: their
    difference over their sum, -1 to 1, NaN where there are none. pre_side: 1, 2, or 0 where it is undetermined. source:
    "vesicles", "table", "rule", or "" where it is undetermined. middles: mean position (voxels of the window) of each.
    """

    labels: tuple[int, int]
    overlaps: tuple[int, int]
    margin: float
    pre_side: int
    source: str
    middles: tuple[Nm3 | None, Nm3 | None]

    @property
    def pre_label(self) -> int:
        return self.labels[self.pre_side - 1] if self.pre_side else 0

    @property
    def post_label(self) -> int:
        return self.labels[2 - self.pre_side] if self.pre_side else 0

    @property
    def pre_middle(self) -> Nm3 | None:
        return self.middles[self.pre_side - 1] if self.pre_side else None

    def facts(self, volume: str) -> dict[str, Any]:
        """Columns of the site table."""
        ids = {"pre_id": self.pre_label, "post_id": self.post_label}
        return {
            **{column: f"{volume}_{label}" if label else "" for column, label in ids.items()},
            "pre_label": self.pre_label,
            "post_label": self.post_label,
            "side1_label": self.labels[0],
            "side2_label": self.labels[1],
            "pre_side": self.pre_side,
            "side_source": self.source,
            "o1": self.overlaps[0],
            "o2": self.overlaps[1],
            "margin": self.margin,
        }


def find_sides(neurons: np.ndarray, labels: tuple[int, int], marks: np.ndarray, recipe: CropRecipe, stated: Any = None) -> Sides:
    """Decide the presynaptic side in a window.

    neurons: (z, y, x) ids. labels: the neuron on side 1 and on side 2. marks: (z, y, x) as `closest_components` gives them.
    stated: `pre_side` of the site table, which overrides what the vesicles say; 0, None and NaN state nothing.
    """
    counts = count_sides(neurons, labels, marks)
    o1, o2 = (int(n) for n in counts[:, 4])
    margin = (o1 - o2) / (o1 + o2) if o1 + o2 else float("nan")
    pre_side, source = decide_pre_side(o1, o2, recipe, stated=_stated(stated), same_neuron=labels[0] == labels[1])
    middles = tuple((row[1] / row[0], row[2] / row[0], row[3] / row[0]) if row[0] else None for row in counts.tolist())
    return Sides(labels, (o1, o2), margin, pre_side, source, middles)  # type: ignore[arg-type]


def count_sides(neurons: np.ndarray, labels: tuple[int, int], marks: np.ndarray) -> np.ndarray:
    """For each of the two ids: its voxels, the sums of their z, y and x, and how many lie in the vesicle cloud, (2, 5) int64.

    An id of 0 has no voxels. Two equal ids count the same voxels.

    >>> count_sides(np.array([[[5, 5, 0, 7]]], np.uint8), (5, 7), np.array([[[0, 1, 1, 0]]], np.uint8)).tolist()
    [[2, 0, 0, 1, 1], [1, 0, 0, 3, 0]]
    """
    counts: np.ndarray = _count_sides(as_unsigned(neurons), np.uint64(labels[0]), np.uint64(labels[1]), marks, _VESICLES)
    if labels[0] == labels[1]:
        counts[1] = counts[0]
    return counts


def decide_pre_side(
    o1: int, o2: int, recipe: CropRecipe, *, stated: int | None = None, same_neuron: bool = False
) -> tuple[int, str]:
    """Side 1, 2 or 0 (undetermined) and the source of the decision.

    o1, o2: voxels of the vesicle cloud in the neuron of each side. A tie is undetermined, whatever the least margin.

    >>> [decide_pre_side(*o, CropRecipe()) for o in ((6, 4), (4, 6), (5, 5), (0, 0))]
    [(1, 'vesicles'), (2, 'vesicles'), (0, ''), (0, '')]
    >>> [decide_pre_side(*o, CropRecipe.sce()) for o in ((6, 4), (5, 5))]
    [(1, 'vesicles'), (2, 'rule')]
    """
    if stated is not None:
        return stated, "table"
    margin = 0.0 if same_neuron or o1 == o2 else (o1 - o2) / (o1 + o2)
    if margin and abs(margin) >= recipe.least_margin:
        return (1 if margin > 0 else 2), "vesicles"
    if recipe.on_undetermined == "side2":
        return (1 if o1 > o2 else 2), "rule"
    return 0, ""


def _stated(value: Any) -> int | None:
    if value is None or value != value or value in (0, ""):
        return None
    if value not in (1, 2):
        raise ValueRangeError(f"pre_side {value!r} in the table of sites", "1 or 2, or nothing", "correct the table")
    return int(value)


@numba.njit(cache=True, nogil=True)
def _count_sides(neurons, first, second, marks, vesicles):  # type: ignore[no-untyped-def]
    counts = np.zeros((2, 5), np.int64)
    for z in range(neurons.shape[0]):
        for y in range(neurons.shape[1]):
            for x in range(neurons.shape[2]):
                label = neurons[z, y, x]
                if label == 0:
                    continue
                if label == first:
                    side = 0
                elif label == second:
                    side = 1
                else:
                    continue
                counts[side, 0] += 1
                counts[side, 1] += z
                counts[side, 2] += y
                counts[side, 3] += x
                if marks[z, y, x] & vesicles:
                    counts[side, 4] += 1
    return counts
