"""A neuron by the rules of its kind: a soma, and neurites that fork and wander from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba
import numpy as np

from neurotome.core import ROOT, SOMA, Skeleton, UnknownNameError
from neurotome.datasets.neuron_shapes.kinds import KINDS, Kind, Neurite

__all__ = ["grown"]

STEP = 4.0
NM_PER_UM = 1000.0
MOST_NODES = 4000
LEAST_RADIUS = 0.15
TAPER = 0.002
"""Share of the radius lost per micrometre."""
_FIELD = 400.0
"""Half the width of the field in which somata lie."""
_SIZE, _NEURITE, _ANGLE = 0.22, 0.25, 0.15
"""Standard deviation of the logarithm of a neuron's size, of each neurite's cable, and of angle, wander and segment of a rule."""


def grown(kind: str, seed: int) -> Skeleton:
    """A neuron of this kind in nm (z, y, x), y its depth; the same for the same seed. Raises UnknownNameError.

    >>> neuron = grown("pyramidal", seed=1)
    >>> len(neuron.roots), int(neuron.kinds[0]), bool(250e3 <= neuron.points_nm[0, 1] <= 700e3)
    (1, 1, True)
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of neuron", kind, KINDS)
    rule = KINDS[kind]
    rng = np.random.default_rng([*kind.encode(), seed])
    canvas = _Canvas(rule, rng)
    for neurite in rule.neurites:
        canvas.add(neurite)
    return canvas.skeleton(f"{kind}-{seed:04d}")


class _Canvas:
    """The nodes so far, in micrometres about the soma; main paths by the name of their rule."""

    def __init__(self, kind: Kind, rng: np.random.Generator) -> None:
        self.kind, self.rng = kind, rng
        self.size = _around_one(_SIZE, rng)
        self.soma = kind.soma * _around_one(0.12, rng)
        self.points, self.parents = [np.zeros((1, 3))], [np.array([ROOT])]
        self.radii, self.kinds = [np.array([self.soma])], [np.array([SOMA])]
        self.count = 1
        self.paths: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}

    def add(self, rule: Neurite) -> None:
        """All neurites of a rule."""
        shape = [_around_one(_ANGLE, self.rng) for _ in range(3)]
        self.paths[rule.name] = []
        for direction in _directions(rule, int(self.rng.integers(rule.count[0], rule.count[1] + 1)), self.rng):
            row, start = self._start(rule, direction)
            points, parents, radii, main = _neurite(
                self.rng, start, direction, rule.radius, self._numbers(rule, shape), np.array([rule.drift, rule.flat], np.float64)
            )
            self.points.append(points)
            self.parents.append(np.where(parents >= 0, parents + self.count, row))
            self.radii.append(radii)
            self.kinds.append(np.full(len(points), rule.kind))
            self.paths[rule.name].append((main + self.count, points[main]))
            self.count += len(points)

    def _start(self, rule: Neurite, direction: np.ndarray) -> tuple[int, np.ndarray]:
        """Where a neurite leaves: the row, and the place."""
        if not rule.start:
            return 0, direction * self.soma
        rows, points = self.paths[rule.start][int(self.rng.integers(len(self.paths[rule.start])))]
        at = round(self.rng.uniform(*rule.along) * (len(rows) - 1))
        return int(rows[at]), points[at]

    def _numbers(self, rule: Neurite, shape: Sequence[float]) -> np.ndarray:
        cable = rule.cable * self.size * _around_one(_NEURITE, self.rng)
        trunk = rule.trunk * self.size * self.rng.uniform(0.7, 1.3)
        segment = rule.segment * self.size * shape[0]
        return np.array([max(cable, STEP), trunk, segment, rule.wander * shape[1], rule.angle * shape[2], rule.orders])

    def skeleton(self, name: str) -> Skeleton:
        """Turned at random about the axis of depth, the soma at its depth."""
        turn = self.rng.uniform(0, 2 * math.pi)
        cos, sin = math.cos(turn), math.sin(turn)
        about_depth = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        soma = [self.rng.uniform(-_FIELD, _FIELD), self.rng.uniform(*self.kind.depth), self.rng.uniform(-_FIELD, _FIELD)]
        points = np.concatenate(self.points) @ about_depth.T + soma
        parents = np.concatenate(self.parents)
        ids = np.arange(1, self.count + 1)
        return Skeleton(
            ids,
            np.where(parents >= 0, parents + 1, ROOT),
            points * NM_PER_UM,
            np.concatenate(self.radii) * NM_PER_UM,
            np.concatenate(self.kinds),
            name=name,
        )


