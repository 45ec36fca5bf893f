"""What one operation changed, small enough to keep for every operation of a long session, and exact to the bit both ways.

before  a b c d e f          Of each column only the rows between the common beginning and the common end are kept,
after   a b X Y e f          old (c d) and new (X Y).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurotome.core import Skeleton

__all__ = ["Change"]

CORE = ("ids", "parents", "points_nm", "radii_nm", "kinds")


@dataclass(frozen=True, eq=False)
class _Splice:
    """begin: rows that both columns begin with; end: rows that both end with; None where there is no such column."""

    begin: int
    end: int
    old: np.ndarray | None
    new: np.ndarray | None

    @classmethod
    def between(cls, old: np.ndarray | None, new: np.ndarray | None) -> _Splice:
        if old is None or new is None or old.dtype != new.dtype or old.shape[1:] != new.shape[1:]:
            return cls(0, 0, old, new)
        begin = _common(old, new)
        end = _common(old[begin:][::-1], new[begin:][::-1])
        return cls(begin, end, old[begin : len(old) - end].copy(), new[begin : len(new) - end].copy())

    def swapped(self, column: np.ndarray | None, middle: np.ndarray | None) -> np.ndarray | None:
        """The other column: this one with another middle."""
        if middle is None or column is None or self.begin == self.end == 0:
            return middle
        return np.concatenate([column[: self.begin], middle, column[len(column) - self.end :]])


@dataclass(frozen=True, eq=False)
class Change:
    """The way from one tree to another and back.

    >>> line = Skeleton.of([-1, 0, 1], [[0, 0, 0], [0, 0, 30], [0, 0, 60]])
    >>> shorter = line.take([0, 1])
    >>> change = Change.between(line, shorter)
    >>> len(change.undone(shorter)), len(change.redone(line)), change.rows_kept
    (3, 2, 1)
    """

    splices: dict[str, _Splice]

    @classmethod
    def between(cls, old: Skeleton, new: Skeleton) -> Change:
        before, after = dict(_columns(old)), dict(_columns(new))
        return cls({name: _Splice.between(before.get(name), after.get(name)) for name in {**before, **after}})

    def undone(self, tree: Skeleton) -> Skeleton:
        """The tree before, from the tree after."""
        now = dict(_columns(tree))
        return _tree(tree, {k: s.swapped(now.get(k), s.old) for k, s in self.splices.items()})

    def redone(self, tree: Skeleton) -> Skeleton:
        """The tree after, from the tree before."""
        now = dict(_columns(tree))
        return _tree(tree, {k: s.swapped(now.get(k), s.new) for k, s in self.splices.items()})

    @property
    def rows_kept(self) -> int:
        """The most rows that any column keeps: what the change costs in memory."""
        return max(len(part) for s in self.splices.values() for part in (s.old, s.new) if part is not None)


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """How many rows two columns begin with in common, bit by bit: nan equals nan here, and 0.0 is not -0.0."""
    n = min(len(a), len(b))
    if n == 0:
        return 0
    left, right = (np.ascontiguousarray(c[:n]).view(np.uint8).reshape(n, -1) for c in (a, b))
    same = (left == right).all(1)
    return n if same.all() else int(same.argmin())


def _columns(tree: Skeleton) -> Iterator[tuple[str, np.ndarray]]:
    for name in CORE:
        yield name, getattr(tree, name)
    for name, values in tree.features.items():
        yield f"feature {name}", np.asarray(values)


def _tree(like: Skeleton, columns: dict[str, np.ndarray | None]) -> Skeleton:
    found = {name: values for name, values in columns.items() if values is not None}
    features = {name.removeprefix("feature "): found[name] for name in found if name not in CORE}
    return Skeleton(features=features, name=like.name, **{name: found[name] for name in CORE})
