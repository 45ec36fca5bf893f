"""Which branches of a raw tree are real: those that leave the scoop they start in (after NeuronStudio, Rodriguez et al. 2009)."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np

from neurotome.core import ROOT, SOMA, InputError, Skeleton, UnknownNameError, ValueRangeError, parents_first
from neurotome.tracing.rooting import rearranged, turn

__all__ = ["ROOT_RULES", "prune"]

ROOT_RULES = ("keep", "protect", "middle")


def prune(tree: Skeleton, *, attachment: float = 1.3, min_length_nm: float = 3000.0, root: str = "keep") -> Skeleton:
    """The tree without the branches that are only bulges of the object.

    A tree is judged from its middle: the end with the larger scoop of the middle edge of its longest tip to tip path. The length
    L of an edge away from it, to a node d, is its own length and the larger of d's scoop and the largest L that goes on from d.
    First every edge at v with L <= attachment * scoop(v) goes, with all behind it. Then the longest edge of each node stays (the
    two longest at the middle), and of the others those with L - scoop(v) >= min_length_nm.
    Never removed is what leads to nodes with one of the features unremovable, locked or drawn, or to roots that are somata.

    Parameters
    ----------
    tree
        One or more trees with the feature scoop_nm.
    root
        "keep": the tree keeps its root, or gets the nearest node that is left; "protect": its root is never removed; "middle":
        it is rooted at the middle.

    Nodes keep their ids. A loop_contact moves from a node that goes to the one its branch began at.

    Raises InputError for a tree without scoop_nm, UnknownNameError for another root rule, ValueRangeError for a negative number.

    >>> parents, points = [-1, 0, 1, 2, 2], [[0, 0, 0], [0, 0, 9], [0, 0, 18], [0, 0, 27], [0, 2, 18]]
    >>> tree = Skeleton.of(parents, points, features={"scoop_nm": np.array([2.0, 2, 2, 2, 0])})
    >>> prune(tree, min_length_nm=3).ids.tolist()
    [1, 2, 3, 4]
    """
    _check(tree, attachment, min_length_nm, root)
    held = _held(tree, root)
    scoop = np.asarray(tree.features["scoop_nm"], np.float64)
    parents, cut, before = tree.parent_rows.copy(), np.full(len(tree), ROOT), -1
    # What goes can move the middle, and from there more may go. In the end nothing does: pruning again changes nothing.
    while np.count_nonzero(cut != ROOT) > before:
        before = np.count_nonzero(cut != ROOT)
        order = parents_first(parents)
        for middle in _middles(order, parents, tree.points_nm, scoop, cut):
            turn(parents, middle)
        _cut(parents_first(parents), parents, tree.points_nm, scoop, held, attachment, min_length_nm, cut)
    if root != "middle":
        for old_root in tree.roots.tolist():
            turn(parents, old_root if cut[old_root] == ROOT else int(cut[old_root]))
    return rearranged(_with_handed_on(tree, cut), parents, cut == ROOT)


def _check(tree: Skeleton, attachment: float, min_length_nm: float, root: str) -> None:
    if root not in ROOT_RULES:
        raise UnknownNameError("rule for the root", root, ROOT_RULES)
    if not (attachment >= 0 and min_length_nm >= 0):
        raise ValueRangeError(f"Attachment {attachment:g} and length {min_length_nm:g} nm", "0 or more", "0 switches one off")
    if "scoop_nm" not in tree.features:
        raise InputError(
            f"'{tree.name}' has no feature scoop_nm", "the scooping distance of each node", "make the tree with scoop()"
        )


def _held(tree: Skeleton, root: str) -> np.ndarray:
    """Which nodes must stay."""
    held = np.zeros(len(tree), bool)
    for name in ("unremovable", "locked", "drawn"):
        held |= np.asarray(tree.features.get(name, False), bool)
    held[tree.roots] |= (root == "protect") | (tree.kinds[tree.roots] == SOMA)
    return held


def _with_handed_on(tree: Skeleton, cut: np.ndarray) -> Skeleton:
    """The tree in which a contact of a node that goes is one of the node it was cut off at."""
    met = np.array(tree.features.get("loop_contact", np.zeros(len(tree), bool)))
    met[cut[(cut != ROOT) & met]] = True
    return replace(tree, features={**tree.features, "loop_contact": met} if "loop_contact" in tree.features else tree.features)


@numba.njit(cache=True, nogil=True)
def _edges(order, parents, points):
    edges = np.zeros(len(parents))
    for row in order:
        if parents[row] >= 0:
            edges[row] = np.sqrt(((points[row] - points[parents[row]]) ** 2).sum())
    return edges


@numba.njit(cache=True, nogil=True)
def _middles(order, parents, points, scoop, cut):
    """Of each tree, in `order`: the thicker end of the middle edge of its longest path between two tips."""
    n = len(parents)
    edges = _edges(order, parents, points)
    first, second, leaf = np.zeros(n), np.zeros(n), np.arange(n)
    for row in order[::-1]:
        p = parents[row]
        if p < 0 or cut[row] != ROOT:
            continue
        length = first[row] + edges[row]
        if length > first[p]:
            first[p], second[p], leaf[p] = length, first[p], leaf[row]
        elif length > second[p]:
            second[p] = length
    middles, trees, top, best = np.empty(n, np.int64), 0, -1, -1.0
    for i in range(n):
        row = order[i]
        if cut[row] == ROOT and first[row] + second[row] > best:
            best, top = first[row] + second[row], row
        if i + 1 == n or parents[order[i + 1]] < 0:
            middles[trees] = _half_way(parents, edges, scoop, leaf[top], top, best / 2)
            trees, best = trees + 1, -1.0
    return middles[:trees]


@numba.njit(cache=True, nogil=True)
def _half_way(parents, edges, scoop, here, top, half):
    """The thicker end of the edge that lies `half` up the way from a leaf to `top`."""
    climbed = 0.0
    while here != top and climbed + edges[here] < half:
        climbed += edges[here]
        here = parents[here]
    above = parents[here] if here != top else here
    return here if scoop[here] > scoop[above] else above


@numba.njit(cache=True, nogil=True)
def _cut(order, parents, points, scoop, held, attachment, min_length, cut):
    """Write where each node that goes was cut off, the last row that stays towards the middle; ROOT for what stays."""
    edges, held = _edges(order, parents, points), held.copy()
    for row in order[::-1]:
        if held[row] and parents[row] >= 0:
            held[parents[row]] = True
    length = _lengths(order, parents, edges, scoop, cut)
    for row in order:
        p = parents[row]
        if p >= 0 and cut[row] == ROOT:
            if cut[p] != ROOT:
                cut[row] = cut[p]
            elif not held[row] and length[row] <= attachment * scoop[p]:
                cut[row] = p
    length = _lengths(order, parents, edges, scoop, cut)
    _keep_longest(order, parents, length, scoop, held, min_length, cut)
    for row in order:
        if cut[row] != ROOT and cut[cut[row]] != ROOT:
            cut[row] = cut[cut[row]]


@numba.njit(cache=True, nogil=True)
def _lengths(order, parents, edges, scoop, cut):
    """L of the edge of each row, over what is not cut."""
    beyond = scoop.copy()
    for row in order[::-1]:
        p = parents[row]
        if p >= 0 and cut[row] == ROOT:
            beyond[p] = max(beyond[p], edges[row] + beyond[row])
    return edges + beyond


@numba.njit(cache=True, nogil=True)
def _keep_longest(order, parents, length, scoop, held, min_length, cut):
    """The second pass: `cut` also what is not the longest edge of its node (the two longest at the middle) and short."""
    n = len(parents)
    longest, runner_up = np.full(n, -1), np.full(n, -1)
    for row in order:
        p = parents[row]
        if p < 0 or cut[row] != ROOT:
            continue
        if longest[p] < 0 or length[row] > length[longest[p]]:
            longest[p], runner_up[p] = row, longest[p]
        elif runner_up[p] < 0 or length[row] > length[runner_up[p]]:
            runner_up[p] = row
    for row in order:
        p = parents[row]
        if p < 0 or cut[row] != ROOT:
            continue
        if cut[p] != ROOT:
            cut[row] = cut[p]
            continue
        spared = row == longest[p] or (parents[p] < 0 and row == runner_up[p])
        if not spared and not held[row] and length[row] - scoop[p] < min_length:
            cut[row] = p
