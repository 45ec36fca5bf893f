"""The object voxels that hang together with a start: what one tracer works on, and all it ever looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.core import ValueRangeError
from neurotome.core.geometry import Int3
from neurotome.tracing.sparse.bricks import SIDE, Bricks, value_at
from neurotome.tracing.sparse.distance import distance_to_background
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS, ObjectVoxels
from neurotome.tracing.tracers.neighbourhood import step_lengths

__all__ = ["Component", "component_of", "depths_nm", "radii_from_depths", "require_threshold"]


@dataclass(frozen=True, eq=False)
class Component:
    """One 26-connected component of the voxels whose value is at least a threshold.

    bricks: the volume. threshold: 1..255. voxels: those of the component. values: (n,) uint8. start: the number of the voxel it
    was reached from.
    """

    bricks: Bricks
    threshold: int
    voxels: ObjectVoxels
    values: np.ndarray
    start: int

    def __len__(self) -> int:
        return len(self.values)

    @property
    def lookup(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What a kernel needs to go from voxel to voxel: table, bits, first, positions."""
        return self.voxels.table, self.voxels.bits, self.voxels.first, self.voxels.positions

    @property
    def points_nm(self) -> np.ndarray:
        """(n, 3) float64, the centres of the voxels; that of voxel (0, 0, 0) lies at 0."""
        return self.voxels.positions * np.asarray(self.voxels.voxel_nm, np.float64)

    @property
    def sides_nm(self) -> np.ndarray:
        """(3,) float64, the sides of a voxel."""
        return np.asarray(self.voxels.voxel_nm, np.float64)

    @property
    def steps_nm(self) -> np.ndarray:
        """(26,) float64, the lengths of the steps to the neighbours."""
        return step_lengths(self.voxels.voxel_nm)


def component_of(bricks: Bricks, start: Int3, threshold: int) -> Component:
    """The component of the object voxel `start`.

    Raises ValueRangeError for a start that is no object voxel and for a threshold outside of 1..255.
    """
    require_threshold(threshold)
    value = int(value_at(bricks.table, bricks.values, *start))
    if value < threshold:
        raise ValueRangeError(
            f"Start {tuple(start)} has the value {value}", f"an object voxel, {threshold} or more", "move it onto the neurite"
        )
    voxels = _reached(bricks, start, threshold)
    return Component(bricks, threshold, voxels, _values(bricks.table, bricks.values, voxels.positions), voxels.at(start))


def _reached(bricks: Bricks, start: Int3, threshold: int) -> ObjectVoxels:
    """The voxels of the component, in its bricks alone: a volume may have many components, and each is to cost its own size."""
    bits, slots = np.zeros((len(bricks.values), SIDE, SIDE), np.uint32), np.full(len(bricks.values), -1, np.int32)
    count = _flood(bricks.table, bricks.values, np.array(start, np.int64), threshold, NEIGHBOURS, bits, slots)
    slots = np.sort(slots[:count])
    place = np.full(len(bricks.values) + 1, -1, np.int32)
    place[slots] = np.arange(count, dtype=np.int32)
    bits = bits[slots]
    counts = np.bitwise_count(bits).reshape(-1)
    before = np.cumsum(counts, dtype=np.int64) - counts
    return ObjectVoxels(bricks.shape, bricks.voxel_nm, place[bricks.table], bits, before.reshape(bits.shape))


def require_threshold(threshold: int) -> None:
    """Raises ValueRangeError unless it is a grey value of 1..255."""
    if not 1 <= threshold <= 255:
        raise ValueRangeError(f"Threshold {threshold}", "a grey value in 1..255", "multiply by 255 if it is a probability")


def depths_nm(component: Component) -> np.ndarray:
    """The distance of each voxel to the nearest background voxel, centre to centre, (n,) float64.

    What lies outside of the volume is no background. A component that fills the volume has none; then all depths are half of
    the longest side of the volume, which lets every front march evenly.
    """
    depths = distance_to_background(component.voxels).astype(np.float64)
    if np.isinf(depths).any():
        depths[:] = (np.array(component.bricks.shape) * component.sides_nm).max() / 2
    return depths


def radii_from_depths(depths: np.ndarray, component: Component) -> np.ndarray:
    """Radii in nm of fibres whose middle voxels lie at these depths.

    Between the centres of the last voxel of a fibre and the first of the background lies its surface: half a voxel before the
    latter for fibres as thin as a voxel, nearer for thick ones. A quarter of the smallest side is taken off for all of them; no
    radius is less than half of it.
    """
    side = min(component.voxels.voxel_nm)
    return np.asarray(np.maximum(np.asarray(depths, np.float64) - side / 4, side / 2))


@numba.njit(cache=True, nogil=True)
def _flood(table, values, start, threshold, neighbours, bits, slots):
    """Set the bits of the component of the start, list the slots of its bricks, and return how many these are."""
    queue = np.empty((1024, 3), np.int32)
    queue[0, 0], queue[0, 1], queue[0, 2] = start[0], start[1], start[2]
    one = np.uint32(1)
    bits[table[start[0] >> 5, start[1] >> 5, start[2] >> 5], start[0] & 31, start[1] & 31] = one << np.uint32(start[2] & 31)
    seen = np.zeros(len(bits), np.bool_)
    done, known, count = 0, 1, 0
    while done < known:
        z, y, x = queue[done, 0], queue[done, 1], queue[done, 2]
        done += 1
        slot = table[z >> 5, y >> 5, x >> 5]
        if not seen[slot]:
            seen[slot] = True
            slots[count] = slot
            count += 1
        if known + 26 > len(queue):
            longer = np.empty((2 * len(queue), 3), np.int32)
            longer[:known] = queue[:known]
            queue = longer
        for k in range(len(neighbours)):
            v, u, w = z + neighbours[k, 0], y + neighbours[k, 1], x + neighbours[k, 2]
            if value_at(table, values, v, u, w) < threshold:
                continue
            there, bit = table[v >> 5, u >> 5, w >> 5], one << np.uint32(w & 31)
            if not bits[there, v & 31, u & 31] & bit:
                bits[there, v & 31, u & 31] |= bit
                queue[known, 0], queue[known, 1], queue[known, 2] = v, u, w
                known += 1
    return count


@numba.njit(cache=True, nogil=True)
def _values(table, values, positions):
    out = np.empty(len(positions), np.uint8)
    for n in range(len(positions)):
        out[n] = value_at(table, values, positions[n, 0], positions[n, 1], positions[n, 2])
    return out
