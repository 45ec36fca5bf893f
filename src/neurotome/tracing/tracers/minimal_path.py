"""The cheapest way from one voxel to the nearest of several others: through what looks like a neurite, if it can."""

from __future__ import annotations

import numba
import numpy as np

from neurotome.core import ShapeError, ValueRangeError
from neurotome.core.geometry import Int3, Nm3
from neurotome.tracing.sparse.object_voxels import NEIGHBOURS
from neurotome.tracing.tracers.heap import lift, take_first
from neurotome.tracing.tracers.neighbourhood import step_lengths

__all__ = ["LEAST_PROBABILITY", "cheapest_path"]

LEAST_PROBABILITY = 0.01
"""Added to every probability, so that a step through empty space costs 101 times one through a sure neurite, and not more."""


def cheapest_path(values: np.ndarray, start: Int3, goals: np.ndarray, voxel_nm: Nm3) -> tuple[np.ndarray, float]:
    """The cheapest of all 26-connected paths from `start` to any of `goals`.

    A step costs its length times the mean of 1 / (0.01 + p) over its two voxels, p = value / 255. Of equally cheap goals the one
    with the smallest (z, y, x) is taken, and of equally cheap paths always the same.

    Parameters
    ----------
    values
        (z, y, x) uint8, the crop in which the path must stay; 255 stands for probability 1.
    start
        Voxel of the crop.
    goals
        (k, 3) integers, k >= 1, voxels of the crop.
    voxel_nm
        Size of a voxel.

    Returns
    -------
    path
        (n, 3) int64, voxels from `start` to a goal, both included; one voxel if the start is a goal.
    cost_nm
        Its cost; the length of the path if p were 0.99 all along.

    Raises
    ------
    ShapeError, ValueRangeError
        For a crop that is not (z, y, x) uint8, no goals, and voxels outside of the crop.

    Examples
    --------
    The straight way is empty, the way round it is bright:

    >>> crop = np.array([[[255, 0, 255], [255, 255, 255]]], np.uint8)
    >>> path, cost = cheapest_path(crop, (0, 0, 0), np.array([[0, 0, 2]]), (100.0, 100.0, 100.0))
    >>> path.tolist(), round(cost * 1.01)
    ([[0, 0, 0], [0, 1, 1], [0, 0, 2]], 283)
    """
    values, goals = np.asarray(values), np.atleast_2d(np.asarray(goals, np.int64))
    if values.ndim != 3:
        raise ShapeError(f"Crop of shape {values.shape}", "(z, y, x)", "a section is a stack of one")
    if values.dtype != np.uint8:
        raise ValueRangeError(f"Crop of type {values.dtype}", "uint8, 255 = 1", "scale it first")
    if goals.shape[1:] != (3,) or not len(goals):
        raise ShapeError(f"Goals of shape {goals.shape}", "(k, 3) with k >= 1", "give at least one voxel to reach")
    for what, voxels in (("Start", np.array([start], np.int64)), ("Goal", goals)):
        outside = ((voxels < 0) | (voxels >= values.shape)).any(1)
        if outside.any():
            at = tuple(voxels[outside][0].tolist())
            raise ValueRangeError(
                f"{what} {at} lies outside of a crop of {values.shape}", "voxels of the crop", "cut a larger crop"
            )
    is_goal = np.zeros(values.size, np.bool_)
    is_goal[np.ravel_multi_index(tuple(goals.T), values.shape)] = True
    first = int(np.ravel_multi_index(start, values.shape))
    cost = 0.5 / (LEAST_PROBABILITY + np.arange(256) / 255)
    came, last, total = _search(np.ascontiguousarray(values), first, is_goal, cost, NEIGHBOURS, step_lengths(voxel_nm))
    path = [last]
    while path[-1] != first:
        path.append(int(came[path[-1]]))
    return np.stack(np.unravel_index(path[::-1], values.shape), axis=1).astype(np.int64), float(total)


@numba.njit(cache=True, nogil=True)
def _search(values, start, is_goal, half_cost, offsets, lengths):
    """Dijkstra from the start until a goal is settled: the voxel before each voxel, the goal, its cost."""
    depth, height, width = values.shape
    flat = values.reshape(-1)
    best = np.full(flat.size, np.inf)
    came = np.full(flat.size, -1, np.int32)
    heap = np.empty(flat.size, np.int32)
    place = np.full(flat.size, -1, np.int32)
    best[start] = 0.0
    size = lift(heap, place, best, 0, start)
    here = start
    while size > 0:
        here = take_first(heap, place, best, size)
        size -= 1
        if is_goal[here]:
            break
        z, rest = divmod(here, height * width)
        y, x = divmod(rest, width)
        for k in range(len(offsets)):
            v, u, w = z + offsets[k, 0], y + offsets[k, 1], x + offsets[k, 2]
            if v < 0 or u < 0 or w < 0 or v >= depth or u >= height or w >= width:
                continue
            there = (v * height + u) * width + w
            cost = best[here] + lengths[k] * (half_cost[flat[here]] + half_cost[flat[there]])
            if cost < best[there]:  # never true of a settled voxel, whose cost is the least there is
                best[there] = cost
                came[there] = here
                size = lift(heap, place, best, size, there)
    return came, here, best[here]
