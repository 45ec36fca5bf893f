"""Where a neuron runs: nodes with radii, each with at most one parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from neurotome.core.errors import InputError, ShapeError, ValueRangeError

__all__ = ["ROOT", "SOMA", "Skeleton", "parents_first"]

ROOT = -1
"""The parent of a node that has none."""

SOMA = 1
"""The kind of a soma node in SWC; 0 undefined, 2 axon, 3 (basal) dendrite, 4 apical dendrite, others as the lab says."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """One or more rooted trees of nodes; parents come before their children, so a pass over the rows is a pass down the trees.

    ids: (n,) int64, unique, at least 0. parents: (n,) int64, the id of each node's parent, or ROOT.
    points_nm: (n, 3) float64, z, y, x. radii_nm: (n,) float64, 0 where unknown. kinds: (n,) int64, as in SWC.
    features: further values by name, each (n, ...): scoop_nm, probability, confidence, jump, locked and the like.
    name: of the neuron.

    >>> line = Skeleton.of(parents=[-1, 0, 1], points_nm=[[0, 0, 0], [0, 0, 30], [0, 40, 30]])
    >>> line.length_nm, len(line.roots), line.children.tolist()
    (70.0, 1, [1, 1, 0])

    Raises ShapeError for arrays of different length, ValueRangeError for values that are not finite or radii below 0, InputError
    for ids that occur twice, parents that do not exist or come after their children.
    """

    ids: np.ndarray
    parents: np.ndarray
    points_nm: np.ndarray
    radii_nm: np.ndarray
    kinds: np.ndarray
    features: Mapping[str, np.ndarray] = field(default_factory=dict)
    name: str = "neuron"

    def __post_init__(self) -> None:
        for what, dtype in (("ids", np.int64), ("parents", np.int64), ("kinds", np.int64)):
            object.__setattr__(self, what, np.ascontiguousarray(getattr(self, what), dtype))
        for what in ("points_nm", "radii_nm"):
            object.__setattr__(self, what, np.ascontiguousarray(getattr(self, what), np.float64))
        self._require_lengths()
        self._require_values()
        self._require_order()

    @classmethod
    def of(
        cls,
        parents: Sequence[int] | np.ndarray,
        points_nm: Sequence[Sequence[float]] | np.ndarray,
        radii_nm: Sequence[float] | np.ndarray | None = None,
        kinds: Sequence[int] | np.ndarray | None = None,
        features: Mapping[str, np.ndarray] | None = None,
        name: str = "neuron",
    ) -> Skeleton:
        """From rows in any order: parents are row numbers (ROOT for none). Nodes get the ids 1..n, parents first.

        Raises InputError for a cycle.
        """
        rows = np.asarray(parents, np.int64)
        order = parents_first(rows)
        place = np.empty(len(rows) + 1, np.int64)
        place[order], place[-1] = np.arange(1, len(rows) + 1), ROOT
        points = np.asarray(points_nm, np.float64).reshape(-1, 3)
        return cls(
            np.arange(1, len(rows) + 1),
            place[rows[order]],
            points[order],
            np.zeros(len(rows)) if radii_nm is None else np.asarray(radii_nm)[order],
            np.zeros(len(rows), np.int64) if kinds is None else np.asarray(kinds)[order],
            {key: np.asarray(values)[order] for key, values in (features or {}).items()},
            name,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def parent_rows(self) -> np.ndarray:
        """(n,) int64, the row of each node's parent, or ROOT. Always less than the node's own row."""
        return self.rows_of(self.parents)

    @cached_property
    def children(self) -> np.ndarray:
        """(n,) int64, how many children each node has."""
        return np.bincount(self.parent_rows[self.parent_rows >= 0], minlength=len(self))

    @cached_property
    def roots(self) -> np.ndarray:
        """The rows of the nodes without parent."""
        return np.flatnonzero(self.parents == ROOT)

    @cached_property
    def trees(self) -> np.ndarray:
        """(n,) int64, the number of the tree of each node: 0 for the tree of the first root, and so on."""
        tree = np.empty(len(self), np.int64)
        tree[self.roots] = np.arange(len(self.roots))
        for row, parent in enumerate(self.parent_rows.tolist()):
            if parent >= 0:
                tree[row] = tree[parent]
        return tree

    @cached_property
    def edge_nm(self) -> np.ndarray:
        """(n,) float64, the distance of each node to its parent; 0 for roots."""
        steps = self.points_nm - self.points_nm[np.maximum(self.parent_rows, 0)]
        return np.asarray(np.where(self.parent_rows >= 0, np.sqrt((steps**2).sum(1)), 0.0))

    @property
    def length_nm(self) -> float:
        return float(self.edge_nm.sum())

    def rows_of(self, ids: np.ndarray | Sequence[int]) -> np.ndarray:
        """The rows of the nodes with these ids; ROOT stays ROOT. Raises InputError for an unknown id."""
        wanted = np.asarray(ids, np.int64)
        order = np.argsort(self.ids, kind="stable")
        place = np.searchsorted(self.ids, wanted, sorter=order)
        rows = order[np.minimum(place, len(order) - 1)] if len(order) else np.full(wanted.shape, ROOT)
        known = (self.ids[rows] == wanted) if len(order) else np.zeros(wanted.shape, bool)
        if not (known | (wanted == ROOT)).all():
            missing = int(wanted[~known & (wanted != ROOT)].flat[0])
            raise InputError(f"'{self.name}' has no node {missing}", "an id of one of its nodes", "look it up in the SWC file")
        return np.where(wanted == ROOT, ROOT, rows)

    def take(self, rows: np.ndarray) -> Skeleton:
        """The nodes of these rows (ascending numbers or a mask), with their ids; one whose parent is not taken becomes a root."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows, np.int64)
        kept = np.zeros(len(self), bool)
        kept[rows] = True
        above = self.parent_rows[rows]
        parents = np.where((above >= 0) & kept[above], self.parents[rows], ROOT)
        features = {key: np.asarray(values)[rows] for key, values in self.features.items()}
        return Skeleton(self.ids[rows], parents, self.points_nm[rows], self.radii_nm[rows], self.kinds[rows], features, self.name)

    def _require_lengths(self) -> None:
        n = len(self.ids)
        if self.points_nm.shape != (n, 3):
            raise ShapeError(f"Points of '{self.name}' have shape {self.points_nm.shape}", f"({n}, 3), z, y, x in nm")
        for what, values in {"parents": self.parents, "radii_nm": self.radii_nm, "kinds": self.kinds, **self.features}.items():
            if len(values) != n:
                raise ShapeError(f"'{self.name}' has {n} nodes and {len(values)} {what}", f"{n} of them")

    def _require_values(self) -> None:
        if not (np.isfinite(self.points_nm).all() and np.isfinite(self.radii_nm).all()):
            bad = np.flatnonzero(~(np.isfinite(self.points_nm).all(1) & np.isfinite(self.radii_nm)))[0]
            raise ValueRangeError(f"Node {self.ids[bad]} of '{self.name}' is not finite", "finite coordinates and radius")
        if len(self) and self.radii_nm.min() < 0:
            bad = int(self.radii_nm.argmin())
            raise ValueRangeError(f"Node {self.ids[bad]} of '{self.name}' has radius {self.radii_nm[bad]:g} nm", "0 or more")

    def _require_order(self) -> None:
        if len(self) and self.ids.min() < 0:
            raise InputError(f"'{self.name}' has a node with id {self.ids.min()}", "ids of 0 and more", "number the nodes anew")
        if len(np.unique(self.ids)) != len(self):
            ids, counts = np.unique(self.ids, return_counts=True)
            raise InputError(f"'{self.name}' has two nodes with id {ids[counts > 1][0]}", "each id once")
        if (self.parent_rows >= np.arange(len(self))).any():
            late = int(np.flatnonzero(self.parent_rows >= np.arange(len(self)))[0])
            raise InputError(
                f"Node {self.ids[late]} of '{self.name}' comes before its parent {self.parents[late]}",
                "parents before children",
                "make it with Skeleton.of, which orders the nodes",
            )


