r"""Trees grown in shared objects, repaired: place after place, from the somata outwards.

A --+---- a        The watershed gives A, whose soma is nearer, all that lies beyond the place where it first meets B,
    |\             and a part of B's way there, up to the contact (~).
B ~-+ +-- b

A ------- a        B goes on as b, the straightest of what leaves the place; A keeps what it goes on as.
B ------- b
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurotome.core import ROOT, Skeleton
from neurotome.core.geometry import Nm3
from neurotome.tracing.crossing.arms import Arm
from neurotome.tracing.crossing.decide import CrossingSettings, Reading
from neurotome.tracing.crossing.forest import Forest, Link
from neurotome.tracing.crossing.links import contact_links, loop_links
from neurotome.tracing.crossing.ways import Seen, most_likely

__all__ = ["REPAIR_COLUMNS", "Repaired", "repaired"]

REPAIR_COLUMNS = ("verdict", "confidence", "moved_nm", "crossing_z", "crossing_y", "crossing_x")


@dataclass(frozen=True, eq=False)
class Repaired:
    """trees: as many, with the same roots. contested: the contacts, with what was decided, see `repaired`."""

    trees: Skeleton
    contested: pd.DataFrame


def repaired(
    trees: Skeleton,
    probability: np.ndarray,
    contested: pd.DataFrame,
    settings: CrossingSettings | None = None,
    *,
    voxel_nm: Nm3,
    reach_nm: float = 3000.0,
) -> Repaired:
    """The trees after each contact of two of them was asked: where between the two roots do two neurites cross?

    On the way from root to root over a contact there is one place where the two neurons touch: a branch point, read as two
    neurites that cross there, or the contact itself. If the likeliest reading is likely enough, every
    branch goes to the neuron that it was read as. Places nearer to a root are decided first, as they decide whose the later ones
    are; then all contacts are looked at again, and loops that were cut between branches that now belong to two neurons are
    contacts too. Where nothing is clear, nothing changes. Every node stays in one tree; nodes between the branches that then
    lead nowhere go.

    Parameters
    ----------
    probability
        (n,) 0..1 of each node.
    contested
        tree and other_tree (numbers in `trees`), z, y, x, voxels, path_nm, see `contested_contacts`.
    reach_nm
        How far from a contact the nodes nearest to it may be, besides their radii: so much may have been pruned there.

    Returns
    -------
    The contacts as given, then those of loops, with 0 voxels; of each also verdict: "moved", "confirmed" (all is right as it was)
    or "unclear"; confidence, the probability of the likeliest reading; moved_nm, length of what changed its tree; crossing_z,
    crossing_y, crossing_x, voxel, -1 where unclear.
    """
    if not len(contested):
        return Repaired(trees, _table(contested, [], trees, {}, np.array(voxel_nm)))
    divided = np.zeros(len(trees.roots), bool)
    divided[contested[["tree", "other_tree"]].to_numpy()] = True
    links = contact_links(trees, contested, voxel_nm, reach_nm) + loop_links(trees, divided)
    repair = _Repair(Forest(trees, probability), links, settings or CrossingSettings())
    while repair.step():
        pass
    return Repaired(repair.forest.skeleton(), _table(contested, links, trees, repair.verdicts, np.array(voxel_nm)))


@dataclass(frozen=True, eq=False)
class _Verdict:
    verdict: str
    confidence: float
    moved_nm: float
    point: np.ndarray
    roots: tuple[int, int]


class _Repair:
    """The forest as it is, and what is known about its links."""

    def __init__(self, forest: Forest, links: list[Link], settings: CrossingSettings) -> None:
        self.forest, self.links, self.settings = forest, links, settings
        self.verdicts: dict[int, _Verdict] = {}
        self._seen: dict[int, tuple[tuple[int, ...], Seen | None]] = {}
        self._changes = dict.fromkeys(forest.roots, 0)

    def step(self) -> bool:
        """Decide the clear link nearest to a root; False where none is clear."""
        open_links = [k for k in range(len(self.links)) if k not in self.verdicts or self.verdicts[k].verdict == "unclear"]
        least = self.settings.least_confidence
        clear = [(s.away_nm, k, s) for k in open_links if (s := self._look(k)) is not None and s.confidence >= least]
        if not clear:
            return False
        _, k, seen = min(clear, key=lambda one: one[:2])
        roots = self._roots(self.links[k])
        point = self.forest.points[list(seen.reading.place.inner)].mean(0)
        moved = self._give(self.links[k], seen.reading, roots)
        self.verdicts[k] = _Verdict("moved" if moved else "confirmed", seen.confidence, moved, point, roots)
        if moved:
            for root in roots:
                self._changes[root] += 1
        return True

    def _roots(self, link: Link) -> tuple[int, int]:
        return self.forest.root_of(link.one), self.forest.root_of(link.other)

    def _look(self, k: int) -> Seen | None:
        """What is seen at a link now; None inside of one tree. Looked at anew only where one of its trees has changed."""
        link = self.links[k]
        one, other = self._roots(link)
        if one == other:
            self.verdicts.pop(k, None)
            return None
        state = (one, other, self._changes[one], self._changes[other])
        if k not in self._seen or self._seen[k][0] != state:
            seen = most_likely(self.forest, link, self.settings.weights)
            self._seen[k] = state, seen
            sure = 0.0 if seen is None else seen.confidence
            self.verdicts[k] = _Verdict("unclear", sure, 0.0, np.full(3, np.nan), (one, other))
        return self._seen[k][1]

    def _give(self, link: Link, reading: Reading, roots: tuple[int, int]) -> float:
        """Let each arm belong to the neuron it was read as; gives the length of what changed its tree."""
        forest, place = self.forest, reading.place
        if not (reading.to_here or reading.to_there):
            return 0.0
        owner = {row: forest.root_of(row) for row in place.inner}
        tips = {row for row in place.inner if len(forest.around[row]) == 1}
        here, there = (place.here, roots[0]), (place.there, roots[1])
        wanted = [(arm, *here) for arm in (place.here, *reading.to_here)] + [
            (arm, *there) for arm in (place.there, *reading.to_there)
        ]
        moved = [(arm, before, root) for arm, before, root in wanted if forest.root_of(arm.first) != root]
        length = 0.0
        for arm, _, _ in moved:
            length += forest.length_below(arm.first)
            forest.cut(arm.first)
        for arm, before, root in moved:
            if arm is place.there:
                forest.join(link.other, link.one)
            elif arm is place.here:
                forest.join(link.one, link.other)
            else:
                forest.join(_joint(forest, arm, [row for row in place.inner if owner[row] == root], before), arm.first)
        if moved:
            self._strip(place.inner, tips)
        return length

    def _strip(self, inner: tuple[int, ...], tips: set[int]) -> None:
        """Take away what of a meeting leads nowhere now."""
        for row in inner:
            while row in inner and row not in tips and len(self.forest.around[row]) == 1:
                above = self.forest.drop_tip(row)
                for link in self.links:
                    link.one = above if link.one == row else link.one
                    link.other = above if link.other == row else link.other
                row = above


def _joint(forest: Forest, arm: Arm, inner: list[int], before: Arm) -> int:
    """Where an arm is joined to its neuron: to the nearest of its rows in the meeting, or else to the arm it goes on from."""
    if not inner:
        return before.first
    return inner[int(np.argmin(((forest.points[inner] - arm.point) ** 2).sum(1)))]


def _table(
    contested: pd.DataFrame, links: list[Link], trees: Skeleton, verdicts: dict[int, _Verdict], voxel_nm: np.ndarray
) -> pd.DataFrame:
    """The contacts and the loops between two neurons, with the verdicts."""
    of_contact = {links[k].contact: verdict for k, verdict in verdicts.items() if links[k].contact >= 0}
    number = {root: i for i, root in enumerate(trees.roots.tolist())}
    loops, added = [], []
    for k, verdict in verdicts.items():
        if links[k].contact < 0:
            low, high = sorted(number[root] for root in verdict.roots)
            ends = trees.points_nm[[links[k].one, links[k].other]]
            z, y, x = np.rint(ends.mean(0) / voxel_nm).astype(int).tolist()
            loops.append((low, high, z, y, x, 0, 0.0))
            added.append(verdict)
    none = _Verdict("unclear", 0.0, 0.0, np.full(3, np.nan), (ROOT, ROOT))
    columns = list(contested.columns)
    longer = pd.concat([contested, pd.DataFrame(loops, columns=columns)], ignore_index=True) if loops else contested
    rows = [_row(of_contact.get(i, none), voxel_nm) for i in range(len(contested))] + [_row(v, voxel_nm) for v in added]
    return longer.assign(**dict(zip(REPAIR_COLUMNS, zip(*rows, strict=True) if rows else [[]] * 6, strict=True)))


def _row(verdict: _Verdict, voxel_nm: np.ndarray) -> tuple[str, float, float, int, int, int]:
    known = np.isfinite(verdict.point).all()
    z, y, x = np.rint(verdict.point / voxel_nm).astype(int).tolist() if known else (-1, -1, -1)
    return verdict.verdict, verdict.confidence, verdict.moved_nm, z, y, x
