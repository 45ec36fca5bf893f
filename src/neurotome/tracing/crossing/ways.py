"""The way from root to root over a contact: how each place on it can be read, and which reading is the likeliest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.tracing.crossing.arms import Arm, place_at
from neurotome.tracing.crossing.decide import Reading, Weights, likelihoods, readings
from neurotome.tracing.crossing.forest import Forest, Link

__all__ = ["Seen", "most_likely", "readings_on"]


@dataclass(frozen=True, eq=False)
class Seen:
    """The likeliest reading of a way, its probability, and how far from the nearer root its place is."""

    reading: Reading
    confidence: float
    away_nm: float


def most_likely(forest: Forest, link: Link, weights: Weights) -> Seen | None:
    """The likeliest reading of the way over a link, and how likely it and those that amount to the same are together.

    None where there is nothing to read, as between two somata that touch.
    """
    found = readings_on(forest, link)
    if not found:
        return None
    way, _ = _way(forest, link)
    along = np.concatenate(([0.0], np.cumsum(np.sqrt((np.diff(forest.points[way], axis=0) ** 2).sum(1)))))
    sure = likelihoods([reading for _, reading in found], weights)
    at, best = found[int(np.argmax(sure))]
    same = [_amounts_to(reading, best) for _, reading in found]
    return Seen(best, float(sure[same].sum()), float(min(along[at], along[-1] - along[at])))


def readings_on(forest: Forest, link: Link) -> list[tuple[int, Reading]]:
    """All readings of the contact and of the branch points on the way over it, each with where on the way it is."""
    way, contact = _way(forest, link)
    found: list[tuple[int, Reading]] = []
    for at in range(1, len(way) - 1):
        if len(forest.around[way[at]]) < 3 and at != contact:
            continue
        narrow, wide = (place_at(forest, link, way, at, wide=wide) for wide in (False, True))
        if narrow is not None:
            found += [(at, reading) for reading in readings(narrow, is_contact=at == contact)]
        if wide is not None and (narrow is None or wide.inner != narrow.inner):
            found += [(at, reading) for reading in readings(wide, is_contact=False)]
    return found


def _way(forest: Forest, link: Link) -> tuple[list[int], int]:
    """The rows from root to root over a link, and the place of its first node on it that is no root."""
    up, down = forest.way_up(link.one)[::-1], forest.way_up(link.other)
    return up + down, max(len(up) - 1, 1)


def _amounts_to(one: Reading, other: Reading) -> bool:
    """Whether two readings are of the same kind and of one meeting, perhaps seen from two of its branch points, and agree."""
    same_kind = one.features[0] == other.features[0]
    same_place = not set(one.place.inner).isdisjoint(other.place.inner)
    return bool(same_kind and same_place) and not (_share(one.to_here, other.to_there) or _share(one.to_there, other.to_here))


def _share(some: tuple[Arm, ...], others: tuple[Arm, ...]) -> bool:
    return not {row for arm in some for row in arm.rows}.isdisjoint(row for arm in others for row in arm.rows)