def parents_first(parents: np.ndarray) -> np.ndarray:
    """An order of rows in which parents precede children and the rest stays as it is: tree by tree, in depth first order.

    parents: (n,) row numbers, ROOT for none. Raises InputError for a cycle.

    >>> parents_first(np.array([1, -1, 0])).tolist()
    [1, 0, 2]
    """
    rows = np.asarray(parents, np.int64)
    n = len(rows)
    if (np.where(rows == ROOT, -1, rows) < np.arange(n)).all():
        return np.arange(n)
    after = _after_tour(rows)
    if (after < 0).any():
        raise InputError(
            f"Row {int(np.flatnonzero(after < 0)[0])} is its own ancestor",
            "trees without cycles",
            "cut the loop at one of its nodes",
        )
    order = np.empty(n, np.int64)
    order[n - after] = np.arange(n)
    return order


def _after_tour(rows: np.ndarray) -> np.ndarray:
    """(n,) how many rows a walk around the trees enters from each row on, itself counted; -1 where it never ends, at cycles.

    The walk enters a row (step 0..n-1), goes around its children in row order, and leaves it (step n..2n-1). Every step looks
    ahead twice as far in each pass, so 20 passes see a million rows at once (list ranking by pointer jumping, Wyllie 1979).
    """
    n = len(rows)
    end, index = 2 * n, np.int32 if n < 2**30 else np.int64
    by_parent = np.argsort(rows, kind="stable").astype(index)
    above = rows[by_parent].astype(index)
    is_last = np.ones(n, np.bool_)
    is_last[:-1] = above[1:] != above[:-1]
    is_first_child = np.roll(is_last, 1) & (above != ROOT)
    following = np.arange(n, 3 * n + 1, dtype=index)
    following[above[is_first_child]] = by_parent[is_first_child]
    up = np.where(above == ROOT, end, n + above)
    following[n + by_parent] = np.where(is_last, up, np.append(by_parent[1:], end))
    following[end] = end
    entered = np.zeros(end + 1, index)
    entered[:n] = 1
    for _ in range(end.bit_length()):
        entered = entered + entered[following]
        following = following[following]
    return np.where(following[:n] == end, entered[:n], -1)
