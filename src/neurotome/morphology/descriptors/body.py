"""A shape, and what several descriptors ask of it, found once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurotome.core import InputError, Skeleton
from neurotome.measure.trees.branches import without_soma_outline
from neurotome.measure.trees.branching import Branching, branching
from neurotome.morphology.occupancy.frames import principal_axes
from neurotome.morphology.occupancy.matter import Shape, soma_of, spread_of

__all__ = ["Body", "body_of"]


@dataclass(frozen=True, eq=False)
class Body:
    """A shape as the descriptors see it. `skeleton` and what follows from it raise InputError for shapes without a tree."""

    shape: Shape

    @property
    def skeleton(self) -> Skeleton:
        if not isinstance(self.shape, Skeleton):
            raise InputError(
                f"'{self.shape.name}' is a {type(self.shape).__name__}",
                "a skeleton: its tree is measured",
                "make one of it first",
            )
        return self.shape

    @cached_property
    def tree(self) -> Skeleton:
        """The skeleton without nodes that draw the outline of a soma."""
        return without_soma_outline(self.skeleton)

    @cached_property
    def branching(self) -> Branching:
        return branching(self.tree.points_nm, self.tree.parent_rows)

    @cached_property
    def reach_nm(self) -> np.ndarray:
        """(n,) how far each node of `tree` is from the root of its tree, straight."""
        return np.asarray(np.sqrt(((self.tree.points_nm - self.tree.points_nm[self.branching.root]) ** 2).sum(1)))

    @cached_property
    def lines(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What there is of it: starts, ends (m, 3), shares (m,), adding up to 1; see `spread_of`."""
        starts, ends, weights = spread_of(self.tree if isinstance(self.shape, Skeleton) else self.shape)
        return starts, ends, weights / weights.sum()

    @cached_property
    def mean_nm(self) -> np.ndarray:
        """(3,) the centre of mass."""
        starts, ends, shares = self.lines
        return np.asarray(shares @ (starts + ends) / 2)

    @cached_property
    def rotation(self) -> np.ndarray:
        """(3, 3), see `principal_axes`."""
        return principal_axes(*self.lines)

    @property
    def centre_nm(self) -> np.ndarray:
        """(3,) the middle of the soma, or the centre of mass where no soma is known."""
        soma = soma_of(self.shape)
        return self.mean_nm if soma is None else np.asarray(soma)

    def turned(self, centre_nm: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """The lines' starts and ends about a centre and along axes, (m, 3) in nm, and the largest |coordinate| among them."""
        starts, ends = ((points - centre_nm) @ rotation.T for points in self.lines[:2])
        return starts, ends, max(float(np.abs(starts).max()), float(np.abs(ends).max()))


def body_of(shape: Shape | Body) -> Body:
    """The body of a shape; a body is its own."""
    return shape if isinstance(shape, Body) else Body(shape)
