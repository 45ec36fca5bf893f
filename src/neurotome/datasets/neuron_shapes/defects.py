"""What goes wrong with neurons, done on purpose: a branch is missing, another neuron is attached, the volume ends."""

from __future__ import annotations

import numpy as np

from neurotome.core import ROOT, InputError, Skeleton

__all__ = ["merged", "missing_branch", "truncated"]


def missing_branch(skeleton: Skeleton, share: float = 0.25) -> Skeleton:
    """Without the one subtree whose part of the cable is nearest to `share`; ids stay.

    Raises InputError for a share outside 0 to 1 and a skeleton without branches to lose.

    >>> fork = Skeleton.of([-1, 0, 1, 1], [[0, 0, 0], [0, 0, 7], [0, 2, 7], [0, 0, 8]])
    >>> missing_branch(fork, 0.2).length_nm
    8.0
    """
    if not 0 < share < 1:
        raise InputError(f"A share of {share:g} of the cable", "above 0 and below 1", "choose another")
    first = _subtree_starts(skeleton)
    if not len(first):
        raise InputError(f"'{skeleton.name}' has no branch", "a branch point, or more than one neurite", "choose another neuron")
    cable = _cable_below(skeleton)[first] + skeleton.edge_nm[first]
    row = int(first[np.abs(cable - share * skeleton.length_nm).argmin()])
    return skeleton.take(~_below(skeleton, row))


def merged(skeleton: Skeleton, other: Skeleton, rng: np.random.Generator, *, gap_nm: float = 500.0) -> Skeleton:
    """With another neuron attached, as a wrong join does it: shifted so that a node of each touch, `gap_nm` apart.

    Nodes of the other come behind and are numbered on; its root hangs on the join as the other end of its neurite. Features are
    left out. Both keep their kinds, so the result may have two somata. Raises InputError for a skeleton without nodes.
    """
    if not len(skeleton) or not len(other):
        raise InputError("A merge of a skeleton without nodes", "two neurons", "choose others")
    here, there = int(rng.integers(len(skeleton))), int(rng.integers(len(other)))
    step = rng.standard_normal(3)
    shift = skeleton.points_nm[here] + gap_nm * step / np.linalg.norm(step) - other.points_nm[there]
    parents = _rerooted(other.parent_rows, there)
    parents = np.where(parents >= 0, parents + len(skeleton), ROOT)
    parents[there] = here
    return Skeleton.of(
        np.concatenate([skeleton.parent_rows, parents]),
        np.concatenate([skeleton.points_nm, other.points_nm + shift]),
        np.concatenate([skeleton.radii_nm, other.radii_nm]),
        np.concatenate([skeleton.kinds, other.kinds]),
        name=skeleton.name,
    )


def truncated(skeleton: Skeleton, low_nm: np.ndarray, high_nm: np.ndarray) -> Skeleton:
    """What lies in a box (z, y, x, both ends belong to it), as a volume cuts it: of several trees where it comes back.

    Raises InputError where nothing is left.
    """
    within = ((skeleton.points_nm >= low_nm) & (skeleton.points_nm <= high_nm)).all(1)
    if not within.any():
        raise InputError(f"No node of '{skeleton.name}' is in the box", "a box that it passes", "choose another")
    return skeleton.take(within)


def _subtree_starts(skeleton: Skeleton) -> np.ndarray:
    """Rows whose parent has other children: where a branch begins."""
    above = skeleton.parent_rows
    return np.flatnonzero((above >= 0) & (skeleton.children[np.maximum(above, 0)] > 1))


def _cable_below(skeleton: Skeleton) -> np.ndarray:
    """(n,) the length of all edges below each node."""
    below = np.zeros(len(skeleton))
    above, edges = skeleton.parent_rows.tolist(), skeleton.edge_nm.tolist()
    for row in range(len(skeleton) - 1, -1, -1):
        if above[row] >= 0:
            below[above[row]] += below[row] + edges[row]
    return below


def _below(skeleton: Skeleton, row: int) -> np.ndarray:
    """A mask of a node and all its descendants."""
    mask = np.zeros(len(skeleton), np.bool_)
    mask[row] = True
    for child, parent in enumerate(skeleton.parent_rows.tolist()):
        if parent >= 0 and mask[parent]:
            mask[child] = True
    return mask


def _rerooted(above: np.ndarray, row: int) -> np.ndarray:
    """The parents, once the tree of `row` hangs on it."""
    turned = above.copy()
    parent, child = int(above[row]), row
    turned[row] = ROOT
    while parent >= 0:
        turned[parent], parent, child = child, int(above[parent]), parent
    return turned
