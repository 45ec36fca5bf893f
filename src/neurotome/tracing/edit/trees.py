"""Operations on edges and whole trees: cut, join, reroot, and the verdict on a bridge."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurotome.core import ROOT, InputError, Skeleton
from neurotome.tracing.edit.bench import Bench, require_unlocked
from neurotome.tracing.edit.nodes import require_free_edge
from neurotome.tracing.edit.rows import feature, with_parent, with_values
from neurotome.tracing.rooting import rerooted

__all__ = ["accept_jump", "cut", "join", "linked", "reject_jump", "reroot", "upper_and_lower"]


def cut(bench: Bench, *, node: int) -> Skeleton:
    """The edge between a node and its parent is gone: all from the node down is a tree of its own."""
    row = bench.edge(node)
    require_free_edge(bench.tree, row, "cut between them")
    return with_parent(bench.tree, row, ROOT)


def join(bench: Bench, *, a: int, b: int) -> Skeleton:
    """A straight edge between nodes of two trees; the tree of fewer nodes (that of b, if equal) gets its end as root."""
    upper, lower = upper_and_lower(bench, a, b)
    return linked(bench.tree, upper, lower)


def reroot(bench: Bench, *, node: int) -> Skeleton:
    """The tree of a node with this node as its root. No edge comes or goes, so locked ones may turn."""
    return rerooted(bench.tree, bench.row(node))


def accept_jump(bench: Bench, *, node: int) -> Skeleton:
    """The bridge that the edge above a node belongs to is right: its confidence is 1, and no automatic step may touch it."""
    return with_values(bench.tree, _bridge(bench, node), confidence=1.0)


def reject_jump(bench: Bench, *, node: int) -> Skeleton:
    """The bridge that the edge above a node belongs to is wrong: its edges and the nodes between them go."""
    tree, rows = bench.tree, _bridge(bench, node)
    *between, bottom = rows.tolist()
    require_unlocked(tree, between, "remove the bridge it lies on")
    if not between:
        require_free_edge(tree, bottom, "remove the bridge between them")
    apart = with_parent(tree, bottom, ROOT)
    return apart.take(~np.isin(apart.ids, tree.ids[between]))


def upper_and_lower(bench: Bench, a: int, b: int) -> tuple[int, int]:
    """Of two nodes to be joined, the one that becomes the parent (in the larger tree) and the child. Raises InputError."""
    tree = bench.tree
    tree_a, tree_b = (int(tree.trees[bench.row(node)]) for node in (a, b))
    if tree_a == tree_b:
        raise InputError(
            f"Nodes {a} and {b} belong to the same tree, an edge between them would close a loop",
            "nodes of two trees",
            "cut one of the edges on the way from one to the other first",
        )
    sizes = np.bincount(tree.trees)
    return (b, a) if sizes[tree_a] < sizes[tree_b] else (a, b)


def linked(tree: Skeleton, upper: int, lower: int, **edge: Any) -> Skeleton:
    """The tree with an edge from node `lower`, which becomes the root of its tree for it, up to node `upper` (ids)."""
    turned = rerooted(tree, int(tree.rows_of([lower])[0]))
    child, parent = (int(row) for row in turned.rows_of([lower, upper]))
    return with_parent(turned, child, parent, **edge)


def _bridge(bench: Bench, node: int) -> np.ndarray:
    """The rows of all edges of a bridge, from the top down: one, or a chain of jumps over the same gap that nothing hangs on."""
    tree, row = bench.tree, bench.edge(node)
    jump, gap = feature(tree, "jump"), feature(tree, "gap_nm")
    if not jump[row]:
        raise InputError(
            f"The edge above node {node} is no bridge", "a node whose edge is marked as a jump", "use cut to remove another edge"
        )
    above, children = tree.parent_rows, tree.children

    def goes_on(upper: int) -> bool:
        return bool(children[upper] == 1 and above[upper] >= 0 and jump[upper] and gap[upper] == gap[row])

    chain = [row]
    while goes_on(int(above[chain[0]])):
        chain.insert(0, int(above[chain[0]]))
    while children[chain[-1]] == 1:
        child = int(np.flatnonzero(above == chain[-1])[0])
        if not (jump[child] and gap[child] == gap[row]):
            break
        chain.append(child)
    return np.array(chain)
