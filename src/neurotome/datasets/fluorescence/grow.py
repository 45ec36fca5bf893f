"""Growing random trees: persistent random walks that branch, get thinner and keep out of their own way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core import ROOT, SOMA, Skeleton

__all__ = ["Habit", "grown", "random_habit"]

_STEP = 2.0
_AXON, _DENDRITE = 2, 3
# Nodes of its own path that a tip need not keep away from.
_OWN = 10
# Ways out tried before a tip that runs into its own tree gives up.
_TRIES = 5
_MOST_SPROUTS = 60
# How strongly a tip is drawn to where it was heading, and back from the first and last sections.
_AIM = 0.06
_INWARD = 0.25


@dataclass(frozen=True)
class Habit:
    """How a tree grows; lengths in units of the caller.

    radius: thinnest and thickest. segment: mean length between branch points. wander: direction change per unit of length, in
    radians. taper: share of the radius lost per unit. soma: radius, 0 for a tree that comes in from the border. stems: how many
    neurites leave the soma. clearance: distance kept to the own tree. rise: rise of the stems out of the plane of the sections,
    from 0 to 1. cable: where growth ends.
    """

    radius: tuple[float, float]
    cable: float
    segment: float = 45.0
    wander: float = 0.10
    taper: float = 0.002
    soma: float = 0.0
    stems: int = 4
    clearance: float = 5.0
    rise: float = 0.7


def random_habit(rng: np.random.Generator, radius: tuple[float, float], cable: float, soma: float) -> Habit:
    """From straight and sparse to winding and bushy."""
    return Habit(
        radius,
        cable,
        segment=rng.uniform(22, 70),
        wander=rng.uniform(0.03, 0.12),
        taper=rng.uniform(0.0005, 0.004),
        soma=soma,
        stems=int(rng.integers(2, 8)),
        clearance=rng.uniform(3.0, 6.0),
        rise=rng.uniform(0.4, 1.0),
    )


@dataclass
class _Tip:
    row: int
    direction: np.ndarray
    aim: np.ndarray
    bend: np.ndarray
    radius: float
    left: float
    order: int
    kind: int


def grown(extent: np.ndarray, habit: Habit, rng: np.random.Generator, *, margin: float = 10.0) -> Skeleton:
    """A random tree in a box from 0 to `extent` (z, y, x) and up to `margin` outside of it, in the units of the habit.

    Thick neurites first: the tip that grows next is the one of lowest order. Where all tips have ended before their time, side
    branches sprout. Points are about two units apart.
    """
    canvas = _Canvas(np.asarray(extent, float), margin, habit)
    tips = _from_soma(canvas, habit, rng) if habit.soma else _from_border(canvas, habit, rng)
    sprouts = _MOST_SPROUTS
    while canvas.cable < habit.cable and (tips or sprouts):
        if not tips:
            tips, sprouts = [_sprout(canvas, habit, rng)], sprouts - 1
        tip = tips.pop(0)
        if _extend(canvas, tip, habit, rng):
            tips += _forked(tip, habit, rng)
            tips.sort(key=lambda t: t.order)
    return canvas.tree()


class _Canvas:
    """The nodes so far, and whether there is room for another."""

    def __init__(self, extent: np.ndarray, margin: float, habit: Habit) -> None:
        self.low, self.high = np.full(3, -margin), extent + margin
        self.extent, self.clearance, self.cable = extent, habit.clearance, 0.0
        most = int(habit.cable / _STEP) + 64
        self.points = np.empty((most, 3))
        self.parents: list[int] = []
        self.radii: list[float] = []
        self.kinds: list[int] = []

    def add(self, point: np.ndarray, parent: int, radius: float, kind: int) -> int:
        row = len(self.parents)
        if row == len(self.points):
            self.points = np.concatenate([self.points, np.empty_like(self.points)])
        self.points[row] = point
        self.parents.append(parent)
        self.radii.append(radius)
        self.kinds.append(kind)
        if parent >= 0:
            self.cable += float(np.sqrt(((point - self.points[parent]) ** 2).sum()))
        return row

    def contains(self, point: np.ndarray) -> bool:
        return bool((point >= self.low).all() and (point <= self.high).all())

    def inward(self, row: int) -> float:
        """1 near the first section, -1 near the last, 0 between."""
        z, edge = self.points[row, 0], 0.1 * self.extent[0]
        return float(z < edge) - float(z > self.extent[0] - edge)

    def near(self, row: int, reach: float) -> np.ndarray:
        """Which nodes are within `reach` of one, a mask with room for those to come."""
        mask = np.zeros(len(self.points) * 2, np.bool_)
        steps = self.points[: len(self.parents)] - self.points[row]
        mask[: len(self.parents)] = np.einsum("ij,ij->i", steps, steps) <= reach**2
        return mask

    def is_free(self, point: np.ndarray, ignored: np.ndarray, radius: float) -> bool:
        """Whether no node but the ignored ones is nearer than clearance and radius together."""
        steps = self.points[: len(self.parents)] - point
        squares = np.einsum("ij,ij->i", steps, steps)
        squares[ignored[: len(squares)]] = np.inf
        return bool(squares.min() > (self.clearance + radius) ** 2)

    def tree(self) -> Skeleton:
        return Skeleton.of(self.parents, self.points[: len(self.parents)], self.radii, self.kinds, name="grown")


def _from_soma(canvas: _Canvas, habit: Habit, rng: np.random.Generator) -> list[_Tip]:
    centre = canvas.extent * rng.uniform(0.3, 0.7, 3)
    soma = canvas.add(centre, ROOT, habit.soma, SOMA)
    directions = _spread_directions(habit.stems, habit.rise, rng)
    tips = []
    for nth, direction in enumerate(directions):
        thin = nth == 0
        radius = habit.radius[0] * rng.uniform(1.0, 1.4) if thin else rng.uniform(np.mean(habit.radius), habit.radius[1])
        radius = float(np.clip(radius, *habit.radius))
        kind = _AXON if thin else _DENDRITE
        row = canvas.add(centre + direction * (habit.soma + radius), soma, radius, kind)
        tips.append(_Tip(row, direction, direction, np.zeros(3), radius, _segment(habit, rng), 0, kind))
    return tips


def _from_border(canvas: _Canvas, habit: Habit, rng: np.random.Generator) -> list[_Tip]:
    axis, end = int(rng.choice(3, p=(0.2, 0.4, 0.4))), int(rng.integers(2))
    start = canvas.extent * rng.uniform(0.15, 0.85, 3)
    start[axis] = canvas.extent[axis] + 2.0 if end else -2.0
    goal = canvas.extent * rng.uniform(0.25, 0.75, 3)
    direction = _unit(goal - start)
    radius = rng.uniform(np.mean(habit.radius), habit.radius[1])
    row = canvas.add(start, ROOT, radius, _AXON)
    return [_Tip(row, direction, direction, np.zeros(3), radius, _segment(habit, rng), 0, _AXON)]


def _extend(canvas: _Canvas, tip: _Tip, habit: Habit, rng: np.random.Generator) -> bool:
    """Let a tip grow up to its next branch point; False where it ended before: at the border, or for want of room."""
    # Sisters start from one point and cannot keep their distance there.
    ignored = canvas.near(tip.row, 1.6 * (habit.clearance + tip.radius) + 4.0 + (habit.soma if tip.order == 0 else 0.0))
    path = [tip.row]
    while tip.left > 0:
        found = _way(canvas, tip, habit, ignored, rng)
        if found is None or not canvas.contains(found[0]):
            return False
        point, turn = found
        # Bends last for a while, which makes neurites wind instead of tremble.
        tip.bend = 0.8 * tip.bend + 0.25 * turn
        tip.direction = _unit(point - canvas.points[tip.row])
        tip.radius = max(habit.radius[0], tip.radius * (1 - habit.taper * _STEP))
        tip.row = canvas.add(point, tip.row, tip.radius, tip.kind)
        tip.left -= _STEP
        if canvas.cable >= habit.cable:
            return False
        path.append(tip.row)
        ignored[path[-_OWN:]] = True
        ignored[path[:-_OWN][-1:]] = False
    return True


def _way(
    canvas: _Canvas, tip: _Tip, habit: Habit, ignored: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """The next point of a tip and its turn, each try with a wider turn; None where all ways are blocked."""
    pull = _AIM * tip.aim
    pull[0] += _INWARD * canvas.inward(tip.row)
    for attempt in range(_TRIES):
        turn = rng.standard_normal(3) * (habit.wander * _STEP * (1 + 2.5 * attempt))
        point = canvas.points[tip.row] + _STEP * _unit(tip.direction + tip.bend + turn + pull)
        if canvas.is_free(point, ignored, tip.radius):
            return point, turn
    return None


def _forked(tip: _Tip, habit: Habit, rng: np.random.Generator) -> list[_Tip]:
    """What follows at a branch point: two daughters, equal or a side branch, or at high orders nothing."""
    if tip.order >= 2 and rng.random() < 0.12 * (tip.order - 1):
        return []
    side = _unit(np.cross(tip.direction, rng.standard_normal(3)))
    if rng.random() < 0.45:
        angles, thinner = (rng.uniform(0.0, 0.2), -rng.uniform(0.8, 1.5)), (0.97, rng.uniform(0.4, 0.7))
    else:
        angles, thinner = (rng.uniform(0.35, 0.75), -rng.uniform(0.35, 0.75)), tuple(rng.uniform(0.65, 0.9, 2))
    return [
        _daughter(tip, np.cos(angle) * tip.direction + np.sin(angle) * side, share, habit, rng)
        for angle, share in zip(angles, thinner, strict=True)
    ]


def _daughter(tip: _Tip, direction: np.ndarray, share: float, habit: Habit, rng: np.random.Generator) -> _Tip:
    radius = max(habit.radius[0], tip.radius * share)
    return _Tip(tip.row, direction, direction, np.zeros(3), radius, _segment(habit, rng), tip.order + 1, tip.kind)


def _sprout(canvas: _Canvas, habit: Habit, rng: np.random.Generator) -> _Tip:
    """A side branch of a node in the window, away from its neurite."""
    rows = np.arange(len(canvas.parents))
    within = ((canvas.points[rows] >= 0) & (canvas.points[rows] <= canvas.extent)).all(1) & (np.array(canvas.parents) >= 0)
    row = int(rng.choice(rows[within] if within.any() else rows))
    along = canvas.points[row] - canvas.points[max(canvas.parents[row], 0)]
    direction = _unit(np.cross(_unit(along), rng.standard_normal(3)))
    radius = max(habit.radius[0], min(canvas.radii[row], habit.radius[1]) * rng.uniform(0.4, 0.8))
    return _Tip(row, direction, direction, np.zeros(3), radius, _segment(habit, rng), 2, _AXON)


def _segment(habit: Habit, rng: np.random.Generator) -> float:
    return float(habit.segment * rng.gamma(2.5, 0.4))


def _spread_directions(count: int, rise: float, rng: np.random.Generator) -> np.ndarray:
    """Directions (count, 3) that keep apart, the more in the plane of the sections the lower `rise`."""
    turn = rng.uniform(0, 2 * np.pi) + 2 * np.pi * (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count
    heights = rise * rng.uniform(-1, 1, count)
    flat = np.sqrt(1 - heights**2)
    return np.column_stack([heights, flat * np.sin(turn), flat * np.cos(turn)])


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(1e-12, float(np.sqrt((vector * vector).sum())))