def _around_one(deviation: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.normal(0.0, deviation)))


def _directions(rule: Neurite, count: int, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors (count, 3) that keep apart: each new one is the farthest from the others of four that are drawn."""
    chosen: list[np.ndarray] = []
    for _ in range(count):
        drawn = rng.standard_normal((4, 3))
        drawn = rule.spread * drawn / np.linalg.norm(drawn, axis=1, keepdims=True) + (1 - rule.spread) * np.array(rule.towards)
        drawn = drawn * np.array(rule.flat)
        drawn /= np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9)
        nearest = np.max(drawn @ np.array(chosen).T, axis=1) if chosen else np.zeros(4)
        chosen.append(drawn[int(nearest.argmin())])
    return np.array(chosen)


@numba.njit(cache=True, nogil=True)
def _neurite(rng, start, direction, radius, numbers, pulls):  # type: ignore[no-untyped-def]
    """Points (n, 3), rows of the parents (-1: where it leaves), radii, and the rows of the main path, which never turns off.

    numbers: cable, trunk, segment, wander, angle, orders. pulls: drift and flat, (2, 3). Tips grow in the order in which their
    forks were made, so that a tree that runs out of cable has grown evenly.
    """
    cable, trunk, segment, wander, angle, orders = numbers
    points, parents, radii = np.empty((MOST_NODES, 3)), np.empty(MOST_NODES, np.int64), np.empty(MOST_NODES)
    rows, places, aims = np.empty(MOST_NODES, np.int64), np.empty((MOST_NODES, 3)), np.empty((MOST_NODES, 3))
    widths, order, is_main = np.empty(MOST_NODES), np.zeros(MOST_NODES, np.int64), np.zeros(MOST_NODES, np.bool_)
    main = np.empty(MOST_NODES, np.int64)
    rows[0], places[0], aims[0], widths[0], is_main[0] = -1, start, direction, radius, True
    count, tips, done, on_main, used = 0, 1, 0, 0, 0.0
    while done < tips and used < cable:
        row, aim, place, width = rows[done], aims[done].copy(), places[done].copy(), widths[done]
        left = segment * rng.standard_gamma(2.5) / 2.5 + (trunk if done == 0 else 0.0)
        if done == 0 and trunk > 0:
            left = max(left, trunk)
        while left > 0 and used < cable and count < MOST_NODES:
            step = min(STEP, max(left, 1.0))
            for axis in range(3):
                aim[axis] += wander * math.sqrt(step) * rng.standard_normal() + pulls[0, axis] * step
                aim[axis] *= pulls[1, axis]
            aim /= max(1e-9, math.sqrt((aim * aim).sum()))
            place = place + step * aim
            width = max(LEAST_RADIUS, width * (1 - TAPER * step))
            points[count], parents[count], radii[count] = place, row, width
            row = count
            if is_main[done]:
                main[on_main] = count
                on_main += 1
            count += 1
            left -= step
            used += step
        if order[done] < orders and used < cable and tips + 2 < MOST_NODES and count < MOST_NODES:
            side = np.array(
                [rng.standard_normal() * pulls[1, 0], rng.standard_normal() * pulls[1, 1], rng.standard_normal() * pulls[1, 2]]
            )
            side -= (side * aim).sum() * aim
            side /= max(1e-9, math.sqrt((side * side).sum()))
            share = 0.2 + 0.3 * rng.random()
            for branch in range(2):
                turn = angle * share if branch == 0 else -angle * (1 - share)
                aims[tips] = math.cos(turn) * aim + math.sin(turn) * side
                rows[tips], places[tips], order[tips] = row, place, order[done] + 1
                widths[tips] = max(LEAST_RADIUS, width * (0.9 if branch == 0 else 0.7))
                is_main[tips] = is_main[done] and branch == 0
                tips += 1
        done += 1
    return points[:count], parents[:count], radii[:count], main[:on_main]
