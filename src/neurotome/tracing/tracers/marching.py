"""Fronts that march through a component: when do they arrive, and from where?"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from neurotome.tracing.sparse.object_voxels import NEIGHBOURS
from neurotome.tracing.tracers.component import Component
from neurotome.tracing.tracers.heap import lift, take_first
from neurotome.tracing.tracers.neighbourhood import near

__all__ = ["Front", "eikonal_front", "geodesic_front", "steepest_descent"]


@dataclass(frozen=True, eq=False)
class Front:
    """What a front found.

    time: (n,) float64. came: (n,) int32, the voxel each was reached from, -1 at the sources. order: the voxels as they were
    reached, parents before children, int32.
    """

    time: np.ndarray
    came: np.ndarray
    order: np.ndarray


def geodesic_front(component: Component, slowness: np.ndarray, begin: np.ndarray) -> Front:
    """The least cost of reaching each voxel over steps to the 26 neighbours (Dijkstra 1959).

    A step costs its length in nm times the mean slowness of its two voxels. begin: (n,) the time at which a front starts in a
    voxel by itself, infinite for nearly all of them.
    """
    time = np.array(begin, np.float64)
    came, order = _geodesic(*component.lookup, np.asarray(slowness, np.float32), component.steps_nm, time)
    return Front(time, came, order)


def eikonal_front(component: Component, slowness: np.ndarray, start: int) -> Front:
    """The time of arrival of a front whose speed is 1 / slowness (fast marching, Sethian 1996, first order).

    Besides the upwind differences along the axes a step over a diagonal counts too: the foreground is 26-connected, and a front
    that moved along axes only would not reach all of it. `came` is the way of steepest descent.
    """
    time = np.full(len(component), np.inf)
    time[start] = 0.0
    order = _eikonal(*component.lookup, np.asarray(slowness, np.float32), component.steps_nm, component.sides_nm, time)
    return Front(time, steepest_descent(component, time), order)


def steepest_descent(component: Component, time: np.ndarray) -> np.ndarray:
    """For each voxel the neighbour with the greatest fall of time per nm, (n,) int32; -1 where no neighbour is earlier."""
    return _descent(*component.lookup, time, component.steps_nm)


@numba.njit(cache=True, nogil=True)
def _geodesic(table, bits, first, positions, slowness, lengths, time):
    n = len(positions)
    came = np.full(n, -1, np.int32)
    order = np.empty(n, np.int32)
    heap = np.empty(n, np.int32)
    place = np.full(n, -1, np.int32)
    numbers = np.empty(26, np.int64)
    size = 0
    for row in range(n):
        if time[row] < np.inf:
            size = lift(heap, place, time, size, row)
    reached = 0
    while size > 0:
        here = take_first(heap, place, time, size)
        size -= 1
        order[reached] = here
        reached += 1
        now, slow = time[here], slowness[here]
        near(table, bits, first, positions[here], numbers)
        for k in range(26):
            there = numbers[k]
            if there < 0:
                continue
            then = now + 0.5 * lengths[k] * (slow + slowness[there])
            if then < time[there]:
                time[there] = then
                came[there] = here
                size = lift(heap, place, time, size, there)
    return came, order[:reached]


# The places of the six neighbours that share a face in NEIGHBOURS: below and above along z, y and x.
_FACES = np.array(
    [int(np.flatnonzero((o == NEIGHBOURS).all(1))[0]) for o in np.vstack([-np.eye(3), np.eye(3)])[[0, 3, 1, 4, 2, 5]]]
)
_IS_FACE = np.isin(np.arange(26), _FACES)


@numba.njit(cache=True, nogil=True)
def _eikonal(table, bits, first, positions, slowness, lengths, sides, time):
    n = len(positions)
    order = np.empty(n, np.int32)
    heap = np.empty(n, np.int32)
    place = np.full(n, -1, np.int32)
    settled = np.zeros(n, np.bool_)
    numbers = np.empty(26, np.int64)
    around = np.empty(26, np.int64)
    size = 0
    for row in range(n):
        if time[row] < np.inf:
            size = lift(heap, place, time, size, row)
    reached = 0
    while size > 0:
        here = take_first(heap, place, time, size)
        size -= 1
        settled[here] = True
        order[reached] = here
        reached += 1
        near(table, bits, first, positions[here], numbers)
        for k in range(26):
            there = numbers[k]
            if there < 0 or settled[there]:
                continue
            then = time[here] + 0.5 * lengths[k] * (slowness[here] + slowness[there])
            if _IS_FACE[k]:
                near(table, bits, first, positions[there], around)
                then = min(then, _upwind(around, time, settled, slowness[there], sides))
                then = max(then, time[here])
            if then < time[there]:
                time[there] = then
                size = lift(heap, place, time, size, there)
    return order[:reached]


@numba.njit(cache=True, nogil=True)
def _upwind(around, time, settled, slow, sides):
    """The solution T of sum over axes of max(0, (T - earlier neighbour) / side)^2 = slowness^2; the axes enter one by one."""
    first, weight = np.empty(3), np.empty(3)
    m = 0
    for axis in range(3):
        best = np.inf
        for half in range(2):
            row = around[_FACES[2 * axis + half]]
            if row >= 0 and settled[row]:
                best = min(best, time[row])
        if best < np.inf:
            at = m
            while at > 0 and first[at - 1] > best:
                first[at], weight[at] = first[at - 1], weight[at - 1]
                at -= 1
            first[at], weight[at] = best, 1.0 / (sides[axis] * sides[axis])
            m += 1
    answer = np.inf
    a = b = 0.0
    c = -slow * slow
    for k in range(m):
        if answer <= first[k]:
            break
        a += weight[k]
        b += weight[k] * first[k]
        c += weight[k] * first[k] * first[k]
        root = b * b - a * c
        if root < 0.0:
            break
        answer = (b + np.sqrt(root)) / a
    return answer


@numba.njit(cache=True, nogil=True)
def _descent(table, bits, first, positions, time, lengths):
    came = np.full(len(positions), -1, np.int32)
    numbers = np.empty(26, np.int64)
    for row in range(len(positions)):
        near(table, bits, first, positions[row], numbers)
        steepest = 0.0
        for k in range(26):
            there = numbers[k]
            if there < 0:
                continue
            fall = (time[row] - time[there]) / lengths[k]
            if fall > steepest:
                steepest = fall
                came[row] = there
    return came
