"""NBLAST-like similarity: how well each piece of one neuron finds a piece of the other that is near and runs the same way.

Source of the definition: Costa, Manton, Ostrovsky, Prohaska & Jefferis 2016. The score of one piece is either the analytic one of
their first version, sqrt(|cos| exp(-d^2 / 2 sigma^2)) (`AnalyticScores`, the one taken unless another is given), or log odds that
`learnt_scores` counts on pairs of neurons that are known to match, as in their paper; their table itself is not used.
Nearest points are exact up to the reach of the scores, beyond which every piece scores the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from neurotome.core import InputError, ShapeError, Skeleton, UnknownNameError, ValueRangeError
from neurotome.morphology.descriptors.body import Body
from neurotome.morphology.occupancy.matter import Shape, extent_points
from neurotome.morphology.similarity_cells import nearest_cells

__all__ = [
    "FRAMES",
    "AnalyticScores",
    "TableScores",
    "TangentPoints",
    "learnt_scores",
    "nblast",
    "nblast_scores",
    "tangent_points",
]

TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
FRAMES = ("given", "centred", "principal")
"""Where neurons are laid before they are compared: as they are, their centres of mass on one place, or their axes as well."""


@dataclass(frozen=True, eq=False)
class TangentPoints:
    """Points along a neuron, each with the way it runs. points_nm: (n, 3), z, y, x; n > 0. tangents: (n, 3), length 1 or 0."""

    points_nm: np.ndarray
    tangents: np.ndarray
    name: str = "neuron"

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_nm", np.ascontiguousarray(self.points_nm, np.float64))
        object.__setattr__(self, "tangents", np.ascontiguousarray(self.tangents, np.float64))
        if self.points_nm.shape != self.tangents.shape or self.points_nm.shape[1:] != (3,) or not len(self.points_nm):
            raise ShapeError(
                f"'{self.name}' has points {self.points_nm.shape} and tangents {self.tangents.shape}", "(n, 3) of both, n > 0"
            )


@dataclass(frozen=True)
class AnalyticScores:
    """A piece at distance d whose direction differs by an angle scores sqrt(|cos| exp(-d^2 / 2 sigma^2)), 0 beyond 6 sigma."""

    sigma_nm: float = 3000.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.sigma_nm) and self.sigma_nm > 0):
            raise ValueRangeError(f"sigma of {self.sigma_nm} nm", "more than 0", "3000 suits neurons that lie in one atlas")

    @property
    def reach_nm(self) -> float:
        return 6.0 * self.sigma_nm


@dataclass(frozen=True, eq=False)
class TableScores:
    """distances_nm: (a,), the upper borders of the bins of distance, ascending. cosines: (b,), those of |cos|, the last 1.

    table: (a, b), the score of a piece in each bin; `beyond` that of one further away than the last border.
    """

    distances_nm: np.ndarray
    cosines: np.ndarray
    table: np.ndarray
    beyond: float

    @property
    def reach_nm(self) -> float:
        return float(self.distances_nm[-1])


Scores = AnalyticScores | TableScores


def tangent_points(
    shape: Shape, *, points: int | None = None, step_nm: float = 1000.0, neighbours: int = 5, frame: str = "given"
) -> TangentPoints:
    """Points at even distances along the cable of a skeleton, or drawn from those of another shape, with their tangents.

    points: how many; None for one per `step_nm` of cable (of a skeleton), or all (of another shape). A tangent is the first
    principal axis of a point and the nearest `neighbours` - 1 others; 0 where they agree. frame: see `FRAMES`.
    Raises UnknownNameError, ValueRangeError.
    """
    if frame not in FRAMES:
        raise UnknownNameError("frame of tangent points", frame, FRAMES)
    if neighbours < 2 or not step_nm > 0 or (points is not None and points < 1):
        raise ValueRangeError(
            f"{points} points, a step of {step_nm} nm, {neighbours} neighbours", "at least 1, above 0, at least 2"
        )
    body = Body(shape)
    found = _along(body, points, step_nm) if isinstance(shape, Skeleton) else _drawn(extent_points(shape), points)
    if frame != "given":
        found = (found - body.mean_nm) @ (body.rotation if frame == "principal" else np.eye(3)).T
    return TangentPoints(found, _tangents(found, neighbours), shape.name)


def nblast(shapes: Iterable[Shape], *, scores: Scores | None = None, **how: object) -> pd.DataFrame:
    """The similarity of all shapes to all, a symmetric table by name, ascending: the mean of both ways, each over the self-score.

    1 for a neuron and itself. how: of `tangent_points`. Raises InputError for two shapes of one name.
    """
    neurons = sorted((tangent_points(shape, **how) for shape in shapes), key=lambda neuron: neuron.name)  # type: ignore[arg-type]
    names = [neuron.name for neuron in neurons]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"Two shapes are named '{twice}'", "each name once", "rename one of them")
    one_way = nblast_scores(neurons, neurons, scores=scores)
    return pd.DataFrame((one_way + one_way.T) / 2, index=names, columns=names)


def nblast_scores(
    queries: Sequence[TangentPoints],
    targets: Sequence[TangentPoints],
    *,
    scores: Scores | None = None,
    threads: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> np.ndarray:
    """(q, t) float64: the summed score of each query's points against the nearest points of each target, over that with itself.

    A query whose points have no direction scores 0. threads: as many as processors, if not said; the numbers do not depend on
    them. progress: is told how many targets are done.
    """
    scores = scores or AnalyticScores()
    if not queries or not targets:
        return np.zeros((len(queries), len(targets)))
    points = np.concatenate([query.points_nm for query in queries])
    tangents = np.concatenate([query.tangents for query in queries])
    ends = np.cumsum([len(query.points_nm) for query in queries])
    rule = _rule(scores)

    def against(target: TangentPoints) -> np.ndarray:
        cells = nearest_cells(target.points_nm, scores.reach_nm)
        return np.asarray(_summed(points, tangents, ends, target.tangents, *cells, *rule))

    columns = []
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for done, column in enumerate(pool.map(against, targets), 1):
            columns.append(column)
            if progress:
                progress(done)
    own = np.array([_self_score(query, rule) for query in queries])
    return np.asarray(
        np.divide(np.array(columns).T, own[:, None], out=np.zeros((len(queries), len(targets))), where=own[:, None] != 0)
    )


def learnt_scores(
    matching: Iterable[tuple[TangentPoints, TangentPoints]],
    random: Iterable[tuple[TangentPoints, TangentPoints]],
    distances_nm: Sequence[float] | np.ndarray,
    cosines: Sequence[float] | np.ndarray = TENTHS,
) -> TableScores:
    """log2 of how much more often pieces of matching pairs fall into a bin of distance and |cos| than those of random pairs.

    distances_nm, cosines: upper borders of the bins. Every bin begins with one piece, so that none is empty; what lies beyond
    the last distance makes one bin. Score neurons that were not among the pairs. Source: Costa et al. 2016.
    """
    edges = np.asarray(distances_nm, np.float64), np.asarray(cosines, np.float64)
    if any(len(e) == 0 or (np.diff(e) <= 0).any() or e[0] <= 0 for e in edges) or edges[1][-1] < 1:
        raise ValueRangeError("Borders of bins that do not ascend from above 0, or cosines that end below 1", "ascending borders")
    odds = [_counted(pairs, *edges) for pairs in (matching, random)]
    logs = np.log2(odds[0] / odds[0].sum()) - np.log2(odds[1] / odds[1].sum())
    return TableScores(*edges, logs[:-1].reshape(len(edges[0]), len(edges[1])), float(logs[-1]))


def _counted(pairs: Iterable[tuple[TangentPoints, TangentPoints]], distances: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """(a b + 1,) pieces in each bin, and beyond."""
    counts = np.ones(len(distances) * len(cosines) + 1)
    for query, target in pairs:
        distance, nearest = cKDTree(target.points_nm).query(query.points_nm)
        cosine = np.minimum(np.abs((query.tangents * target.tangents[nearest]).sum(1)), 1.0)
        bins = np.searchsorted(distances, distance) * len(cosines) + np.searchsorted(cosines, cosine)
        counts += np.bincount(np.minimum(bins, len(counts) - 1), minlength=len(counts))
    return counts


def _along(body: Body, points: int | None, step_nm: float) -> np.ndarray:
    starts, ends, shares = body.lines
    count = points or max(1, round(body.tree.length_nm / step_nm))
    until = np.cumsum(shares)
    at = (np.arange(count) + 0.5) / count * until[-1]
    line = np.minimum(np.searchsorted(until, at), len(shares) - 1)
    along = 1.0 - (until[line] - at) / shares[line]
    return np.asarray(starts[line] + np.clip(along, 0.0, 1.0)[:, None] * (ends[line] - starts[line]))


def _drawn(points: np.ndarray, count: int | None) -> np.ndarray:
    if count is None or count >= len(points):
        return points
    return points[np.sort(np.random.default_rng(0).choice(len(points), count, replace=False))]


def _tangents(points: np.ndarray, neighbours: int) -> np.ndarray:
    if len(points) < 2:
        return np.zeros_like(points)
    near = points[cKDTree(points).query(points, min(neighbours, len(points)))[1]]
    offsets = near - near.mean(1, keepdims=True)
    values, vectors = np.linalg.eigh(offsets.transpose(0, 2, 1) @ offsets)
    return np.asarray(np.where(values[:, -1:] > 0, vectors[:, :, -1], 0.0))


def _rule(scores: Scores) -> tuple[float, float, np.ndarray, np.ndarray, np.ndarray]:
    """reach, -1 / (2 sigma^2) (0: by table), squared borders of distance, borders of |cos|, table; the last row is beyond."""
    if isinstance(scores, AnalyticScores):
        return scores.reach_nm, -0.5 / scores.sigma_nm**2, np.zeros(0), np.zeros(0), np.zeros((1, 1))
    table = np.vstack([scores.table, np.full(len(scores.cosines), scores.beyond)])
    return scores.reach_nm, 0.0, np.asarray(scores.distances_nm, np.float64) ** 2, np.asarray(scores.cosines, np.float64), table


def _self_score(neuron: TangentPoints, rule: tuple) -> float:
    return float(_own(np.minimum((neuron.tangents**2).sum(1), 1.0), *rule[1:]))


@numba.njit(cache=True, nogil=True)
def _score(squared, cosine, exponent, distances, cosines, table):  # type: ignore[no-untyped-def]
    if exponent < 0:
        return np.sqrt(cosine * np.exp(squared * exponent))
    row, column = 0, 0
    while row < len(distances) and distances[row] < squared:
        row += 1
    while cosines[column] < cosine:
        column += 1
    return table[row, column]


@numba.njit(cache=True, nogil=True)
def _own(cosine, exponent, distances, cosines, table):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(cosine)):
        total += _score(0.0, cosine[i], exponent, distances, cosines, table)
    return total


@numba.njit(cache=True, nogil=True)
def _summed(  # type: ignore[no-untyped-def]
    points, tangents, ends, ways, low, side, size, spans, listed, places, reach, exponent, distances, cosines, table
):
    """(q,) the summed score of each query against one target; of points equally near, the first counts."""
    sums = np.zeros(len(ends))
    beyond = table[-1, 0] if exponent == 0 else 0.0
    limit = np.nextafter(reach * reach, np.inf)
    row = 0
    for query in range(len(ends)):
        total = 0.0
        while row < ends[query]:
            at = points[row]
            z, y, x = np.floor((at[0] - low[0]) / side), np.floor((at[1] - low[1]) / side), np.floor((at[2] - low[2]) / side)
            least, nearest = limit, -1
            if 0 <= z < size[0] and 0 <= y < size[1] and 0 <= x < size[2]:
                cell = (int(z) * size[1] + int(y)) * size[2] + int(x)
                for i in range(spans[cell, 0], spans[cell, 1]):
                    d = (places[i, 0] - at[0]) ** 2 + (places[i, 1] - at[1]) ** 2 + (places[i, 2] - at[2]) ** 2
                    if d < least:
                        least, nearest = d, listed[i]
            if nearest < 0:
                total += beyond
            else:
                way = tangents[row]
                cosine = abs(way[0] * ways[nearest, 0] + way[1] * ways[nearest, 1] + way[2] * ways[nearest, 2])
                total += _score(least, min(cosine, 1.0), exponent, distances, cosines, table)
            row += 1
        sums[query] = total
    return sums
