"""The branches that meet at a place, and how straight each goes on as another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurotome.tracing.crossing.forest import Forest, Link

__all__ = ["Arm", "Place", "bend", "place_at"]

NODES = 6
"""How many nodes of a branch say where it leads."""

REACH = 2.0
"""Nodes so many radii around a meeting belong to it: they lie between the branches."""

SHARED = 8.0
"""Two branch points so many radii apart are one meeting: neurites that cross at 30 degrees share a stretch that long."""


@dataclass(frozen=True, eq=False)
class Arm:
    """A branch away from a place: its first row outside, the row inside it hangs on, the rows looked at, and what they look like.

    point: of its first row. direction: where it leads, of length 1. radius, probability: the medians along it.
    """

    first: int
    inner: int
    rows: tuple[int, ...]
    point: np.ndarray
    direction: np.ndarray
    radius: float
    probability: float


@dataclass(frozen=True, eq=False)
class Place:
    """A meeting on the way between two somata: the rows inside, the arms to the two somata, and the others."""

    inner: tuple[int, ...]
    here: Arm
    there: Arm
    others: tuple[Arm, ...]


def bend(one: Arm, other: Arm) -> float:
    """By how many degrees a neurite turns that comes in through one arm and leaves through the other, by way of their ends."""
    gap = other.point - one.point
    length = float(np.sqrt(gap @ gap))
    across = gap / length if length else other.direction
    return _angle(-one.direction, across) + _angle(across, other.direction)


def place_at(forest: Forest, link: Link, way: Sequence[int], at: int, *, wide: bool) -> Place | None:
    """The meeting around a row of the way between two roots, which runs over a link; None where a soma is in it.

    way: rows from root to root; way[at] is in the meeting. wide: whether branch points near it belong to it too, see SHARED.
    """
    reach = REACH * float(forest.radii[way[at]])
    inner = _within(forest, link, way[at], reach)
    if wide:
        for far in _near_junctions(forest, link, inner, SHARED * float(forest.radii[way[at]])):
            inner |= far
    on_way = [i for i, row in enumerate(way) if row in inner]
    first, last = on_way[0], on_way[-1]
    inner |= set(way[first : last + 1])
    if forest.roots & inner:
        return None
    here = _arm(forest, link, way[first], way[first - 1], inner)
    there = _arm(forest, link, way[last], way[last + 1], inner)
    edges = sorted((row, out) for row in inner for out in forest.around[row] - inner)
    others = [_arm(forest, link, row, out, inner) for row, out in edges if out not in (here.first, there.first)]
    return Place(tuple(sorted(inner)), here, there, tuple(others))


def _around(forest: Forest, link: Link, row: int) -> set[int]:
    """The neighbours of a row, over the link too."""
    if row == link.one:
        return forest.around[row] | {link.other}
    return forest.around[row] | {link.one} if row == link.other else forest.around[row]


def _within(forest: Forest, link: Link, centre: int, reach: float) -> set[int]:
    """The rows within reach of one, along edges that stay there; no roots."""
    inner, todo = {centre}, [centre]
    while todo:
        for row in _around(forest, link, todo.pop()) - inner:
            step = forest.points[row] - forest.points[centre]
            if row not in forest.roots and step @ step <= reach**2:
                inner.add(row)
                todo.append(row)
    return inner


def _near_junctions(forest: Forest, link: Link, inner: set[int], limit: float) -> list[set[int]]:
    """For each branch that comes to a branch point within `limit`: the rows up to it and around it."""
    found = []
    for row in sorted(inner):
        for out in sorted(_around(forest, link, row) - inner):
            way, length = [row, out], _distance(forest, row, out)
            while length <= limit and way[-1] not in forest.roots:
                onwards = _around(forest, link, way[-1]) - {way[-2]}
                if len(onwards) > 1:
                    found.append(set(way[1:]) | _within(forest, link, way[-1], REACH * float(forest.radii[way[-1]])))
                if len(onwards) != 1:
                    break
                way.append(onwards.pop())
                length += _distance(forest, way[-2], way[-1])
    return found


def _arm(forest: Forest, link: Link, inner: int, first: int, inside: set[int]) -> Arm:
    """Up to NODES nodes outwards; at a branch point the straightest way on."""
    rows = [first]
    while len(rows) < NODES and rows[-1] not in forest.roots:
        before = forest.points[rows[-1]] - forest.points[rows[-2] if len(rows) > 1 else inner]
        onwards = sorted(_around(forest, link, rows[-1]) - inside - set(rows))
        if not onwards:
            break
        turns = [_angle(_unit(before), _unit(forest.points[row] - forest.points[rows[-1]])) for row in onwards]
        rows.append(onwards[int(np.argmin(turns))])
    points = forest.points[rows]
    # A chord to each node in turn, and of these the sum: far nodes count more, and no single one decides.
    away = (points[1:] - points[0]).sum(0) if len(rows) > 1 else points[0] - forest.points[inner]
    neurite = [row for row in rows if row not in forest.roots] or rows
    return Arm(
        first,
        inner,
        tuple(rows),
        points[0],
        _unit(away),
        float(np.median(forest.radii[neurite])),
        float(np.median(forest.probability[neurite])),
    )


def _distance(forest: Forest, one: int, other: int) -> float:
    step = forest.points[one] - forest.points[other]
    return float(np.sqrt(step @ step))


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / max(float(np.sqrt(vector @ vector)), 1e-12))


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(one @ other, -1.0, 1.0))))
