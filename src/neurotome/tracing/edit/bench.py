"""What an operation has before it: the tree, the number of the next node, and the probability where there is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core import Box, InputError, Skeleton, ValueRangeError
from neurotome.core.geometry import Int3, Nm3
from neurotome.tracing.sparse.bricks import Bricks

__all__ = ["Bench", "require_unlocked"]


@dataclass(frozen=True, eq=False)
class Bench:
    """An operation is a function (bench, arguments) -> tree. It changes nothing of what lies here.

    next_id: new nodes are numbered from it; it is larger than any id this session has seen, so that no id ever means two nodes.
    probability: 255 is probability 1. origin_nm: where the centre of its voxel 0 lies among the points of the tree.
    """

    tree: Skeleton
    next_id: int
    probability: Bricks | None = None
    origin_nm: Nm3 = (0.0, 0.0, 0.0)

    def row(self, node: int) -> int:
        """The row of a node. Raises InputError for an unknown id."""
        found = np.flatnonzero(self.tree.ids == node)
        if not len(found):
            raise InputError(
                f"'{self.tree.name}' has no node {node}", "the id of one of its nodes", "look it up in the SWC file of this tree"
            )
        return int(found[0])

    def edge(self, node: int) -> int:
        """The row of a node that has a parent, and so an edge. Raises InputError for a root."""
        row = self.row(node)
        if self.tree.parent_rows[row] < 0:
            raise InputError(f"Node {node} is a root", "the lower node of an edge", "name an edge by its child")
        return row

    def evidence(self, purpose: str) -> Bricks:
        """The probability. Raises InputError where there is none."""
        if self.probability is None:
            raise InputError(
                f"There is no volume to {purpose} in",
                "the probability or the image that the tree was traced in",
                "give --probability VOLUME or --image VOLUME (in Python: Editor(tree, probability=bricks))",
            )
        return self.probability

    def voxel_of(self, row: int, bricks: Bricks) -> Int3:
        """The voxel that the node of this row lies in. Raises ValueRangeError where it lies outside of the volume."""
        exact = (self.tree.points_nm[row] - self.origin_nm) / bricks.voxel_nm
        z, y, x = (int(np.floor(v + 0.5)) for v in exact)
        if not all(0 <= v < size for v, size in zip((z, y, x), bricks.shape, strict=True)):
            raise ValueRangeError(
                f"Node {self.tree.ids[row]} lies at voxel {(z, y, x)} (z, y, x), outside of a volume of {bricks.shape}",
                "a node inside of the volume",
                "give the volume that the tree was traced in, with its voxel size",
            )
        return z, y, x

    def nm_of(self, voxels: np.ndarray, bricks: Bricks) -> np.ndarray:
        """(n, 3) positions of voxels among the points of the tree."""
        return np.asarray(voxels, float) * bricks.voxel_nm + np.asarray(self.origin_nm)


def box_around(low: Int3, high: Int3, margin: int, shape: Int3) -> Box:
    """The smallest box with both voxels and `margin` more, inside a volume of this shape."""
    start = tuple(min(a, b) for a, b in zip(low, high, strict=True))
    stop = tuple(max(a, b) + 1 for a, b in zip(low, high, strict=True))
    return Box(start, stop).grow((margin,) * 3).clip(shape)  # type: ignore[arg-type]


def require_unlocked(tree: Skeleton, rows: np.ndarray | list[int] | int, purpose: str) -> None:
    """Raise InputError if one of these rows is locked, naming the first."""
    if "locked" not in tree.features:
        return
    chosen = np.atleast_1d(np.arange(len(tree))[rows])
    held = chosen[np.asarray(tree.features["locked"])[chosen]]
    if len(held):
        others = f" (and {len(held) - 1} more)" if len(held) > 1 else ""
        raise InputError(
            f"Node {tree.ids[held[0]]}{others} is locked: cannot {purpose}",
            "nodes that are not locked",
            f"unlock {_few(tree, held)}",
        )


def _few(tree: Skeleton, rows: np.ndarray) -> str:
    shown = ", ".join(str(i) for i in tree.ids[rows[:5]])
    return f"node {shown} first" if len(rows) == 1 else f"nodes {shown}{', ...' if len(rows) > 5 else ''} first"
